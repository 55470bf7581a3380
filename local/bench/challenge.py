"""What a proof of work costs a browser, and what it costs whoever computes it without one: `python -m local.bench.challenge`.

The page's own script and worker compute challenges of the service's own making, in Chromium, with one worker and with as many
as a page starts; ALTCHA's library computes the same ones without a browser, on one core, in turns with it. Nothing is throttled:
a phone whose cores are three times slower takes three times as long.
"""

import argparse
import asyncio
import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from altcha import Challenge, solve_challenge
from playwright.sync_api import Page, sync_playwright

from local.chromium import find_chromium
from local.topology import ROOT
from services.waitingroom.proof_of_work import ProofOfWork
from services.waitingroom.settings import WaitingroomSettings

STATIC = ROOT / "services" / "web" / "static"
WORKERS = (1, 4)
_SOLVE = """async ([challenge, count]) => {
    const { solve } = await import("/compute.js");
    const began = performance.now();
    await solve(challenge, "/altcha-pbkdf2.js", count);
    return performance.now() - began;
}"""


def puzzles(count: int, tries: int, rounds: int) -> list[dict[str, Any]]:
    """So many challenges of the service's own making; says what one costs it."""
    proof = ProofOfWork("k" * 32, tries=tries, rounds=rounds, seconds=3600)

    async def made() -> list[str]:
        return [await proof.puzzle(uuid4()) for _ in range(count)]

    began = time.process_time()
    found = asyncio.run(made())
    print(f"{'the service makes one':<32}{(time.process_time() - began) / count * 1000:8.1f} ms of processor time")
    return [json.loads(puzzle) for puzzle in found]


@contextmanager
def page_of_scripts() -> Iterator[Page]:
    """A page in Chromium from which the shop's scripts can be loaded."""
    handler = partial(_Quiet, directory=str(STATIC))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/icon.svg")
        yield page
        browser.close()
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


def show(what: str, milliseconds: list[float]) -> None:
    """A line of the result."""
    middle, most = statistics.median(milliseconds), max(milliseconds)
    print(f"{what:<32}{middle:8.0f} ms in the middle, {most:6.0f} at most")


def natively(puzzle: dict[str, Any]) -> float:
    """Milliseconds of one core, without a browser."""
    began = time.perf_counter()
    solve_challenge(Challenge.from_dict(puzzle))
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measures and prints."""
    defaults = WaitingroomSettings.model_fields
    parser = argparse.ArgumentParser(prog="python -m local.bench.challenge", description=__doc__)
    parser.add_argument("--tries", type=int, default=defaults["challenge_tries"].default)
    parser.add_argument("--rounds", type=int, default=defaults["challenge_rounds"].default)
    parser.add_argument("--count", type=int, default=30, help="challenges")
    options = parser.parse_args()
    made = puzzles(options.count, options.tries, options.rounds)
    took: dict[str, list[float]] = {}
    with page_of_scripts() as page:
        # In turns, so that what else the machine does is alike for all.
        for puzzle in made:
            for workers in WORKERS:
                took.setdefault(f"browser, {workers} worker(s)", []).append(page.evaluate(_SOLVE, [puzzle, workers]))
            took.setdefault("without a browser, one core", []).append(natively(puzzle))
    for what, milliseconds in took.items():
        show(what, milliseconds)


if __name__ == "__main__":
    main()
