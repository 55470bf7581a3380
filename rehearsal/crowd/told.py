"""What buyers were told, on disk: a JSON object a line, which the auditor holds against the databases."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Self

FLUSH_SECONDS = 0.2


class ToldLog:
    """Written in the background, in batches, each flushed to the disk; an asynchronous context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[str] = []
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.count = 0

    def tell(self, told: str, number: str, state: str, places: int, trace_id: str) -> None:
        """Somebody was shown that."""
        at = datetime.now(UTC).isoformat()
        row = {"told": told, "number": number, "state": state, "places": places, "trace_id": trace_id, "at": at}
        self._waiting.append(json.dumps(row))
        self.count += 1

    async def __aenter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._task = asyncio.create_task(self._write())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _write(self) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            while not self._closing.is_set() or self._waiting:
                batch, self._waiting = self._waiting, []
                if batch:
                    await asyncio.to_thread(_append, file, batch)
                try:
                    async with asyncio.timeout(FLUSH_SECONDS):
                        await self._closing.wait()
                except TimeoutError:
                    continue


def _append(file: IO[str], batch: list[str]) -> None:
    file.write("\n".join(batch) + "\n")
    file.flush()
    os.fsync(file.fileno())
