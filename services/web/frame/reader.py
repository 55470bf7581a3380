"""Who reads a page, as far as their browser tells: the language in which amounts are written."""

from contextvars import ContextVar
from typing import Any

from chassis.languages import DEFAULT, language_of

_LANGUAGE: ContextVar[str] = ContextVar("readers_language", default=DEFAULT)


def language() -> str:
    """The language of whoever asked for what is being answered; English outside of requests."""
    return _LANGUAGE.get()


class ReadersLanguage:
    """Notes the language of each request's `Accept-Language`, so that amounts in the answer are written in its way."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
        token = _LANGUAGE.set(language_of(wanted.decode("latin-1")))
        try:
            await self._app(scope, receive, send)
        finally:
            _LANGUAGE.reset(token)
