"""catalog, when it answers what web cannot read."""

from uuid import uuid4

import httpx
import pytest

from chassis.http import ProviderUnavailable
from services.web.clients.catalog import CatalogClient
from tracing.spans import span
from tracing.testing import Kept


async def test_an_answer_that_is_not_understood_is_none_and_the_trace_names_the_field(kept_spans: Kept) -> None:
    nonsense = httpx.MockTransport(lambda _: httpx.Response(200, json={"width": 1, "zones": [], "categories": []}))
    async with httpx.AsyncClient(transport=nonsense, base_url="http://catalog") as http:
        with pytest.raises(ProviderUnavailable), span("read"):
            await CatalogClient(http).seat_map(uuid4())
    attributes = [event.attributes for event in kept_spans.the("read").events if event.name == "answer not understood"]
    assert attributes == [{"peer.service": "catalog", "onsale.field": "height"}]
