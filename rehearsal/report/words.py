"""A rehearsal in words: what stands in the terminal, and above the plots."""

from dataclasses import dataclass

from rehearsal.audit.model import Audit
from rehearsal.audit.report import verdict
from rehearsal.crowd.driver import Rehearsed
from rehearsal.crowd.record import End
from rehearsal.lots import Lots
from rehearsal.report.numbers import SAFE_P99_SECONDS, grouped, latencies, percentile, safe_rate, windows_of
from rehearsal.report.queue import admission_sentence, lean_sentence
from rehearsal.sale import Door


@dataclass(frozen=True)
class Told:
    """What a report is about; `audit` is None if the databases could not be reached, `door` if there was no waiting room of ours."""

    rehearsed: Rehearsed
    seed: int
    hold_seconds: float
    audit: Audit | None
    traces: str = ""
    door: Door | None = None
    lots: Lots | None = None


def headline(told: Told) -> str:
    """Whether exactly what there was is sold."""
    record = told.rehearsed.record
    if record.sold == record.places:
        return f"Sold exactly {record.places:,} places to {len(told.rehearsed.people):,} people."
    if record.sold > record.places:
        return f"OVERSOLD: {record.sold:,} tickets for {record.places:,} places."
    late, willing = record.ends[End.NOT_SERVED], len(told.rehearsed.people)
    why = f"{late:,} could not be served in time" if late else "nobody else wanted any"
    return f"Sold {record.sold:,} of {record.places:,} places to {willing:,} people: {why}."


def rate_sentence(told: Told) -> str:
    """The safe admission rate, and how it was found."""
    if told.rehearsed.record.seen:
        return admission_sentence(told.rehearsed, told.door.rate if told.door else None)
    rate = safe_rate(told.rehearsed)
    crowded = sum(each.p99_seconds >= SAFE_P99_SECONDS for each in windows_of(told.rehearsed))
    if rate is None:
        return (
            f"No safe admission rate was seen: in no window of 10 s with purchases did 99 of 100 answers come within "
            f"{SAFE_P99_SECONDS:g} s. Try fewer BUYERS."
        )
    tail = f"In {crowded} windows it was too much." if crowded else "It was never too much: more BUYERS find the limit."
    return (
        f"Safe admission rate of this deployment: {rate:.0f} purchases a minute, the most of a window of 10 s in which 99 of 100 "
        f"answers came within {SAFE_P99_SECONDS:g} s. {tail}"
    )


def render(told: Told) -> str:
    """The report for a terminal."""
    record = told.rehearsed.record
    lines = ["", headline(told), rate_sentence(told), *([lean_sentence()] if record.seen else []), ""]
    lines += [f"  {count:>8,}  {end.value}" for end, count in record.ends.most_common() if count]
    lines += ["", f"  {'requests':<26}{'count':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"]
    for kind, values in latencies(told.rehearsed).items():
        shown = "".join(f"{1000 * percentile(values, percent):>9.0f}" for percent in (50, 95, 99))
        lines.append(f"  {kind:<26}{len(values):>8,}{shown}")
    for title, chosen in (("refusals", "is_refusal"), ("errors", "is_error")):
        found = grouped(each for each in record.requests if getattr(each, chosen))
        lines += ["", f"  {title}" if found else f"  no {title}"]
        for each in found[:10]:
            example = f"  e.g. {told.traces}/trace/{each.traces[0]}" if each.traces and told.traces else ""
            lines.append(f"  {each.count:>8,}  {each.name}{example}")
    lines += [f"  {count:>8,}  {fault}" for fault, count in record.faults.most_common(10)]
    lines += [
        "",
        f"Audit: {verdict(told.audit)}"
        if told.audit
        else "Audit: left out, since the databases are elsewhere. make audit LOG= does it where they can be reached; for a "
        "cluster see docs/guides/rehearsing.md.",
    ]
    lines += [f"  {finding}" for finding in (told.audit.findings if told.audit else [])]
    lines += [f"Lots: {told.lots.sentence}"] if told.lots else []
    return "\n".join(lines)
