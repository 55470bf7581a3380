"""What a service asks of others: each operation declared once, as a value, and asked by running the declaration.

From it come the address, the span's name, the route in metrics, whether it is tried again, the request in the contract, and which
fields and refusals of the answer can be read at all: what is not declared reaches nobody.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast
from urllib.parse import quote

from opentelemetry import trace
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.http import (
    GUEST_HEADER,
    PERSON_HEADER,
    REPEATABLE_METHODS,
    ProviderProblem,
    ProviderUnavailable,
    refusal_of,
)
from chassis.http import Answer as HttpAnswer
from chassis.idempotency import KEY_HEADER
from chassis.logs import log


class Http(Protocol):
    """What carries requests: `Service.client_of` gives it to a client (chassis/calls.py)."""

    async def request(
        self,
        method: str,
        path: str,
        /,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> HttpAnswer:
        """One call. Raises ProviderUnavailable without an answer."""


NOTHING: type[None] = type(None)
# This stands for a code that the operation does not declare: nobody can act on a code that no contract has.
UNDECLARED = "undeclared"
_NAMES = re.compile(r"\{(\w+)\}")
_LOG = log(__name__)

Answer = TypeVar("Answer")


class Sent(BaseModel):
    """Base of what is sent: a body, or the parameters of a query. Bounds of its fields are at most those of the provider."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Read(BaseModel):
    """Base of what is read of an answer or of a refusal's facts. Other fields are ignored, so that providers may add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True, eq=False)
class Use(Generic[Answer]):
    """An operation, as whoever uses it needs it.

    `path` has what varies in braces. `reads` is the model of an answer with one of `statuses`, NOTHING, or `bytes` for a file
    of `media_type`. `sends` and `query` are the models of the body and of the query's parameters. `refusals` are the codes that
    somebody acts on, each with the model of its facts that are read, or None. `person` and `guest`: on whose behalf it is asked;
    `keyed`: with an Idempotency-Key. `repeatable`: it is tried again when the outcome is unknown; by default what HTTP or a key
    makes so.
    """

    method: str
    path: str
    reads: type[Answer]
    statuses: tuple[int, ...] = (200,)
    sends: type[Sent] | None = None
    query: type[Sent] | None = None
    refusals: Mapping[str, type[Read] | None] = field(default_factory=dict)
    person: bool = False
    guest: bool = False
    keyed: bool = False
    repeatable: bool = False
    media_type: str = "application/json"

    def __post_init__(self) -> None:
        object.__setattr__(self, "repeatable", self.repeatable or self.keyed or self.method in REPEATABLE_METHODS)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names(self) -> list[str]:
        """What varies in the path."""
        return _NAMES.findall(self.path)

    def address(self, **named: object) -> str:
        """The path with what varies filled in. Raises ValueError unless all of it is given, and nothing else."""
        if set(named) != set(self.names):
            raise ValueError(f"{self} is about {', '.join(self.names) or 'nothing'}, and not {', '.join(named)}.")
        return _NAMES.sub(lambda found: quote(str(named[found[1]]), safe=""), self.path)


class Client:
    """What one service asks of another. `uses` are all its operations; nothing else can be asked."""

    provider: ClassVar[str]
    uses: ClassVar[tuple[Use[Any], ...]]

    def __init__(self, http: Http) -> None:
        self._http = http

    async def ask(
        self,
        use: Use[Answer],
        *,
        body: Sent | None = None,
        query: Sent | None = None,
        person: str | None = None,
        guest: str | None = None,
        key: str | None = None,
        **named: object,
    ) -> Answer:
        """Runs a declared operation. `person` and `guest` are their tokens, `key` the idempotency key, `named` what varies in the path.

        Raises ProviderProblem for a refusal, with its code and the facts that are declared; ProviderUnavailable if there is no
        answer, or one that cannot be read; ValueError if what is given is not what is declared.
        """
        _refuse_unlike(self, use, body, query, person=person, guest=guest, key=key)
        headers = {PERSON_HEADER: person, GUEST_HEADER: guest, KEY_HEADER: key}
        response = await self._http.request(
            use.method,
            use.address(**named),
            json=body.model_dump(mode="json") if body is not None else None,
            params=query.model_dump(mode="json", exclude_none=True) if query is not None else None,
            headers={name: value for name, value in headers.items() if value is not None},
            extensions={"route": use.path, "repeatable": use.repeatable},
        )
        if response.status_code not in use.statuses:
            raise _refused(self.provider, use, response)
        return _read(self.provider, use, response)


def _refuse_unlike(client: Client, use: Use[Any], body: Sent | None, query: Sent | None, **given: str | None) -> None:
    declared = {"person": use.person, "guest": use.guest, "key": use.keyed}
    if use not in client.uses:
        raise ValueError(f"{type(client).__name__} does not declare {use} among its `uses`.")
    for model, sent in ((use.sends, body), (use.query, query)):
        if type(sent) is not (model or NOTHING):
            raise ValueError(f"{use} is sent {type(sent).__name__} instead of what it declares.")
    for name, is_declared in declared.items():
        if (given[name] is not None) != is_declared:
            raise ValueError(
                f"{use} is asked {'without' if is_declared else 'with'} a {name}, unlike what it declares."
            )


def _read(provider: str, use: Use[Answer], response: HttpAnswer) -> Answer:
    reads: Any = use.reads
    if reads is NOTHING:
        return cast("Answer", None)
    if reads is bytes:
        return cast("Answer", response.content)
    with understood(provider):
        return cast("Answer", reads.model_validate_json(response.content))


def _refused(provider: str, use: Use[Any], response: HttpAnswer) -> Exception:
    error = refusal_of(response, provider)
    if not isinstance(error, ProviderProblem):
        return error
    if error.problem_code not in use.refusals:
        return ProviderProblem(provider, error.status, UNDECLARED, error.detail, None, said=error.problem_code)
    facts = use.refusals[error.problem_code]
    with understood(provider):
        read = None if facts is None else facts.model_validate(error.facts)
    return ProviderProblem(provider, error.status, error.problem_code, error.detail, read)


@contextmanager
def understood(provider: str) -> Iterator[None]:
    """An answer that cannot be read is no answer: ProviderUnavailable; span and log name the field."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field_name = ".".join(str(part) for part in first["loc"])
        _LOG.error("an answer was not understood", provider=provider, field=field_name, problem=first["msg"])
        attributes = {"peer.service": provider, "onsale.field": field_name}
        trace.get_current_span().add_event("answer not understood", attributes)
        raise ProviderUnavailable(provider) from error
