"""Faults of payments to practise on. Loaded only when one is switched on (chassis/drills.py)."""

from collections.abc import Mapping

import httpx

from chassis import http
from chassis.drills import Faults, Switch

TEN_MINUTES_SECONDS = 600.0


def time_out_of_ten_minutes(faults: Faults) -> None:
    """A bank's nightly report once took minutes, so its client was given ten: callers wait until their own time is over."""

    async def handle_async_request(
        transport: http._DeadlineTransport,
        request: httpx.Request,
    ) -> httpx.Response:
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), TEN_MINUTES_SECONDS)
        response = await transport._inner.handle_async_request(request)  # noqa: SLF001
        await response.aread()
        return response

    faults.replace(http._DeadlineTransport, "handle_async_request", handle_async_request)  # noqa: SLF001


SWITCHES: Mapping[str, Switch] = {"time-out-of-ten-minutes": time_out_of_ten_minutes}
