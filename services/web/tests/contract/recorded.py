"""Records of an order as web needs them of every service that keeps some."""

from typing import Any

from contracts import matchers
from services.web.clients.records import Facts
from services.web.support.words import SENTENCES

TRACE = matchers.text("0af7651916cd43dd8448eb211c80319c", r"^[0-9a-f]{32}$")
SPAN = matchers.text("b7ad6b7169203331", r"^[0-9a-f]{16}$")


def whats(service: str) -> list[str]:
    """Every word of a service that has a sentence."""
    return [what for name, what in SENTENCES if name in (service, "*")]


def entry(what: Any, *, trace: Any = TRACE, span: Any = SPAN, **facts: Any) -> dict[str, Any]:
    """One entry of what happens while its state is made; facts that are not given are null or empty."""
    nothing = {
        name: "" if field.annotation is str else matchers.nothing() for name, field in Facts.model_fields.items()
    }
    known = nothing | facts
    return {"at": matchers.from_now(0), "what": what, "facts": known, "trace_id": trace, "span_id": span}


def any_of(service: str, what: str) -> Any:
    """This word, or another one that web has a sentence for."""
    return matchers.one_of(what, *(other for other in whats(service) if other != what))


def records(*entries: dict[str, Any]) -> dict[str, Any]:
    """What a service has recorded, by time."""
    return {"is_cut": matchers.boolean(False), "entries": list(entries)}
