"""Calls over HTTP, with aiohttp: to our own services, and to strangers. What carries them may be another than the network, with the
same rules above it: chassis/over_bus.py.

A call is tried again here and nowhere else: bounded, with full jitter and a budget, if that is safe (`chassis/http.py` has the
rules), and always if it found no connection, for then nobody has heard of it. Each attempt has its own span and its own measure.
What goes to our own services carries the caller's token, the person's token if there is one, what is left of the deadline, and the
trace; strangers get nothing of this.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import aiohttp
import orjson
from opentelemetry.trace import SpanKind
from yarl import URL

from chassis import http
from chassis.deadline import DEADLINE_HEADER, remaining_seconds
from chassis.http import PERSON_HEADER, PIN_HEADER, ProviderUnavailable, RetryBudget, person_token, provider_pins
from chassis.tokens import ServiceTokens
from tracing.http_client import NOT_CONNECTED, address_of_call, attributes_of_call, note_answer
from tracing.instruments import HTTP_CLIENT_DURATION
from tracing.metrics import Metrics
from tracing.series import Series
from tracing.spans import inject, span

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Sending:
    """A request as it leaves. `query` is encoded; `seconds` may it take, and `connect_seconds` of them to connect."""

    method: str
    origin: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    connect_seconds: float

    @property
    def url(self) -> str:
        """Its whole address."""
        return f"{self.origin}{self.path}{'?' if self.query else ''}{self.query}"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, all of it. `headers` are read without regard to upper and lower case."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The document. Raises ValueError if it is none."""
        return orjson.loads(self.content)


class NotSent(ConnectionError):
    """There is nobody who takes the request, and nobody has heard of it."""


# What these say was never sent, so it may be tried again whatever it is.
NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, NotSent)

# Carries a request to the provider. Raises aiohttp.ClientError, TimeoutError or OSError if there is no answer.
Carry = Callable[[Sending], Awaitable[Answered]]


@dataclass(slots=True)
class _Attempt:
    """What all attempts of a call have in common."""

    method: str
    path: str
    route: str
    query: str
    headers: dict[str, str]
    body: bytes
    attributes: Mapping[str, str | int]
    number: int = field(default=1)


class Calls:
    """Calls a stranger. An async context manager; `carry` stands for the network in tests.

    An attempt takes at most `timeout_seconds`, and no longer than what is left of the deadline.
    """

    def __init__(
        self,
        provider: str,
        base_url: str,
        *,
        timeout_seconds: float = http.TIMEOUT_SECONDS,
        metrics: Metrics | None = None,
        carry: Carry | None = None,
    ) -> None:
        self._provider = provider
        self._timeout_seconds = timeout_seconds
        self._origin = base_url.rstrip("/")
        parts = urlsplit(self._origin)
        self._address = address_of_call(
            provider, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme), parts.scheme
        )
        self._metrics = metrics
        self._series: dict[tuple[str, str, int], Series] = {}
        self._budget = RetryBudget()
        self._network = Network(is_encrypted=parts.scheme == "https")
        self._carry = carry or self._network.carry

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Lets go of the connections."""
        await self._network.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> Answered:
        """One call. `extensions`: `route`, the path's template; `repeatable`, whether it may be tried again, as it may by its method
        or with an idempotency key; `attributes`, what else its span says.

        Raises ProviderUnavailable without an answer.
        """
        extensions = extensions or {}
        sent = dict(headers or {})
        if json is not None:
            sent["Content-Type"] = JSON
        attempt = _Attempt(
            method=method,
            path=path,
            route=extensions.get("route") or "",
            query=urlencode({name: _word(value) for name, value in (params or {}).items()}),
            headers=sent,
            body=b"" if json is None else orjson.dumps(json),
            attributes=extensions.get("attributes") or {},
        )
        repeatable = (
            method in http.REPEATABLE_METHODS
            or bool(extensions.get("repeatable"))
            or http.IDEMPOTENCY_KEY_HEADER in sent
        )
        return await self._tried(attempt, http.ATTEMPTS if repeatable else 1)

    async def _tried(self, attempt: _Attempt, attempts: int) -> Answered:
        self._budget.earn()
        for number in range(1, http.ATTEMPTS + 1):
            attempt.number = number
            try:
                answer = await self._traced(attempt)
                if answer.status_code not in http.RETRIED_STATUSES or not self._budget.may_retry(number, attempts):
                    return answer
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                at_most = http.ATTEMPTS if isinstance(error, NEVER_SENT) else attempts
                if not self._budget.may_retry(number, at_most):
                    raise ProviderUnavailable(self._provider) from error
            await asyncio.sleep(remaining_seconds(http.pause_before(number)))
        raise ProviderUnavailable(self._provider)

    async def _traced(self, attempt: _Attempt) -> Answered:
        attributes = self._address | attributes_of_call(attempt.method, attempt.path, attempt.route, attempt.number)
        attributes.update(attempt.attributes)
        name = f"{attempt.method} {attempt.route}" if attempt.route else attempt.method
        with span(name, attributes, SpanKind.CLIENT) as current:
            try:
                answer = await self._measured(attempt)
            except NEVER_SENT:
                current.set_attribute(NOT_CONNECTED, True)
                raise
            note_answer(current, self._provider, answer.status_code)
            return answer

    async def _measured(self, attempt: _Attempt) -> Answered:
        started = perf_counter()
        try:
            answer = await self._carry(self._sending(attempt))
        except BaseException as error:
            self._count(attempt, {"error.type": type(error).__name__}, started)
            raise
        status = answer.status_code
        if status >= http.SERVER_ERROR:
            self._count(attempt, {"http.response.status_code": status, "error.type": str(status)}, started)
        elif self._metrics is not None:
            key = (attempt.method, attempt.route, status)
            series = self._series.get(key)
            if series is None:
                attributes = self._labels(attempt) | {"http.response.status_code": status}
                series = self._series.setdefault(key, self._metrics.series(HTTP_CLIENT_DURATION, attributes))
            series.add(perf_counter() - started)
        return answer

    def _count(self, attempt: _Attempt, ended: dict[str, str | int], started: float) -> None:
        if self._metrics is not None:
            self._metrics.record(HTTP_CLIENT_DURATION, perf_counter() - started, self._labels(attempt) | ended)

    def _labels(self, attempt: _Attempt) -> dict[str, str | int]:
        return {
            "http.request.method": attempt.method,
            "url.template": attempt.route or "(unmatched)",
            "peer.service": self._provider,
        }

    def _sending(self, attempt: _Attempt) -> Sending:
        left = self._seconds()
        headers = self._dressed(attempt.headers, left)
        connect = min(http.CONNECT_SECONDS, left)
        return Sending(attempt.method, self._origin, attempt.path, attempt.query, headers, attempt.body, left, connect)

    def _seconds(self) -> float:
        return remaining_seconds(self._timeout_seconds)

    def _dressed(self, headers: dict[str, str], left: float) -> dict[str, str]:
        """The headers as they leave; `left` are the seconds that the answer may take."""
        del left
        return headers


class ServiceCalls(Calls):
    """Calls one of our services: with the headers that they want to know of a caller."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        tokens: ServiceTokens,
        *,
        metrics: Metrics | None = None,
        carry: Carry | None = None,
    ) -> None:
        super().__init__(provider, base_url, metrics=metrics, carry=carry)
        self._tokens = tokens

    def _dressed(self, headers: dict[str, str], left: float) -> dict[str, str]:
        headers = inject(dict(headers))
        headers["Authorization"] = f"Bearer {self._tokens.to(self._provider)}"
        headers[DEADLINE_HEADER] = str(int(left * 1000))
        if (token := person_token.get()) and PERSON_HEADER not in headers:
            headers[PERSON_HEADER] = token
        if pin := (provider_pins.get() or {}).get(self._provider):
            headers.setdefault(PIN_HEADER, pin)
        return headers

    async def _measured(self, attempt: _Attempt) -> Answered:
        answer = await super()._measured(attempt)
        pins = provider_pins.get()
        if pins is not None and (pin := answer.headers.get(PIN_HEADER)):
            pins[self._provider] = pin
        return answer


class Network:
    """Connections that are kept. They are opened in the event loop of the first call."""

    def __init__(self, *, is_encrypted: bool) -> None:
        self._is_encrypted = is_encrypted
        self._session: aiohttp.ClientSession | None = None

    async def carry(self, sending: Sending) -> Answered:
        """See `Carry`."""
        session = self._session or self._open()
        patience = aiohttp.ClientTimeout(total=sending.seconds, connect=sending.connect_seconds)
        async with session.request(
            sending.method,
            URL(sending.url, encoded=True),
            data=sending.body or None,
            headers=sending.headers,
            timeout=patience,
            allow_redirects=False,
        ) as answer:
            # Read here, so that a connection that breaks in the middle of a body is seen by who tries again, too.
            return Answered(answer.status, answer.headers, await answer.read())

    async def close(self) -> None:
        """Closes them."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        self._session = http.open_session(http.certificates() if self._is_encrypted else None)
        return self._session


def _word(value: object) -> str:
    """A value of a query as JSON writes it, which is what our services read."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
