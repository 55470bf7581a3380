"""Making a payment, and looking at it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.ids import uuid7
from chassis.testing import Harness
from services.payments.tests.integration.conftest import Till, running_till, together


async def test_a_payment_is_made_once_however_often_it_is_asked_for(till: Till) -> None:
    path, terms = f"/payments/{uuid7()}", till.terms()
    first, *others = await together(*(till.call("PUT", path, json=terms) for _ in range(4)))
    assert sorted(response.status_code for response in (first, *others)) == [200, 200, 200, 201]
    assert len({response.json()["redirect_url"] for response in (first, *others)}) == 1
    assert (first.json()["state"], first.json()["amount_minor"]) == ("created", 4200)
    reworded = {**terms, "description": "2 places", "pay_by": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    assert (await till.call("PUT", path, json=reworded)).status_code == 200


@pytest.mark.parametrize("change", [{"amount_minor": 1}, {"currency": "CHF"}, {"order_id": str(uuid7())}])
async def test_other_terms_under_the_same_id_are_refused(till: Till, change: dict[str, object]) -> None:
    path, terms = f"/payments/{uuid7()}", till.terms()
    await till.call("PUT", path, json=terms)
    refused = await till.call("PUT", path, json=terms | change)
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_differs")


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"amount_minor": 42.5},
        {"currency": "eur"},
        {"return_url": "javascript:alert(1)"},
        {"pay_by": "2036-01-01T00:00:00"},
        {"state": "captured"},
    ],
)
async def test_terms_that_make_no_sense_are_refused(till: Till, change: dict[str, object]) -> None:
    response = await till.call("PUT", f"/payments/{uuid7()}", json=till.terms(**change))
    assert response.status_code == 422
    assert await till.rows("SELECT 1 FROM payment") == []


async def test_an_order_has_one_page_to_pay_on_at_a_time(till: Till) -> None:
    first = await till.open()
    second = await till.call("PUT", f"/payments/{uuid7()}", json=till.terms(order_id=first["order_id"]))
    assert (second.status_code, second.json()["code"]) == (409, "order_has_payment")
    assert second.json()["payment_id"] == first["payment_id"]
    await till.void(first)
    third = await till.call("PUT", f"/payments/{uuid7()}", json=till.terms(order_id=first["order_id"]))
    assert third.status_code == 201


async def test_two_payments_of_an_order_at_the_same_moment_leave_one(till: Till) -> None:
    order_id = str(uuid7())
    answers = await together(
        *(till.call("PUT", f"/payments/{uuid7()}", json=till.terms(order_id=order_id)) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_time_that_has_passed_cannot_be_paid_in(till: Till) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    path, terms = f"/payments/{uuid7()}", till.terms(pay_by=past)
    for _ in range(2):
        refused = await till.call("PUT", path, json=terms)
        assert (refused.status_code, refused.json()["code"]) == (409, "payment_refused")
    again = await till.call("PUT", f"/payments/{uuid7()}", json=till.terms(order_id=terms["order_id"]))
    assert again.status_code == 201


async def test_a_payment_that_nobody_made_is_unknown(till: Till) -> None:
    for method, path in (("GET", ""), ("GET", "?refresh=true"), ("POST", "/capture")):
        response = await till.call(method, f"/payments/{uuid7()}{path}")
        assert (response.status_code, response.json()["code"]) == (404, "payment_unknown")


async def test_only_orders_may_ask(till: Till) -> None:
    payment = await till.open()
    for caller, status in (("web", 403), ("stranger", 403)):
        headers = till.harness.headers(caller, to="payments")
        answer = await till.app.http.post(f"/payments/{payment['payment_id']}/capture", headers=headers)
        assert answer.status_code == status
    assert (await till.app.http.get(f"/payments/{payment['payment_id']}")).status_code == 401


async def test_while_the_bank_is_away_the_answer_is_503_and_the_workers_open_the_page_later(
    harness: Harness, tmp_path: Path
) -> None:
    away = {"bank_url": "http://127.0.0.1:9", "ask_again_seconds": 0.1}
    async with running_till(harness, tmp_path, **away) as without:
        path, terms = f"/payments/{uuid7()}", without.terms()
        answer = await without.call("PUT", path, json=terms)
        assert (answer.status_code, answer.json()["code"]) == (503, "gateway_unavailable")
        assert (await without.call("GET", path)).json()["redirect_url"] is None
        database_url = without.settings.database_url
    async with running_till(harness, tmp_path, database_url=database_url, ask_again_seconds=0.1) as later:

        async def is_open() -> bool:
            return bool((await later.call("GET", path)).json()["redirect_url"])

        await harness.eventually(is_open)
        assert (await later.call("PUT", path, json=terms)).status_code == 200
