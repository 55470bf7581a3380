"""Whose trace the work belongs to, when it is done for several at once or after everybody has gone."""

import asyncio

from services.inventory.tests.integration.conftest import Shop
from tracing.testing import Kept


async def test_each_of_those_who_are_served_together_has_a_span_that_leads_to_the_batch(
    shop: Shop, kept_spans: Kept
) -> None:
    await asyncio.gather(*(shop.hold(standing=1) for _ in range(12)))
    asked = {span.trace_id: span for span in kept_spans.named("inventory.hold_places")}
    batches = {span.span_id: span for span in kept_spans.named("inventory.grant_together")}
    assert len(asked) == 12
    assert sum(int(str(batch.attributes["onsale.batch"])) for batch in batches.values()) == 12
    assert any(len(batch.links) > 0 for batch in batches.values()), "nobody waited together: the test shows nothing"
    for batch in batches.values():
        # The first one's trace has it; the others are linked, both ways.
        assert asked[batch.trace_id].span_id == batch.parent_id
        others = [asked[link.trace_id] for link in batch.links]
        assert {link.span_id for other in others for link in other.links} <= {batch.span_id}
        assert len(others) == int(str(batch.attributes["onsale.batch"])) - 1


async def test_a_refusal_is_recorded_by_its_code_and_is_no_failure(shop: Shop, kept_spans: Kept) -> None:
    await shop.hold(standing=11)
    refused = kept_spans.the("inventory.hold_places")
    assert (refused.attributes["onsale.refusal"], refused.status.code, refused.events) == ("sold_out", "unset", ())


async def test_a_hold_that_expires_does_so_in_the_trace_in_which_it_was_made(shop: Shop, kept_spans: Kept) -> None:
    await shop.hold(standing=2, ttl_seconds=1)
    await shop.harness.heard("events.inventory.hold_expired.v1")
    made = kept_spans.the("inventory.hold_places")
    (released,) = kept_spans.named("inventory.release_expired_hold")
    published = kept_spans.the("create events.inventory.hold_expired.v1")
    assert {made.trace_id, released.trace_id, published.trace_id} == {made.trace_id}
    assert published.parent_id == released.span_id
    assert (released.attributes["onsale.places"], released.attributes["onsale.hold_state"]) == (2, "expired")
    assert released.attributes["onsale.hold_id"] == made.attributes["onsale.hold_id"]
