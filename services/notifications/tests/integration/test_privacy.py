"""The buyer's address is used and forgotten: it stands in no row, no log line and no span; and the trace goes on."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from services.notifications.app import create_app
from services.notifications.tests.integration.conftest import ADDRESS, TICKETS_ISSUED, World
from services.notifications.tests.integration.neighbours import tickets_issued

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What the process's spans are, from now until the end of the test."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


def kept_logs() -> StringIO:
    """What the running service logs from now on, in the form in which it would be written."""
    logged = StringIO()
    [handler] = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
    handler.setStream(logged)
    return logged


def ours(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    """The spans of the trace that the fact belongs to."""
    return [each for each in spans.get_finished_spans() if f"{each.context.trace_id:032x}" == TRACE_ID]


async def tell(world: World) -> None:
    fact = tickets_issued()
    world.know(fact)
    await world.harness.tell(TICKETS_ISSUED, fact, traceparent=TRACEPARENT)


async def test_the_mail_belongs_to_the_trace_of_the_purchase(world: World, spans: InMemorySpanExporter) -> None:
    async with world.harness.running(create_app, world.settings):
        await tell(world)
        await world.until("sent")
    by_id = {each.context.span_id: each for each in ours(spans)}
    named = {each.name: each for each in by_id.values()}
    smtp, email = named["smtp send"], named["notifications.send_email"]
    assert smtp.kind is SpanKind.CLIENT
    assert dict(smtp.attributes or {}) == {"server.address": "127.0.0.1", "server.port": world.mail.port}
    assert smtp.parent is not None
    assert by_id[smtp.parent.span_id] is email
    assert email.parent is not None
    # The row remembered the span that heard the fact, which continues the one that published it.
    assert by_id[email.parent.span_id].name == f"process {TICKETS_ISSUED}"


@pytest.mark.parametrize(
    "refusal", [None, f"550 5.1.1 <{ADDRESS}> no such mailbox", f"451 4.2.1 try later, <{ADDRESS}>"]
)
async def test_the_address_is_in_no_row_no_log_line_and_no_span(
    world: World, spans: InMemorySpanExporter, refusal: str | None
) -> None:
    world.mail.refuse_recipient = refusal
    settings = world.settings.model_copy(update={"log_level": "DEBUG", "retry_delays_seconds": (0.02,)})
    async with world.harness.running(create_app, settings):
        logged = kept_logs()
        await tell(world)
        [delivery] = await world.until("failed" if refusal else "sent")
    if refusal:
        assert refusal[:3] in delivery["last_problem"]
        assert any(each.status.status_code is StatusCode.ERROR for each in ours(spans) if each.name == "smtp send")
    recorded = "".join(each.to_json() for each in spans.get_finished_spans())
    written = [logged.getvalue(), recorded, await world.everything_stored()]
    assert "an email" in written[0] or "email sent" in written[0]
    assert "notifications.send_email" in recorded
    assert delivery["order_number"] in written[2]
    lines = "\n".join(written).splitlines()
    assert [line for line in lines if "zoe.secret" in line or "Zoë" in line] == []
