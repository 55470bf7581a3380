"""The mailbox as a process for tests."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 20.0


@dataclass(frozen=True)
class RunningMailbox:
    """A mailbox process, a client to it, and the port where it takes mail (on 127.0.0.1)."""

    url: str
    smtp_port: int
    http: httpx.AsyncClient


@asynccontextmanager
async def running_mailbox(data: Path) -> AsyncIterator[RunningMailbox]:
    """Starts `python -m simulators.mailbox` on free ports and stops it at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.mailbox", "--smtp-port", "0", "--port", "0", "--data", str(data)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        if process.stdout is None:
            raise AssertionError("The mailbox was started without a pipe.")
        line = (await asyncio.wait_for(process.stdout.readline(), START_SECONDS)).decode()
        match = re.fullmatch(r"mailbox: (http://\S+) smtp://127.0.0.1:(\d+)\n", line)
        if match is None:
            raise AssertionError(f"The mailbox did not start; it said {line!r}.")
        async with httpx.AsyncClient(base_url=match[1], trust_env=False, timeout=START_SECONDS) as http:
            (await http.get("/readyz")).raise_for_status()
            yield RunningMailbox(match[1], int(match[2]), http)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), START_SECONDS)
