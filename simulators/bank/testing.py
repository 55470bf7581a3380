"""The bank as a process for tests: of the bank itself, of its merchants, of the whole system."""

import asyncio
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from simulators.bank.cards import TEST_CARDS, Behaviour

API_KEY = secrets.token_urlsafe()
WEBHOOK_SECRET = secrets.token_urlsafe()
START_SECONDS = 20.0


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
    command = [sys.executable, "-m", "simulators.bank", "--port", str(port), "--data", str(data)]
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment, cwd=root)
    try:
        if process.stdout is None:
            raise AssertionError("The bank was started without a pipe.")
        line = (await asyncio.wait_for(process.stdout.readline(), START_SECONDS)).decode()
        match = re.fullmatch(r"bank: (http://\S+)\n", line)
        if match is None:
            raise AssertionError(f"The bank did not start; it said {line!r}.")
        headers = {"Authorization": f"Bearer {API_KEY}"}
        async with httpx.AsyncClient(base_url=match[1], headers=headers, trust_env=False, timeout=20) as http:
            await _until_ready(http)
            yield RunningBank(match[1], http)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), START_SECONDS)


async def _until_ready(http: httpx.AsyncClient) -> None:
    response = await http.get("/readyz")
    response.raise_for_status()
