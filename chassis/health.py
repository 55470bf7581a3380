"""Health: liveness says that the process runs, readiness that it can serve. Liveness never asks dependencies."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from chassis.identity import open_to_all

Check = Callable[[], Awaitable[None]]


class Readiness:
    """The checks behind `/readyz`; `draining` turns it off before the process stops."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.draining = False

    async def report(self) -> tuple[bool, dict[str, str]]:
        """Whether all is well, and each part's state in a word or a sentence."""
        parts = {name: await _state_of(check) for name, check in self.checks.items()}
        if self.draining:
            parts["process"] = "is stopping"
        return all(state == "ready" for state in parts.values()), parts


async def _state_of(check: Check) -> str:
    try:
        await check()
    except Exception as error:  # noqa: BLE001  # whatever is wrong, the answer is: not ready, and why
        return str(error) or type(error).__name__
    return "ready"


def make_health_router(readiness: Readiness, gauges: Mapping[str, Callable[[], int]]) -> APIRouter:
    """`/livez` and `/readyz`, and `/load` where there is something to show."""
    router = APIRouter(tags=["health"], include_in_schema=False)

    @router.get("/livez", dependencies=[open_to_all])
    async def livez() -> dict[str, str]:
        return {"state": "alive"}

    @router.get("/readyz", dependencies=[open_to_all])
    async def readyz() -> Response:
        ready, parts = await readiness.report()
        document = {"state": "ready" if ready else "not ready", "parts": parts}
        return Response(orjson.dumps(document), 200 if ready else 503, media_type="application/json")

    if gauges:

        @router.get("/load", dependencies=[open_to_all])
        async def load() -> dict[str, int]:
            return {name: read() for name, read in gauges.items()}

    return router
