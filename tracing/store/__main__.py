"""`python -m tracing.store`: receives traces over OTLP, answers Jaeger's API, shows waterfalls. For one machine."""

from __future__ import annotations

import argparse
import errno
import socket
import sys
from contextlib import suppress
from pathlib import Path

import uvicorn

from tracing.store.app import create_app
from tracing.store.database import StoreDataError

# Nobody signs in here, so nobody else may reach it. In a container, that machine is a network of its own.
HOST = "127.0.0.1"
SHUTDOWN_SECONDS = 3


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM. The exit code is 1 if it cannot start."""
    options = _parser().parse_args(arguments)
    try:
        sockets = [_listen(options.host, options.port, "--port")]
        if options.otlp_port == 0 or options.otlp_port != options.port:
            sockets.append(_listen(options.host, options.otlp_port, "--otlp-port"))
        app = create_app(options.data, options.max_spans)
    except (StoreDataError, PortTaken) as error:
        print(f"The trace store cannot start. {error}", file=sys.stderr)
        return 1
    port, otlp_port = sockets[0].getsockname()[1], sockets[-1].getsockname()[1]
    print(
        f"Dev trace store: http://{options.host}:{port}, OTLP to http://{options.host}:{otlp_port}/v1/traces",
        flush=True,
    )
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=SHUTDOWN_SECONDS
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets)
    return 0


class PortTaken(Exception):
    """Somebody else listens there; the message says what to do."""


def _listen(host: str, port: int, option: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = "is taken by another process" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
        raise PortTaken(f"Port {port} {reason}: end that process, or choose another port with {option}.") from error
    return listener


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tracing.store", description=__doc__)
    parser.add_argument("--host", default=HOST, help="another than the loopback only inside a container")
    parser.add_argument("--port", type=_port, default=16686, help="pages and Jaeger's API (0: any free one)")
    parser.add_argument("--otlp-port", type=_port, default=4318, help="OTLP over HTTP (0: any free one)")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the database")
    parser.add_argument("--max-spans", type=_positive, default=200_000, help="beyond it the oldest traces are dropped")
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a whole number above 0, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
