"""How a simulator is started: its socket first, so that a taken port is a sentence and port 0 can be used in tests."""

import errno
import socket
import sys
from typing import Any

import uvicorn


class PortTakenError(Exception):
    """Somebody else listens where the simulator should."""


def listen(host: str, port: int) -> socket.socket:
    """Binds a listening TCP socket; port 0 takes any free one. Raises PortTakenError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(2048)  # from now on a client waits instead of being refused
    except OSError as problem:
        sock.close()
        if problem.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        raise PortTakenError(
            f"Port {port} on {host} cannot be used ({problem.strerror}). Stop what listens there, or choose another port."
        ) from problem
    sock.set_inheritable(True)
    return sock


def announce(line: str) -> None:
    """One line on standard output that a supervisor or a test can wait for."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def serve(app: Any, sock: socket.socket, **options: Any) -> None:
    """Serves an ASGI application on a bound socket until SIGINT or SIGTERM; open requests get 5 seconds to end."""
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5, **options)
    uvicorn.Server(config).run(sockets=[sock])
