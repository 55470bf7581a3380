"""Reads traces back over Jaeger's v3 API: from the dev trace store, or from a real Jaeger 2 (2.20 or later)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from tracing.model import Event, Link, Span, Status, Trace, traces_from_otlp

__all__ = ["Event", "Link", "Span", "Status", "StoreUnreachable", "Trace", "TraceReader", "TraceUnknown"]

DEFAULT_STORE = "http://127.0.0.1:16686"


class TraceUnknown(LookupError):
    """The store does not know the trace: it has not arrived yet, was never sent, or was dropped."""

    def __init__(self, trace_id: str, base_url: str) -> None:
        self.trace_id = trace_id
        super().__init__(
            f"The trace store at {base_url} does not know the trace {trace_id}. "
            "It may need a second to arrive, or was dropped because newer traces needed the room."
        )


class StoreUnreachable(ConnectionError):
    """Nothing that speaks Jaeger's API answered; the message says what to do."""


class TraceReader:
    """A client of one trace store. Safe to share between threads; close it, or use it in a `with`."""

    def __init__(self, base_url: str = DEFAULT_STORE, timeout_seconds: float = 5.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(base_url=self.base_url, timeout=timeout_seconds, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def trace(self, trace_id: str) -> Trace:
        """All spans known of a trace now. Raises TraceUnknown, StoreUnreachable, ValueError (no trace id)."""
        wanted = normal_trace_id(trace_id)
        found = [trace for trace in traces_from_otlp(self.document(wanted)) if trace.trace_id == wanted]
        if not found:
            raise TraceUnknown(wanted, self.base_url)
        return found[0]

    def document(self, trace_id: str) -> dict[str, Any]:
        """The same as OTLP JSON, as it is exported. Raises what `trace` raises."""
        wanted = normal_trace_id(trace_id)
        # Raw: a Jaeger otherwise moves the spans of a skewed clock, and hides what one may be looking for.
        answer = self._get(f"/api/v3/traces/{wanted}", {"rawTraces": "true"})
        if not answer:
            raise TraceUnknown(wanted, self.base_url)
        document: dict[str, Any] = answer.get("result", answer)
        return document

    def search(
        self,
        service: str | None = None,
        operation: str | None = None,
        *,
        attributes: Mapping[str, str] | None = None,
        lookback_seconds: float = 3600.0,
        duration_min_seconds: float | None = None,
        duration_max_seconds: float | None = None,
        limit: int = 20,
    ) -> list[Trace]:
        """The traces in which one span fits everything that is given, the latest first.

        The span started within `lookback_seconds` before now. Raises StoreUnreachable, ValueError (refused by the store).
        """
        now = datetime.now(UTC)
        wanted: dict[str, str | None] = {
            "query.serviceName": service,
            "query.operationName": operation,
            "query.attributes": orjson.dumps(dict(attributes)).decode() if attributes else None,
            "query.startTimeMin": _rfc3339(now - timedelta(seconds=lookback_seconds)),
            "query.startTimeMax": _rfc3339(now + timedelta(seconds=1)),
            "query.durationMin": _duration(duration_min_seconds),
            "query.durationMax": _duration(duration_max_seconds),
            "query.searchDepth": str(limit),
            "query.rawTraces": "true",
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        return self._traces(self._get("/api/v3/traces", given))

    def services(self) -> list[str]:
        """Names of the services that sent spans, sorted."""
        return sorted((self._get("/api/v3/services", {}) or {}).get("services") or [])

    def operations(self, service: str) -> list[tuple[str, str]]:
        """(name, kind) of what a service does, sorted."""
        found = self._get("/api/v3/operations", {"service": service}) or {}
        return sorted((item["name"], item.get("spanKind", "")) for item in found.get("operations") or [])

    def page_of(self, trace_id: str) -> str:
        """Address of the trace's page, for people."""
        return f"{self.base_url}/trace/{trace_id}"

    def _traces(self, document: Mapping[str, Any] | None) -> list[Trace]:
        return traces_from_otlp(document.get("result", document)) if document else []

    def _get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        """The JSON of an answer; None if nothing matches (404)."""
        try:
            response = self._http.get(path, params=dict(parameters))
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise StoreUnreachable(
                f"The trace store at {self.base_url} cannot be reached ({reason}). "
                "Is it running? `make up` starts one; another is given by its address."
            ) from error
        if response.status_code == httpx.codes.NOT_FOUND and response.content.lstrip().startswith(b"{"):
            return None
        if response.status_code == httpx.codes.BAD_REQUEST:
            raise ValueError(_message_of(response))
        try:
            response.raise_for_status()
            answer: dict[str, Any] = orjson.loads(response.content)
        except (httpx.HTTPStatusError, orjson.JSONDecodeError) as error:
            raise StoreUnreachable(
                f"What answers at {self.base_url} is not a trace store with Jaeger's v3 API: "
                f"{path} gave status {response.status_code}. Give the address of a dev trace store or of a Jaeger 2."
            ) from error
        return answer


def normal_trace_id(text: str) -> str:
    """32 lower-case hexadecimal digits, from what people paste: an id, a `traceparent`, the address of a page."""
    traceparent = re.fullmatch(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", text.strip())
    candidate = traceparent[1] if traceparent else re.split(r"[?#]", text.strip())[0].rstrip("/").rpartition("/")[2]
    if not re.fullmatch(r"[0-9a-fA-F]{1,32}", candidate):
        raise ValueError(f"A trace id has up to 32 hexadecimal digits; {text!r} is none.")
    return candidate.lower().zfill(32)


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else f"{round(seconds * 1_000_000_000)}ns"


def _message_of(response: httpx.Response) -> str:
    try:
        return str(orjson.loads(response.content)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return f"The trace store refused the question: {response.text[:200]}"
