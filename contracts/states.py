"""States that are about a whole process and not about one row: a queue that is full, a crowd at the door.

All states of a verification live in one process. Such a state holds for one request and is gone after it, so that it disturbs no
other interaction.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest


class ForOneRequest:
    """Changes to a provider's code, undone as soon as it has answered one request. `around` its application sees to that."""

    def __init__(self) -> None:
        self._changes = pytest.MonkeyPatch()

    def change(self, holder: Any, name: str, value: Any) -> None:
        """Gives an attribute of a class or a module another value until the next answer begins."""
        self._changes.setattr(holder, name, value)

    def around(self, app: Any) -> Any:
        """The application to serve in place of `app` (ASGI)."""

        async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
            async def undo_and_send(message: Any) -> None:
                # This happens before the answer is sent, because its reader may set up the next state at once.
                if message["type"] == "http.response.start":
                    self._changes.undo()
                await send(message)

            await app(scope, receive, undo_and_send)

        return serve


def refusing(error: Callable[[], Exception]) -> Callable[..., Any]:
    """What takes the place of an asynchronous function that has no room for more."""

    async def refuse(*_: Any, **__: Any) -> NoReturn:
        raise error()

    return refuse
