"""The bank as a process for tests: of the bank itself, of its merchants, of the whole system.

A test starts one in a few milliseconds: it is a fork of a process that has imported the bank once. A new interpreter would take
most of a second of processor time for the same imports, and some 150 tests want a bank of their own.
"""

import asyncio
import multiprocessing
import os
import re
import runpy
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import httpx

from simulators.bank.cards import TEST_CARDS, Behaviour

API_KEY = secrets.token_urlsafe()
WEBHOOK_SECRET = secrets.token_urlsafe()
START_SECONDS = 20.0
# What a fork finds imported: the bank itself, but not the module that is run.
_PRELOADED = (
    "pytest",
    "simulators.bank.app",
    "simulators.bank.testing",
    "simulators.bank.transport",
    "uvicorn.loops.auto",
)


class PageClosed(AssertionError):
    """The payment cannot be paid any more: its page says so."""


@dataclass(frozen=True)
class RunningBank:
    """A bank process and a client with its API key."""

    url: str
    http: httpx.AsyncClient

    async def pay(self, redirect_url: str, card: Behaviour | str, *, answer: str = "confirm") -> str:
        """Does what a payer does in a browser; returns the address it is sent back to. PageClosed if it was called off meanwhile."""
        number = next(known.number for known in TEST_CARDS if known.behaviour == card)
        form = {"number": number, "expiry": "12/39", "cvc": "123"}
        response = await self.http.post(redirect_url, data=form, headers={"Authorization": ""})
        if response.status_code == 303 and response.headers["location"].endswith("/confirm"):
            response = await self.http.post(f"{redirect_url}/confirm", data={"answer": answer})
        if response.status_code == httpx.codes.GONE:
            raise PageClosed
        if response.status_code != 303:
            raise AssertionError(f"The payer was not sent back: {response.status_code} {response.text[:2000]}")
        return response.headers["location"]

    async def entries(self) -> list[dict[str, object]]:
        """All booked charges and refunds (at most 1,000)."""
        response = await self.http.get("/v1/ledger", params={"limit": 1000})
        items: list[dict[str, object]] = response.raise_for_status().json()["items"]
        return items


@asynccontextmanager
async def running_bank(
    data: Path, *, webhook_url: str, port: int = 0, extra: Mapping[str, str] | None = None
) -> AsyncIterator[RunningBank]:
    """Starts `python -m simulators.bank` on a free port and stops it at the end. `extra`: more BANK_ variables."""
    environment = {
        **os.environ,
        "BANK_API_KEY": API_KEY,
        "BANK_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "BANK_WEBHOOK_URL": webhook_url,
        "BANK_WEBHOOK_RETRY_SECONDS": "0.1",
        **(extra or {}),
    }
    context = _forks()
    ours, theirs = context.Pipe(duplex=False)
    arguments = ["--port", str(port), "--data", str(data)]
    process = context.Process(target=_become, args=(theirs, arguments, environment), daemon=True)
    process.start()
    theirs.close()
    try:
        line = await asyncio.to_thread(_first_line, ours)
        match = re.fullmatch(r"bank: (http://\S+)\n", line)
        if match is None:
            raise AssertionError(f"The bank did not start; it said {line!r}.")
        headers = {"Authorization": f"Bearer {API_KEY}"}
        async with httpx.AsyncClient(base_url=match[1], headers=headers, trust_env=False, timeout=20) as http:
            await _until_ready(http)
            yield RunningBank(match[1], http)
    finally:
        process.terminate()
        await asyncio.to_thread(process.join, START_SECONDS)
        process.close()
        ours.close()


def _forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    return context


def _become(output: Connection, arguments: list[str], environment: dict[str, str]) -> None:
    """In the fork: `python -m simulators.bank arguments` with exactly that environment."""
    os.dup2(output.fileno(), sys.stdout.fileno())
    os.chdir(Path(__file__).parents[2])
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["simulators.bank", *arguments]
    runpy.run_module("simulators.bank", run_name="__main__", alter_sys=True)


def _first_line(output: Connection) -> str:
    """What the bank says once it listens; nothing if it says nothing in time, or has ended."""
    return os.read(output.fileno(), 1000).decode() if output.poll(START_SECONDS) else ""


async def _until_ready(http: httpx.AsyncClient) -> None:
    response = await http.get("/readyz")
    response.raise_for_status()
