"""What a statement costs in a grown database, by the plan that Postgres makes of it when it has run for a while."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import asyncpg

# After five custom plans Postgres may take one that is the same for all parameters, as it does for the statements of a service.
UNTIL_GENERIC = 6
# What is sorted at most for one answer: the seats of a house.
SORTED = 2_000
_SORTS = ("Sort", "Incremental Sort")


@dataclass(frozen=True)
class Call:
    """A statement that was run, and its arguments as SQL."""

    name: str
    sql: str
    arguments: tuple[str, ...]

    @classmethod
    def of(cls, name: str, sql: str, arguments: Sequence[Any]) -> Self:
        """The call with these values."""
        return cls(name, sql, tuple(map(_literal, arguments)))


@dataclass(frozen=True, eq=False)
class Cost:
    """What a call read: rows of big tables, also those that a filter threw away, and blocks of 8 kB of any. `faults` are sentences."""

    call: Call
    rows: int
    blocks: int
    faults: tuple[str, ...]
    plan: dict[str, Any]


async def costs_of(connection: asyncpg.Connection, calls: Sequence[Call], big: Mapping[str, float]) -> list[Cost]:
    """The costs of calls of one statement, which they prepare together. What they write is undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"PREPARE looked_at AS {calls[0].sql}")
        for _ in range(UNTIL_GENERIC):
            await connection.execute(f"EXPLAIN {_execution(calls[0])}")
        return [await _cost(connection, call, big) for call in calls]
    finally:
        await transaction.rollback()
        await connection.execute("DEALLOCATE looked_at")


async def _cost(connection: asyncpg.Connection, call: Call, big: Mapping[str, float]) -> Cost:
    explained = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {_execution(call)}")
    plan = json.loads(explained)[0]["Plan"]
    nodes = list(_nodes(plan))
    faults = tuple(fault for node in nodes for fault in _faults(node, big))
    blocks = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return Cost(call, sum(_rows_read(node) for node in nodes if node.get("Relation Name") in big), blocks, faults, plan)


def in_words(plan: dict[str, Any]) -> str:
    """A plan in one line, for whoever reads that it is too expensive."""
    parts = ", ".join(in_words(part) for part in plan.get("Plans", ()))
    where = " ".join(
        f"{word} {plan[key]}" for word, key in (("by", "Index Name"), ("of", "Relation Name")) if key in plan
    )
    read = f" ({_rows_read(plan)} rows)" if _rows_read(plan) else ""
    return f"{plan['Node Type']}{' ' if where else ''}{where}{read}" + (f" [{parts}]" if parts else "")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _faults(node: dict[str, Any], big: Mapping[str, float]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in big:
        yield f"reads all of {node['Relation Name']} ({big[node['Relation Name']]:.0f} rows)"
    if node["Node Type"] in _SORTS and (sorted_rows := node["Plans"][0]["Actual Rows"]) > SORTED:
        yield f"sorts {sorted_rows:.0f} rows by {', '.join(node['Sort Key'])}"


def _rows_read(node: dict[str, Any]) -> int:
    if "Relation Name" not in node or node["Node Type"] == "ModifyTable":
        return 0
    removed = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])


def _execution(call: Call) -> str:
    return f"EXECUTE looked_at({', '.join(call.arguments)})" if call.arguments else "EXECUTE looked_at"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return "'" + _unquoted(value).replace("'", "''") + "'"


def _unquoted(value: Any) -> str:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "{" + ",".join("NULL" if each is None else json.dumps(_unquoted(each)) for each in value) + "}"
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    return str(value)
