"""Asks a program of the system how it is: over HTTP, or a service without a port over the bus."""

import http.client
import urllib.parse

from chassis.ask_bus import ask, subject_of

PATIENCE_SECONDS = 2.0


def is_ready(url: str) -> bool:
    """Whether it answers there, and well: a service that can answer, and neither hears nor is heard, is not at work yet."""
    try:
        status, body = got(url, PATIENCE_SECONDS)
    except OSError:
        return False
    return status == http.client.OK and b'"state":"degraded"' not in body


def got(url: str, seconds: float) -> tuple[int, bytes]:
    """The status and the body of a GET; `nats://login:password@host:port/orders/readyz` asks a service over the bus.

    Raises OSError without an answer.
    """
    parts = urllib.parse.urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if parts.scheme == "nats":
        service, slash, rest = target.removeprefix("/").partition("/")
        return ask(f"nats://{parts.netloc}", subject_of(service), f"{slash}{rest}", seconds)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def shown(url: str) -> str:
    """An address without the password in it."""
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
