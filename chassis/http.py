"""The rules of calls to other services (chassis/calls.py makes them): how long they may take, when they are tried again, and what
an answer is that is no success.
"""

import random
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import aiohttp
import certifi

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
IDEMPOTENCY_KEY_HEADER = "Idempotency-Key"
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
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return ProviderBusyForYou(provider, code, _retry_after(response, facts))
    return ProviderProblem(provider, response.status_code, code, detail, facts)


def _retry_after(response: Answer, facts: dict[str, Any]) -> int:
    """What the provider says in its answer or its header; if it says nothing in seconds, what is usual here."""
    said = str(facts.get("retry_after_seconds") or response.headers.get("retry-after", ""))
    return int(said) if said.isdecimal() and len(said) < 7 else ProviderUnavailable.retry_after_seconds


@cache
def certificates() -> ssl.SSLContext:
    """The list of authorities, read once: it is a large file, and each client would read it anew."""
    return ssl.create_default_context(cafile=certifi.where())


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
