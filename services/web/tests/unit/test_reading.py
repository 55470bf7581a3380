"""How web reads what its providers answer."""

import httpx
import pytest

from chassis.http import ProviderUnavailable
from services.web.clients.reading import Read, understood
from tracing.spans import span
from tracing.testing import Kept


class Answer(Read):
    """What is read of an answer."""

    street: str


def test_an_answer_that_is_not_understood_is_none_and_the_trace_names_the_field(kept_spans: Kept) -> None:
    response = httpx.Response(200, json={"street": None})
    with pytest.raises(ProviderUnavailable), span("read"), understood("catalog", response):
        Answer.model_validate_json(response.content)
    told = [event.attributes for event in kept_spans.the("read").events if event.name == "answer not understood"]
    assert told == [{"peer.service": "catalog", "onsale.field": "street"}]
