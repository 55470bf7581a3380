"""Faults of payments to practise on. Loaded only when one is switched on (chassis/drills.py)."""

from collections.abc import Mapping

from chassis.calls import Calls
from chassis.drills import Faults, Switch

TEN_MINUTES_SECONDS = 600.0


def time_out_of_ten_minutes(faults: Faults) -> None:
    """A bank's nightly report once took minutes, so its client was given ten: callers wait until their own time is over."""

    faults.replace(Calls, "_seconds", lambda _calls: TEN_MINUTES_SECONDS)


SWITCHES: Mapping[str, Switch] = {"time-out-of-ten-minutes": time_out_of_ten_minutes}
