"""Health: liveness says that the process runs, readiness that it can serve. Liveness never asks dependencies."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import Response

from chassis.identity import open_to_all
from tracing.exposition import exposed
from tracing.metrics import Metrics

Check = Callable[[], Awaitable[None]]

# What a gateway adds to what it lets in from outside. Who asks directly is in the cluster, and has no reason to.
PROXIES_ADD = ("x-forwarded-for", "x-forwarded-host", "forwarded", "via")
NOT_FOUND = 404


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


def not_through_a_proxy(request: Request) -> None:
    """Refuses as if there were no such address: how a service is, is not for the world."""
    if any(name in request.headers for name in PROXIES_ADD):
        raise HTTPException(NOT_FOUND)


def make_health_router(
    readiness: Readiness, gauges: Mapping[str, Callable[[], int]], metrics: Metrics, *, through_proxies: bool = False
) -> APIRouter:
    """`/livez`, `/readyz` and `/metrics`, and `/load` where there is something to show.

    All but the first answer only who asks directly, unless it is said otherwise: a gateway may send every path here.
    """
    router = APIRouter(tags=["health"], include_in_schema=False)
    inside = [open_to_all] if through_proxies else [open_to_all, Depends(not_through_a_proxy)]

    @router.get("/livez", dependencies=[open_to_all])
    async def livez() -> dict[str, str]:
        return {"state": "alive"}

    @router.get("/readyz", dependencies=inside)
    async def readyz() -> Response:
        ready, parts = await readiness.report()
        document = {"state": "ready" if ready else "not ready", "parts": parts}
        return Response(orjson.dumps(document), 200 if ready else 503, media_type="application/json")

    @router.get("/metrics", dependencies=inside)
    def page_of_metrics(request: Request) -> Response:  # in a thread: with many routes it is a long page
        page, media_type = exposed(metrics.now(), request.headers.get("accept", ""))
        return Response(page, headers={"Content-Type": media_type})

    if gauges:

        @router.get("/load", dependencies=inside)
        async def load() -> dict[str, int]:
            return {name: read() for name, read in gauges.items()}

    return router
