"""Tickets in every script: shaped, in order, to be copied out, and a box where no font has a letter."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.languages import LANGUAGES
from chassis.money import MINOR_DIGITS, Money
from services.tickets import fonts
from services.tickets.fonts import BOX, CHAIN, LATIN, Chain
from services.tickets.layouts import print_tickets
from services.tickets.printing import Format, Printed
from services.tickets.scripts import ENGLISH, breakable, printable, speech_of
from services.tickets.tests.unit.examples import a_ticket
from services.tickets.tests.unit.scripts import READ_FROM_RIGHT, SCRIPTS, Sample
from services.tickets.tests.unit.test_printing import KEYRING, opened

A_NAME = "Zoë Müller"


def a_page(sample: Sample, page: Format, **changes: Any) -> bytes:
    ticket = a_ticket(event_title=sample.text, venue_country=sample.country, **changes)
    return print_tickets([Printed(ticket, KEYRING.code_of(ticket), 1, 1, A_NAME)], page).data


def copied(pdf: bytes) -> str:
    return str(opened(pdf)[0].get_textpage().get_text_range())


def letters(text: str) -> str:
    """What stays of a text for whoever looks for it: neither spaces and lines nor signs without a shape."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(each for each in normal if not each.isspace() and unicodedata.category(each) != "Cf")


@pytest.mark.parametrize("page", list(Format))
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_title_is_copied_out_as_it_was_written(name: str, page: Format) -> None:
    sample = SCRIPTS[name]
    assert letters(sample.text) in letters(copied(a_page(sample, page)))


@pytest.mark.parametrize("name", SCRIPTS)
def test_places_names_classes_and_seats_are_in_every_script_too(name: str) -> None:
    text, country, _ = SCRIPTS[name]
    ticket = a_ticket(
        event_title="A night",
        venue_country=country,
        venue_name=text[:12],
        venue_street=text[:14],
        class_name=text[:8],
        seat_label=text[:6],
    )
    pdf = print_tickets([Printed(ticket, KEYRING.code_of(ticket), 1, 1, text[:16])], Format.A4).data
    found = letters(copied(pdf))
    for length in (6, 8, 12, 16):
        assert letters(text[:length]) in found


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_letter_of_the_samples_is_a_box(name: str) -> None:
    drawn, boxes = CHAIN.drawable(printable(SCRIPTS[name].text))
    assert (boxes, BOX in drawn) == (0, False)


def test_no_sign_of_any_currency_is_a_box_in_any_language() -> None:
    amounts = [Money(123_456_789, currency).written(language) for currency in MINOR_DIGITS for language in LANGUAGES]
    assert len(amounts) > 10_000
    assert [amount for amount in amounts if CHAIN.drawable(printable(amount))[1]] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_language_is_known_by_the_letters_and_the_country(name: str) -> None:
    text, country, language = SCRIPTS[name]
    speech = speech_of(text, country)
    assert "-".join(part for part in (speech.language, speech.region) if part) == language
    assert speech.right_to_left == (name in READ_FROM_RIGHT)


def test_chinese_characters_are_drawn_as_in_the_country_of_the_venue() -> None:
    def fonts_of(country: str) -> set[str]:
        page = a_page(Sample("骨直曜", country, ""), Format.A4)
        with pikepdf.open(__import__("io").BytesIO(page)) as document:
            fonts = document.pages[0].Resources.Font.values()
            return {
                str(font.BaseFont).rpartition("NotoSansCJK")[2][:2] for font in fonts if "CJK" in str(font.BaseFont)
            }

    assert [fonts_of(country) for country in ("JP", "KR", "TW", "HK", "CN")] == [{"jp"}, {"kr"}, {"tc"}, {"hk"}, {"sc"}]


@pytest.mark.parametrize("text", ["\ue000", "བོད་ཀྱི", "ᏣᎳᎩ", "A\U000f0000B", "Ω\u0591"])
def test_a_letter_that_no_font_has_is_a_box_that_is_counted(text: str) -> None:
    ticket = a_ticket(event_title=text)
    pdf = print_tickets([Printed(ticket, KEYRING.code_of(ticket), 1, 1)], Format.A4)
    assert pdf.boxes >= 1
    drawn, boxes = CHAIN.drawable(text)
    assert boxes >= 1
    assert drawn.count(BOX) == boxes


def test_a_box_can_be_seen() -> None:
    def dark_of(title: str) -> int:
        page = opened(a_page(Sample(title, "DE", ""), Format.A4))[0]
        image = page.render(scale=2).to_pil().convert("L").crop((70, 150, 500, 300))
        return sum(image.histogram()[:100])

    assert dark_of("\ue000") > dark_of(" ") + 50


def test_what_a_box_stands_for_is_still_copied_out() -> None:
    assert "ᏣᎳᎩ" in copied(a_page(Sample("ᏣᎳᎩ", "US", ""), Format.A4))


def test_a_line_in_two_directions_keeps_each_word_whole() -> None:
    text = copied(a_page(Sample("مهرجان Jazz & Blues رقم 12", "JO", ""), Format.A4))
    for word in ("مهرجان", "Jazz", "Blues", "رقم", "12"):
        assert word in text


def test_a_title_that_turns_the_letters_after_it_around_turns_nothing() -> None:
    assert printable("Seat \u202e12A\u202c\u0000\n row\u2028 7") == "Seat 12A row 7"


def test_a_word_as_long_as_a_line_is_broken_and_copied_whole() -> None:
    word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
    assert letters(word) in letters(copied(a_page(Sample(word, "AT", ""), Format.PHONE)))
    assert breakable(word).replace("\u200b", "") == word


@settings(max_examples=60)
@given(text=st.text(min_size=1, max_size=60))
def test_whatever_people_write_becomes_a_ticket(text: str) -> None:
    ticket = a_ticket(event_title=text, venue_name=text, venue_street=text, class_name=text, seat_label=text)
    pdf = print_tickets([Printed(ticket, KEYRING.code_of(ticket), 1, 1, text)], Format.PHONE)
    assert pdf.data.startswith(b"%PDF-")
    assert len(opened(pdf.data)) == 1


@pytest.mark.parametrize("evil", ["#panic()", "*bold*", ']#read("/etc/passwd")', "$x$ // c", "\\u{41}", "<script>"])
def test_what_people_typed_is_never_markup(evil: str) -> None:
    assert letters(evil) in letters(copied(a_page(Sample(evil, "DE", ""), Format.A4)))


@pytest.mark.parametrize(
    ("text", "read"), [("Berlin, 25.00", []), ("Öffnung 19–22 Uhr · 25 €", ["NotoSans[wght].ttf"])]
)
def test_a_ticket_in_latin_letters_reads_no_other_font(
    text: str, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fonts of all scripts are 40 MB: a service that never needs them does not hold them."""
    files: list[str] = []
    really = fonts._letters_of

    def noted(file: Path) -> Iterator[int]:
        files.append(file.name)
        return really(file)

    monkeypatch.setattr(fonts, "_letters_of", noted)
    chain = Chain()
    assert chain.drawable(text) == (text, 0)
    assert chain.families(text, ENGLISH) == [LATIN]
    assert files == read
