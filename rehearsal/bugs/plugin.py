"""A pytest plugin (`-p rehearsal.bugs.plugin`) that switches a fault on before any test runs."""

import os

from chassis.drills import Faults
from rehearsal.bugs.code import SWITCHES

PLANTED = "ONSALE_PLANTED_BUG"


def pytest_configure() -> None:
    """The fault that the environment names. Raises KeyError if there is none of that name."""
    SWITCHES[os.environ[PLANTED]](Faults())
