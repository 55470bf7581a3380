"""What the auditor found, as text for people."""

from itertools import groupby

from rehearsal.audit.model import LIVENESS, Audit
from rehearsal.audit.rest import AT_REST


def render(audit: Audit) -> str:
    """A line for each number, then every promise that does not hold, with the rows that break it."""
    lines = [f"  {count:>8,}  {name}" for name, count in audit.counts.items()]
    lines += ["", *_table(audit)]
    for broken in audit.broken:
        number = "liveness" if broken.invariant.number == LIVENESS else f"invariant {broken.invariant.number}"
        lines += [
            "",
            f"{number}: {broken.invariant.name}. {broken.count} {'row breaks' if broken.count == 1 else 'rows break'} it.",
        ]
        lines += [f"  promised  {broken.invariant.promises}", *(f"  {said}" for said in broken.sentences)]
    if audit.broken:
        lines += ["", "The life of an order: make trace ORDER=... with what stands first in a line."]
    lines += ["", verdict(audit)]
    return "\n".join(lines)


def verdict(audit: Audit) -> str:
    """The last line."""
    is_restless = any(each.invariant is AT_REST for each in audit.broken)
    waited = "in which it did not come to rest" if is_restless else "until all was at rest"
    took = f"{audit.seconds:.1f} s after {audit.seconds_until_rest:.1f} s {waited}"
    checked = len(audit.held) + len(audit.broken)
    if not audit.broken:
        return f"All {checked} promises hold ({took})."
    return f"{len(audit.broken)} of {checked} promises {'is' if len(audit.broken) == 1 else 'are'} broken ({took})."


def _table(audit: Audit) -> list[str]:
    broken = {each.invariant: each.count for each in audit.broken}
    everything = sorted((*broken, *audit.held, *audit.left_out), key=lambda each: each.number)
    lines = [f"  {'no':>3}  {'broken by':>9}  promises"]
    for number, group in groupby(everything, key=lambda each: each.number):
        for each in group:
            state = "not here" if each in audit.left_out else str(broken.get(each, "-"))
            lines.append(f"  {number or 'all':>3}  {state:>9}  {each.name}")
    return lines
