# ruff: noqa: RUF001  # dashes are what this is about
"""Markup in feeds is read as what it means, and never as letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.importers.plain_text import plain_text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Kraut &amp; R&uuml;ben &#8211; Das Gr&#246;&#223;te", "Kraut & Rüben – Das Größte"),
        ("Kraut &amp;amp; R&amp;uuml;ben", "Kraut & Rüben"),
        ("&#x1F3B5; Caf&#xE9;", "🎵 Café"),
        ("AT&T &copy 2031 ?a=1&copy=2", "AT&T &copy 2031 ?a=1&copy=2"),
        ("<strong>Laut</strong> &amp; <em>leise</em>", "Laut & leise"),
        ("3 < 5 > 2, <3 und <Liebe>", "3 < 5 > 2, <3 und <Liebe>"),
        ("&lt;b&gt;Fett&lt;/b&gt;", "Fett"),
        ("Eins<br>Zwei", "Eins Zwei"),
        ("Rock &amp; Roll<script>alert('x')</script>", "Rock & Roll "),
        ("&unknown; &;", "&unknown; &;"),
    ],
)
def test_a_line_is_as_it_is_meant(written: str, meant: str) -> None:
    assert plain_text(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("<p>Eins</p>\n<p>Zwei<br/>drei</p>", "Eins\n\nZwei\ndrei"),
        ("&lt;p&gt;Eins&lt;/p&gt;\\n&lt;p&gt;Zwei&lt;/p&gt;\\n", "Eins\n\nZwei"),
        ("<ul><li>Eins</li><li>Zwei</li></ul>", "• Eins\n• Zwei"),
        ("<!-- c --><style>p{}</style><p>Da</p><script>x<y</script>", "Da"),
        ("Ohne\nMarkup\n\nbleibt es", "Ohne\nMarkup\n\nbleibt es"),
        ("<p>Einlass&nbsp;ab 19&nbsp;Uhr&hellip;</p>", "Einlass\u00a0ab 19\u00a0Uhr…"),
    ],
)
def test_paragraphs_and_lines_stay(written: str, meant: str) -> None:
    assert plain_text(written, lines=True) == meant


@given(st.text(max_size=200))
def test_text_without_brackets_and_ampersands_stays_as_it_is(text: str) -> None:
    bare = text.replace("<", "").replace("&", "")
    assert plain_text(bare) == bare


@given(st.text(alphabet="<>/&;#abp =\"'-!", max_size=300), st.booleans())
def test_whatever_is_written_is_read_and_has_no_script(text: str, lines: bool) -> None:
    assert "<script>" not in plain_text(f"<p>{text}</p><script>{text}</script>", lines=lines)
