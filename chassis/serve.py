"""Runs one service: `python -m chassis.serve services.orders.app:create_app`."""

import importlib
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from chassis.settings import ServiceSettings


def load(path: str) -> Callable[[], FastAPI]:
    """The application factory that `module:name` names."""
    module_name, _, name = path.partition(":")
    factory: Callable[[], FastAPI] = getattr(importlib.import_module(module_name), name)
    return factory


def serve(path: str) -> None:
    """Serves until SIGTERM or SIGINT; then finishes what is in flight, and stops."""
    app = load(path)()
    settings: ServiceSettings = app.state.service.settings
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_seconds),
        timeout_keep_alive=75,
        backlog=2048,
    )


def main() -> int:
    """The command line. Settings that are wrong or missing are told in sentences, not in a traceback."""
    if len(sys.argv) != 2:
        sys.stderr.write("Say which service: python -m chassis.serve services.orders.app:create_app\n")
        return 2
    try:
        serve(sys.argv[1])
    except ValidationError as error:
        for each in error.errors():
            sys.stderr.write(f"Setting {'.'.join(map(str, each['loc']))} of {error.title}: {each['msg']}.\n")
        return 1
    except FileNotFoundError as error:
        sys.stderr.write(f"{error.filename} is missing. `make up` generates the keys of a development system.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
