"""How many pages a second a shop shows: `python -m local.bench.peers.pages URL --wide 16 --seconds 10 --has TEXT`.

Each page is asked for by somebody new: no cookies. It prints a JSON object, `Shown`.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field

import aiohttp

ANSWER_SECONDS = 60.0


@dataclass
class Shown:
    """Pages that came whole within the time, and how many did not come as they should."""

    pages: int = 0
    seconds: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)


async def show(url: str, wide: int, seconds: float, has: str) -> Shown:
    """Loads a page again and again over so many connections; each page has to have this text."""
    shown, began = Shown(), time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def visitor() -> None:
            while time.perf_counter() < began + seconds:
                async with http.get(url, headers={"accept": "text/html"}) as answer:
                    page = await answer.text()
                if answer.status == 200 and has in page:
                    shown.pages += 1
                else:
                    shown.failures[str(answer.status)] = shown.failures.get(str(answer.status), 0) + 1

        await asyncio.gather(*(visitor() for _ in range(wide)))
    shown.seconds = time.perf_counter() - began
    return shown


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.peers.pages", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--wide", type=int, default=16, help="connections (16)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--has", default="", help="what each page has to say")
    given = parser.parse_args()
    shown = asyncio.run(show(given.url, given.wide, given.seconds, given.has))
    print(json.dumps(asdict(shown)))
    return 0 if shown.pages and not shown.failures else 1


if __name__ == "__main__":
    sys.exit(main())
