"""The same programs with the bus as the transport between services (docs/adr/0027): none but web has a port, or knows an address."""

from collections.abc import Iterable
from dataclasses import replace

from local.topology import ADMIN, READY, SERVICES, WEBHOOKS, Ports, Program, Secrets, nats_url

WEB = "web"


def on_the_bus(programs: Iterable[Program], ports: Ports, secrets: Secrets) -> list[Program]:
    """The programs as they are started then. The bank tells web, which hands it on to payments."""
    told = {"BANK_WEBHOOK_URL": f"{ports.url(WEB)}{WEBHOOKS}"}
    return [
        _service(each, ports, secrets)
        if each.name in SERVICES
        else replace(each, environment={**each.environment, **told})
        if each.name == "bank"
        else each
        for each in programs
    ]


def _service(program: Program, ports: Ports, secrets: Secrets) -> Program:
    prefix = f"{program.name.upper()}_"
    gone = {f"{prefix}{each.upper()}_URL" for each in ("person_keys", *SERVICES)}
    if program.name != WEB:
        gone |= {f"{prefix}HOST", f"{prefix}PORT"}
    kept = {name: value for name, value in program.environment.items() if name not in gone}
    asked = f"{address_of(program.name, ports, secrets)}{READY}"
    ready_urls = program.ready_urls if program.name == WEB else (asked,)
    return replace(program, environment={**kept, f"{prefix}TRANSPORT": "bus"}, ready_urls=ready_urls)


def address_of(service: str, ports: Ports, secrets: Secrets) -> str:
    """Where a service without a port is asked from outside (local/ready.py): NATS, with the login of its administrator."""
    return f"{nats_url(ADMIN, ports, secrets)}/{service}"
