"""How web reads its providers' answers: only the fields that it uses, the rest ignored."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import httpx
from opentelemetry import trace
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.logs import log

_INVALID = 422
_LOG = log(__name__)


class Read(BaseModel):
    """A part of a provider's answer. Unknown fields are ignored, so that providers may add some."""

    model_config = ConfigDict(extra="ignore", frozen=True)


@contextmanager
def understood(provider: str, response: httpx.Response) -> Iterator[None]:
    """An answer that cannot be read is no answer: the provider counts as unavailable; span and log name the field."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        _LOG.error("an answer was not understood", provider=provider, field=field, problem=first["msg"])
        told = {"peer.service": provider, "onsale.field": field}
        trace.get_current_span().add_event("answer not understood", told)
        raise ProviderUnavailable(provider) from error


def is_nonsense(problem: ProviderProblem) -> bool:
    """Whether a list was asked for words or a place in it that make no sense: an address which no page of ours has led to."""
    return problem.status == _INVALID


def moment_of(fact: object) -> datetime | None:
    """A moment among the facts of a refusal; None if it tells none."""
    try:
        moment = datetime.fromisoformat(fact) if isinstance(fact, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
