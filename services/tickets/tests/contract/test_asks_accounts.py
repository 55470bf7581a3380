"""What tickets needs of accounts: the name that stands on a ticket, and the language in whose way its amount does."""

from chassis.asking import Http
from chassis.languages import PATTERN
from contracts import matchers
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks, problem
from services.tickets.clients.accounts import CONTACT, AccountsClient
from services.tickets.domain import Holder


def a_client(http: Http) -> AccountsClient:
    return AccountsClient(http, seconds=5.0)


accounts = asks("tickets", "accounts", a_client)


async def test_a_person_has_a_name(accounts: Asking[AccountsClient]) -> None:
    person_id = an_id("tickets asks accounts: person")
    async with accounts.expects(
        "the name of a holder",
        a_state("a person with a name and an address", person_id=person_id),
        ask(CONTACT, person_id=person_id),
        Answer(200, {"name": "Ada Lovelace", "language": "de"}),
    ) as client:
        assert await client.holder(person_id) == Holder("Ada Lovelace", "de")


async def test_a_guest_without_details_has_none(accounts: Asking[AccountsClient]) -> None:
    person_id = an_id("tickets asks accounts: guest")
    async with accounts.expects(
        "the name of a guest who has told nothing",
        a_state("a guest who has told nothing", person_id=person_id),
        ask(CONTACT, person_id=person_id),
        Answer(200, {"name": matchers.nothing(), "language": matchers.text("en", PATTERN)}),
    ) as client:
        assert await client.holder(person_id) == Holder()


async def test_a_ticket_of_somebody_who_does_not_exist_any_more_has_none(accounts: Asking[AccountsClient]) -> None:
    person_id = an_id("tickets asks accounts: nobody")
    async with accounts.expects(
        "the name of nobody",
        None,
        ask(CONTACT, person_id=person_id),
        problem(404, "person_unknown"),
    ) as client:
        assert await client.holder(person_id) == Holder()
