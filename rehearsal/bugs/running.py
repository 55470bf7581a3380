"""Plants faults in the code of running services, one at a time, and lets a small crowd buy meanwhile."""

from local.system import System
from rehearsal.audit.auditor import audit
from rehearsal.audit.model import Audit
from rehearsal.audit.sources import Sources
from rehearsal.bugs.model import CodeBug, Outcome
from rehearsal.bugs.sale import sell_quickly

MODULE = "rehearsal.bugs.code"
# A system with a fault may never come to rest.
REST_SECONDS = 6.0


class Faulty:
    """A running system that gets one fault after the other. What one has broken stays broken, so only what is new counts."""

    def __init__(self, system: System) -> None:
        self._system = system

    async def try_out(self, bug: CodeBug) -> Outcome:
        """Whether the auditor finds what this fault did to what the crowd bought."""
        before = set(_said(await self._audit()))
        self._system.restart(bug.service, {f"{bug.service.upper()}_DRILL": f"{MODULE}:{bug.name}"})
        try:
            await sell_quickly(self._system.addresses)
            found = await self._audit()
        finally:
            self._system.restart(bug.service)
        new = [(number, said) for number, said in _said(found) if (number, said) not in before]
        numbers = tuple(sorted({number for number, _ in new}))
        example = next((said for number, said in new if number == bug.number), "")
        return Outcome(bug, bug.number in numbers, numbers, example=example)

    async def _audit(self) -> Audit:
        return await audit(Sources.of(self._system), rest_seconds=REST_SECONDS)


def _said(found: Audit) -> list[tuple[int, str]]:
    # How many more there are is no finding of its own: what was broken before heals meanwhile, or grows.
    return [(each.invariant.number, said) for each in found.broken for said in each.named]
