"""The one SQLite file of the dev trace store: how it is made, opened and checked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.proto.trace.v1.trace_pb2 import Span

FILE_NAME = "traces.sqlite3"
SCHEMA_VERSION = 2

# Links between spans, by their target, so that a span knows what links to it.
LINKS = """
CREATE TABLE link (
    trace_id        TEXT NOT NULL,
    span_id         TEXT NOT NULL,
    linked_trace_id TEXT NOT NULL,
    linked_span_id  TEXT NOT NULL,
    UNIQUE (trace_id, span_id, linked_trace_id, linked_span_id)
);
CREATE INDEX link_by_target ON link (linked_trace_id);
"""
# `origin` is the resource and scope that spans share; `arrival` counts traces as they come, so that the oldest can go first.
SCHEMA = f"""{LINKS}
CREATE TABLE origin (
    origin_id INTEGER PRIMARY KEY,
    service   TEXT NOT NULL,
    body      BLOB NOT NULL UNIQUE
);
CREATE TABLE trace (
    arrival  INTEGER PRIMARY KEY AUTOINCREMENT,
    trace_id TEXT NOT NULL UNIQUE
);
CREATE TABLE span (
    trace_id    TEXT NOT NULL,
    span_id     TEXT NOT NULL,
    parent_id   TEXT NOT NULL,
    service     TEXT NOT NULL,
    name        TEXT NOT NULL,
    kind        INTEGER NOT NULL,
    start_ns    INTEGER NOT NULL,
    end_ns      INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    origin_id   INTEGER NOT NULL,
    body        BLOB NOT NULL,
    UNIQUE (trace_id, span_id)
);
CREATE INDEX span_by_start ON span (start_ns);
CREATE INDEX span_by_operation ON span (service, name, kind);
"""
INSERT_LINK = "INSERT OR IGNORE INTO link VALUES (?,?,?,?)"


class StoreDataError(Exception):
    """The data folder cannot be used; the message says what to do."""


def prepare(folder: Path) -> Path:
    """Make or check the database in `folder` and return its path. Raises StoreDataError."""
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection = connect(path)
    except OSError as error:
        raise StoreDataError(
            f"The folder {folder} cannot be made ({error.strerror}): choose another with --data."
        ) from error
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    finally:
        connection.close()
    return path


def connect(path: Path) -> sqlite3.Connection:
    """A connection for writing, each statement its own transaction unless BEGIN is said.

    A crash of the machine may cost the last traces: they are kept for debugging, not for the books.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees one state of the store, and never waits for the writer."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("BEGIN")
        yield connection
    finally:
        connection.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    elif version == 1:
        connection.execute("BEGIN")
        for statement in filter(str.strip, LINKS.split(";")):
            connection.execute(statement)  # one by one: a script would commit before it begins
        connection.executemany(INSERT_LINK, _links_of_all(connection))
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    elif version != SCHEMA_VERSION:
        raise StoreDataError(
            f"{path} was written by another version of the store. Delete it and start again: it holds only traces."
        )
    else:
        connection.execute("DELETE FROM origin WHERE origin_id NOT IN (SELECT origin_id FROM span)")


def links_of(span: Span) -> list[tuple[str, str, str, str]]:
    """Rows of the table `link`."""
    trace_id, span_id = span.trace_id.hex(), span.span_id.hex()
    return [(trace_id, span_id, link.trace_id.hex(), link.span_id.hex()) for link in span.links]


def _links_of_all(connection: sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    bodies = connection.execute("SELECT body FROM span")
    return [row for (body,) in bodies for row in links_of(Span.FromString(body))]


def _unusable(path: Path, error: sqlite3.Error) -> StoreDataError:
    return StoreDataError(f"{path} cannot be used ({error}). Delete it and start again: it holds only traces.")
