"""`make contracts`: compares every pact with its consumer's tests, and verifies it at its provider; pair by pair, with totals.

`make contracts SERVICE=inventory` does so for what one service needs and promises. With `PACTS=write` the pacts are first written
from the consumers' tests, of one service also those of whoever asks it, and then the documents that follow from them. With
`TRANSPORT=bus` all that is asked is asked over NATS (contracts/over_bus.py).
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree as ET

from contracts import over_bus, picture
from contracts.journal import JOURNAL, Entry, entries
from contracts.pactfile import EXTERNAL, PACTS, WRITING, Edge, Kind, all_edges, edges, exit_code_of, is_writing
from contracts.running import PROVIDERS_SIDE, pytest_command, service_asked_for

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ROOT / "services"
LOOKS_EVERY_SECONDS = 0.2
FEW_TESTS = 4
# The gate that costs nothing, also for one service.
NEEDS = "contracts/tests/test_needs.py"
# Where pacts are, and what `make documents` writes.
WRITTEN = (
    "contracts/*.json",
    "docs",
    "k8s/*.yaml",
    "k8s/*.conf",
    "skaffold.yaml",
    "tracing/*.yaml",
    "services/*/catalog-info.yaml",
)


@dataclass
class Pair:
    """An edge, and what is known of it until now; None: that side is not (yet) known."""

    edge: Edge
    from_outside: bool
    written: int | None = None
    verified: int | None = None
    broken: int = 0

    def line(self) -> str:
        """As the progress shows it."""
        written = "from outside" if self.from_outside else f"{_shown(self.written):>3} written"
        broken = f"   {self.broken} BROKEN" if self.broken else ""
        return f"{self.edge!s:<34}{written:>13}{_shown(self.verified):>6} verified{broken}"


@dataclass
class Outcome:
    """What came of a run."""

    ok: bool
    counts: dict[str, int]
    pairs: list[Pair] = field(default_factory=list)
    seconds: float = 0.0

    def totals(self) -> str:
        """The last line."""
        written = sum(pair.written or 0 for pair in self.pairs)
        verified = sum(pair.verified or 0 for pair in self.pairs)
        broken = sum(pair.broken for pair in self.pairs)
        return (
            f"{len(self.pairs)} pairs: {written} interactions written as committed, {verified} verified, {broken} broken; "
            f"{self.seconds:.0f} s"
        )


class Progress:
    """Shows a pair when both of its sides are known."""

    def __init__(self, journal: Path, service: str | None, pacts: Path = PACTS, *, written: bool = False) -> None:
        self._journal = journal
        self._service = service
        # Pacts that were just written have to be verified too, and writing them again must change nothing.
        self._both_sides = written
        external = set(edges(pacts.parent / EXTERNAL))
        self.pairs = {edge: Pair(edge, edge in external) for edge in all_edges(pacts) if self._concerns(edge)}
        self._read = 0
        self._shown: set[Edge] = set()

    def _concerns(self, edge: Edge) -> bool:
        return self._service is None or self._service in {edge.consumer, edge.provider}

    def look(self) -> None:
        """Shows what has been finished since the last look."""
        known = entries(self._journal)
        for entry in known[self._read :]:
            self._take(entry)
        self._read = len(known)
        for pair in self.pairs.values():
            if pair.edge not in self._shown and not any(self.missing(pair)):
                self._shown.add(pair.edge)
                print(f"{len(self._shown):>3}/{len(self.pairs)}  {pair.line()}", flush=True)

    def _take(self, entry: Entry) -> None:
        pair = self.pairs.get(entry.edge)
        if pair is None:
            return  # made up by the tests of the checks; an edge without a committed pact fails by itself
        if entry.what == "verified":
            pair.verified = sum(each.outcome == "held" for each in entry.found)
            pair.broken = len(entry.found) - pair.verified
        else:
            pair.written = entry.interactions

    def all_missing(self) -> list[str]:
        """A sentence for each side that was not done: a test that is gone leaves nothing else behind."""
        return [sentence for pair in self.pairs.values() for sentence in self.missing(pair)]

    def missing(self, pair: Pair) -> Iterator[str]:
        """What this run was to do for a pair and did not."""
        everything = self._service is None
        compared = everything or self._both_sides or pair.edge.consumer == self._service
        if pair.written is None and not pair.from_outside and compared:
            yield f"What {pair.edge.consumer} needs of {pair.edge.provider} was not compared with its pact."
        if pair.verified is None and (everything or self._both_sides or pair.edge.provider == self._service):
            yield f"{pair.edge.provider} was not verified against the pact of {pair.edge}."


def run(service: str | None = None, *, write: bool = False) -> Outcome:
    """Everything, or what one service needs and promises. What fails is printed."""
    started = time.monotonic()
    if write:
        said = _pytest(consumers_tests(service), "write", Path(os.devnull), None)
        if not said.ok:
            print("Nothing was verified, since a consumer's test failed. Files whose tests all passed were written:")
            _tell_changes()
            return said
        picture.main()  # it counts interactions
        followed = _write_documents()
        _tell_changes()
        if not followed:
            return Outcome(ok=False, counts=said.counts)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        progress = Progress(Path(folder) / "journal", service, written=write)
        # The documents of one service are compared here, on the other core; for all services a test does it.
        stale = pool.submit(_stale_documents, service)
        outcome = _pytest(_all_tests(service, written=write), "", Path(folder) / "journal", progress)
    missing = [*progress.all_missing(), *(stale.result() if outcome.ok else [])]
    print("\n".join(missing), end="\n" if missing else "", flush=True)
    outcome.pairs = list(progress.pairs.values())
    # A test that is expected to fail does not excuse what it found.
    outcome.ok = outcome.ok and not missing and not any(pair.broken for pair in outcome.pairs)
    outcome.seconds = time.monotonic() - started
    return outcome


def _stale_documents(service: str | None) -> list[str]:
    """Sentences about what one service promises in documents and not, or no longer, in its code."""
    if service is None:
        return []
    from contracts.promises.documents import stale_documents_of  # loads the services, which takes a second

    return [
        f"contracts/{name} is not what the code says. Run `make documents`." for name in stale_documents_of(service)
    ]


def consumers_tests(service: str | None) -> list[Path]:
    """The tests that write pacts; of one service, those of what it needs and of what others need of it."""
    pairs = [(service, "*"), ("*", service)] if service else [("*", "*")]
    found = (SERVICES.glob(f"{one}/tests/contract/test_{kind}_{of}.py") for one, of in pairs for kind in get_args(Kind))
    return sorted({path for paths in found for path in paths})


def _write_documents() -> bool:
    """What `make documents` writes: some of it is read from pacts."""
    command = [sys.executable, "-m", "k8s.documents"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        print(
            f"{done.stdout}\nThe pacts are written, and `make documents` failed. Mend what it says, then run this again.",
            flush=True,
        )
    return done.returncode == 0


def _all_tests(service: str | None, *, written: bool) -> list[Path]:
    if service is None:
        return [*sorted(SERVICES.glob("*/tests/contract")), ROOT / "contracts"]
    own = [SERVICES / service / "tests/contract", ROOT / NEEDS]
    asked = {edge.provider for edge in edges() if written and edge.consumer == service}
    for provider in sorted(asked):
        own += [SERVICES / provider / "tests/contract" / name for name in PROVIDERS_SIDE]
    if written:
        own += [path for path in consumers_tests(service) if path.parent != own[0]]
    return [path for path in own if path.exists()]


def _pytest(tests: list[Path], pacts: str, journal: Path, progress: Progress | None) -> Outcome:
    """Runs tests, many of them on both cores; shows what they said only if something failed."""
    with tempfile.TemporaryDirectory() as folder:
        results, said = Path(folder) / "results.xml", Path(folder) / "said"
        options = ("-m", "not planted", f"--junitxml={results}")
        command = pytest_command(ROOT, tests, *options, parallel=len(tests) > FEW_TESTS)
        environment = os.environ | {"PACTS": pacts, JOURNAL: str(journal)}
        with said.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
            while process.poll() is None:
                time.sleep(LOOKS_EVERY_SECONDS)
                if progress:
                    progress.look()
        if progress:
            progress.look()
        if process.returncode != 0:
            print(said.read_text(errors="replace"), flush=True)
        return Outcome(process.returncode == 0, counts_of(results))


def counts_of(results: Path) -> dict[str, int]:
    """How many tests passed, failed (errors too) and were skipped, from the file that pytest wrote."""
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    if not results.exists():
        return totals
    for suite in ET.parse(results).getroot().iter("testsuite"):  # noqa: S314  # pytest wrote it a moment ago
        number = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
        failed = number["failures"] + number["errors"]
        totals["failed"] += failed
        totals["skipped"] += number["skipped"]
        totals["passed"] += max(0, number["tests"] - failed - number["skipped"])
    return totals


def _tell_changes() -> None:
    done = subprocess.run(
        ["git", "status", "--short", "--", *WRITTEN], cwd=ROOT, capture_output=True, text=True, check=False
    )
    changed = done.stdout.rstrip() or "  nothing changed"
    print(f"Written (look at the difference, and commit it):\n{changed}", flush=True)


def _shown(number: int | None) -> str:
    return "-" if number is None else str(number)


def main() -> int:
    """The command."""
    service = service_asked_for(ROOT, "make contracts", "Compares and verifies the contracts between services.")
    if os.environ.get("PACTS") not in {None, "", "check", WRITING}:
        print(f"PACTS={os.environ['PACTS']} means nothing. PACTS={WRITING} writes pacts; without it they are compared.")
        return 2
    if os.environ.get(over_bus.TRANSPORT) not in {None, "", "http", over_bus.BUS}:
        print(
            f"{over_bus.TRANSPORT}={os.environ[over_bus.TRANSPORT]} means nothing. {over_bus.TRANSPORT}={over_bus.BUS} asks over NATS."
        )
        return 2
    outcome = run(service, write=is_writing())
    print(f"\n{outcome.totals()}\n")
    print(f"{outcome.counts['passed']} passed, {outcome.counts['failed']} failed")
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
