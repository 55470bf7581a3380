"""Plants every generated break, or a part of them, and tells which nobody minds: `python -m contracts.mutation.generated.run`.

`... run orders tickets` plants those of what these services answer and tell; `... run --part 3/10` every tenth, beginning with the third.
"""

import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.mutation.generated.answers import Answers
from contracts.mutation.generated.recording import RECORDED
from contracts.mutation.generated.told import Tellings
from contracts.running import PROVIDERS_SIDE, pytest_command
from local.topology import SERVICES

ROOT = Path(__file__).parents[3]
AT_A_TIME = 2


@dataclass(frozen=True)
class Score:
    """What came of some breaks: how many there were by kind, and a sentence for each that nobody minded."""

    planted: Counter[str]
    survivors: tuple[str, ...]


def run(services: Sequence[str] = (), part: tuple[int, int] = (0, 1)) -> int:
    """Plants, and prints the score. 1 if anything survived."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        recorded = Path(folder)
        _record(recorded, services)
        jobs = sorted(recorded.glob("*.json"), key=lambda path: -path.stat().st_size)
        with ProcessPoolExecutor(AT_A_TIME) as pool:
            scores = list(pool.map(_score, jobs, [part] * len(jobs)))
    planted = sum((each.planted for each in scores), Counter())
    survivors = [sentence for each in scores for sentence in each.survivors]
    for sentence in survivors:
        print(f"SURVIVED  {sentence}")
    for kind, count in sorted(planted.items()):
        print(f"  {kind:<32}{count:>6}")
    total = planted.total()
    print(f"{total - len(survivors)} of {total} generated breaks are caught ({time.monotonic() - started:.0f} s)")
    return 1 if survivors or not total else 0


def _record(folder: Path, services: Sequence[str]) -> None:
    """Verifies the contracts as they are, and keeps what providers answered and told. Raises RuntimeError if they do not hold."""
    folders = [ROOT / "services" / name / "tests/contract" for name in services or SERVICES]
    tests = [path / name for path in folders for name in PROVIDERS_SIDE if (path / name).exists()]
    command = pytest_command(ROOT, tests, parallel=True)
    environment = os.environ | {RECORDED: str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The contracts do not hold as they are, so no break can be planted:\n{done.stdout[-4000:]}")


def _score(recorded: Path, part: tuple[int, int]) -> Score:
    provider, _, kind = recorded.stem.partition("-")
    first, step = part
    with _quiet():
        planting = Answers(provider, recorded.parent) if kind == "asks" else Tellings(kind, provider, recorded.parent)
        breaks = planting.breaks()[first::step]
        survivors = planting.survivors(breaks)  # type: ignore[arg-type]  # its own breaks
    return Score(Counter(each.kind for each in breaks), tuple(map(str, survivors)))


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
    parser.add_argument("--part", default="0/1")
    chosen = parser.parse_args(arguments)
    first, _, step = chosen.part.partition("/")
    return run(chosen.services, (int(first), int(step)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
