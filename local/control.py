"""The way into a running system: other commands on this machine ask `make up` to restart, kill or part what it runs.

A Unix socket in a folder that only its owner can enter; one JSON object a line each way.
"""

import contextlib
import json
import shutil
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.errors import StartError

ANSWER_SECONDS = 90.0
LONGEST_LINE = 64 * 1024

Command = Callable[..., Any]


class Control:
    """Answers in threads of its own. Each command is called with the question's other fields as keywords."""

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self._commands = commands
        # Not in the data folder: a socket's address may have about a hundred characters only.
        self._folder = Path(tempfile.mkdtemp(prefix="onsale-control-"))
        self.path = self._folder / "socket"
        self._server = _Server(str(self.path), _handler(self.answer))
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """What came of a question: `{"answer": ...}`, or `{"error": sentence}`."""
        name = question.pop("do", None)
        command = self._commands.get(str(name))
        if command is None:
            return {
                "error": f"The running system does not know {name!r}; it knows {', '.join(sorted(self._commands))}."
            }
        try:
            return {"answer": command(**question)}
        except KeyError as error:
            return {"error": f"The running system has no {error}."}
        except Exception as error:  # noqa: BLE001  # whatever it was, whoever asked gets an answer, and the system goes on
            return {"error": str(error) or type(error).__name__}

    def close(self) -> None:
        """Takes no more questions."""
        self._server.shutdown()
        self._server.server_close()
        shutil.rmtree(self._folder, ignore_errors=True)


def ask(path: Path, do: str, **values: Any) -> Any:
    """Asks the system whose socket that is. Raises StartError with its sentence, or if nobody answers."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(str(path))
            connection.sendall(json.dumps({"do": do, **values}).encode() + b"\n")
            with connection.makefile("rb") as lines:
                reply = json.loads(lines.readline())
        except (OSError, ValueError) as error:
            raise StartError(
                f"The running system does not answer ({type(error).__name__}). Is `make up` still running?"
            ) from error
    if "error" in reply:
        raise StartError(str(reply["error"]))
    return reply["answer"]


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def _handler(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline(LONGEST_LINE)
            with contextlib.suppress(BrokenPipeError):
                self.wfile.write(json.dumps(answer(_question(line))).encode() + b"\n")

    return Handler


def _question(line: bytes) -> dict[str, Any]:
    try:
        question = json.loads(line)
    except ValueError:
        question = None
    return question if isinstance(question, dict) else {}
