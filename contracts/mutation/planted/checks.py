"""Breaks of the checks themselves: what they are given, and what keeps Pact from passing silently."""

from contracts.mutation.breaks import Break, Edit
from contracts.mutation.planted.places import asks, is_asked

VERIFIES = is_asked("inventory")
MATCHERS = "contracts/matchers.py"
VERIFICATION = "contracts/verification.py"
CONSUMER = "contracts/consumer.py"
TESTS_OF_MATCHERS = "contracts/tests/test_matchers.py"
TESTS_OF_PROVIDER = "contracts/tests/test_provider.py"
RELEASED = '"a released hold": states.a_released_hold,\n'

BREAKS = (
    Break(
        "a state has no handler",
        (Edit(VERIFIES, f"                {RELEASED}", ""),),
        (VERIFIES,),
        ('The state "a released hold" has no handler at inventory, but "orders asks inventory" needs it',),
    ),
    Break(
        "the handler of a state raises",
        (
            Edit(
                VERIFIES,
                "    async def a_released_hold(self, given: dict[str, Any]) -> None:\n",
                "    async def a_released_hold(self, given: dict[str, Any]) -> None:\n"
                '        raise LookupError("the house is closed")\n',
            ),
        ),
        (VERIFIES,),
        ('The state "a released hold" could not be set up', "LookupError: the house is closed"),
    ),
    Break(
        "the handler of a state does nothing",
        (
            Edit(
                VERIFIES,
                "    async def a_released_hold(self, given: dict[str, Any]) -> None:\n",
                "    async def a_released_hold(self, given: dict[str, Any]) -> None:\n        return\n",
            ),
        ),
        (VERIFIES,),
        ("inventory breaks what orders relies on", "the commit of a released hold", "expected 410 but was 404"),
    ),
    Break(
        "a handler is of a state that nobody needs",
        (Edit(VERIFIES, RELEASED, f'{RELEASED}                "a lost hold": states.a_released_hold,\n'),),
        (VERIFIES,),
        ('The handler of the state "a lost hold" at inventory is dead',),
    ),
    Break(
        "a verification misspells its provider",
        (Edit(VERIFIES, '            "inventory",\n', '            "inventry",\n'),),
        (VERIFIES,),
        ("There is no pact in which orders, waitingroom, web asks inventry",),
    ),
    Break(
        "a verification leaves a consumer out",
        (Edit(VERIFIES, 'callers=["orders", "waitingroom", "web"]', 'callers=["orders", "waitingroom"]'),),
        (VERIFIES,),
        ("web asks inventory by a pact, but its verification does not name web",),
    ),
    Break(
        "a verification names no consumer",
        (Edit(VERIFIES, 'callers=["orders", "waitingroom", "web"]', "callers=[]"),),
        (VERIFIES,),
        ("The verification of inventory names no consumers",),
    ),
    Break(
        "a test asks for nothing",
        (Edit(CONSUMER, "        self.made[key] = interaction\n", ""),),
        (asks("orders", "inventory"),),
        ("The tests of orders asks inventory made no interaction",),
    ),
    Break(
        "a list may be empty",
        (Edit(MATCHERS, "match.each_like(_exactly(example), min=1)", "match.each_like(_exactly(example))"),),
        (TESTS_OF_MATCHERS,),
        ("several: []",),
    ),
    Break(
        "a text may be a number",
        (Edit(MATCHERS, "_Both(example, match.str(example), match.regex(", "_Both(example, match.regex("),),
        (TESTS_OF_MATCHERS,),
        ("text: 7",),
    ),
    Break(
        "a state without a handler is passed over",
        (Edit(VERIFICATION, "for name in sorted(needed.keys() - handlers.keys())", "for name in ()"),),
        (f"{TESTS_OF_PROVIDER}::test_a_state_without_a_handler_is_named",),
        ('The state "a shelf with a book" has no handler at library',),
    ),
    Break(
        "a dead handler is passed over",
        (Edit(VERIFICATION, "for name in sorted(handlers.keys() - needed.keys())", "for name in ()"),),
        (f"{TESTS_OF_PROVIDER}::test_a_handler_that_no_pact_needs_is_named",),
        ("test_a_handler_that_no_pact_needs_is_named", "DID NOT RAISE ContractBroken"),
    ),
)
