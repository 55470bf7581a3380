"""Health: liveness says that the process runs, readiness that it can serve. Liveness never asks dependencies.

What a service cannot answer without is a check: if it fails, the service is not ready, and traffic goes elsewhere. What all processes
share and answers do not need (the bus, the firehose) is an alarm: it is reported, here and in metrics, and takes nobody away.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from starlette.responses import Response

from chassis.errors import scrubbed
from chassis.identity import open_to_all
from chassis.late import LATE_SECONDS
from tracing.exposition import exposed
from tracing.metrics import Metrics

Check = Callable[[], Awaitable[None]]
State = Literal["ready", "degraded", "not ready"]

# Headers that a gateway adds to requests from outside. A caller within the cluster has no reason to send them.
PROXIES_ADD = ("x-forwarded-for", "x-forwarded-host", "forwarded", "via")
NOT_FOUND = 404


class Readiness:
    """The checks and alarms behind `/readyz`; `draining` turns it off before the process stops.

    `alive` says in a sentence why only a new process can help, or nothing.
    """

    def __init__(self, alive: Callable[[], str | None] = lambda: None) -> None:
        self.checks: dict[str, Check] = {}
        self.alarms: dict[str, Check] = {}
        self.alive = alive
        self.draining = False

    async def report(self) -> tuple[State, dict[str, str]]:
        """How it is, and each part's state in a word or a sentence."""
        needed = {name: await _state_of(check) for name, check in self.checks.items()}
        alarms = {name: await _state_of(check) for name, check in self.alarms.items()}
        parts = needed | alarms
        if self.draining:
            parts["process"] = "is stopping"
        if self.draining or not _all_ready(needed):
            return "not ready", parts
        return "ready" if _all_ready(alarms) else "degraded", parts


def _all_ready(parts: Mapping[str, str]) -> bool:
    return all(state == "ready" for state in parts.values())


async def _state_of(check: Check) -> str:
    try:
        await check()
    except Exception as error:  # noqa: BLE001  # whatever is wrong, the answer is: not ready, and why
        return _told(error)
    return "ready"


def _told(error: Exception) -> str:
    """What is wrong, and for who runs the service also what lies behind it (a refused login, a wrong address)."""
    said, cause = str(error) or type(error).__name__, error.__cause__
    return said if cause is None else f"{said} ({type(cause).__name__}: {scrubbed(str(cause))})"


def not_through_a_proxy(request: Request) -> None:
    """Refuses as if there were no such address: how a service is, is not for the world."""
    if any(name in request.headers for name in PROXIES_ADD):
        raise HTTPException(NOT_FOUND)


def make_health_router(
    readiness: Readiness,
    gauges: Mapping[str, Callable[[], int]],
    metrics: Metrics,
    *,
    late: Callable[[int], Awaitable[list[dict[str, Any]]]],
    through_proxies: bool = False,
) -> APIRouter:
    """`/livez`, `/readyz`, `/metrics` and `/work`, and `/load` where there is something to show.

    All but the first answer only who asks directly, unless it is said otherwise: a gateway may send every path here.
    """
    router = APIRouter(tags=["health"], include_in_schema=False)
    inside = [open_to_all] if through_proxies else [open_to_all, Depends(not_through_a_proxy)]

    @router.get("/livez", dependencies=[open_to_all])
    async def livez() -> Response:
        problem = readiness.alive()
        document = {"state": "beyond repair", "detail": problem} if problem else {"state": "alive"}
        return Response(orjson.dumps(document), 503 if problem else 200, media_type="application/json")

    @router.get("/readyz", dependencies=inside)
    async def readyz() -> Response:
        state, parts = await readiness.report()
        document = {"state": state, "parts": parts}
        return Response(orjson.dumps(document), 503 if state == "not ready" else 200, media_type="application/json")

    @router.get("/metrics", dependencies=inside)
    def page_of_metrics(request: Request) -> Response:  # in a thread: with many routes it is a long page
        page, media_type = exposed(metrics.now(), request.headers.get("accept", ""))
        return Response(page, headers={"Content-Type": media_type})

    @router.get("/work", dependencies=inside)
    async def work(older_seconds: Annotated[int, Query(ge=0, le=10**9)] = LATE_SECONDS) -> Response:
        return Response(orjson.dumps({"late": await late(older_seconds)}), media_type="application/json")

    if gauges:

        @router.get("/load", dependencies=inside)
        async def load() -> dict[str, int]:
            return {name: read() for name, read in gauges.items()}

    return router
