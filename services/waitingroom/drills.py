"""Faults of the waiting room to practise on. Loaded only when one is switched on (chassis/drills.py)."""

from collections.abc import Mapping
from dataclasses import replace

from chassis.drills import Faults, Switch
from services.waitingroom.clients.inventory import Crowd
from services.waitingroom.domain import Sale
from services.waitingroom.service import steps


def mix_up_left_and_in_carts(faults: Faults) -> None:
    """Two numbers of an answer changed places when it was taken apart: as long as nobody has a cart, nothing seems to be left."""

    def as_the_shop_keeps_up(sale: Sale, crowd: Crowd | None, bank_late_seconds: float) -> Sale:
        said: Sale = good(sale, crowd, bank_late_seconds)
        return said if crowd is None else replace(said, places_left=crowd.in_carts, places_in_carts=crowd.left)

    good = faults.replace(steps, "as_the_shop_keeps_up", as_the_shop_keeps_up)


SWITCHES: Mapping[str, Switch] = {"mix-up-left-and-in-carts": mix_up_left_and_in_carts}
