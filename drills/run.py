"""`make drill NAME=...` and `drill-hint`, `drill-answer SERVICE=... OPERATION=...`, `drill-off`: practising on the running system."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from drills.catalogue import all_drills
from drills.model import Drill
from drills.prove import provoke
from drills.stage import Stage
from drills.switching import Switchboard
from local.errors import StartError
from local.running import Running, typed

PAGES = "docs/drills"
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Practice:
    """Which drill is on in a running system, kept in its data folder."""

    running: Running

    @property
    def _file(self) -> Path:
        return self.running.data / "drill.json"

    @property
    def drill(self) -> Drill | None:
        """The drill that is on; None if none is, or if the system has been started anew since."""
        try:
            state = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return None
        is_same = state.get("control") == str(self.running.control)
        return all_drills().get(state.get("name")) if is_same else None

    def begin(self, drill: Drill) -> None:
        """Switches a drill on, and whichever is on off. Raises StartError."""
        self.end()
        board = Switchboard(self.running)
        board.check(drill)
        self._file.write_text(json.dumps({"name": drill.name, "control": str(self.running.control), "hints": 0}))
        board.on(drill)

    def next_hint(self) -> int:
        """How many hints were given before this one."""
        state = json.loads(self._file.read_text())
        given = int(state.get("hints", 0))
        self._file.write_text(json.dumps({**state, "hints": given + 1}))
        return given

    def end(self) -> Drill | None:
        """Switches off what is on, and says what that was."""
        drill = self.drill
        if drill is not None:
            Switchboard(self.running).off(drill)
        self._file.unlink(missing_ok=True)
        return drill


def start(practice: Practice, name: str) -> int:
    """Switches a drill on, lets people try until somebody complains, and says where to look."""
    drill = all_drills().get(name)
    if drill is None:
        said = f"There is no drill {name!r}. " if name else ""
        print(f"{said}Say which: make drill NAME=...\n\n{_listing()}", file=sys.stderr)
        return 2
    if (before := practice.drill) is not None and before.name != drill.name:
        print(f"{before.name} was on: it is switched off for this one.", flush=True)
    practice.begin(drill)
    print("Somebody uses the shop ...", flush=True)
    stage = Stage(practice.running.addresses, practice.running.data)
    try:
        seen = asyncio.run(provoke(stage, drill))
    finally:
        stage.close()
    if seen is None:
        print(
            "Nobody was unlucky this time. Try it yourself in the shop, or give the same command again.",
            file=sys.stderr,
        )
        return 1
    print(_introduction(practice, drill, seen))
    return 0


def answer(practice: Practice, service: str, operation: str) -> int:
    """Whether the engineer has found it."""
    drill = practice.drill
    if drill is None:
        print("No drill is on. Begin with: make drill NAME=...", file=sys.stderr)
        return 2
    if not service or not operation:
        print(
            'Say where it is: make drill-answer SERVICE=orders OPERATION="POST /orders" (a span\'s name)',
            file=sys.stderr,
        )
        return 2
    if not drill.answer.fits(service, operation):
        right_service = service.strip().lower() == drill.answer.service
        nearly = "The service is right, the operation is not." if right_service else "It is not that service."
        print(f"No. {nearly} Look again; make drill-hint gives a hint.")
        return 1
    practice.end()
    print(
        f"Yes: {drill.answer.service}, {operation.strip()}. The drill is off again. The whole walk: {PAGES}/{drill.name}.md"
    )
    return 0


def hint(practice: Practice) -> int:
    """One hint more, without the walk to the cause, which stands on the same page."""
    drill = practice.drill
    if drill is None:
        print("No drill is on. Begin with: make drill NAME=...", file=sys.stderr)
        return 2
    hints = hints_of(drill.name)
    number = practice.next_hint()
    if number >= len(hints):
        print(f"That were all {len(hints)}. The walk to the cause is folded away in {PAGES}/{drill.name}.md")
        return 1
    print(f"{number + 1} of {len(hints)}: {hints[number]}")
    return 0


def hints_of(name: str) -> list[str]:
    """The hints on a drill's page, in order."""
    page = (ROOT / PAGES / f"{name}.md").read_text()
    _, _, after = page.partition("## Hints")
    listed, _, _ = after.partition("<details>")
    return [" ".join(each.split()) for each in re.split(r"^\d+\. ", listed, flags=re.MULTILINE)[1:]]


def stop(practice: Practice) -> int:
    """Switches off what is on."""
    drill = practice.end()
    print(
        f"{drill.name} is off. Orders that it harmed stay as they are, and make audit names them."
        if drill
        else "No drill was on."
    )
    return 0


def _introduction(practice: Practice, drill: Drill, seen: str) -> str:
    traces = practice.running.addresses["traces"]
    where = f"{traces}/search?{urlencode({'service': 'web', 'lookback': '5m'})}"
    hint, give_up = (typed(f"make drill-{word}", practice.running.data) for word in ("hint", "off"))
    answer = typed("make drill-answer", practice.running.data)
    return "\n".join(
        [
            "",
            f"A user writes: {drill.report}",
            f"Seen just now: {seen}",
            "",
            f"  look here     {where}",
            f"  a hint        {hint}",
            f'  your answer   {answer} SERVICE=... OPERATION="..."   (a span\'s name)',
            f"  give up       {give_up}",
        ]
    )


def _listing() -> str:
    drills = all_drills()
    width = max(map(len, drills))
    return "\n".join(f"  {name:<{width}}  {drill.report}" for name, drill in drills.items())


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("do", choices=["start", "hint", "answer", "off"])
    parser.add_argument("rest", nargs="*")
    chosen = parser.parse_args()
    rest = [*chosen.rest, "", ""]
    try:
        practice = Practice(Running.find(chosen.data))
        if chosen.do == "start":
            return start(practice, rest[0])
        if chosen.do == "hint":
            return hint(practice)
        return answer(practice, rest[0], rest[1]) if chosen.do == "answer" else stop(practice)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
