"""`make test`: everything that CI runs. `python tests/run.py PART ...` runs some of it (lint tests contracts mutation bugs
manifests system starting browser drills containers).

All parts run, also after one has failed; then come a table of their times and, alone on the last line, how many tests passed.
Whole systems mostly wait: their tests run beside those that keep the processor busy, in lanes of their own, and are shown when they
have ended. Which part is in which lane only matters for the time: all should end at the same moment.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from contracts import run as contracts_run  # noqa: E402  # this file is started by its path
from local.chromium import install_chromium  # noqa: E402

BIN = Path(sys.executable).parent
CHECKS = {
    "ruff check": [str(BIN / "ruff"), "check", "."],
    "ruff format": [str(BIN / "ruff"), "format", "--check", "."],
    "mypy": [sys.executable, "-m", "mypy", "."],
    "import-linter": [str(BIN / "lint-imports"), "--no-cache"],
}
NO_CONTRACTS = ("--ignore-glob=services/*/tests/contract", "--ignore-glob=contracts/tests")
# A test mostly waits, for servers and for what is due: twice as many as there are cores keep these busy.
AT_ONCE = str(max(4, 2 * (os.cpu_count() or 1)))
GROWN = "tests/grown"
WITHOUT_SYSTEM = (
    "-m",
    "not system and not browser and not containers and not manifests",
    "-n",
    AT_ONCE,
    "--dist",
    "loadfile",
    *NO_CONTRACTS,
    # It fills databases with millions of rows: others on the same server would wait for that, and some for too long.
    f"--ignore={GROWN}",
)
CHECKS_OF_CONTRACTS = ("-m", "planted", "-n", AT_ONCE, "--dist", "worksteal", "contracts")
# Their folders, too: to collect all tests takes some seconds each time. A test holds that none of them lies elsewhere.
WITH_SYSTEM = ("-m", "system and not browser", "tests/met_elsewhere", "tests/security", "tests/system")
STARTING = ("-m", "system and not browser", "local/tests/test_keeper.py", "local/tests/test_up.py")
# A process of its own: Playwright keeps an event loop running, in which asynchronous tests cannot start theirs.
WITH_BROWSER = ("-m", "browser", "simulators", "tests/browser")
WITH_CONTAINERS = ("-m", "containers", "tests/containers")
NOTHING_COLLECTED = 5

_beside = (
    threading.local()
)  # whether this thread's parts run beside others: what they print is shown when they have ended


@dataclass
class Part:
    """What came of one part."""

    name: str
    ok: bool
    seconds: float
    counts: dict[str, int] = field(default_factory=dict)


def main() -> int:
    """Runs the parts that were asked for."""
    started = time.monotonic()
    wanted = sys.argv[1:] or list(PARTS)
    if unknown := set(wanted) - PARTS.keys():
        print(f"There is no part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    # Some machines forbid it. Here some two hundred processes import the same modules, and compile them half of that time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    lanes = [[name for name in lane if name in wanted] for lane in LANES]
    with ThreadPoolExecutor(len(LANES)) as pool:
        first, *others = [lane for lane in lanes if lane]
        beside = [pool.submit(_run_lane, lane, beside=True) for lane in others]
        parts = [*_run_lane(first, beside=False), *(part for each in beside for part in each.result())]
    print(_report(parts, time.monotonic() - started))
    return 0 if all(part.ok for part in parts) else 1


def _run_lane(names: list[str], *, beside: bool) -> list[Part]:
    _beside.is_true = beside
    return [part for name in names for part in PARTS[name]()]


def lint() -> list[Part]:
    """Style, types and the independence of services, side by side; only what fails is shown."""
    print("Checking style, types and imports ...", flush=True)
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        return list(pool.map(_check, CHECKS))


def _check(name: str) -> Part:
    started = time.monotonic()
    done = subprocess.run(CHECKS[name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"\n--- {name}\n{done.stdout}{done.stderr}", flush=True)
    return Part(name, done.returncode == 0, time.monotonic() - started)


def tests() -> list[Part]:
    """Unit and integration tests, on both cores; then what is as large as after years, with a server of its own."""
    return [_pytest("unit, integration", *WITHOUT_SYSTEM), _pytest("a grown shop", GROWN)]


def contracts() -> list[Part]:
    """The contracts between services, and the checks on them."""
    print("\nRunning: contracts", flush=True)
    outcome = contracts_run.run()
    print(outcome.totals(), flush=True)
    between = Part("contracts", outcome.ok, outcome.seconds, outcome.counts)
    return [between, _pytest("checks of contracts", *CHECKS_OF_CONTRACTS)]


def mutation() -> list[Part]:
    """A thirtieth of the generated breaks of contracts and a sixth of those by hand, others with each commit.

    `make contracts-mutation` plants all of them.
    """
    number = int(_number_of_this_commit())
    return [
        _scored("generated breaks", "contracts.mutation.generated.run", "--part", f"{number % 30}/30"),
        _scored("mutation of contracts", "contracts.mutation", "--part", f"{number}/6"),
    ]


def bugs() -> list[Part]:
    """A twelfth of the bugs that oversell, lose or double, others with each commit. `make audit-bugs` plants all of them."""
    return [_scored("planted bugs", "rehearsal.bugs", "--part", f"{_number_of_this_commit()}/12")]


def _scored(name: str, module: str, *arguments: str) -> Part:
    print(f"\nRunning: {name}", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    ok = done.returncode == 0
    score = re.search(r"^(?:caught )?(\d+) of (\d+)(?: generated breaks are caught.*)?$", done.stdout, re.MULTILINE)
    print(score[0] if ok and score else done.stdout, flush=True)
    caught, planted = (int(score[1]), int(score[2])) if score else (0, 0)
    counts = {"passed": caught, "failed": max(planted - caught, 0 if ok else 1)}
    return Part(name, ok, time.monotonic() - started, counts)


def _number_of_this_commit() -> str:
    """By which parts of the longer programmes take turns."""
    counted = subprocess.run(["git", "rev-list", "--count", "HEAD"], capture_output=True, text=True, check=False)
    return counted.stdout.strip() or "0"


def manifests() -> list[Part]:
    """The Kubernetes manifests: all that can be built from them, held against schemas, rules and contracts."""
    print("\nRunning: manifests", flush=True)
    started = time.monotonic()
    ok = subprocess.run([sys.executable, "-m", "k8s.run"], check=False).returncode == 0
    return [Part("manifests", ok, time.monotonic() - started, {"passed": int(ok), "failed": int(not ok)})]


def system() -> list[Part]:
    """A whole running system."""
    return [_pytest("system", *WITH_SYSTEM)]


def starting() -> list[Part]:
    """`make up` as a person meets it: systems that are started, stopped and killed."""
    return [_pytest("make up", *STARTING)]


def browser() -> list[Part]:
    """A browser in front of a whole running system, all of whose services are one process here: the same tests, the other way."""
    install_chromium()
    return [_pytest("browser", *WITH_BROWSER, ONSALE_WAY=os.environ.get("ONSALE_WAY", "monolith"))]


def containers() -> list[Part]:
    """The images, and a system in containers that is given what the manifests say."""
    return [_pytest("containers", *WITH_CONTAINERS)]


def drills() -> list[Part]:
    """A sixth of the drills on a running system, others with each commit: off, on, off again. `make drills`: all."""
    beside = getattr(_beside, "is_true", False)
    print(f"\nRunning: drills{', beside the others' if beside else ''}", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "drills.prove", "--part", f"{_number_of_this_commit()}/6"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(f"\n--- drills\n{done.stdout}", flush=True)
    score = re.search(r"^proved (\d+) of (\d+)$", done.stdout, re.MULTILINE)
    proved, of = (int(score[1]), int(score[2])) if score else (0, 0)
    ok = done.returncode == 0
    untried = re.search(r"^not tried (\d+)", done.stdout, re.MULTILINE)
    counts = {
        "passed": proved,
        "failed": max(of - proved, 0 if ok else 1),
        "skipped": int(untried[1]) if untried else 0,
    }
    return [Part("drills", ok, time.monotonic() - started, counts)]


PARTS = {
    "lint": lint,
    "tests": tests,
    "contracts": contracts,
    "mutation": mutation,
    "bugs": bugs,
    "manifests": manifests,
    "system": system,
    "starting": starting,
    "browser": browser,
    "drills": drills,
    "containers": containers,
}
LANES = (
    ("lint", "tests", "manifests", "bugs"),
    ("system", "contracts"),
    ("browser", "containers", "starting", "drills", "mutation"),
)


def _pytest(name: str, *arguments: str, **environment: str) -> Part:
    beside = getattr(_beside, "is_true", False)
    print(f"\nRunning: {name}{', beside the others' if beside else ''}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={results}", *arguments]
        done = subprocess.run(
            command,
            check=False,
            text=True,
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE if beside else None,
            env={**os.environ, **environment},
        )
        code = done.returncode
        if beside:
            print(f"\n--- {name}, which ran beside the others\n{done.stdout}", flush=True)
        counts = contracts_run.counts_of(results)
    if code == NOTHING_COLLECTED:
        print(f"There are no tests of this kind: {name}.", flush=True)
    elif code != 0 and not counts["failed"]:
        counts["failed"] = 1  # pytest itself did not get to its end
    return Part(name, code == 0, time.monotonic() - started, counts)


def _report(parts: list[Part], seconds: float) -> str:
    lines = ["", f"{'part':<30}{'seconds':>9}  result"]
    for part in parts:
        what = ", ".join(f"{number} {key}" for key, number in part.counts.items() if number)
        lines.append(
            f"{part.name:<30}{part.seconds:>9.1f}  {'ok' if part.ok else 'FAILED'}{'  ' + what if what else ''}"
        )
    lines.append(f"{'together':<30}{seconds:>9.1f}")
    total = {key: sum(part.counts.get(key, 0) for part in parts) for key in ("passed", "failed", "skipped")}
    last = f"{total['passed']} passed, {total['failed']} failed"
    return "\n".join([*lines, "", last + (f", {total['skipped']} skipped" if total["skipped"] else "")])


if __name__ == "__main__":
    sys.exit(main())
