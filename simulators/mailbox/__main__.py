"""`python -m simulators.mailbox`: see README.md."""

import argparse
import logging
import sqlite3
import sys
from pathlib import Path

from simulators.mailbox.app import create_app
from simulators.mailbox.store import Store
from simulators.serving import PortTakenError, announce, listen, serve

# Mail holds addresses and tickets: nobody beyond this machine may read it. In a container, that machine is a network of its own.
HOST = "127.0.0.1"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulators.mailbox", description="Catches mail and shows it.")
    parser.add_argument("--host", default=HOST, help="for both; another than the loopback only inside a container")
    parser.add_argument("--smtp-port", type=int, default=8025, help="where mail is taken; 0: any free port")
    parser.add_argument("--port", type=int, default=8026, help="where mail is shown; 0: any free port")
    parser.add_argument("--data", type=Path, required=True, help="a folder for the messages; made if it is not there")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    try:
        smtp_socket, web_socket = listen(chosen.host, chosen.smtp_port), listen(chosen.host, chosen.port)
        chosen.data.mkdir(parents=True, exist_ok=True)
        store = Store(chosen.data / "mailbox.sqlite")
    except PortTakenError as problem:
        return complain(str(problem))
    except (sqlite3.Error, OSError) as problem:
        return complain(f"The messages cannot be opened ({problem}). Check --data: it must be a writable folder.")
    web, smtp = web_socket.getsockname()[1], smtp_socket.getsockname()[1]
    announce(f"mailbox: http://{chosen.host}:{web} smtp://{chosen.host}:{smtp}")
    serve(create_app(store, smtp_socket), web_socket)
    return 0


def complain(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
