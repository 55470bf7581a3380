"""Listens to the statements of a service that runs: those of one request, and those of its workers and metrics."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from chassis.db import Reads
from chassis.statements import prepared
from chassis.worker import Worker
from tests.grown.plans import Call

_of_this_request: ContextVar[list[Call] | None] = ContextVar("of_this_request", default=None)


class Listening:
    """What was run. `by_itself`: what no request has asked for; `stepped`: workers that have done a step."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.by_itself: list[Call] = []
        self.stepped: set[str] = set()
        execute, step = Reads.execute, Worker._do_step

        async def heard(reads: Reads, statement: Any, parameters: Any = None, *, name: str) -> Any:
            values = parameters[0] if isinstance(parameters, list | tuple) else parameters or {}
            wanted = prepared(statement, values)
            calls = _of_this_request.get()
            call = Call.of(name, wanted.sql, wanted.arguments(values))
            (self.by_itself if calls is None else calls).append(call)
            return await execute(reads, statement, parameters, name=name)

        async def stepping(worker: Worker) -> int:
            done = await step(worker)
            self.stepped.add(worker.name)
            return done

        patch.setattr(Reads, "execute", heard)
        patch.setattr(Worker, "_do_step", stepping)

    @contextmanager
    def request(self) -> Iterator[list[Call]]:
        """The statements of what is asked within the block."""
        calls: list[Call] = []
        token = _of_this_request.set(calls)
        try:
            yield calls
        finally:
            _of_this_request.reset(token)
