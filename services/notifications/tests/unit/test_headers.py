"""Every header says what was written to the letter, in every Python that the project runs on."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications.headers import address_line, text_line
from services.notifications.tests.unit import titles

_SECONDS = 120
_OTHERS = sorted(Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python"))


@pytest.mark.parametrize("python", [Path(sys.executable), *_OTHERS], ids=lambda path: path.parts[-3])
def test_thousands_of_titles_and_names_arrive_to_the_letter_in_this_python(python: Path) -> None:
    said = subprocess.run(
        [python, titles.__file__],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        env={"PYTHONUTF8": "1"},
    )
    assert (said.returncode, said.stderr, said.stdout.splitlines()[:5]) == (0, "", [])


@settings(max_examples=300)
@given(
    text=st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=300).map(
        lambda text: text.strip()
    )
)
def test_whatever_people_write_arrives_to_the_letter(text: str) -> None:
    line = text_line("Subject", text)
    assert titles._as_the_rule_says(line) == text
    assert titles._lines_are_short(line)


def test_plain_titles_stay_readable_on_the_wire() -> None:
    assert text_line("Subject", "Your tickets for Hamlet") == b"Subject: Your tickets for Hamlet\r\n"
    assert address_line("To", "Ada Lovelace", "ada@example.org") == b"To: Ada Lovelace <ada@example.org>\r\n"
    assert address_line("To", "", "ada@example.org") == b"To: ada@example.org\r\n"


def test_what_looks_encoded_is_encoded_so_that_nobody_decodes_it() -> None:
    line = text_line("Subject", "=?utf-8?q?evil?=")
    assert line.startswith(b"Subject: =?utf-8?")
    assert titles._as_the_rule_says(line) == "=?utf-8?q?evil?="
