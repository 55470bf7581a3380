"""May it be deployed? Asked of whole copies of this repository, with a release in their history and a change after it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.deploying.across import can_deploy
from contracts.deploying.crosswise import Crosswise
from contracts.mutation.breaks import Documents
from contracts.mutation.planted import across
from contracts.promises.documents import FOLDER
from contracts.protocol.writing import EXAMPLES
from contracts.releases import git
from contracts.running import pytest_arguments
from contracts.tests.repositories import Repository

INVENTORY, ORDERS = "services/inventory", "services/orders"


@dataclass(frozen=True)
class Copy:
    """A repository like this one."""

    repository: Repository

    @property
    def root(self) -> Path:
        return self.repository.root

    def release(self) -> None:
        git(self.root, "tag", "v0.1.0")

    def replace(self, name: str, *changes: tuple[str, str]) -> None:
        path = self.root / name
        text = path.read_text()
        for old, new in changes:
            assert old in text, f"{name} has no {old} any more: write this test anew."
            text = text.replace(old, new)
        path.write_text(text)

    def plant(self, words: str) -> None:
        """Makes the change of a planted break on all sides at once."""
        (planted,) = [each for each in across.BREAKS if words in each.name]
        for change in planted.changes:
            if isinstance(change, Documents):
                self.write_documents()
            else:
                change.apply(self.root)
        if planted.rewrites:
            self.write_pacts(*planted.rewrites)

    def write_pacts(self, *tests: str) -> None:
        arguments = pytest_arguments(self.root, [self.root / each for each in tests])
        done = self.repository.fork("pytest", arguments, {"PACTS": "write"})
        assert done.code == 0, done.said

    def write_documents(self) -> None:
        done = self.repository.fork("contracts.documents", [])
        assert done.code == 0, done.said

    def can_deploy(self, service: str) -> tuple[int, str]:
        """Asked in this process, which has the libraries and knows a server that forks: this repository's code is the copy's."""
        answer = can_deploy(service, self.root, Crosswise(self.repository.forks))
        return 0 if answer.yes else 1, answer.report(service)

    def command(self, service: str) -> tuple[int, str]:
        """The same as people ask it."""
        done = self.repository.command("contracts.deploying.across", "--service", service)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(repository: Repository) -> Copy:
    return Copy(repository)


def test_before_the_first_release_it_is_said_that_there_is_none(copy: Copy) -> None:
    code, said = copy.command("orders")
    assert code == 0
    assert "There is no release yet" in said


def test_a_service_that_is_none_is_reported_with_those_that_are(copy: Copy) -> None:
    code, said = copy.command("ordres")
    assert code == 2
    assert "There is no service ordres. Choose one of accounts, " in said


def test_a_field_that_is_renamed_everywhere_at_once_is_refused(copy: Copy) -> None:
    copy.release()
    copy.replace(f"{INVENTORY}/events.py", ("hold_id: UUID", "held_id: UUID"), ('"hold_id"', '"held_id"'))
    copy.replace(f"{INVENTORY}/service.py", ('hold_id=row["hold_id"], event_id', 'held_id=row["hold_id"], event_id'))
    copy.replace(f"{ORDERS}/inbox.py", ("hold_id: UUID", "held_id: UUID"), ("fact.hold_id", "fact.held_id"))
    copy.replace(f"{ORDERS}/tests/contract/test_hears_inventory.py", ('{"hold_id":', '{"held_id":'))
    copy.write_pacts(f"{ORDERS}/tests/contract/test_hears_inventory.py")

    copy.write_documents()
    code, said = copy.can_deploy("inventory")
    assert code == 1
    assert "(inventory here, orders of v0.1.0) inventory breaks what orders relies on" in said
    assert "missing the following keys: hold_id" in said
    assert "events.inventory.hold_expired.v1: " in said.partition("BREAKS  inventory: ")[2]
    assert "NO: inventory cannot be deployed beside v0.1.0. Consumers of the last release run" in said


def test_a_consumer_that_needs_what_the_release_does_not_tell_is_refused(copy: Copy) -> None:
    copy.release()
    copy.replace(f"{INVENTORY}/events.py", ("expired_at: datetime", 'expired_at: datetime\n    reason: str = "time"'))
    copy.replace(f"{ORDERS}/inbox.py", ("    hold_id: UUID", "    hold_id: UUID\n    reason: str"))
    copy.replace(
        f"{ORDERS}/tests/contract/test_hears_inventory.py", ("data = {", 'data = {"reason": matchers.text("time"), ')
    )
    copy.write_pacts(f"{ORDERS}/tests/contract/test_hears_inventory.py")
    copy.write_documents()
    code, said = copy.can_deploy("orders")
    assert code == 1
    assert "(inventory of v0.1.0, orders here) inventory breaks what orders relies on" in said
    assert "missing the following keys: reason" in said
    assert "NO: orders cannot be deployed beside v0.1.0. Providers of the last release run" in said


def test_what_older_facts_lack_cannot_be_needed_while_they_may_come_again(copy: Copy) -> None:
    copy.release()
    copy.replace(f"{INVENTORY}/events.py", ("expired_at: datetime", 'expired_at: datetime\n    reason: str = "time"'))
    copy.write_documents()
    git(copy.root, "commit", "--quiet", "--all", "--message", "reason")
    git(copy.root, "tag", "v0.2.0")
    copy.replace(f"{ORDERS}/inbox.py", ("    hold_id: UUID", "    hold_id: UUID\n    reason: str"))
    tests = f"{ORDERS}/tests/contract/test_hears_inventory.py"
    copy.replace(tests, ("data = {", 'data = {"reason": matchers.text("time"), '))
    copy.write_pacts(tests)
    copy.write_documents()
    code, said = copy.can_deploy("orders")
    assert code == 1
    assert "inventory of v0.2.0 is heard by orders here                1 held" in said
    assert "BREAKS  facts of v0.1.0 come again: orders hears inventory" in said
    assert "NO: orders cannot be deployed beside v0.2.0. Providers of the last release run" in said
    assert "$.data.reason" in said


def test_a_verification_that_does_not_work_here_is_no_excuse(copy: Copy) -> None:
    copy.release()
    copy.replace(
        f"{INVENTORY}/tests/contract/test_is_asked.py",
        (
            "async def a_released_hold(self, given: dict[str, Any]) -> None:\n",
            'async def a_released_hold(self, given: dict[str, Any]) -> None:\n        given = given["nothing"]\n',
        ),
    )
    code, said = copy.command("inventory")
    assert code == 1
    assert "its verification here does not work with contracts of v0.1.0. Mend it" in said
    assert "KeyError: 'nothing'" in said


def test_documents_that_are_not_written_anew_are_reported_first(copy: Copy) -> None:
    copy.release()
    copy.replace(
        f"{INVENTORY}/operations.py", ("    expires_at: datetime\n", "    expires_at: datetime | None = None\n")
    )
    code, said = copy.command("inventory")
    assert code == 1
    assert said.startswith("NO: inventory.json are not what the code says")


def test_a_state_that_the_release_does_not_know_is_no_break_as_long_as_its_documents_agree(copy: Copy) -> None:
    copy.release()
    tests = f"{ORDERS}/tests/contract/test_asks_inventory.py"
    copy.replace(tests, ('a_state("an event with one place left"', 'a_state("an event with a last place"'))
    copy.write_pacts(tests)
    code, said = copy.can_deploy("orders")
    assert code == 0, said
    assert (
        'CANNOT BE VERIFIED  (inventory of v0.1.0, orders here) orders asks inventory, "a hold of more places' in said
    )
    assert 'inventory of that version does not know the state "an event with a last place".' in said
    assert "YES: orders can be deployed beside v0.1.0, as far as it can be verified: 1 could not be." in said


@pytest.mark.parametrize(
    ("words", "here_reads", "release_reads"),
    [
        (
            "the audience of services' tokens",
            "service token: contracts.pactfile.ContractBroken: a service's token after 0 s: this version refuses",
            "service token: contracts.pactfile.ContractBroken: a service's token after 0 s: this version refuses",
        ),
        (
            "a deadline is sent and read in seconds",
            "request: contracts.pactfile.ContractBroken: a request's deadline: another version means 3.0 s, and this one reads 59.98 s",
            "request: contracts.pactfile.ContractBroken: a request's deadline: another version means 3.0 s, and this one reads 14.98 s",
        ),
    ],
    ids=["audience", "deadline"],
)
def test_what_the_chassis_changes_everywhere_at_once_is_refused_in_both_directions(
    copy: Copy, words: str, here_reads: str, release_reads: str
) -> None:
    copy.release()
    copy.plant(words)
    code, said = copy.can_deploy("inventory")
    assert code == 1
    assert f"BREAKS  (of v0.1.0 writes, here reads) {here_reads}" in said
    assert f"BREAKS  (here writes, of v0.1.0 reads) {release_reads}" in said
    assert "BREAK" not in "".join(line for line in said.splitlines() if line.startswith("  inventory here"))
    assert "NO: inventory cannot be deployed beside v0.1.0. What services have from the chassis is exchanged" in said


def test_a_price_in_another_unit_that_is_changed_everywhere_at_once_is_refused(copy: Copy) -> None:
    copy.release()
    copy.plant("a price is answered in major units")
    code, said = copy.can_deploy("catalog")
    assert code == 1
    assert "(catalog here, orders of v0.1.0) catalog breaks what orders relies on" in said
    assert "price_minor: Expected 42 (Integer) to be equal to 4250 (Integer)" in said
    assert "NO: catalog cannot be deployed beside v0.1.0. Consumers of the last release run" in said


def test_a_release_from_before_there_were_examples_of_the_protocol_is_reported(copy: Copy) -> None:
    name = str(Path("contracts") / EXAMPLES.relative_to(FOLDER))
    git(copy.root, "rm", "--quiet", "--cached", name)
    git(copy.root, "commit", "--quiet", "--message", "without")
    copy.release()
    code, said = copy.can_deploy("payments")
    assert code == 0, said
    assert "v0.1.0 has no examples of what its chassis writes: it is from before there were any." in said
