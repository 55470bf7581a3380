"""A trace as a waterfall in the terminal: `python -m tracing.waterfall TRACE_ID`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from tracing.colours import PALETTE, colours_of
from tracing.files import document_of, lines_of
from tracing.gaps import explain
from tracing.model import Link, Span, Trace, human_duration, notes_of, traces_from_otlp
from tracing.reader import DEFAULT_STORE, StoreUnreachable, TraceReader, TraceUnknown

MIN_WIDTH = 60
FILE_SUFFIXES = (".jsonl", ".json")
MAX_DEPTH_SHOWN = 16
DURATION_WIDTH = 8
RED, BOLD, PLAIN = "\x1b[31m", "\x1b[1m", "\x1b[0m"
EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class _Pen:
    """Writes with or without colours."""

    colours: dict[str, int] | None

    def of(self, service: str, text: str) -> str:
        if self.colours is None:
            return text
        return f"\x1b[38;5;{PALETTE[self.colours[service]][1]}m{text}{PLAIN}"

    def style(self, code: str, text: str) -> str:
        return text if self.colours is None else f"{code}{text}{PLAIN}"

    def label(self, text: str, span: Span) -> str:
        """The service in its colour, the mark of an error in red."""
        before, service, after = text.partition(_clean(span.service))
        if not service or before.strip(" ✗"):
            return text  # cut off so early that the service is not whole
        return before.replace("✗", self.style(RED, "✗")) + self.of(span.service, service) + after


def render(trace: Trace, width: int = 100, *, colour: bool = False, details: bool = False) -> str:
    """The waterfall as text, at most `width` columns (never under 60); control characters in names are shown as `?`.

    With `details` each span is followed by its attributes, its events, and the version and host of its process: these are not cut.
    """
    width = max(width, MIN_WIDTH)
    pen = _Pen(colours_of(trace.services) if colour else None)
    rows = [(depth, span, _name(depth, span), _marks(trace, span)) for depth, span in trace.walk()]
    longest = max((_columns(name + marks) for _, _, name, marks in rows), default=0)
    label_width = min(longest, int(width * 0.58))
    bar_width = width - label_width - DURATION_WIDTH - 4
    lines = [*_header(trace, pen, width), ""]
    for depth, span, name, marks in rows:
        label = pen.label(_fitted(name, marks, label_width), span)
        bar = pen.of(span.service, _bar(trace, span, bar_width))
        lines.append(f"{label}  {bar}  {human_duration(span.duration_ns).rjust(DURATION_WIDTH)}")
        if span.is_error and span.status.message:
            lines.append(pen.style(RED, _cut(f"{_indent(depth)}  ✗ {_clean(span.status.message)}", width)))
        if details:
            lines += [f"{_indent(depth)}    {_clean(line)}" for line in _details(span)]
    return "\n".join(lines) + "\n"


def _details(span: Span) -> list[str]:
    process = [span.resource[name] for name in ("service.version", "host.name") if name in span.resource]
    lines = [f"{name} = {value}" for name, value in sorted(span.attributes.items())]
    for event in span.events:
        attributes = ", ".join(f"{name} = {value}" for name, value in sorted(event.attributes.items()))
        lines.append(
            f"+{human_duration(max(0, event.time_ns - span.start_ns))} {event.name}{': ' + attributes if attributes else ''}"
        )
    return [*lines, " ".join(["by", *map(str, process)])] if process else lines


def _header(trace: Trace, pen: _Pen, width: int) -> list[str]:
    facts = [
        human_duration(trace.duration_ns),
        _counted(len(trace.services), "service"),
        _counted(len(trace.spans), "span"),
        _counted(len(trace.errors), "error"),
        _counted(len(trace.orphans), "orphan"),
    ]
    if len(trace.roots) != 1:
        facts.append(_counted(len(trace.roots), "root"))
    services = "  ".join(pen.of(service, "■") + " " + _clean(service) for service in trace.services)
    return [pen.style(BOLD, f"trace {trace.trace_id}"), _cut(", ".join(facts), width), services]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _name(depth: int, span: Span) -> str:
    return f"{_indent(depth)}{'✗ ' if span.is_error else ''}{_clean(span.service)} {_clean(span.name)}"


def _marks(trace: Trace, span: Span) -> str:
    """What else is worth a look: attempts, deliveries, links, a missing parent."""
    marks = notes_of(span)
    if span.links:
        more = f" and {len(span.links) - 2} more" if len(span.links) > 2 else ""
        marks.append("⇢ " + ", ".join(_link_text(trace, span, link) for link in span.links[:2]) + more)
    if trace.is_orphan(span):
        marks.append(f"orphan of {span.parent_id}")
    return f" [{_clean('; '.join(marks))}]" if marks else ""


def _link_text(trace: Trace, span: Span, link: Link) -> str:
    """A link within the trace names the span; one to elsewhere names the trace."""
    if link.trace_id != trace.trace_id:
        return f"trace {link.trace_id[:8]}"
    if link.span_id == span.parent_id:
        return "parent"
    target = trace.get(link.span_id)
    return f"{target.service} {target.name}" if target else f"span {link.span_id}"


def _fitted(name: str, marks: str, width: int) -> str:
    """The marks stay whole as long as they leave the name half of the width."""
    marks = _cut(marks, max(width // 2, width - _columns(name)))
    text = _cut(name, width - _columns(marks)) + marks
    return text + " " * (width - _columns(text))


def _indent(depth: int) -> str:
    return "  " * min(depth, MAX_DEPTH_SHOWN)


def _bar(trace: Trace, span: Span, width: int) -> str:
    """Where the span lies in the trace, to an eighth of a column at its end; never invisible."""
    whole = trace.duration_ns or 1
    start = min(width * 8 - 1, (span.start_ns - trace.start_ns) * width * 8 // whole)
    length = max(1, min(width * 8 - start, span.duration_ns * width * 8 // whole))
    column = start // 8
    full, rest = divmod(length, 8)
    drawn = "█" * full + (EIGHTHS[rest] if rest else "")
    return (" " * column + drawn)[:width].ljust(width)


def _clean(text: str) -> str:
    """Names come from elsewhere: nothing in them may steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _cut(text: str, width: int) -> str:
    if _columns(text) <= width:
        return text
    kept = 0
    room = width - 1
    while kept < len(text) and (room := room - _columns(text[kept])) >= 0:
        kept += 1
    return text[:kept] + "…"


def main(arguments: list[str] | None = None) -> int:
    """Print one trace. The exit code is 1 if it cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tracing.waterfall", description=__doc__)
    parser.add_argument("trace_id", help="the id, a traceparent, the address of the trace's page, or an exported file")
    parser.add_argument("--store", default=DEFAULT_STORE, metavar="URL", help=f"default {DEFAULT_STORE}")
    parser.add_argument("--export", type=Path, metavar="FILE", help="also write it there, as OTLP JSON lines")
    parser.add_argument("--details", action="store_true", help="also all attributes and events of each span")
    parser.add_argument("--width", type=int, default=None, help="columns; default: those of the terminal")
    parser.add_argument("--colour", choices=("auto", "always", "never"), default="auto")
    options = parser.parse_args(arguments)
    try:
        text, where = _found(options)
    except (TraceUnknown, StoreUnreachable, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"{options.export or options.trace_id} cannot be used ({error.strerror}): name another file.",
            file=sys.stderr,
        )
        return 1
    print(text + f"\n{where}")
    return 0


def _found(options: argparse.Namespace) -> tuple[str, str]:
    """The waterfall, and where the trace is."""
    file = Path(options.trace_id)
    if file.suffix in FILE_SUFFIXES and file.exists():
        traces = traces_from_otlp(document_of(file.read_bytes()))
        return "\n".join(_drawn(trace, options) for trace in traces), str(file)
    with TraceReader(options.store) as reader:
        document = reader.document(options.trace_id)
        (trace, *_) = traces_from_otlp(document)
        where = reader.page_of(trace.trace_id)
        drawn = "\n".join([_drawn(trace, options), *(f"{_clean(str(gap))}\n" for gap in explain(trace, reader))])
    if options.export:
        options.export.write_bytes(lines_of(document))
        where += f"\n{options.export}: attach it to a bug; Jaeger's upload takes it, and so does make trace FILE={options.export}"
    return drawn, where


def _drawn(trace: Trace, options: argparse.Namespace) -> str:
    colour = options.colour == "always" or (
        options.colour == "auto" and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    )
    width = options.width or shutil.get_terminal_size((120, 40)).columns
    return render(trace, width, colour=colour, details=options.details)


if __name__ == "__main__":
    sys.exit(main())
