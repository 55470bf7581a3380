"""What was found, and the exceptions that are made: each with its reason, and none that nothing needs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from k8s.objects import load

EXCEPTIONS = Path(__file__).parent / "exceptions.yaml"


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is wrong: the rule that says so, where, and what to do, as a sentence."""

    rule: str
    where: str
    sentence: str
    # The builds in which the finding was seen; the first of them is shown.
    build: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.build + ': ' if self.build else ''}{self.where} {self.sentence}"


@dataclass(frozen=True)
class Accepted:
    """One finding that is accepted. `where` and `build` (several, with blanks between) may have `*`; `about` is a part of the sentence."""

    rule: str
    where: str
    because: str
    about: str = ""
    build: str = "*"

    def covers(self, finding: Finding) -> bool:
        """Whether this is the finding that is meant."""
        return (
            finding.rule == self.rule
            and fnmatchcase(finding.where, self.where)
            and any(fnmatchcase(finding.build, each) for each in self.build.split())
            and self.about in finding.sentence
        )


def read_exceptions(path: Path = EXCEPTIONS) -> list[Accepted]:
    """The exceptions that are written down. Raises ValueError with a sentence for one without a reason."""
    if not path.is_file():
        return []
    found = [
        Accepted(**{str(key): str(value) for key, value in each.items()})
        for each in load(path.read_text("utf-8")) or []
    ]
    for each in found:
        if len(each.because.split()) < 3:
            raise ValueError(
                f"{path.name}: the exception of {each.where} from {each.rule} has no reason. Say why in `because`."
            )
    return found


def sift(findings: Iterable[Finding], exceptions: list[Accepted], rules: Iterable[str]) -> list[Finding]:
    """What remains after the exceptions, each finding once; and a finding for each exception that nothing needs any more.

    `rules`: those that ran; exceptions from others are left alone.
    """
    remaining: dict[Finding, None] = {}
    used: set[Accepted] = set()
    for finding in findings:
        covering = [each for each in exceptions if each.covers(finding)]
        used.update(covering)
        if not covering:
            remaining.setdefault(finding)
    ran = set(rules)
    stale = [
        Finding(
            "exceptions",
            f"{each.rule} of {each.where}",
            "is excepted in k8s/exceptions.yaml, but nothing needs that any more. Remove it.",
        )
        for each in exceptions
        if each not in used and each.rule in ran
    ]
    return [*remaining, *stale]
