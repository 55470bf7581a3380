"""What web needs of accounts: people, guests, sessions and contacts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from chassis.http import ProviderBusyForYou, ProviderProblem, ProviderUnavailable
from chassis.languages import PATTERN as LANGUAGE_PATTERN
from contracts import matchers
from contracts.consumer import Answer, Ask, Asking, State, a_state, an_id, ask, asks, problem
from services.web.clients.accounts import (
    BECOME_GUEST,
    END_SESSION,
    GET_ME,
    REFRESH_SESSION,
    SIGN_IN,
    SIGN_UP,
    TELL_CONTACT,
    AccountsClient,
)

accounts = asks("web", "accounts", AccountsClient)

PASSWORD = "correct horse battery"
TOKEN = "a.persons.token"
# How long a person's token holds: the pages renew it in time.
TOKEN_SECONDS = 900
LANGUAGE = matchers.text("de", LANGUAGE_PATTERN)


def signed_in(name: Any) -> dict[str, Any]:
    return {
        "person_id": matchers.identifier(an_id("web asks accounts: person")),
        "name": name,
        "token": matchers.text("eyJ.eyJ.c2ln", r"^[\w-]+\.[\w-]+\.[\w-]+$"),
        "token_expires_at": matchers.from_now(TOKEN_SECONDS),
        "refresh_token": matchers.text("kX2v", r"^[\w-]+$"),
    }


def a_sign_up(email: str, password: str = PASSWORD, name: str = "Ada") -> Ask:
    return ask(SIGN_UP, body={"email": email, "password": password, "name": name})


def a_sign_in(email: str, password: str = PASSWORD) -> Ask:
    return ask(SIGN_IN, body={"email": email, "password": password})


def a_contact(person_id: UUID, name: str, email: str, language: str = "en") -> Ask:
    return ask(TELL_CONTACT, body={"name": name, "email": email, "language": language}, person=person_id)


@asynccontextmanager
async def refused(
    accounts: Asking[AccountsClient], description: str, state: State | None, asked: Ask, status: int, code: str
) -> AsyncIterator[AccountsClient]:
    """A request that accounts refuses with a code."""
    async with accounts.expects(description, state, asked, problem(status, code)) as client:
        with pytest.raises(ProviderProblem) as refusal:
            yield client
        assert refusal.value.problem_code == code


async def test_a_new_person_is_signed_in(accounts: Asking[AccountsClient]) -> None:
    async with accounts.expects(
        "a sign-up", None, a_sign_up("new@example.com"), Answer(201, signed_in("Ada"))
    ) as client:
        person = await client.sign_up("new@example.com", PASSWORD, "Ada")
        assert (person.name, person.token) == ("Ada", "eyJ.eyJ.c2ln")


async def test_an_address_that_somebody_has_is_refused(accounts: Asking[AccountsClient]) -> None:
    state = a_state("somebody who signed up", email="taken@example.com", password=PASSWORD)
    asked = a_sign_up("taken@example.com")
    async with refused(accounts, "a sign-up with a taken address", state, asked, 409, "email_taken") as client:
        await client.sign_up("taken@example.com", PASSWORD, "Ada")


async def test_a_weak_password_is_refused(accounts: Asking[AccountsClient]) -> None:
    asked = a_sign_up("weak@example.com", "abc")
    async with refused(accounts, "a sign-up with a weak password", None, asked, 422, "password_too_weak") as client:
        await client.sign_up("weak@example.com", "abc", "Ada")


async def test_what_is_no_address_is_refused(accounts: Asking[AccountsClient]) -> None:
    asked = a_sign_up("not an address")
    async with refused(accounts, "a sign-up with what is no address", None, asked, 422, "email_invalid") as client:
        await client.sign_up("not an address", PASSWORD, "Ada")


async def test_what_is_no_name_is_refused(accounts: Asking[AccountsClient]) -> None:
    asked = a_sign_up("nameless@example.com", name=" ")
    async with refused(accounts, "a sign-up without a name", None, asked, 422, "name_invalid") as client:
        await client.sign_up("nameless@example.com", PASSWORD, " ")


async def test_a_sign_up_in_a_crowd_is_to_be_tried_again(accounts: Asking[AccountsClient]) -> None:
    state = a_state("very many who sign in at once")
    asked, busy = a_sign_up("crowd@example.com"), problem(503, "accounts_busy")
    async with accounts.expects("a sign-up while very many sign in", state, asked, busy) as client:
        with pytest.raises(ProviderUnavailable):
            await client.sign_up("crowd@example.com", PASSWORD, "Ada")


async def test_a_guest_has_no_name(accounts: Asking[AccountsClient]) -> None:
    answer = Answer(201, signed_in(matchers.nothing()))
    async with accounts.expects("a guest", None, ask(BECOME_GUEST, body={}), answer) as client:
        assert (await client.new_guest()).name is None


async def test_who_gives_the_right_password_is_signed_in(accounts: Asking[AccountsClient]) -> None:
    email = "known@example.com"
    async with accounts.expects(
        "a sign-in",
        a_state("somebody who signed up", email=email, password=PASSWORD),
        a_sign_in(email),
        Answer(201, signed_in("Ada")),
    ) as client:
        assert (await client.sign_in(email, PASSWORD)).name == "Ada"


async def test_a_wrong_password_is_refused(accounts: Asking[AccountsClient]) -> None:
    asked = a_sign_in("nobody@example.com", "wrong horse battery")
    async with refused(accounts, "a sign-in that fails", None, asked, 401, "sign_in_failed") as client:
        await client.sign_in("nobody@example.com", "wrong horse battery")


@pytest.mark.parametrize(
    ("words", "state", "answer"),
    [
        (
            "after many wrong ones",
            "many wrong passwords for an address",
            problem(
                429,
                "too_many_attempts",
                headers={"Retry-After": matchers.text("840", r"^\d{1,3}$")},
                retry_after_seconds=matchers.integer(840, digits_max=3),
            ),
        ),
        ("while very many sign in", "very many who sign in at once", problem(503, "accounts_busy")),
    ],
    ids=["many attempts", "a crowd"],
)
async def test_a_sign_in_that_is_not_looked_at_is_to_be_tried_again(
    accounts: Asking[AccountsClient], words: str, state: str, answer: Answer
) -> None:
    email = f"{answer.status}@example.com"
    given = a_state(state, email=email)
    async with accounts.expects(f"a sign-in {words}", given, a_sign_in(email), answer) as client:
        with pytest.raises(ProviderUnavailable) as refused:
            await client.sign_in(email, PASSWORD)
    if answer.status == 429:
        assert isinstance(refused.value, ProviderBusyForYou)
        assert (refused.value.problem_code, refused.value.retry_after_seconds) == ("too_many_attempts", 840)


async def test_a_session_goes_on(accounts: Asking[AccountsClient]) -> None:
    async with accounts.expects(
        "new tokens for old",
        a_state("a session of a guest", refresh_token="refresh-goes-on"),
        ask(REFRESH_SESSION, body={"refresh_token": "refresh-goes-on"}),
        Answer(200, signed_in(matchers.nothing())),
    ) as client:
        assert (await client.refresh("refresh-goes-on")).refresh_token == "kX2v"


async def test_a_session_that_ended_does_not_go_on(accounts: Asking[AccountsClient]) -> None:
    asked = ask(REFRESH_SESSION, body={"refresh_token": "refresh-ended"})
    async with refused(accounts, "new tokens of a session that ended", None, asked, 401, "session_ended") as client:
        await client.refresh("refresh-ended")


async def test_a_session_is_ended(accounts: Asking[AccountsClient]) -> None:
    async with accounts.expects(
        "the end of a session",
        a_state("a session of a guest", refresh_token="refresh-ends"),
        ask(END_SESSION, body={"refresh_token": "refresh-ends"}),
        Answer(204),
    ) as client:
        await client.end("refresh-ends")


def me_of(words: str) -> UUID:
    return an_id(f"web asks accounts: {words}")


async def test_a_person_sees_what_they_gave(accounts: Asking[AccountsClient]) -> None:
    person_id = me_of("person with a contact")
    async with accounts.expects(
        "what a person told about themselves",
        a_state("a person with a name and an address", person_id=person_id),
        ask(GET_ME, person=person_id),
        Answer(200, {"name": "Ada Lovelace", "email": "ada@example.com", "language": "de"}),
    ) as client:
        me = await client.me(TOKEN)
        assert (me.name, me.email, me.language) == ("Ada Lovelace", "ada@example.com", "de")


async def test_a_guest_has_given_nothing_yet(accounts: Asking[AccountsClient]) -> None:
    person_id = me_of("guest")
    async with accounts.expects(
        "what a guest told about themselves",
        a_state("a guest who has told nothing", person_id=person_id),
        ask(GET_ME, person=person_id),
        Answer(200, {"name": matchers.nothing(), "email": matchers.nothing(), "language": LANGUAGE}),
    ) as client:
        me = await client.me(TOKEN)
        assert (me.name, me.email) == (None, None)


async def test_a_guest_tells_where_the_tickets_go(accounts: Asking[AccountsClient]) -> None:
    person_id = me_of("guest who tells")
    async with accounts.expects(
        "a contact that is told",
        a_state("a guest who has told nothing", person_id=person_id),
        a_contact(person_id, "Ada", "ada.guest@example.com", "de_CH"),
        Answer(200),
    ) as client:
        await client.tell_contact(TOKEN, "Ada", "ada.guest@example.com", "de_CH")


async def test_tickets_cannot_go_to_what_is_no_address(accounts: Asking[AccountsClient]) -> None:
    person_id = me_of("guest who mistypes")
    asked = a_contact(person_id, "Ada", "nowhere")
    async with refused(accounts, "a contact that is no address", None, asked, 422, "email_invalid") as client:
        await client.tell_contact(TOKEN, "Ada", "nowhere", "en")


async def test_tickets_cannot_be_for_nobody(accounts: Asking[AccountsClient]) -> None:
    person_id = me_of("guest without a name")
    asked = a_contact(person_id, " ", "ada.nobody@example.com")
    async with refused(accounts, "a contact without a name", None, asked, 422, "name_invalid") as client:
        await client.tell_contact(TOKEN, " ", "ada.nobody@example.com", "en")


async def test_tickets_cannot_go_to_the_address_of_another_account(accounts: Asking[AccountsClient]) -> None:
    person_id, email = me_of("person who writes another's address"), "another@example.com"
    asked = a_contact(person_id, "Bob", email)
    state = a_state("two who signed up", person_id=person_id, email=email, password=PASSWORD)
    async with refused(accounts, "a contact with another's address", state, asked, 409, "email_taken") as client:
        await client.tell_contact(TOKEN, "Bob", email, "en")
