"""The same programs with the bus as the transport between services (docs/adr/0027): none but web has a port, or knows an address."""

from collections.abc import Iterable
from dataclasses import replace

from local.topology import ADMIN, READY, SERVICES, WEBHOOKS, Ports, Program, Secrets, nats_url, services_of

WEB = "web"


def on_the_bus(programs: Iterable[Program], ports: Ports, secrets: Secrets) -> list[Program]:
    """The programs as they are started then. The bank tells web, which hands it on to payments."""
    told = {"BANK_WEBHOOK_URL": f"{ports.url(WEB)}{WEBHOOKS}"}
    return [
        _with_services(each, ports, secrets)
        if services_of(each)
        else replace(each, environment={**each.environment, **told})
        if each.name == "bank"
        else each
        for each in programs
    ]


def _with_services(program: Program, ports: Ports, secrets: Secrets) -> Program:
    gone: set[str] = set()
    transports, ready_urls = {}, []
    for name, url in zip(services_of(program), program.ready_urls, strict=True):
        prefix = f"{name.upper()}_"
        gone |= {f"{prefix}{each.upper()}_URL" for each in ("person_keys", *SERVICES)}
        transports[f"{prefix}TRANSPORT"] = "bus"
        if name != WEB:
            gone |= {f"{prefix}HOST", f"{prefix}PORT"}
        ready_urls.append(url if name == WEB else f"{address_of(name, ports, secrets)}{READY}")
    kept = {name: value for name, value in program.environment.items() if name not in gone}
    return replace(program, environment={**kept, **transports}, ready_urls=tuple(ready_urls))


def address_of(service: str, ports: Ports, secrets: Secrets) -> str:
    """Where a service without a port is asked from outside (local/ready.py): NATS, with the login of its administrator."""
    return f"{nats_url(ADMIN, ports, secrets)}/{service}"
