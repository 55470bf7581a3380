"""What notifications needs of accounts: where people can be written to."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.languages import PATTERN
from contracts import matchers
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks, problem
from services.notifications.clients.accounts import CONTACT, AccountsClient
from services.notifications.domain import Contact, NotDelivered

accounts = asks("notifications", "accounts", AccountsClient)

AN_ADDRESS = matchers.text("ada@example.com", r"^[^@\s]+@[^@\s]+$")


def a_contact(**said: Any) -> dict[str, Any]:
    nothing = {name: matchers.nothing() for name in ("name", "email", "order_pass")}
    return {**nothing, "language": matchers.text("en", PATTERN), **said}


async def test_a_person_has_a_name_and_an_address(accounts: Asking[AccountsClient]) -> None:
    person_id = an_id("notifications asks accounts: person")
    contact = a_contact(name="Ada Lovelace", email="ada@example.com", language="de")
    async with accounts.expects(
        "a person's contact",
        a_state("a person with a name and an address", person_id=person_id),
        ask(CONTACT, query={}, person_id=person_id),
        Answer(200, contact),
    ) as client:
        assert await client.contact_of(person_id) == Contact("Ada Lovelace", "ada@example.com", language="de")


async def test_a_guests_contact_comes_with_what_opens_the_order(accounts: Asking[AccountsClient]) -> None:
    person_id, order_id = (
        an_id("notifications asks accounts: guest who buys"),
        an_id("notifications asks accounts: order"),
    )
    a_pass = matchers.text("aa.bb.cc", r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")
    contact = a_contact(name=matchers.text("Ada"), email=AN_ADDRESS, order_pass=a_pass)
    async with accounts.expects(
        "a guest's contact, and what opens an order of theirs",
        a_state("a person with a name and an address", person_id=person_id),
        ask(
            CONTACT,
            query={"order_id": str(order_id), "pass_until": "2101-06-23T18:00:00Z"},
            person_id=person_id,
        ),
        Answer(200, contact),
    ) as client:
        found = await client.contact_of(person_id, order_id, datetime(2101, 6, 23, 18, tzinfo=UTC))
        assert found.order_pass == "aa.bb.cc"


async def test_a_guest_without_details_has_neither(accounts: Asking[AccountsClient]) -> None:
    person_id = an_id("notifications asks accounts: guest")
    async with accounts.expects(
        "the contact of a guest who has told nothing",
        a_state("a guest who has told nothing", person_id=person_id),
        ask(CONTACT, query={}, person_id=person_id),
        Answer(200, a_contact()),
    ) as client:
        assert await client.contact_of(person_id) == Contact(name=None, email=None)


async def test_somebody_who_does_not_exist_cannot_be_written_to(accounts: Asking[AccountsClient]) -> None:
    person_id = an_id("notifications asks accounts: nobody")
    async with accounts.expects(
        "the contact of nobody",
        None,
        ask(CONTACT, query={}, person_id=person_id),
        problem(404, "person_unknown"),
    ) as client:
        with pytest.raises(NotDelivered) as refused:
            await client.contact_of(person_id)
        assert refused.value.permanent
