"""Plants each break in a copy of its own, and tells whether the checks caught it."""

import os
import shutil
import textwrap
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from contracts.forks import CHECKOUT
from contracts.mutation.breaks import Break, DoesNotFit
from contracts.mutation.checks import Failure, Outcome, Runner
from contracts.mutation.scratch import copy_of_checkout, mend
from contracts.running import ACROSS
from local.postgres import PostgresServer

# One more than there are cores: a check also waits, for servers that start and stop.
AT_A_TIME = (os.cpu_count() or 1) + 1
SHOWN_CHARACTERS = 120
POSTGRES_VARIABLE = "ONSALE_TEST_POSTGRES_URL"


@dataclass(frozen=True)
class Verdict:
    """What came of a planted break: whether all is as it should be, and the sentence that says so or why not."""

    name: str
    ok: bool
    sentence: str
    harmless: bool = False

    def __str__(self) -> str:
        word = ("passes" if self.harmless else "caught") if self.ok else ("TOO STRICT" if self.harmless else "SURVIVED")
        return f"{word:<10} {self.name}\n           {self.sentence}"


def run(breaks: Sequence[Break], checkout: Path = CHECKOUT) -> int:
    """Prints a verdict for each break, and the score. The exit code: 0 if all were caught and nothing else was."""
    started = time.monotonic()
    with (
        TemporaryDirectory(prefix="onsale-mutation-") as folder,
        PostgresServer(durable=False) as postgres,
        ThreadPoolExecutor(AT_A_TIME) as pool,
    ):
        sound = Path(folder) / "sound"
        copy_of_checkout(checkout, sound)
        runner = Runner({POSTGRES_VARIABLE: postgres.url(), "PACTS": "check"})
        checks = used_checks(breaks)
        # Without this every break would count as caught by a check that is red anyway.
        parts = [checks[number::AT_A_TIME] for number in range(min(AT_A_TIME, len(checks)))]
        red = [each for part in pool.map(lambda part: faults(part, runner.run(sound, part)), parts) for each in part]
        if red:
            print("\n".join(red), "Make these checks green first; nothing was planted.", sep="\n")
            return 1
        print(f"Green without any break ({len(checks)}).", flush=True)
        planting = Planting(sound, runner)
        return report(pool.map(planting.plant, breaks), started)


def used_checks(breaks: Sequence[Break]) -> list[str]:
    """Every check that is run for some break."""
    return sorted({check for each in breaks for check in (*each.checks, *each.rewrites, *each.blind)})


def faults(checks: Sequence[str], outcome: Outcome) -> list[str]:
    """Why checks cannot tell a break: they fail without one, or have no test that passes."""
    if outcome.crash or outcome.failures:
        return [f"RED without any break:\n{_why_red(outcome)}"]
    idle = [check for check in checks if not any(test.startswith(check) for test in outcome.passed)]
    return [f"RED without any break: {check} has no test that passes." for check in idle]


def report(verdicts: Iterator[Verdict], started: float) -> int:
    """Prints verdicts as they come, and the score at the end, with the seconds since `started`. The exit code."""
    seen = []
    for verdict in verdicts:
        print(verdict, flush=True)
        seen.append(verdict)
    breaks = [verdict for verdict in seen if not verdict.harmless]
    harmless = [verdict for verdict in seen if verdict.harmless]
    caught, passing = sum(verdict.ok for verdict in breaks), sum(verdict.ok for verdict in harmless)
    seconds = time.monotonic() - started
    print(f"\n{passing} of {len(harmless)} harmless changes pass ({seconds:.0f} s)\ncaught {caught} of {len(breaks)}")
    return 0 if all(verdict.ok for verdict in seen) else 1


class Planting:
    """Plants breaks in copies of a sound copy, which stays as it is. Use from AT_A_TIME threads."""

    def __init__(self, sound: Path, runner: Runner) -> None:
        self._sound = sound
        self._runner = runner
        self._copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(AT_A_TIME):
            copy = sound.with_name(f"copy-{number}")
            shutil.copytree(sound, copy)
            self._copies.put(copy)

    def plant(self, planted: Break) -> Verdict:
        """What the checks say to a break."""
        copy = self._copies.get()
        try:
            return self._plant(planted, copy)
        except DoesNotFit as error:
            return Verdict(planted.name, False, f"The break no longer fits the code: {error}", planted.harmless)
        finally:
            mend(copy, self._sound)
            self._copies.put(copy)

    def _plant(self, planted: Break, copy: Path) -> Verdict:
        for change in planted.changes:
            change.apply(copy)
        for checks, environment in ((planted.rewrites, {"PACTS": "write"}), (planted.blind, {})):
            outcome = self._runner.run(copy, checks, **environment) if checks else None
            if outcome is not None and not outcome.is_green:
                return Verdict(planted.name, False, f"These must pass: {', '.join(checks)}.\n{_why_red(outcome)}")
        other = {ACROSS: str(self._sound / "contracts")} if planted.across else {}
        return judge(planted, self._runner.run(copy, planted.checks, **other))


def judge(planted: Break, outcome: Outcome) -> Verdict:
    """Caught is: tests failed, each of them because of a contract, and one with the words that help."""
    if planted.harmless:
        ok = outcome.is_green
        return Verdict(planted.name, ok, f"Green: {len(outcome.passed)}." if ok else _why_red(outcome), harmless=True)
    if outcome.crash:
        return Verdict(planted.name, False, outcome.crash)
    if not outcome.failures:
        return Verdict(planted.name, False, f"All is green: {', '.join(planted.checks)}.")
    if others := [failure for failure in outcome.failures if not failure.is_about_a_contract]:
        return Verdict(planted.name, False, f"It fails, but not as a broken contract:\n{_shown(others)}")
    expected = next((each for each in outcome.failures if all(word in each.words for word in planted.says)), None)
    if expected is None:
        return Verdict(planted.name, False, f"Nothing says {planted.says}:\n{_shown(outcome.failures)}")
    return Verdict(planted.name, True, _sentence(expected.message, planted.says))


def _sentence(message: str, words: Sequence[str]) -> str:
    """What, and above it who: the lines of a message that have the last and the first of the words, or what is around these."""
    lines = [line.strip() for line in message.splitlines()]
    found = next((number for number, line in enumerate(lines) if words[-1] in line), 0)
    what = _around(lines[found], words[-1])
    who = next((line for line in reversed(lines[:found]) if words[0] in line), None)
    return what if who is None or words[0] in what else f"{_around(who, words[0])} {what}"


def _around(line: str, word: str) -> str:
    if len(line) <= SHOWN_CHARACTERS:
        return line
    begin = max(0, line.find(word) + len(word) - SHOWN_CHARACTERS * 2 // 3)
    return f"{'... ' * (begin > 0)}{line[begin : begin + SHOWN_CHARACTERS]}{' ...' * (begin + SHOWN_CHARACTERS < len(line))}"


def _why_red(outcome: Outcome) -> str:
    return outcome.crash or _shown(outcome.failures) or "No test ran."


def _shown(failures: Sequence[Failure]) -> str:
    return "\n".join(
        textwrap.indent(f"{each.test}: {each.kind} in {each.raised_in}: {each.message}", "    ") for each in failures
    )
