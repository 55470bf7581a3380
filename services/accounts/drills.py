"""Faults of accounts to practise on. Loaded only when one is switched on (chassis/drills.py)."""

import hashlib
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from typing import Self
from urllib.request import urlopen

import jwt.api_jwt

import chassis.clock
from chassis.drills import Faults, Switch
from services.accounts import service

BEHIND_SECONDS = 180
LOOK_UP_SECONDS = 3.0


def clock_behind(faults: Faults) -> None:
    """This host's clock is not synchronised any more, and every process on the host reads that clock."""

    class Late(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) - timedelta(seconds=BEHIND_SECONDS)

    clock, clock_ns = time.time, time.time_ns
    late = {clock: lambda: clock() - BEHIND_SECONDS, clock_ns: lambda: clock_ns() - BEHIND_SECONDS * 10**9}
    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()):
            if value is clock or value is clock_ns:
                faults.replace(module, name, late[value])
    for module in (jwt.api_jwt, chassis.clock):
        faults.replace(module, "datetime", Late)


def look_up_on_the_loop(faults: Faults) -> None:
    """New passwords are looked up among those that have leaked, with a client that lets the whole process wait."""

    def check_password(password: str, *, email: str, name: str) -> None:
        good(password, email=email, name=name)
        prefix = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()[:5]
        with socket.create_server(("127.0.0.1", 0)) as silent:  # stands for somebody's service that does not answer
            address = f"http://127.0.0.1:{silent.getsockname()[1]}/range/{prefix}"
            with suppress(OSError):
                urlopen(address, timeout=LOOK_UP_SECONDS).close()  # nothing comes: this is where all stands still

    good = faults.replace(service, "check_password", check_password)


SWITCHES: Mapping[str, Switch] = {
    "clock-behind": clock_behind,
    "look-up-on-the-loop": look_up_on_the_loop,
}
