"""Asks a service without a port: `python -m chassis.ask_bus /readyz` its own process here, as a probe does, and
`python -m chassis.ask_bus orders /readyz` any process of another.

A process of its own for one question, every few seconds: so it takes nothing but the standard library, and 40 ms.
"""

import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Mapping
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

PATIENCE_SECONDS = 4.0
NATS_PORT = 4222
NO_RESPONDERS = b"503"
GOOD = range(200, 400)
ALIVE = "/livez"
_END = b"\r\n\r\n"


class NobodyThere(OSError):
    """NATS knows of no process that is asked there."""


def subject_of(service: str) -> str:
    """Where a service is asked."""
    return f"calls.{service}"


def subject_at(service: str, host: str | None = None) -> str:
    """Where the process of a service on a host is asked, that one and no other."""
    return f"{subject_of(service)}.at.{(host or socket.gethostname()).replace('.', '-')}"


def ask(url: str, subject: str, target: str, seconds: float = PATIENCE_SECONDS) -> tuple[int, bytes]:
    """The status and the body of a GET. `url` is that of NATS, with a login whose name its inboxes have.

    Raises NobodyThere, TimeoutError, or another OSError if NATS does not answer or does not let this login ask.
    """
    place = urlsplit(url)
    user = unquote(place.username or "")
    inbox = f"_INBOX_{user or 'asking'}.{secrets.token_hex(8)}"
    login = {"user": user, "pass": unquote(place.password or "")} if user else {}
    options = {
        "verbose": False,
        "pedantic": False,
        "headers": True,
        "no_responders": True,
        "protocol": 1,
        "lang": "python",
        "version": "1",
    }
    request = f"GET {target} 0\r\nhost: bus{_END.decode()}".encode()
    deadline = time.monotonic() + seconds
    with socket.create_connection((place.hostname or "", place.port or NATS_PORT), seconds) as connection:
        stream = connection.makefile("rb")
        stream.readline()  # INFO: NATS speaks first
        said = [f"CONNECT {json.dumps(options | login)}", f"SUB {inbox} 1", f"PUB {subject} {inbox} {len(request)}"]
        connection.sendall("\r\n".join([*said, ""]).encode() + request + b"\r\n")
        message = b""
        while not _is_whole(message):
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            message += _next(connection, stream)
    head, _, body = message.partition(_END)
    return int(head.split(b" ", 1)[0]), body


def _is_whole(message: bytes) -> bool:
    head, end, body = message.partition(_END)
    return bool(end) and len(body) >= int(head.partition(b"\r\n")[0].split(b" ")[1])


def _next(connection: socket.socket, stream: BinaryIO) -> bytes:
    """What the next message holds; nothing for what NATS says in between."""
    line = stream.readline()
    words = line.split()
    if not words:
        raise ConnectionError("NATS has ended the connection.")
    match words[0].upper():
        case b"MSG":
            return stream.read(int(words[-1]) + 2)[:-2]
        case b"HMSG":
            headers, whole = int(words[-2]), stream.read(int(words[-1]) + 2)[:-2]
            if NO_RESPONDERS in whole[:headers]:
                raise NobodyThere("Nobody is asked there: the service does not run, or has not started yet.")
            return whole[headers:]
        case b"PING":
            connection.sendall(b"PONG\r\n")
        case b"-ERR":
            raise PermissionError(f"NATS says {line.decode(errors='replace').strip().removeprefix('-ERR ')}.")
    return b""


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """The command: 0 for a good answer. Whether NATS is there is not the process's doing: then it counts as alive."""
    own = environment.get("ONSALE_SERVICE", "")
    *named, path = arguments or [""]
    service = named[0] if named else own
    url = next((environment[key] for key in (f"{own.upper()}_NATS_URL", "ONSALE_NATS_URL") if key in environment), "")
    if not (service and url and path.startswith("/")):
        print(
            "Say what: python -m chassis.ask_bus [orders] /readyz (with ONSALE_SERVICE and ONSALE_NATS_URL set)",
            file=sys.stderr,
        )
        return 2
    try:
        status, body = ask(url, subject_of(service) if named else subject_at(service), path)
    except (NobodyThere, TimeoutError) as error:
        print(f"{service} does not answer: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"NATS does not answer: {error}", file=sys.stderr)
        return 0 if path == ALIVE else 1
    print(f"{status} {body.decode(errors='replace')}")
    return 0 if status in GOOD else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
