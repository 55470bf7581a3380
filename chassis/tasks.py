"""What must come to its end although the request that began it is cut off."""

import asyncio
from collections.abc import Coroutine
from typing import Any

# The event loop itself does not hold on to what it runs.
_running: set[asyncio.Task[Any]] = set()


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Waits for `work`. Is the waiting request cut off meanwhile (mostly its time is over when this is called), `work` goes on."""
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    await asyncio.shield(task)
