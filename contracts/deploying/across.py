"""`make can-i-deploy [SERVICE=orders]`: may this checkout run beside what runs now, the last release? From git alone.

Services roll one by one, and the firehose replays old facts: for a while each version meets the other's contracts. So each provider
of this checkout is verified against the contracts of the last release, and each provider of the release against the contracts of
this checkout. What a version cannot set up is looked for in its documents instead, and distinguished from what it breaks. What all
services have from the chassis (tokens, deadlines, envelopes ...) is read across as well: contracts/protocol.
"""

import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from contracts.deploying import protocol
from contracts.deploying.crosswise import Crosswise
from contracts.journal import JOURNAL, Entry, Found, entries
from contracts.pactfile import PACTS, Edge, all_edges, edges, exit_code_of, path_of, read
from contracts.promises import growth
from contracts.promises.declared import Declared
from contracts.promises.needs import findings_of
from contracts.releases import HistoryMissing, last_release, releases_of_days, unpack
from contracts.running import PROVIDERS_SIDE, service_asked_for

ROOT = Path(__file__).resolve().parents[2]
VERBS = {"asks": "answers", "hears": "is heard by", "watches": "is watched by"}
KEEP = (
    "Consumers of the last release run until the last one is replaced. Keep what they read until a release is out "
    "in which nobody reads it."
)
WAIT = (
    "Providers of the last release run until the last one is replaced, and facts of theirs come again. "
    "Release the provider's change first, and what reads it with the release after."
)
BOTH = (
    "What services have from the chassis is exchanged by both versions. Let a release read the new form beside the old one, "
    "and write the new one in the release after."
)
SAID_CHARACTERS = 2000
# Stands for every interaction of an edge.
ALL = ""


@dataclass(frozen=True)
class Version:
    """A tree with everything in it."""

    name: str
    root: Path

    @property
    def pacts(self) -> Path:
        """Its pacts."""
        return self.root / PACTS.relative_to(ROOT)

    def declares(self) -> Declared:
        """What its documents promise."""
        return Declared.read(self.pacts.parent)

    def tests_of(self, provider: str) -> list[Path]:
        """The verification of a provider."""
        folder = self.root / "services" / provider / "tests/contract"
        return [folder / name for name in PROVIDERS_SIDE if (folder / name).exists()]


@dataclass
class Met:
    """A provider of one version, and a consumer's contract of the other."""

    edge: Edge
    provider: Version
    consumer: Version
    found: tuple[Found, ...] = ()
    unchanged: bool = False

    def of(self, outcome: str) -> list[Found]:
        """The interactions of that outcome."""
        return [each for each in self.found if each.outcome == outcome]

    def line(self) -> str:
        """As the report shows it."""
        who = f"{self.edge.provider} {self.provider.name} {VERBS[self.edge.kind]} {self.edge.consumer} {self.consumer.name}"
        return f"{who:<56} {_counted(self.of)}"


@dataclass
class Reading:
    """What the chassis of one version made of what that of the other writes."""

    reader: Version
    writer: Version
    found: list[Found]

    def of(self, outcome: str) -> list[Found]:
        """The examples of that outcome."""
        return [each for each in self.found if each.outcome == outcome]

    def line(self) -> str:
        """As the report shows it."""
        who = f"the chassis {self.reader.name} reads the chassis {self.writer.name}"
        return f"{who:<56} {_counted(self.of)}"


@dataclass
class Answer:
    """Yes or no, and why."""

    release: str | None
    met: list[Met] = field(default_factory=list)
    # None: the release is from before there were examples of the protocol.
    protocol: list[Reading] | None = None
    outgrown: list[str] = field(default_factory=list)
    # Fields that hearers need, and that facts of still earlier releases lack.
    older: list[str] = field(default_factory=list)
    # Why there is no answer.
    obstacle: str = ""

    @property
    def yes(self) -> bool:
        """Nothing breaks."""
        return (
            not self.obstacle
            and not self.outgrown
            and not self.older
            and not any(each.of("broken") for each in self._all())
        )

    def _all(self) -> list[Met | Reading]:
        return [*self.met, *(self.protocol or [])]

    def report(self, what: str) -> str:
        """All of it, the answer last."""
        if self.release is None:
            return (
                "There is no release yet (no tag like v1.2.3 in this checkout's history), so nothing runs that could break. "
                "`make release` makes the first."
            )
        if self.obstacle:
            return f"NO: {self.obstacle}"
        lines = [f"{what} here, beside {self.release}, which runs now:", ""]
        lines += [f"  {each.line()}" for each in self.met if not each.unchanged]
        if same := sum(each.unchanged for each in self.met):
            lines.append(f"  What is needed of providers of {self.release} is unchanged in {same} contracts.")
        lines += [f"  {each.line()}" for each in self.protocol or []]
        if self.protocol is None:
            lines.append(
                f"  {self.release} has no examples of what its chassis writes: it is from before there were any."
            )
        for title, outcome in (("CANNOT BE VERIFIED", "unknown"), ("BREAKS", "broken")):
            for each in self._all():
                lines += [f"\n{title}  {found.why}" for found in each.of(outcome)]
        lines += [f"\nBREAKS  {sentence}" for sentence in (*self.outgrown, *self.older)]
        return "\n".join([*lines, "", self._verdict(what)])

    def _verdict(self, what: str) -> str:
        if self.yes:
            unknown = sum(len(each.of("unknown")) for each in self._all())
            but = f", as far as it can be verified: {unknown} could not be" if unknown else ""
            return f"YES: {what} can be deployed beside {self.release}{but}."
        kept = self.outgrown or any(each.of("broken") and not _is_old(each.provider) for each in self.met)
        waited = self.older or any(each.of("broken") and _is_old(each.provider) for each in self.met)
        both = any(each.of("broken") for each in self.protocol or [])
        advice = " ".join([KEEP] * bool(kept) + [WAIT] * bool(waited) + [BOTH] * both)
        return f"NO: {what} cannot be deployed beside {self.release}. {advice} docs/guides/contracts.md has the four steps."


def can_deploy(service: str | None, root: Path = ROOT, crosswise: Crosswise | None = None) -> Answer:
    """Whether a service of this checkout (None: all of them) can run beside the last release."""
    release = last_release(root)
    if release is None:
        return Answer(None)
    crosswise, here = crosswise or Crosswise(), Version("here", root)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        # This check loads all services in another process; meanwhile this one unpacks the release.
        stale = pool.submit(_obstacle, crosswise, here, service)
        then = Version(f"of {release}", Path(folder))
        unpack(root, release, then.root)
        answering, asking = _answering(then, service), _asking(here, service)
        grown = growth.between(then.pacts.parent, here.pacts.parent)
        older = _older_facts(here, asking, release)
        with crosswise.with_databases():
            if obstacle := stale.result():
                return Answer(release, obstacle=obstacle)
            kept = pool.submit(_meet, here, then, answering, crosswise)
            relied_on = pool.submit(_meet, then, here, asking, crosswise)
            read = read_protocol(here, then, crosswise)
            met = [*kept.result(), *relied_on.result()]
    breaks = (grown if service is None else grown.of(service)).breaks
    return Answer(release, met, read, breaks, older)


def _obstacle(crosswise: Crosswise, here: Version, service: str | None) -> str:
    """Documents that are not what the code says: of a service that is asked for, none of another's are compared."""
    done = crosswise.program(here.root, "contracts.promises.stale", *([] if service is None else [service]))
    if done.code == 0:
        return ""
    if done.code != 1 or "Traceback" in done.said:
        return f"what services promise cannot be made from the code.\n{done.said.strip()}"
    names = ", ".join(done.said.split())
    return f"{names} are not what the code says, so there is no answer. Run `make documents` first."


def _older_facts(here: Version, asking: Iterable[Edge], release: str) -> list[str]:
    """What hearers of this checkout need and facts before that release lack: those come again, from the stream or an outbox."""
    if not {*releases_of_days(here.root, math.inf)} - {release}:
        return []
    from chassis.relay import REPLAY_DAYS  # loads what a relay needs, which takes half a second

    found: list[str] = []
    for tag in sorted({*releases_of_days(here.root, REPLAY_DAYS)} - {release}):
        with tempfile.TemporaryDirectory() as folder:
            unpack(here.root, tag, Path(folder), PACTS.parent.name)
            then = Version(f"of {tag}", Path(folder)).declares()
        for edge in (each for each in asking if each.kind == "hears"):
            known = [each for each in read(edge, here.pacts) if each["description"].split()[0] in then.published]
            found += [f"facts of {tag} come again: {lacking}" for lacking in findings_of(edge, known, then)]
    return found


def read_protocol(here: Version, then: Version, crosswise: Crosswise) -> list[Reading] | None:
    """How each version reads the other's examples; a release was tested with its own. None if the release has no examples."""
    if not protocol.has_examples(then.root):
        return None
    ways = [(here, then)] if protocol.are_same(here.root, then.root) else [(here, then), (then, here)]

    def reading(reader: Version, writer: Version) -> Reading:
        found = protocol.read_across(reader.root, writer.root, crosswise)
        return Reading(reader, writer, [_read(reader, writer, each) for each in found])

    with ThreadPoolExecutor() as pool:
        return list(pool.map(reading, *zip(*ways, strict=True)))


def _read(reader: Version, writer: Version, found: Found) -> Found:
    """What the release reads must be written as long as it runs; what it does not know of it cannot tell."""
    if found.outcome == "held":
        return found
    why = f"({writer.name} writes, {reader.name} reads) {found.description}: {found.why.strip()}"
    if found.outcome == "unknown" and _is_old(reader) and found.description not in protocol.names_of(writer.root):
        return replace(found, outcome="broken", why=why)
    if found.outcome == "failed":
        return replace(found, outcome="unknown" if _is_old(reader) else "broken", why=why)
    return replace(found, why=why)


def _counted(of: Callable[[str], list[Found]]) -> str:
    parts = [f"{len(of('held')):>3} held"]
    parts += [f"{len(of('broken'))} BREAK"] * bool(of("broken"))
    parts += [f"{len(of('unknown'))} cannot be verified"] * bool(of("unknown"))
    return ", ".join(parts)


def _is_old(version: Version) -> bool:
    return version.name.startswith("of ")


def _answering(consumers: Version, service: str | None) -> list[Edge]:
    """The contracts that a service must keep, those of partners too."""
    return [edge for edge in all_edges(consumers.pacts) if service in {None, edge.provider}]


def _asking(consumers: Version, service: str | None) -> list[Edge]:
    """The contracts that a service has with others. Partners are not deployed from here, so theirs are not new here."""
    return [edge for edge in edges(consumers.pacts) if service in {None, edge.consumer}]


def _meet(provider: Version, consumer: Version, wanted: Iterable[Edge], crosswise: Crosswise) -> list[Met]:
    """Verifies providers of one version against contracts of the other."""
    met = {edge: Met(edge, provider, consumer) for edge in wanted}
    for each in met.values():
        # A released provider keeps the pacts with which it was released.
        each.unchanged = _is_old(provider) and _same(
            path_of(each.edge, provider.pacts), path_of(each.edge, consumer.pacts)
        )
    asked = [each for each in met.values() if not each.unchanged]
    with tempfile.TemporaryDirectory() as folder:
        for each in asked:
            source = path_of(each.edge, consumer.pacts)
            copy = Path(folder) / source.parent.name / source.name
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(source, copy)
        (Path(folder) / PACTS.name).mkdir(exist_ok=True)
        providers = sorted({each.edge.provider for each in asked})
        with ThreadPoolExecutor() as pool:
            verify = partial(_verify, provider, contracts=Path(folder), crosswise=crosswise)
            verified = dict(zip(providers, pool.map(verify, providers), strict=True))
    for each in asked:
        noted, said = verified[each.edge.provider]
        found = noted.get(each.edge, ())
        if len(found) < len(read(each.edge, consumer.pacts)):
            found = (*found, _nothing_known(each, said))
        each.found = tuple(_judged(each, one) for one in found)
    return list(met.values())


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.read_bytes() == other.read_bytes()


def _verify(
    version: Version, provider: str, contracts: Path, crosswise: Crosswise
) -> tuple[dict[Edge, tuple[Found, ...]], str]:
    """What a provider's own verification finds out about contracts of the other version, and what it said."""
    tests = version.tests_of(provider)
    if not tests:
        return {}, ""
    journal = contracts / f"journal-{provider}"
    done = crosswise.tests(version.root, tests, contracts, more={JOURNAL: str(journal)})
    found: dict[Edge, tuple[Found, ...]] = {}
    for entry in entries(journal):
        found |= _of_entry(entry)
    return found, done.said


def _of_entry(entry: Entry) -> dict[Edge, tuple[Found, ...]]:
    return {entry.edge: entry.found} if entry.what == "verified" else {}


def _nothing_known(met: Met, said: str) -> Found:
    """The verification did not get as far as this contract."""
    provider, version = met.edge.provider, met.provider
    if not version.tests_of(provider):
        why = f"There is no verification of {provider} {version.name}. Deploy {provider} before {met.edge.consumer}."
    else:
        why = f"The verification of {provider} {version.name} did not run:\n{said.strip()[-SAID_CHARACTERS:]}"
    return Found(ALL, "failed", f"{met.edge}: {why}")


def _judged(met: Met, found: Found) -> Found:
    """What could not be tried is looked for in the documents of the provider's version; what they lack breaks.

    A verification of this checkout that does not work is no excuse: it can be mended, and may hide a break.
    """
    if found.outcome == "held":
        return found
    where = f"({met.edge.provider} {met.provider.name}, {met.edge.consumer} {met.consumer.name})"
    if found.outcome == "broken":
        return replace(found, why=f"{where} {found.why}")
    which = f'"{found.description}"' if found.description else "all that could not be tried"
    about = f"{where} {met.edge}, {which}"
    if found.outcome == "failed" and not _is_old(met.provider):
        mend = f"its verification here does not work with contracts {met.consumer.name}. Mend it, so that it can tell."
        return Found(found.description, "broken", f"{about}: {mend}\n{found.why.rstrip()}")
    interactions = read(met.edge, met.consumer.pacts)
    asked = [each for each in interactions if found.description in {ALL, each["description"]}]
    lacking = findings_of(met.edge, asked, met.provider.declares())
    if lacking:
        return Found(found.description, "broken", f"{where} " + "\n    ".join(lacking))
    why = f"{about}: {found.why.rstrip()}\n    Its documents agree with the contract."
    return Found(found.description, "unknown", why)


def main() -> int:
    """The command."""
    service = service_asked_for(ROOT, "make can-i-deploy", "Whether this checkout can run beside the last release.")
    try:
        answer = can_deploy(service)
    except HistoryMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    print(answer.report(service or "Every service"))
    return 0 if answer.yes else 1


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
