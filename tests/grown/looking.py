"""What a grown service is asked: every read that it offers, and every statement that something else reads with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from chassis.db import Transaction
from chassis.operations import Operation
from chassis.settings import ServiceSettings
from tests.grown.filling import Grown

# Of a page of 100 with the rows beside them; whoever reads more says why.
ROWS = 600
STATEMENTS = 8
# Blocks of 8 kB: also entries of an index that lead to no row cost.
BLOCKS = 3_000


@dataclass(frozen=True)
class Ask:
    """A request of an operation, and what it may read at most."""

    path: str
    person: UUID | None = None
    status: int = 200
    rows: int = ROWS
    statements: int = STATEMENTS
    blocks: int = BLOCKS


@dataclass(frozen=True)
class Grew:
    """A service, how its database has grown, and how it is asked.

    `asks`: requests by operation, each page in its first and its last form. `reads` are statements that no GET runs: it calls them
    in a transaction, which is undone. Each of these, and of what runs by itself, reads `rows` at most.
    """

    create: Callable[[Any], FastAPI]
    settings: type[ServiceSettings]
    grown: Grown
    operations: Sequence[Operation] = ()
    asks: Mapping[str, Sequence[Ask]] = field(default_factory=dict)
    reads: Callable[[Transaction], Awaitable[None]] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    # Settings that are to be the file of the service's key.
    key_files: Sequence[str] = ()
    rows: int = ROWS
    # Statements that are not run in production, and why.
    unasked: Mapping[str, str] = field(default_factory=dict)
