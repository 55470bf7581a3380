"""Bugs as the rows that they leave (`rows.sql`): at least one for each invariant, so that each is seen to fail."""

import re
from pathlib import Path
from string import Template

from rehearsal.bugs.model import RowBug

FILE = Path(__file__).with_suffix(".sql")
_PICKED = re.compile(r"^-- let (\w+) = (.+)$", re.MULTILINE)
_BUG = re.compile(r"^-- ([\w-]+) \| (\d+) \| (\w+) \| (.+)\n((?:(?!--).*\n)+)", re.MULTILINE)


def read_bugs(text: str) -> tuple[RowBug, ...]:
    """The bugs of such a file. Raises KeyError if one picks by a name that is not there."""
    picked: dict[str, str] = {}
    for name, query in _PICKED.findall(text):
        picked[name] = Template(query).substitute(picked)
    # Known only once something was sold.
    later = {f"{state}_NUMBER": f"${state}_NUMBER" for state in ("CONFIRMED", "CANCELLED")}
    return tuple(
        RowBug(name, does, int(number), database, _statements(Template(body).substitute(picked | later)))
        for name, number, database, does, body in _BUG.findall(text)
    )


def _statements(body: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in re.split(r";\n", body + "\n") if each.strip())


ROW_BUGS = read_bugs(FILE.read_text(encoding="utf-8"))
