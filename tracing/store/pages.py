"""The pages of the store: search, the waterfall of a trace, who calls whom. No script."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tracing.colours import PALETTE, colours_of
from tracing.files import lines_of
from tracing.model import Span, Trace, human_duration, notes_of, traces_from_otlp
from tracing.reader import normal_trace_id
from tracing.store import queries
from tracing.store.database import reading
from tracing.store.parameters import (
    ALL,
    BadParameter,
    SpanQuery,
    duration_ns_of,
    page_query_of,
    trace_id_of,
)

MAX_ROWS = 2_000
TICKS = (0, 25, 50, 75, 100)
A_DAY = "24h"
LOOKBACKS = ("all", "5m", "1h", "6h", "24h", "7d")
SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Row:
    """A span as one line of the waterfall; `left` and `width` in per cent of the trace."""

    span: Span
    depth: int
    left: float
    width: float
    colour: int
    offset: str
    duration: str
    orphan: bool
    found: bool
    notes: list[str]


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = human_duration
    environment.filters["moment"] = _moment
    environment.globals["palette"] = PALETTE
    return environment


def page(name: str, status: int = 200, **values: Any) -> Response:
    """A template as an answer."""
    html = _templates().get_template(name).render(**values)
    return HTMLResponse(html, status, SECURITY_HEADERS)


def problem_page(status: int, message: str) -> Response:
    """A sentence on a page of its own."""
    return page("problem.html", status, title=HTTPStatus(status).phrase, message=message)


def _unknown(trace_id: str) -> Response:
    return problem_page(
        404,
        f"The store does not know the trace {trace_id}. It may arrive in a second (load this page again), "
        "or it was dropped because newer traces needed the room.",
    )


class Pages:
    """Routes over one database file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.routes = [
            Route("/", self.home),
            Route("/search", self.search),
            Route("/dependencies", self.dependencies),
            Route("/trace/{trace_id}.jsonl", self.export),
            Route("/trace/{trace_id}", self.trace),
        ]

    def home(self, request: Request) -> Response:
        return RedirectResponse("/search")

    def search(self, request: Request) -> Response:
        """Also what Jaeger's own search page understands: service, operation, tags, durations, lookback, limit."""
        parameters = request.query_params
        if wanted := parameters.get("traceID", "").strip():
            try:
                return RedirectResponse(f"/trace/{normal_trace_id(wanted)}", 303)
            except ValueError as error:
                return self._results(request, SpanQuery(depth=1), str(error))
        try:
            return self._results(request, page_query_of(parameters), "")
        except BadParameter as error:
            return self._results(request, None, str(error))

    def _results(self, request: Request, query: SpanQuery | None, message: str) -> Response:
        with reading(self._path) as reads:
            services = queries.services(reads)
            service = request.query_params.get("service", "")
            operations = sorted({name for name, _ in queries.operations(reads, service)})
            found = queries.summaries(reads, queries.find(reads, query)) if query and not message else []
            span_count = queries.span_count(reads)
        return page(
            "search.html",
            400 if message else 200,
            asked=request.query_params,
            services=services,
            operations=operations,
            found=found,
            longest_ns=max((summary.end_ns - summary.start_ns for summary in found), default=0),
            colours=colours_of(services),
            lookbacks=LOOKBACKS,
            span_count=span_count,
            message=message,
        )

    def dependencies(self, request: Request) -> Response:
        """`?lookback=24h`: the calls that started in the time before now."""
        lookback = request.query_params.get("lookback", A_DAY)
        now_ns = time.time_ns()
        try:
            since_ns = 0 if lookback == ALL else now_ns - (duration_ns_of("lookback", lookback) or 0)
        except BadParameter as error:
            return self._graph([], lookback, str(error))
        with reading(self._path) as reads:
            return self._graph(queries.dependencies(reads, since_ns, now_ns), lookback, "")

    def _graph(self, found: list[queries.Dependency], lookback: str, message: str) -> Response:
        return page(
            "dependencies.html",
            400 if message else 200,
            dependencies=found,
            lookback=lookback,
            lookbacks=LOOKBACKS,
            message=message,
        )

    def export(self, request: Request) -> Response:
        """The trace as OTLP JSON lines, to keep or to attach."""
        try:
            trace_id = trace_id_of(request.path_params["trace_id"])
        except BadParameter as error:
            return problem_page(400, str(error))
        with reading(self._path) as reads:
            document = queries.traces(reads, [trace_id])
        if document is None:
            return _unknown(trace_id)
        named = {"content-disposition": f'attachment; filename="trace-{trace_id}.jsonl"'}
        return Response(lines_of(document), media_type="application/x-ndjson", headers={**SECURITY_HEADERS, **named})

    def trace(self, request: Request) -> Response:
        """`?uiFind=` marks the spans that contain a text, as in Jaeger."""
        try:
            trace_id = trace_id_of(request.path_params["trace_id"])
        except BadParameter as error:
            return problem_page(400, str(error))
        with reading(self._path) as reads:
            document = queries.traces(reads, [trace_id])
            linked = queries.links_to(reads, trace_id)
        if document is None:
            return _unknown(trace_id)
        return self._waterfall(request, traces_from_otlp(document)[0], linked)

    def _waterfall(self, request: Request, found: Trace, linked: dict[str, list[queries.LinkedFrom]]) -> Response:
        text = request.query_params.get("uiFind", "").strip()
        rows = rows_of(found, text)
        return page(
            "trace.html",
            trace=found,
            linked=linked,
            rows=rows,
            hidden=len(found.spans) - len(rows),
            top=next(found.walk())[1],
            colours=colours_of(found.services),
            shares=_shares(found),
            ticks=[
                (percent, human_duration(found.duration_ns * percent // 100) if percent else "0") for percent in TICKS
            ],
            find=text,
            found_count=sum(row.found for row in rows),
        )


def rows_of(trace: Trace, text: str = "") -> list[Row]:
    """The waterfall, at most 2,000 lines; `text` marks the spans that contain it."""
    colours = colours_of(trace.services)
    whole_ns = trace.duration_ns or 1
    rows: list[Row] = []
    for depth, span in trace.walk():
        if len(rows) == MAX_ROWS:
            break
        rows.append(
            Row(
                span=span,
                depth=depth,
                left=100 * (span.start_ns - trace.start_ns) / whole_ns,
                width=100 * span.duration_ns / whole_ns,
                colour=colours[span.service],
                offset=human_duration(span.start_ns - trace.start_ns),
                duration=human_duration(span.duration_ns),
                orphan=trace.is_orphan(span),
                found=bool(text) and text.lower() in _searchable(span),
                notes=notes_of(span),
            )
        )
    return rows


def _searchable(span: Span) -> str:
    attributes = " ".join(f"{key}={value}" for key, value in span.attributes.items())
    return f"{span.service} {span.name} {span.span_id} {attributes}".lower()


def _shares(trace: Trace) -> list[tuple[str, int, int]]:
    """(service, spans, errors) in the order of the tree."""
    return [
        (
            service,
            sum(span.service == service for span in trace.spans),
            sum(span.service == service for span in trace.errors),
        )
        for service in trace.services
    ]


def _moment(time_ns: int) -> str:
    moment = datetime.fromtimestamp(time_ns / 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
