"""Tickets can be read by people who cannot see them: PDF/UA-1, by its reference validator."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf

from services.tickets.domain import EventState, TicketState
from services.tickets.layouts import print_tickets
from services.tickets.printing import Format, Printed
from services.tickets.tests.unit.examples import a_ticket
from services.tickets.tests.unit.scripts import SCRIPTS
from services.tickets.tests.unit.test_printing import KEYRING
from services.tickets.tests.unit.verapdf import broken_rules


def a_pdf(page: Format, *, holder: str | None = "Zoë", **changes: Any) -> bytes:
    ticket = a_ticket(**changes)
    return print_tickets([Printed(ticket, KEYRING.code_of(ticket), n, 2, holder) for n in (1, 2)], page).data


def test_tickets_of_every_script_and_kind_keep_to_pdf_ua(tmp_path: Path) -> None:
    for page in Format:
        for name, sample in SCRIPTS.items():
            shown = {"event_title": sample.text, "venue_name": sample.text, "venue_country": sample.country}
            (tmp_path / f"{name}-{page}.pdf").write_bytes(
                a_pdf(page, **shown, holder=sample.text, seat_label=sample.text)
            )
        for state in EventState:
            (tmp_path / f"event {state}-{page}.pdf").write_bytes(a_pdf(page, event_state=state))
        (tmp_path / f"void-{page}.pdf").write_bytes(a_pdf(page, state=TicketState.VOID, holder=None))
        (tmp_path / f"boxes-{page}.pdf").write_bytes(a_pdf(page, event_title="ᏣᎳᎩ \ue000", seat_label="\U000f0000"))
    written = {file.name for file in tmp_path.iterdir()}
    broken = broken_rules(tmp_path)
    assert {name: rules for name, rules in broken.items() if rules} == {}
    assert set(broken) == written


def test_a_validator_that_finds_nothing_would_be_noticed(tmp_path: Path) -> None:
    with pikepdf.open(BytesIO(a_pdf(Format.A4))) as document:
        del document.Root.StructTreeRoot
        document.save(tmp_path / "untagged.pdf")
    assert broken_rules(tmp_path)["untagged.pdf"]


def test_a_pdf_says_its_title_its_languages_and_what_the_code_is() -> None:
    shown = {"event_title": "ليلة الموسيقى", "venue_country": "JO", "class_name": "自由席"}
    pdf = a_pdf(Format.A4, **shown)
    with pikepdf.open(BytesIO(pdf)) as document:
        assert str(document.Root.Lang) == "en"
        assert str(document.docinfo["/Title"]) == "ليلة الموسيقى: 2 tickets"
        assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
        elements = list(elements_of(document.Root.StructTreeRoot.K))
    kinds = [str(element.S) for element in elements]
    assert kinds.count("/H1") == kinds.count("/Figure") == 2
    assert "/P" in kinds
    [first, _] = [element for element in elements if element.S == "/Figure"]
    assert str(first.Alt).startswith("The QR code of this ticket. It says: OS1.")
    languages = {str(element.Lang) for element in elements if "/Lang" in element}
    assert languages >= {"ar"}


def elements_of(node: Any) -> Any:
    if isinstance(node, pikepdf.Array):
        for each in node:
            yield from elements_of(each)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield node
        if "/K" in node:
            yield from elements_of(node.K)
