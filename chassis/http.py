"""What calls to other services have in common, and the calls to strangers: httpx, aiohttp underneath (it costs a third of httpx's
own transport).

Calls to our own services are in chassis/calls.py. Both try again alike: bounded, with full jitter and a budget, what is safe to
repeat.
"""

import asyncio
import random
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol, TypeVar

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from chassis.deadline import remaining_seconds
from tracing.http_client import TracingTransport
from tracing.measured import MeasuredTransport
from tracing.metrics import Metrics

PERSON_HEADER = "Onsale-Person"
# The token of the guest that a person was before they signed in.
GUEST_HEADER = "Onsale-Guest"
PIN_HEADER = "Onsale-Pin"
TIMEOUT_SECONDS = 5.0
CONNECT_SECONDS = 1.0
ATTEMPTS = 3
BACKOFF_SECONDS = 0.05
BUDGET_RATIO = 0.1
BUDGET_MAX = 10.0
MOST_CONNECTIONS = 200
IDLE_SECONDS = 30.0
REPEATABLE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
RETRIED_STATUSES = frozenset({502, 503, 504})
SERVER_ERROR = 500

# What the current request has written at each provider: its later reads there must not be older.
provider_pins: ContextVar[dict[str, str] | None] = ContextVar("provider_pins", default=None)
# The token of the person on whose behalf the current request works; calls to other services pass it on.
person_token: ContextVar[str | None] = ContextVar("person_token", default=None)


class ProviderUnavailable(Exception):
    """No answer, a time-out, or a failure of the provider: whether the call took effect is unknown."""

    category = "unavailable"
    retry_after_seconds = 2

    def __init__(self, provider: str) -> None:
        self.code = f"{provider}_unavailable"
        self.provider = provider
        super().__init__(f"The service {provider} does not answer at the moment. Try again in a few seconds.")


class ProviderBusyForYou(ProviderUnavailable):
    """The provider has had too much of this (429). Whoever does not tell it from no answer treats it as one."""

    def __init__(self, provider: str, code: str, retry_after_seconds: int) -> None:
        super().__init__(provider)
        self.problem_code = code
        self.retry_after_seconds = retry_after_seconds


class ProviderProblem(Exception):
    """The provider understood, and refused: its status, code and sentence. `facts`: what of it is declared to be read, or all.

    `said` is the code as the provider said it, for people who look for a cause: what to do depends on `problem_code` alone, which
    is one of those that are under contract.
    """

    def __init__(self, provider: str, status: int, code: str, detail: str, facts: Any, said: str | None = None) -> None:
        self.provider = provider
        self.status = status
        self.problem_code = code
        self.detail = detail
        self.facts = facts
        self.said = said or code
        super().__init__(f"{provider} answered {status} {self.said}: {detail}")


class Answer(Protocol):
    """An answer to a call, whoever carried it."""

    @property
    def status_code(self) -> int:
        """Its status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, read without regard to upper and lower case."""

    @property
    def content(self) -> bytes:
        """Its body."""

    def json(self) -> Any:
        """The document. Raises ValueError if it is none."""


Some = TypeVar("Some", bound=Answer)


def expect(response: Some, *statuses: int, provider: str) -> Some:
    """The response, if it has one of the statuses. Raises `ProviderUnavailable` for 5xx and 429 (of its kind
    `ProviderBusyForYou`), else `ProviderProblem`."""
    if response.status_code in statuses:
        return response
    raise refusal_of(response, provider)


def refusal_of(response: Answer, provider: str) -> ProviderUnavailable | ProviderProblem:
    """What an answer that is no success is: see `expect`."""
    if response.status_code >= SERVER_ERROR:
        return ProviderUnavailable(provider)
    try:
        problem = response.json()
    except ValueError:
        problem = None
    facts = problem if isinstance(problem, dict) else {}
    code, detail = str(facts.get("code", "unknown")), str(facts.get("detail", ""))
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return ProviderBusyForYou(provider, code, _retry_after(response, facts))
    return ProviderProblem(provider, response.status_code, code, detail, facts)


def _retry_after(response: Answer, facts: dict[str, Any]) -> int:
    """What the provider says in its answer or its header; if it says nothing in seconds, what is usual here."""
    said = str(facts.get("retry_after_seconds") or response.headers.get("retry-after", ""))
    return int(said) if said.isdecimal() and len(said) < 7 else ProviderUnavailable.retry_after_seconds


def stranger_client(
    provider: str, base_url: str, *, timeout_seconds: float = TIMEOUT_SECONDS, metrics: Metrics | None = None
) -> httpx.AsyncClient:
    """A client for somebody else's service: a span here, but no tokens and no trace headers there."""
    transport = _measured(_DeadlineTransport(_aiohttp_transport(), timeout_seconds), provider, metrics)
    traced = TracingTransport(transport, provider=provider, propagate=False)
    return _client(_RetryTransport(traced, provider), base_url)


def _measured(inner: httpx.AsyncBaseTransport, provider: str, metrics: Metrics | None) -> httpx.AsyncBaseTransport:
    return MeasuredTransport(inner, provider=provider, metrics=metrics) if metrics else inner


def _client(transport: httpx.AsyncBaseTransport, base_url: str) -> httpx.AsyncClient:
    # The transports below set the real time-outs from the deadline.
    return httpx.AsyncClient(transport=transport, base_url=base_url, timeout=TIMEOUT_SECONDS, trust_env=False)


@cache
def certificates() -> ssl.SSLContext:
    """The list of authorities, read once: it is a large file, and each client would read it anew."""
    return httpx.create_ssl_context(trust_env=False)


def _aiohttp_transport() -> AiohttpTransport:
    return AiohttpTransport(verify=certificates(), trust_env=False, client=lambda: open_session(certificates()))


def open_session(trusted: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """Connections that are kept, in the running event loop; `trusted` are the authorities for encrypted ones."""
    connector = aiohttp.TCPConnector(
        limit=MOST_CONNECTIONS, keepalive_timeout=IDLE_SECONDS, ssl=True if trusted is None else trusted
    )
    session = aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=("User-Agent",)
    )
    # Otherwise aiohttp sends GET, PUT and DELETE a second time by itself, which no span shows and no budget bounds.
    session._retry_connection = False  # noqa: SLF001  # it has no public name; a test holds aiohttp to it
    return session


class _DeadlineTransport(httpx.AsyncBaseTransport):
    """Gives each attempt what is left of the deadline."""

    def __init__(self, inner: httpx.AsyncBaseTransport, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._inner = inner
        self._timeout_seconds = timeout_seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        left = remaining_seconds(self._timeout_seconds)
        request.extensions["timeout"] = {
            "connect": min(CONNECT_SECONDS, left),
            "read": left,
            "write": left,
            "pool": min(CONNECT_SECONDS, left),
        }
        response = await self._inner.handle_async_request(request)
        # Read here, so that a connection that breaks in the middle of a body is seen by the retry layer too.
        await response.aread()
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class RetryBudget:
    """Each call earns a tenth of a retry, so that an outage is not answered with a storm."""

    def __init__(self) -> None:
        self._left = BUDGET_MAX

    def earn(self) -> None:
        """A call begins."""
        self._left = min(BUDGET_MAX, self._left + BUDGET_RATIO)

    def may_retry(self, attempt: int, attempts: int) -> bool:
        """Whether another attempt may follow this one; if so it is paid for."""
        if attempt >= attempts or self._left < 1:
            return False
        self._left -= 1
        return True


def pause_before(attempt: int) -> float:
    """Seconds before what follows attempt number `attempt`, with full jitter."""
    return random.uniform(0, BACKOFF_SECONDS * 2**attempt)  # noqa: S311  # jitter is no secret


class _RetryTransport(httpx.AsyncBaseTransport):
    """Repeats what is safe to repeat, within its budget."""

    def __init__(self, inner: httpx.AsyncBaseTransport, provider: str) -> None:
        self._inner = inner
        self._provider = provider
        self._budget = RetryBudget()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._budget.earn()
        attempts = ATTEMPTS if _is_repeatable(request) else 1
        for attempt in range(1, attempts + 1):
            request.extensions["attempt"] = attempt
            try:
                response = await self._inner.handle_async_request(request)
                if response.status_code not in RETRIED_STATUSES or not self._budget.may_retry(attempt, attempts):
                    return response
            except httpx.TransportError as error:
                if not self._budget.may_retry(attempt, attempts):
                    raise ProviderUnavailable(self._provider) from error
            await asyncio.sleep(remaining_seconds(pause_before(attempt)))
        raise ProviderUnavailable(self._provider)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _is_repeatable(request: httpx.Request) -> bool:
    """Whether a request may be repeated: by its method, its Idempotency-Key, or the client's word (`extensions={"repeatable": True}`)."""
    return (
        request.method in REPEATABLE_METHODS
        or "Idempotency-Key" in request.headers
        or bool(request.extensions.get("repeatable"))
    )
