"""`make manifests`: builds every overlay, all of infra and every combination of components, and checks what comes out.

It prints what it built and checked, and each finding as a sentence; the exit code is 1 if there is one. With `--release` the
digests of images must be real too: `python -m k8s.run --release`.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from k8s import lists, policies, rules, scanners, skaffold
from k8s.edges import OPENAPI
from k8s.findings import Finding, read_exceptions, sift
from k8s.objects import Build
from k8s.places import PLANS, Place
from k8s.rendering import ROOT, Rendering, differences
from k8s.validation import kubernetes_version
from local.cluster_secrets import names as secrets_that_a_job_makes


@dataclass(frozen=True)
class Step:
    """A line of the table."""

    what: str
    count: str
    seconds: float
    findings: int


@dataclass
class Outcome:
    """What came of a run."""

    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def table(self) -> str:
        """What was built and checked, how long it took, and how much was found."""
        lines = [f"{'built and checked':<24}{'':<44}{'seconds':>8}{'findings':>10}"]
        lines += [f"{each.what:<24}{each.count:<44}{each.seconds:>8.1f}{each.findings:>10}" for each in self.steps]
        return "\n".join(lines)


class Run:
    """One run over one checkout."""

    def __init__(self, root: Path = ROOT) -> None:
        self._rendering = Rendering(root)
        self._exceptions = read_exceptions()
        self._started = time.monotonic()
        self.outcome = Outcome()

    def everything(self, *, release: bool = False) -> Outcome:
        """Builds, then asks all rules. `release`: also what only a release must keep."""
        with self._rendering as rendering:
            applied = dict.fromkeys(folder for plan in PLANS for folder in (plan.overlay, plan.infra, *plan.also))
            builds = rendering.builds(applied)
            parts = rendering.builds(folder for folder in rendering.folders() if folder not in applied)
            found = [*_unbuilt([*builds, *parts]), *_homeless(parts)]
            self._done("folders", f"{len(builds)} that are applied, {len(parts)} parts of them", [], found)
            combined = rendering.combinations()
            self._done(
                "combinations",
                f"{len(combined)} sets of {len(rendering.components())} components",
                [],
                _unbuilt(combined),
            )
            self._orders(combined, rendering.orders())
            places = list(_places(rendering))
            wrong = [Finding("skaffold", *each) for each in skaffold.all_findings(rendering.root, rendering.build)]
            self._done("skaffold.yaml", "modules and profiles", ["skaffold"], wrong)
        everywhere = [*builds, *combined]
        objects = len({found for build in everywhere for found in build.objects})
        what = f"{objects} different ones, Kubernetes {kubernetes_version()}"
        self._done("objects", what, rules.OBJECTS, rules.of_objects(everywhere))
        self._done("builds", f"{len(everywhere)} on their own", rules.BUILDS, rules.of_builds(everywhere))
        self._done("places", ", ".join(each.name for each in places), rules.PLACES, rules.of_places(places))
        stale = [Finding("generated", "k8s:", each) for each in (*policies.stale_files(), *lists.stale_files())]
        self._done("written files", "are what contracts and topology say", ["generated"], stale)
        twice = {folder for plan in PLANS if plan.on_bus and not plan.together for folder in (plan.overlay, plan.infra)}
        self._scanned([each for each in builds if each.name not in twice], rendering.root)
        if release:
            production = [each for each in places if each.plan.environment == "production"]
            self._done("release", "digests", rules.RELEASE, rules.of_places(production, rules.RELEASE))
        return self.outcome

    def _scanned(self, builds: list[Build], root: Path) -> None:
        accepted = [each.rule for each in self._exceptions]
        try:
            found = list(scanners.checkov([each for each in builds if not each.problem], root))
            self._done(
                "checkov",
                "what is applied, and the Dockerfile",
                [each for each in accepted if each.startswith("CKV")],
                found,
            )
            self._done(
                "hadolint",
                "the Dockerfile",
                [each for each in accepted if each.startswith("DL")],
                scanners.hadolint(root),
            )
        except scanners.ScanFailed as failed:
            self._done("scanners", "did not run", [], [Finding("scanners", "", str(failed))])

    def _orders(self, combined: list[Build], orders: list[Build]) -> None:
        found: list[Finding] = list(_unbuilt(orders))
        for each in orders if combined else []:
            found += [Finding("order", "k8s/components:", sentence) for sentence in differences(combined[-1], each)]
        self._done("orders", f"{len(orders)} other orders of all components", ["order"], found)

    def _done(self, what: str, count: str, rules_asked: Iterable[str], found: Iterable[Finding]) -> None:
        remaining = sift(found, self._exceptions, rules_asked)
        now = time.monotonic()
        self.outcome.steps.append(Step(what, count, now - self._started, len(remaining)))
        self.outcome.findings += remaining
        self._started = now


def _unbuilt(builds: Iterable[Build]) -> Iterator[Finding]:
    return (Finding("build", each.name, each.problem) for each in builds if each.problem)


def _homeless(parts: Iterable[Build]) -> Iterator[Finding]:
    for each in parts:
        if each.name.startswith("k8s/overlays/"):
            yield Finding(
                "build",
                each.name,
                "is of no place, so that half of the rules would not see it. Add it to PLANS in k8s/places.py.",
            )


def _places(rendering: Rendering) -> Iterator[Place]:
    """The places that build; what does not was reported already."""
    secrets = secrets_that_a_job_makes()
    for plan in PLANS:
        app, infra, *also = rendering.builds([plan.overlay, plan.infra, *plan.also])
        for each in also:
            app = app.and_(each, app.name)
        if not app.problem and not infra.problem:
            yield Place(plan, app, infra, secrets)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="make manifests", description="Builds and checks the Kubernetes manifests.")
    parser.add_argument("--release", action="store_true", help="refuse images whose digest is a placeholder")
    try:
        outcome = Run().everything(release=parser.parse_args().release)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except FileNotFoundError as error:
        if error.filename is None or Path(error.filename).parent != OPENAPI:
            raise
        print(
            f"{Path(error.filename).stem} has no OpenAPI document, which says who may reach it. Run `make documents`.",
            file=sys.stderr,
        )
        return 2
    print(outcome.table())
    if outcome.findings:
        print("\n" + "\n".join(f"  - {each}" for each in outcome.findings))
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
