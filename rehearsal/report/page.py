"""A rehearsal as one HTML file that needs nothing else: words, tables, and plots drawn as SVG."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from rehearsal.crowd.plan import SHARES
from rehearsal.crowd.record import BANK, Request
from rehearsal.report.numbers import (
    SAFE_P99_SECONDS,
    counted_over_time,
    grouped,
    kind_of,
    latencies,
    of_the_shop,
    percentile,
    percentiles_over_time,
    slowest,
)
from rehearsal.report.plots import line_plot
from rehearsal.report.queue import (
    inside_over_time,
    lean_sentence,
    people_over_time,
    rates_over_time,
    waited_examples,
)
from rehearsal.report.words import Told, headline, rate_sentence

PLOTTED_KINDS = 3
RIGHT_ALIGNED = ' class="number"'
STYLE = """
:root { --ink:#1b1f27; --quiet:#5b6472; --paper:#fff; --grid:#e3e7ee; --line-1:#1d4ed8; --line-2:#b45309; --line-3:#9d174d; }
@media (prefers-color-scheme: dark) { :root { --ink:#e8ebf1; --quiet:#a3adbd; --paper:#14171d; --grid:#2b313c; --line-1:#7aa5ff;
  --line-2:#f5b14c; --line-3:#ff8cc0; } }
body { font:16px/1.5 system-ui,sans-serif; color:var(--ink); background:var(--paper); max-width:52rem; margin:2rem auto; padding:0 1rem; }
h1 { font-size:1.6rem; line-height:1.25; } h2 { font-size:1.15rem; margin-top:2.2rem; } p.quiet, caption { color:var(--quiet); }
svg { width:100%; height:auto; } svg path { fill:none; stroke-width:2; stroke-linejoin:round; } svg .grid { stroke:var(--grid); }
svg text { font:12px system-ui,sans-serif; fill:var(--quiet); } svg .limit { stroke:var(--quiet); stroke-dasharray:5 4; }
svg .name { font-weight:600; } .scroll { overflow-x:auto; } table { border-collapse:collapse; width:100%; }
th, td { text-align:left; padding:.3rem .6rem .3rem 0; border-bottom:1px solid var(--grid); vertical-align:top; }
td.number, th.number { text-align:right; font-variant-numeric:tabular-nums; } a { color:var(--line-1); }
"""


def page_of(told: Told) -> str:
    """The whole page."""
    body = "\n".join(
        [
            f"<h1>{escape(headline(told))}</h1>",
            f"<p>{escape(rate_sentence(told))}</p>",
            f'<p class="quiet">{escape(_circumstances(told))}</p>',
            _audit(told),
            _ends(told),
            _sales(told),
            _queue(told),
            _waits(told),
            _refused("Refusals", told, [each for each in told.rehearsed.record.requests if each.is_refusal]),
            _refused("Errors", told, [each for each in told.rehearsed.record.requests if each.is_error]),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Rehearsal</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>\n{body}\n</main></body></html>\n"
    )


def _circumstances(told: Told) -> str:
    shares = ", ".join(f"{100 * share:.0f} % {kind.value}" for kind, share in SHARES.items())
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    door = (
        f"At most {told.door.rate:,} a minute were let in, and {told.door.inside:,} were inside. " if told.door else ""
    )
    return (
        f"{len(told.rehearsed.people):,} people in {told.rehearsed.seconds:.0f} s, more of them each second at first; "
        f"{shares}, the rest buys. {door}Places are held for {told.hold_seconds:g} s. Seed {told.seed}. {at}."
    )


def _audit(told: Told) -> str:
    if told.audit is None:
        return (
            "<h2>Audit</h2><p>It was left out, since the databases are elsewhere. <code>make audit LOG=...</code> does it where "
            "they can be reached; for a cluster see docs/guides/rehearsing.md.</p>"
        )
    if not told.audit.broken:
        counted = f"{told.audit.counts['orders']:,} orders, {told.audit.counts['acknowledgements']:,} acknowledgements"
        return f"<h2>Audit</h2><p>All {len(told.audit.held)} promises hold over {counted}.</p>"
    items = "".join(f"<li>{escape(each)}</li>" for each in told.audit.findings)
    number = len(told.audit.broken)
    return f"<h2>Audit: {number} {'promise is' if number == 1 else 'promises are'} broken</h2><ul>{items}</ul>"


def _ends(told: Told) -> str:
    rows = [(end.value, f"{count:,}") for end, count in told.rehearsed.record.ends.most_common() if count]
    return f"<h2>What became of everybody</h2>{_table(('end', 'people'), rows)}"


def _sales(told: Told) -> str:
    record = told.rehearsed.record
    points, sold = [(0.0, 0.0)], 0
    for at, places in record.sales:
        sold += places
        points.append((at, float(sold)))
    points.append((told.rehearsed.seconds, float(sold)))
    label = f"Places sold over time: {sold} of {record.places} after {told.rehearsed.seconds:.0f} seconds"
    plot = line_plot(label, {"sold": points}, unit="places", limit=("all places", record.places))
    return f"<h2>Sales</h2>{plot}"


def _queue(told: Told) -> str:
    """The waiting room over time, and traces of some who came in."""
    record, door = told.rehearsed.record, told.door
    if not record.seen:
        return ""
    most_inside = ("at most inside", float(door.inside)) if door else None
    most_a_minute = ("at most a minute", float(door.rate)) if door else None
    rows = [
        (f"{each.number:,}", f"{each.seconds:,.0f}", f"{each.at:,.0f}", _links(told, [each.trace_id]))
        for each in waited_examples(record.waits)
    ]
    heads = ("number", "seconds in the queue", "came in at second", "trace")
    return (
        f'<h2>Waiting room</h2><p class="quiet">{escape(lean_sentence())}</p>'
        f"{line_plot('People who wait, and the number that is served', people_over_time(record.seen), unit='people')}"
        f"<h3>Inside</h3>{line_plot('People inside', inside_over_time(record.seen), unit='people', limit=most_inside)}"
        f"<h3>Let in</h3>{line_plot('People let in a minute', rates_over_time(told.rehearsed), unit='a minute', limit=most_a_minute)}"
        f"{_table(heads, rows, html_from=3)}"
        f"<p>{escape(told.lots.sentence if told.lots else '')}</p>"
    )


def _waits(told: Told) -> str:
    requests, whole = told.rehearsed.record.requests, told.rehearsed.seconds
    limit = (f"{SAFE_P99_SECONDS:g} s", 1000 * SAFE_P99_SECONDS)
    all_of_it = percentiles_over_time(of_the_shop(requests), whole)
    parts = [
        f"<h2>How long answers of the shop took</h2>{line_plot('Percentiles over time', all_of_it, unit='ms', limit=limit)}"
    ]
    rows = []
    for kind, values in latencies(told.rehearsed).items():
        shown = [f"{1000 * percentile(values, percent):,.0f}" for percent in (50, 95, 99)]
        links = _links(told, [each.trace_id for each in slowest(requests, kind)])
        rows.append((kind, f"{len(values):,}", *shown, links))
    parts.append(_table(("request", "count", "p50 ms", "p95 ms", "p99 ms", "the slowest"), rows, html_from=5))
    for kind in latencies(told.rehearsed):
        if kind != BANK:
            of_kind = percentiles_over_time([each for each in requests if each.kind == kind], whole)
            parts.append(
                f"<h3>{escape(kind.capitalize())}</h3>{line_plot(f'Percentiles of: {kind}', of_kind, unit='ms')}"
            )
    return "".join(parts)


def _refused(title: str, told: Told, requests: list[Request]) -> str:
    if not requests:
        return f"<h2>{title}</h2><p>None.</p>"
    whole = told.rehearsed.seconds
    groups = grouped(requests)
    shown = [each.name for each in groups[:PLOTTED_KINDS]]
    lines = {name: counted_over_time([each for each in requests if kind_of(each) == name], whole) for name in shown}
    rows = [(each.name, f"{each.count:,}", _links(told, each.traces)) for each in groups]
    plot = line_plot(f"{title} over time, the most frequent kinds", lines, unit="count")
    return f"<h2>{title}</h2>{plot}{_table(('what', 'count', 'examples'), rows, html_from=2)}"


def _links(told: Told, traces: Iterable[str]) -> str:
    if not told.traces:
        return " ".join(escape(trace) for trace in traces)
    return " ".join(
        f'<a href="{escape(told.traces)}/trace/{escape(trace)}">{escape(trace[:6])}</a>' for trace in traces
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], html_from: int | None = None) -> str:
    """`html_from`: the column from which on cells are HTML already."""

    def cell(number: int, text: str) -> str:
        shown = text if html_from is not None and number >= html_from else escape(text)
        is_number = text.replace(",", "").isdigit()
        return f'<td class="number">{shown}</td>' if is_number else f"<td>{shown}</td>"

    last = len(heads) if html_from is None else html_from
    head = "".join(
        f'<th scope="col"{RIGHT_ALIGNED if 0 < number < last else ""}>{escape(each)}</th>'
        for number, each in enumerate(heads)
    )
    body = "".join(f"<tr>{''.join(cell(number, each) for number, each in enumerate(row))}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
