"""`make trace ORDER=...`: an order's whole life in the terminal, as its page of support tells it."""

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from local.errors import StartError
from local.running import Running

PATIENCE_SECONDS = 30.0
SERVICE_WIDTH = 14
RED, GREEN, DIM, BOLD, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[1m", "\x1b[0m"
COLOUR_OF_TONE = {"bad": RED, "good": GREEN}


@dataclass(frozen=True)
class Desk:
    """Where support is asked, and with which key."""

    url: str
    key: str

    @classmethod
    def find(cls, data: Path, url: str | None, key: str | None) -> "Desk":
        """A system elsewhere by its address and key; else the running one of that data folder. Raises StartError."""
        if url:
            if not key:
                raise StartError("Give the support key of that system as well: make trace ORDER=... URL=... KEY=...")
            return cls(url.rstrip("/"), key)
        running = Running.find(data)
        file = running.data / "secrets.json"
        try:
            return cls(running.addresses["web"], key or json.loads(file.read_text())["web_support_key"])
        except (OSError, ValueError, KeyError) as error:
            raise StartError(
                f"{file} has no support key. Start the system anew (make up), and it is made; or give KEY=."
            ) from error

    def story(self, number: str) -> dict[str, Any]:
        """The story of an order. Raises StartError with a sentence if there is none."""
        headers = {"Authorization": f"Bearer {self.key}"}
        path = f"{self.url}/api/support/orders/{quote(number.strip(), safe='')}"
        try:
            answer = httpx.get(path, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)
            body: dict[str, Any] = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise StartError(
                f"{self.url} does not answer as a shop does ({type(error).__name__}). Is it running?"
            ) from error
        if answer.status_code == httpx.codes.OK:
            return body
        code, detail = body.get("code"), body.get("detail", "")
        if code in {"page_unknown", "route_unknown"}:
            raise StartError(f"{self.url} has no support. Set WEB_SUPPORT_KEY there, and send that key.")
        if code == "support_key_wrong":
            raise StartError(f"{self.url} does not take this support key. Give the right one: KEY=...")
        raise StartError(detail or f"{self.url} answered {answer.status_code}.")


def tell(desk: Desk, number: str) -> int:
    """Prints a story. 1 with a sentence if there is none."""
    try:
        story = desk.story(number)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    print(render(story, colour=sys.stdout.isatty()))
    return 0


def render(story: dict[str, Any], *, colour: bool) -> str:
    """The story as text. In a terminal a time is a link to its span; elsewhere the address follows its line."""
    lines = [f"{_styled(BOLD, 'Order ' + story['number'], colour)}  {story['state_words']}"]
    places = f"{story['places']} {'place' if story['places'] == 1 else 'places'}"
    took = f", confirmed {story['took_seconds']:.1f} s after the hold" if story["took_seconds"] is not None else ""
    lines += [f"  {_clean(story['event_title'])}: {places}, {story['total']}{took}"]
    lines += [_styled(RED, f"  ! {note}", colour) for note in story["notes"]]
    day = ""
    for line in story["lines"]:
        at = datetime.fromisoformat(line["at"])
        if (today := f"{at:%A %d %B %Y}") != day:
            day = today
            lines += ["", f"  {day}, UTC"]
        lines += _happening(line, at, colour)
    if story["trace_url"]:
        lines += ["", f"  all spans  {story['trace_url']}"]
    return "\n".join(lines)


def _happening(line: dict[str, Any], at: datetime, colour: bool) -> list[str]:
    found = []
    if line["pause_seconds"]:
        found.append(_styled(DIM, f"  {'':12}  ... {line['pause_seconds']:.1f} s later", colour))
    clock = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
    mark = "!" if line["tone"] == "bad" else " "
    text = _styled(COLOUR_OF_TONE.get(line["tone"], ""), f"{mark} {_clean(line['text'])}", colour)
    link = line["url"]
    if link and colour:
        clock = f"\x1b]8;;{link}\x1b\\{clock}\x1b]8;;\x1b\\"
    address = f"  {link}" if link and not colour else ""
    found.append(f"  {clock}  {line['service']:<{SERVICE_WIDTH}}{text}{address}")
    return found


def _styled(code: str, text: str, colour: bool) -> str:
    return f"{code}{text}{PLAIN}" if colour and code else text


def _clean(text: str) -> str:
    """What a service said cannot steer the terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)
