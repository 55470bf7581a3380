"""Plants every generated break, or a part of them, and tells which nobody minds: `python -m contracts.mutation.generated.run`.

`... run orders tickets` plants those of what these services answer and tell; `... run --part 3/10` every tenth of all.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from contracts.mutation.generated import dropped, requests
from contracts.mutation.generated.answers import Answers
from contracts.mutation.generated.declarations import Declarations
from contracts.mutation.generated.parts import ALL, PART, is_chosen
from contracts.mutation.generated.published import PublishedBreaks
from contracts.mutation.generated.recording import RECORDED
from contracts.running import PROVIDERS_SIDE, pytest_command
from local.topology import SERVICES

ROOT = Path(__file__).parents[3]
UNSEEN = Path(__file__).parents[2] / "unseen.toml"
AT_A_TIME = 2
# Declarations are compared in so many portions, so that both processes have something to do until the end.
CHUNKS = 6


class _Break(Protocol):
    @property
    def kind(self) -> str: ...


AnyBreak = TypeVar("AnyBreak", bound=_Break)


@dataclass(frozen=True)
class Score:
    """What came of some breaks: how many there were by kind, and a sentence for each that nobody minded."""

    planted: Counter[str]
    survivors: tuple[str, ...]


def run(services: Sequence[str] = (), part: str = ALL) -> int:
    """Plants, and prints the score. 1 if anything survived."""
    started = time.monotonic()
    os.environ[PART] = part
    with tempfile.TemporaryDirectory() as folder:
        recorded = Path(folder)
        _record(recorded, services)
        jobs = sorted(recorded.glob("*-*.json"), key=lambda path: -path.stat().st_size)
        with ProcessPoolExecutor(AT_A_TIME) as pool:
            scores = [*pool.map(_of_recorded, jobs)]
            if not services:
                scores += [*pool.map(_of_declarations, range(CHUNKS)), _of_requests(recorded / requests.FILE)]
                scores.append(_of_dropped_states(recorded / "dropped.jsonl"))
    return report(scores, time.monotonic() - started)


def report(scores: Sequence[Score], seconds: float) -> int:
    """Prints what survived, the kinds with their counts, and the score. 1 if anything survived, or nothing was planted."""
    planted = sum((each.planted for each in scores), Counter())
    survivors = [sentence for each in scores for sentence in each.survivors]
    for sentence in survivors:
        print(f"SURVIVED  {sentence}")
    for kind, count in sorted(planted.items()):
        print(f"  {kind:<32}{count:>6}")
    total = planted.total()
    print(f"{total - len(survivors)} of {total} generated breaks are caught ({seconds:.0f} s)")
    return 1 if survivors or not total else 0


def _record(folder: Path, services: Sequence[str]) -> None:
    """Runs the tests of contracts as they are, and keeps what was asked, answered and published.

    Raises RuntimeError if they do not hold.
    """
    folders = [ROOT / "services" / name / "tests/contract" for name in services or SERVICES]
    names = PROVIDERS_SIDE if services else ("test_*.py",)
    tests = sorted(path for each in folders for name in names for path in each.glob(name))
    _pytest(tests, {RECORDED: str(folder)})


def _pytest(tests: Sequence[Path], environment: dict[str, str]) -> None:
    command = pytest_command(ROOT, tests, parallel=True)
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The contracts do not hold as they are, so no break can be planted:\n{done.stdout[-4000:]}")


def _of_dropped_states(results: Path) -> Score:
    """State handlers that do nothing."""
    tests = [ROOT / "services" / name / "tests/contract/test_is_asked.py" for name in SERVICES]
    _pytest([path for path in tests if path.exists()], {dropped.DROPPED: str(results)})
    found = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    excused = list(unseen_interactions())
    survivors = [
        f'{edge}, "{description}": the state "{state}" dropped'
        if not _is_excused(excused, edge, state, description)
        else f'{edge}, "{description}": contracts/unseen.toml excuses it, and its state is seen. Take it out.'
        for edge, state, description, is_minded in found
        if is_minded == _is_excused(excused, edge, state, description)
    ]
    return Score(Counter({"a state dropped": len(found)}), tuple(survivors))


def _is_excused(excused: Sequence[dict[str, str]], edge: str, state: str, description: str) -> bool:
    return any(
        (each["edge"], each["description"]) == (edge, description) and each.get("state", state) == state
        for each in excused
    )


def unseen_interactions() -> list[dict[str, str]]:
    """The interactions whose state makes no difference to their answer, with the reasons and with what sees it instead."""
    entries: list[dict[str, str]] = tomllib.loads(UNSEEN.read_text(encoding="utf-8"))["interaction"]
    return entries


def _of_recorded(recorded: Path) -> Score:
    """Breaks of what a provider answered, or of what it published."""
    provider, _, kind = recorded.stem.partition("-")
    with _quiet():
        if kind == "asks":
            answers = Answers(provider, recorded.parent)
            return _score(answers.breaks(), answers.survivors)
        breaker = PublishedBreaks(kind, provider, recorded.parent)
        return _score(breaker.breaks(), breaker.survivors)


def _of_declarations(chunk: int) -> Score:
    declarations = Declarations()
    return _score(declarations.breaks()[chunk::CHUNKS], declarations.survivors)


def _of_requests(results: Path) -> Score:
    """What became of the breaks of requests, which the tests of consumers planted: one is caught if any interaction refuses it."""
    minded: dict[tuple[str, str, str, str], bool] = defaultdict(bool)
    for line in results.read_text(encoding="utf-8").splitlines():
        edge, use, what, kind, is_minded = json.loads(line)
        minded[edge, use, what, kind] |= is_minded
    planted = Counter(f"asked: {kind}" for _, _, _, kind in minded)
    return Score(
        planted,
        tuple(f"{edge}, {use}: {what} {kind}" for (edge, use, what, kind), is_so in minded.items() if not is_so),
    )


def _score(breaks: Sequence[AnyBreak], survivors_of: Callable[[Sequence[AnyBreak]], Sequence[AnyBreak]]) -> Score:
    chosen = [each for each in breaks if is_chosen(str(each))]
    return Score(Counter(each.kind for each in chosen), tuple(map(str, survivors_of(chosen))))


@contextmanager
def _quiet() -> Iterator[None]:
    """Pact's verifier writes to the process's own output; of a break that is meant to fail, nobody needs to read it."""
    kept = {output: os.dup(output) for output in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in kept:
        os.dup2(nowhere, output)
    try:
        yield
    finally:
        for output, copy in kept.items():
            os.dup2(copy, output)
            os.close(copy)
        os.close(nowhere)


def main(arguments: list[str]) -> int:
    """Plants what the arguments choose."""
    parser = ArgumentParser(prog="python -m contracts.mutation.generated.run", description=__doc__)
    parser.add_argument("services", nargs="*", default=[])
    parser.add_argument("--part", default=ALL)
    chosen = parser.parse_args(arguments)
    return run(chosen.services, chosen.part)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
