"""`make up OTLP=...`: spans go to another backend than the dev trace store: a Jaeger, a collector, whatever takes OTLP over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from local.errors import StartError
from local.topology import Ports

JAEGER_PORT = 16686
ANSWER_SECONDS = 5.0


def ports_with_backend(ports: Ports, otlp: str, traces: str | None) -> Ports:
    """The same, but that spans go to `otlp` and are looked at in `traces` (default: Jaeger's own port on the same host).

    Raises StartError for what is no address.
    """
    host = _host(otlp, "OTLP")
    looked_at = traces or f"http://{f'[{host}]' if ':' in host else host}:{JAEGER_PORT}"
    _host(looked_at, "TRACES")
    elsewhere = {"otlp": otlp.rstrip("/"), "traces": looked_at.rstrip("/")}
    # Hosts of `make up HOSTS=` reach this machine's loopback at the ports that stand here.
    of = {name: urlsplit(url).port or ports.of[name] for name, url in elsewhere.items()}
    return replace(ports, of={**ports.of, **of}, elsewhere=elsewhere)


def check_backend(ports: Ports, say: Callable[[str], None]) -> None:
    """Raises StartError if nobody takes spans there. That traces cannot be looked at is only said."""
    if "otlp" not in ports.elsewhere:
        return
    import httpx  # only then: it would take 10 MiB of each `make up`

    otlp, traces = ports.elsewhere["otlp"], ports.elsewhere["traces"]
    address = f"{otlp}/v1/traces"
    try:
        answer = httpx.post(address, json={}, timeout=ANSWER_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise StartError(
            f"The trace backend at {otlp} does not answer ({type(error).__name__}). Start it, or leave OTLP= away: then the "
            "dev trace store takes the traces."
        ) from error
    # Pages answer 200 to whatever they are asked; OTLP answers JSON with JSON.
    if answer.status_code != httpx.codes.OK or "json" not in answer.headers.get("content-type", ""):
        raise StartError(
            f"What answers at {otlp} takes no spans ({address} gave status {answer.status_code}). OTLP= wants the base address "
            "of OTLP over HTTP, mostly port 4318: not 4317, which is gRPC, and not the address of pages."
        )
    try:
        shown = httpx.get(f"{traces}/api/v3/services", timeout=ANSWER_SECONDS, trust_env=False).is_success
    except httpx.HTTPError:
        shown = False
    if not shown:
        say(
            f"Nobody answers Jaeger's API at {traces}: links to traces, make trace and drills will not work. Say where traces "
            "can be looked at with TRACES=http://..."
        )


def _host(url: str, name: str) -> str:
    parts = urlsplit(url)
    try:
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_fine:
        raise StartError(f"{name}={url} is no address: write it like {name}=http://127.0.0.1:4318")
    return parts.hostname
