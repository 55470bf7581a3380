"""What no contract uses: reported for fields and statuses, refused for operations and hidden routes that nobody gives a reason for."""

import json
from pathlib import Path

import pytest
from fastapi import FastAPI

from contracts.applications import applications
from contracts.pactfile import PACTS, Edge, is_writing
from contracts.promises.coverage import Coverage, Reason, coverage_of, faults, hidden_routes, main, reasons_of
from contracts.promises.declared import CONTRACTS, Declared

pytestmark = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")

HOLD = "/events/{event_id}/holds/{hold_id}"


def of(provider: str, coverages: list[Coverage]) -> Coverage:
    return next(each for each in coverages if each.provider == provider)


@pytest.fixture(scope="module")
def declared() -> Declared:
    return Declared.read()


@pytest.fixture(scope="module")
def hidden(declared: Declared) -> dict[str, list[str]]:
    return {name: hidden_routes(app, declared, name) for name, app in applications().items()}


@pytest.mark.agreement
def test_what_no_contract_uses_has_a_reason_and_every_reason_is_needed(
    declared: Declared, hidden: dict[str, list[str]]
) -> None:
    assert faults(coverage_of(declared), hidden, reasons_of()) == []


def test_an_operation_whose_last_contract_is_gone_is_reported(declared: Declared, tmp_path: Path) -> None:
    edge = Edge("web", "asks", "inventory")
    document = json.loads((PACTS / edge.file_name).read_text())
    document["interactions"] = [
        each for each in document["interactions"] if "availability" not in each["request"]["path"]
    ]
    (tmp_path / edge.file_name).write_text(json.dumps(document))
    found = faults(coverage_of(declared, tmp_path), {}, [])
    assert (
        "No contract uses GET /events/{event_id}/availability of inventory. "
        "Remove it, or say in contracts/unused.toml who needs it."
    ) in found
    assert not any("/seats of inventory" in each for each in found)


def test_a_partners_contract_is_a_use_and_makes_the_excuse_stale(declared: Declared, tmp_path: Path) -> None:
    (tmp_path / "pacts").mkdir()
    (tmp_path / "external").mkdir()
    request = {"method": "POST", "path": "/webhooks/bank"}
    interaction = {"description": "a hint", "request": request, "response": {"status": 204}}
    pact = {"consumer": {"name": "bank"}, "provider": {"name": "payments"}, "interactions": [interaction]}
    (tmp_path / "external" / "bank-asks-payments.json").write_text(json.dumps(pact))
    coverages = coverage_of(declared, tmp_path / "pacts")
    assert of("payments", coverages).operations["POST /webhooks/bank"]
    excuse = Reason("payments", "POST /webhooks/bank", "The bank calls it.")
    found = faults([of("payments", coverages)], {}, [excuse])
    assert (
        'contracts/unused.toml excuses "POST /webhooks/bank" of payments, which is used now, or gone. Take it out.'
        in found
    )


def test_a_route_that_the_document_does_not_tell_of_is_reported(declared: Declared) -> None:
    app = FastAPI(openapi_url=None)

    @app.get(HOLD)
    async def open_page() -> None: ...

    @app.post("/backdoor", include_in_schema=False)
    async def hidden() -> None: ...

    app.mount("/files", FastAPI())
    assert hidden_routes(app, declared, "inventory") == ["* /files", "POST /backdoor"]
    (said,) = faults([], {"inventory": ["POST /backdoor"]}, [])
    assert said == (
        "inventory answers POST /backdoor, but its OpenAPI document does not tell of it. "
        "Document it, or say in contracts/unused.toml why not."
    )


def test_an_excuse_for_all_pages_does_not_excuse_a_documented_operation_of_the_same_service(declared: Declared) -> None:
    pages = Reason("web", "*", "Pages for a browser.")
    found = faults([of("web", coverage_of(declared))], {"web": ["GET /"]}, [pages])
    assert found == [
        f"No contract uses GET /api/{route} of web. Remove it, or say in contracts/unused.toml who needs it."
        for route in ("orders/{order_id}", "support/orders/{number}")
    ]


def test_fields_that_no_contract_reads_are_counted_and_named(declared: Declared) -> None:
    coverage = of("inventory", coverage_of(declared))
    report = "\n".join(coverage.lines())
    used = [place for place, is_used in coverage.fields.items() if is_used]
    assert f", {len(used)} of {len(coverage.fields)} fields of answers, " in report
    assert "ClassOut.capacity" in report
    assert "LineOut.quantity" not in report


def test_a_field_that_a_consumer_begins_to_read_is_used(declared: Declared, tmp_path: Path) -> None:
    edge = Edge("web", "asks", "inventory")
    document = json.loads((PACTS / edge.file_name).read_text())
    for each in document["interactions"]:
        for one in (each["response"]["body"]["content"] or {}).get("classes", []):
            one["capacity"] = 10
    (tmp_path / edge.file_name).write_text(json.dumps(document))
    assert not of("inventory", coverage_of(declared)).fields["ClassOut.capacity"]
    assert of("inventory", coverage_of(declared, tmp_path)).fields["ClassOut.capacity"]


def test_a_reason_that_is_no_sentence_is_refused(tmp_path: Path) -> None:
    (tmp_path / "unused.toml").write_text('[[route]]\nprovider = "web"\nroute = "*"\nreason = "pages"\n')
    with pytest.raises(ValueError, match="is no sentence"):
        reasons_of(tmp_path / "unused.toml")


def test_the_documents_are_those_of_every_application() -> None:
    assert {path.stem for path in (CONTRACTS / "openapi").glob("*.json")} == applications().keys()


def test_an_argument_that_the_report_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["coverage", "--provider"])
    with pytest.raises(SystemExit, match="2"):
        main()
