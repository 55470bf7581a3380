"""SQL on its way to asyncpg: named parameters become numbered ones, and what comes back is read as rows.

Statements are `text()`, or its expressions where a statement is put together while the program runs. They are
compiled here, once each where that is possible, and run by the driver itself: SQLAlchemy's own connection took four times as
much processor time for it (docs/benchmarks.md).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self
from weakref import WeakKeyDictionary

import asyncpg
import sqlalchemy
from sqlalchemy import Executable, TextClause
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect

MOST_TEXTS = 1_000
_DIALECT = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]
_READS = frozenset({"SELECT", "VALUES", "SHOW", "TABLE", "EXPLAIN"})
_WORD_OR_PARENTHESIS = re.compile(r"--[^\n]*|'[^']*'|\"[^\"]*\"|[A-Za-z_]+|[()]")
_VERBS = frozenset({"SELECT", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE"})

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


@lru_cache(MOST_TEXTS)
def text(sql: str) -> TextClause:
    """A statement; `:name` stands for a parameter. Read once, also where a function puts it together at each call."""
    return sqlalchemy.text(sql)


class Row(asyncpg.Record):
    """A row: its columns by name (`row["title"]`, `row.title`) and by number. Iterating gives its values."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Result:
    """What a statement gave back."""

    def __init__(self, rows: Sequence[Row], rowcount: int) -> None:
        self._rows = rows
        # How many rows it returned, or changed.
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def mappings(self) -> Self:
        """The same rows: they are read by name as they are."""
        return self

    def all(self) -> Sequence[Row]:
        """All rows."""
        return self._rows

    def first(self) -> Row | None:
        """The first row; None if there is none."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Row | None:
        """The only row; None if there is none. Raises ValueError if there are more."""
        if len(self._rows) > 1:
            raise ValueError(f"One row was expected, and {len(self._rows)} came.")
        return self.first()

    def one(self) -> Row:
        """The only row. Raises ValueError if there is not exactly one."""
        row = self.one_or_none()
        if row is None:
            raise ValueError("One row was expected, and none came.")
        return row

    def scalars(self) -> Sequence[Any]:
        """The first column of all rows."""
        return [row[0] for row in self._rows]

    def scalar(self) -> Any:
        """The first column of the first row; None if there is none."""
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        """The only row's first column. Raises ValueError if there is not exactly one row."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        """The only row's first column; None if there is none. Raises ValueError if there are more."""
        row = self.one_or_none()
        return None if row is None else row[0]


@dataclass(frozen=True)
class Prepared:
    """A statement as asyncpg takes it. `names`: which parameter has which number."""

    sql: str
    names: Sequence[str]
    returns_rows: bool
    values: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The values of these parameters in the statement's order. Raises KeyError for one that is missing."""
        if not self.values and not self.written:
            return [parameters[name] for name in self.names]
        all_of_them = {**self.values, **parameters}
        return [
            self.written[name](all_of_them[name]) if name in self.written else all_of_them[name] for name in self.names
        ]


_texts: dict[str, Prepared] = {}
_expressions: "WeakKeyDictionary[Executable, Prepared]" = WeakKeyDictionary()


def prepared(statement: Executable, parameters: Mapping[str, Any]) -> Prepared:
    """Compiles a statement. `parameters` say which columns an insertion is about."""
    if isinstance(statement, TextClause):
        found = _texts.get(statement.text)
        if found is None:
            if len(_texts) >= MOST_TEXTS:
                _texts.clear()
            found = _texts.setdefault(statement.text, _compiled(statement, None))
        return found
    expression = _expressions.get(statement)
    if expression is None:
        expression = _expressions.setdefault(statement, _compiled(statement, list(parameters) or None))
    return expression


def _compiled(statement: Executable, columns: list[str] | None) -> Prepared:
    compiled: Any = statement.compile(  # type: ignore[attr-defined]  # each statement that can be executed can be compiled
        dialect=_DIALECT, column_keys=columns
    )
    names = list(compiled.positiontup or ())
    written = {}
    for name in names:
        write = compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        if write is not None:
            written[name] = write
    given = {name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required}
    sql = str(compiled)
    return Prepared(sql, names, _returns_rows(sql), given, written)


def _returns_rows(sql: str) -> bool:
    """Whether a statement gives rows back: by its own verb, not by those in parentheses, unless it is nothing else."""
    if sql.lstrip().startswith("("):
        return True
    depth, verb = 0, ""
    for match in _WORD_OR_PARENTHESIS.finditer(sql):
        word = match[0].upper()
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif depth == 0 and not verb and word in _VERBS | _READS:
            verb = word
        elif depth == 0 and word == "RETURNING":
            return True
    return verb in _READS
