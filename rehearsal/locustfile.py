"""A rehearsal on Locust's page: each of its users is a buyer of the rehearsal, again and again another one, until all is sold.

Locust stands on gevent, the rehearsal's buyers on asyncio. So the buyers have a thread of their own, in which nothing may be
patched (`make rehearse-locust` sees to that, and says in the environment what is bought), and Locust hears of what they did.
"""

import os
from pathlib import Path
from typing import Any

import gevent
from locust import User, constant, events, task
from locust.exception import StopUser

from rehearsal.crowd.aside import CrowdAside
from rehearsal.crowd.record import BANK, End, Record

LOOK_SECONDS = 0.1


class Rehearsal:
    """The crowd of the test that runs, and the greenlet that tells Locust of it."""

    def __init__(self) -> None:
        self.crowd: CrowdAside | None = None
        self._telling: Any = None

    def begin(self, environment: Any, **_: Any) -> None:
        """The crowd is there from now on."""
        record = Record(environment.host, int(os.environ["REHEARSAL_PLACES"]))
        hold_seconds, log = float(os.environ["REHEARSAL_HOLD"]), Path(os.environ["REHEARSAL_LOG"])
        self.crowd = CrowdAside(record, os.environ["REHEARSAL_EVENT"], hold_seconds, log).__enter__()
        self._telling = gevent.spawn(self._tell, environment)

    def end(self, environment: Any, **_: Any) -> None:
        """Nobody is left; what they did last is told."""
        if self.crowd is not None:
            self._telling.kill()
            self._tell_once(environment)
            self.crowd.__exit__()
            print(f"{self.crowd.record.sold} of {self.crowd.record.places} places sold.")
            self.crowd = None

    def _tell(self, environment: Any) -> None:
        while True:
            gevent.sleep(LOOK_SECONDS)
            self._tell_once(environment)
            if self.crowd is not None and self.crowd.is_over and not environment.runner.user_count:
                gevent.spawn(
                    environment.runner.quit if environment.parsed_options.headless else environment.runner.stop
                )
                return

    def _tell_once(self, environment: Any) -> None:
        for each in self.crowd.heard() if self.crowd is not None else ():
            refused = f": {each.status} {each.problem}".rstrip() if each.is_refusal else ""
            error = RuntimeError(f"{each.status or 'no answer'} {each.problem}") if each.is_error else None
            environment.events.request.fire(
                request_type="bank" if each.kind == BANK else "shop",
                name=each.kind + refused,
                response_time=1000 * each.seconds,
                response_length=0,
                exception=error,
                context={"trace_id": each.trace_id},
            )


REHEARSAL = Rehearsal()


events.test_start.add_listener(REHEARSAL.begin)
events.test_stop.add_listener(REHEARSAL.end)


class Buyer(User):  # type: ignore[misc]  # Locust is not installed where types are checked
    """A browser at which one person after another sits down."""

    wait_time = constant(0)

    @task  # type: ignore[untyped-decorator]  # the same
    def visit(self) -> None:
        """One person comes, and buys or does not."""
        if REHEARSAL.crowd is None:
            raise StopUser
        visit = REHEARSAL.crowd.visit()
        try:
            while not visit.done():
                gevent.sleep(LOOK_SECONDS)
        finally:
            visit.cancel()  # nothing if it is over; Locust ends its users when a test is stopped
        if visit.result() is End.SOLD_OUT:
            raise StopUser
