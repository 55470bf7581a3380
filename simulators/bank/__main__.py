"""`python -m simulators.bank`: see README.md."""

import argparse
import logging
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulators.bank.app import create_app
from simulators.bank.settings import BankSettings
from simulators.bank.transport import DroppableProtocol
from simulators.serving import PortTakenError, announce, listen, serve


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators.bank", description="A bank that is not one.")
    parser.add_argument("--host", default=os.environ.get("BANK_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("BANK_PORT", "8020")), help="0: any free port")
    parser.add_argument("--data", type=Path, help="the SQLite file of the books (or BANK_DATA)")
    parser.add_argument("--api-key-env", default="BANK_API_KEY", help="name of the variable with the merchant's key")
    parser.add_argument("--webhook-secret-env", default="BANK_WEBHOOK_SECRET", help="name of the variable with it")
    parser.add_argument("--webhook-url", help="where the merchant listens (or BANK_WEBHOOK_URL)")
    parser.add_argument("--public-url", help="the address browsers are sent to (or BANK_PUBLIC_URL)")
    return parser.parse_args()


def settings_from(chosen: argparse.Namespace, port: int) -> BankSettings:
    """Settings from the command line, then the environment. Raises ValidationError."""
    given: dict[str, Any] = {
        "data": chosen.data,
        "webhook_url": chosen.webhook_url,
        "public_url": chosen.public_url or os.environ.get("BANK_PUBLIC_URL", f"http://127.0.0.1:{port}"),
        "api_key": os.environ.get(chosen.api_key_env),
        "webhook_secret": os.environ.get(chosen.webhook_secret_env),
    }
    return BankSettings(**{name: value for name, value in given.items() if value is not None})


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    chosen = arguments()
    try:
        sock = listen(chosen.host, chosen.port)
        port = sock.getsockname()[1]
        app = create_app(settings_from(chosen, port))
    except PortTakenError as problem:
        return complain(str(problem))
    except ValidationError as problem:
        missing = ", ".join("BANK_" + str(item["loc"][0]).upper() + ": " + item["msg"] for item in problem.errors())
        return complain(f"The bank simulator cannot start ({missing}). Set these variables or options.")
    except sqlite3.Error as problem:
        return complain(f"The books cannot be opened ({problem}). Check --data: its folder must exist and be writable.")
    announce(f"bank: http://{chosen.host}:{port}")
    serve(app, sock, http=DroppableProtocol)
    return 0


def complain(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
