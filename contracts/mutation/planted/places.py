"""Where the checks are: files of tests, or single tests of a file whose others are about something made up."""

_EDGES = "contracts/tests/test_every_edge.py"
# Each operation and subject that is declared to be needed has an interaction, and each interaction such a need.
NEEDED = f"{_EDGES}::test_every_declared_need_has_a_contract_and_every_contract_a_declared_need"
# Each pact is written and verified.
TWO_SIDES = f"{_EDGES}::test_every_pact_is_written_by_its_consumer_and_verified_by_its_provider"
DOCUMENTS = "contracts/tests/test_documents.py::test_the_committed_documents_are_what_the_code_says"
PROTOCOL = "contracts/tests/test_protocol.py"
NEEDS = "contracts/tests/test_needs.py::test_everything_that_a_consumer_needs_is_declared_and_required"
AMOUNTS = "contracts/tests/test_amounts.py::test_every_amount_that_is_read_is_said_to_the_letter_once"
COVERAGE = "contracts/tests/test_coverage.py::test_what_no_contract_uses_has_a_reason_and_every_reason_is_needed"
DESCRIPTORS = "contracts/tests/test_descriptors.py::test_descriptors_say_what_services_provide_and_consume"
PICTURE = "contracts/tests/test_picture.py::test_the_committed_picture_is_what_the_pacts_say"


def asks(consumer: str, provider: str) -> str:
    """What a consumer says that it asks."""
    return f"services/{consumer}/tests/contract/test_asks_{provider}.py"


def hears(consumer: str, provider: str) -> str:
    """What a consumer says that it hears."""
    return f"services/{consumer}/tests/contract/test_hears_{provider}.py"


def is_asked(provider: str) -> str:
    """The proof that a provider answers."""
    return f"services/{provider}/tests/contract/test_is_asked.py"


def tells(provider: str) -> str:
    """The proof of what a provider tells and says."""
    return f"services/{provider}/tests/contract/test_tells.py"


def pact(name: str) -> str:
    """A pact of ours."""
    return f"contracts/pacts/{name}.json"
