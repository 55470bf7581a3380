"""Runs one service: `python -m chassis.serve services.orders.app:create_app`, or the one that ONSALE_SERVICE names.

With ONSALE_RELOAD=1 it starts anew whenever a Python file of it changes: for development, where files are synced into a container.
"""

import gc
import importlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.statreload import StatReload

from chassis.logs import log_all_that_goes_wrong
from chassis.on_bus import BusServer
from chassis.protocol import BoundedProtocol
from chassis.server import KEEP_ALIVE_SECONDS, Server
from chassis.settings import ServiceSettings
from chassis.sockets import socket_options

ROOT = Path(__file__).resolve().parent.parent
SERVICE_VARIABLE = "ONSALE_SERVICE"
RELOAD_VARIABLE = "ONSALE_RELOAD"
# After how many new objects the collector looks at the young ones, and how many such looks later at older ones. A request makes
# few cycles: Python's own 700 had it look several times during each of them.
COLLECTED = (20_000, 20, 20)


def load(path: str) -> Callable[[], FastAPI]:
    """The application factory that `module:name` names."""
    module_name, _, name = path.partition(":")
    factory: Callable[[], FastAPI] = getattr(importlib.import_module(module_name), name)
    return factory


def serve(path: str) -> None:
    """Serves until SIGTERM or SIGINT; then finishes what is in flight, and stops."""
    app = load(path)()
    log_all_that_goes_wrong()
    collect_rarely()
    on_bus = on_bus_of(app)
    server = Server(configuration(app), on_bus)
    with suppress(KeyboardInterrupt):
        # Without sockets it opens no port.
        server.run(sockets=[] if on_bus else None)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def on_bus_of(app: Any) -> BusServer | None:
    """What serves the application over the bus; None if it has a port."""
    service = app.state.service
    if not service.is_on_bus:
        return None
    name = service.settings.service_name
    return BusServer(service.broker, name, app, service.metrics, service.crowds, is_ready=service.is_ready)


def configuration(app: Any) -> uvicorn.Config:
    """How an application is served, by the settings of its service."""
    settings: ServiceSettings = app.state.service.settings
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=int(settings.drain_seconds),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        backlog=2048,
        http=partial(BoundedProtocol, crowds=app.state.service.crowds),  # type: ignore[arg-type]  # makes one
        # X-Forwarded-For is believed of these proxies alone.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        **socket_options(app),
    )


def collect_rarely() -> None:
    """What the application is made of stays for ever: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)


def serve_and_reload(path: str) -> None:
    """Runs `python -m chassis.serve` in a process of its own, and again whenever a Python file that it uses changes."""
    folders = [folder for folder in (ROOT / "chassis", ROOT / "tracing", _folder_of(path)) if folder.is_dir()]
    config = uvicorn.Config(path, reload=True, reload_dirs=[str(folder) for folder in folders], log_config=None)
    # No socket of the supervisor's: the port is the service's own setting, and a changed one is taken as well.
    StatReload(config, target=_serve_reloaded, sockets=[]).run()


def _serve_reloaded(sockets: object = None) -> None:
    """Called by uvicorn, by the name of its argument."""
    del sockets
    sys.exit(main())


def _folder_of(path: str) -> Path:
    return ROOT.joinpath(*path.partition(":")[0].split(".")[:-1])


def chosen() -> str | None:
    """Which application: the one that the command line names, else that of ONSALE_SERVICE."""
    if len(sys.argv) == 2:
        return sys.argv[1]
    service = os.environ.get(SERVICE_VARIABLE)
    return f"services.{service}.app:create_app" if service and len(sys.argv) == 1 else None


def main(*, reload: bool = False) -> int:
    """The command line. Settings that are wrong or missing are reported in sentences, not in a traceback."""
    path = chosen()
    if path is None:
        sys.stderr.write(
            f"Say which service: python -m chassis.serve services.orders.app:create_app (or {SERVICE_VARIABLE}=orders)\n"
        )
        return 2
    try:
        (serve_and_reload if reload else serve)(path)
    except (ValidationError, FileNotFoundError) as error:
        sys.stderr.write(sentences_of(error))
        return 1
    return 0


def sentences_of(error: ValidationError | FileNotFoundError) -> str:
    """What is wrong with the settings, a line each."""
    if isinstance(error, FileNotFoundError):
        return f"{error.filename} is missing. `make up` generates the keys of a development system.\n"
    wrong = ((".".join(map(str, each["loc"])) or "values", each["msg"].rstrip(".")) for each in error.errors())
    return "".join(f"Setting {where} of {error.title}: {why}.\n" for where, why in wrong)


if __name__ == "__main__":
    sys.exit(main(reload=os.environ.get(RELOAD_VARIABLE) == "1"))
