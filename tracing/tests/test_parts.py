"""Spans of several services in one process."""

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tracing.parts import Part, SharedProvider, current_part
from tracing.quick import QuickProvider


def test_each_span_says_which_service_made_it_and_all_leave_through_one_exporter() -> None:
    exporter = InMemorySpanExporter()
    whole = SharedProvider(SimpleSpanProcessor(exporter))
    tracer = whole.get_tracer("onsale")
    providers = {}
    for name in ("orders", "web"):
        providers[name] = QuickProvider(resource=Resource({"service.name": name}), shutdown_on_exit=False)
        lent = whole.lent()
        assert lent is not None
        providers[name].add_span_processor(lent)
    for name in ("web", "orders"):
        token = current_part.set(Part(name, providers[name].get_tracer("onsale")))
        with tracer.start_as_current_span(f"of {name}"):
            tracer.start_span(f"below {name}").end()
        current_part.reset(token)
    # One service that ends takes nothing from the others.
    providers["web"].shutdown()
    token = current_part.set(Part("orders", providers["orders"].get_tracer("onsale")))
    tracer.start_span("afterwards").end()
    current_part.reset(token)
    tracer.start_span("of nobody").end()
    seen = [(str(span.resource.attributes["service.name"]), span.name) for span in exporter.get_finished_spans()]
    assert seen == [
        ("web", "below web"),
        ("web", "of web"),
        ("orders", "below orders"),
        ("orders", "of orders"),
        ("orders", "afterwards"),
    ]
