"""Who comes to a rehearsal: what each of them does, and when, drawn from a seed."""

import math
import random
from dataclasses import dataclass
from enum import StrEnum


class Behaviour(StrEnum):
    """What a person does with the shop's pages."""

    BUYS = "buys"
    ABANDONS = "abandons"  # holds places, and is never seen again
    DOUBLE_CLICKS = "double-clicks"  # presses every button twice
    GOES_BACK = "goes back"  # to the event's page, and then on with the order
    SENDS_AGAIN = "sends again"  # does not wait for the answer, and presses again
    PAYS_LATE = "pays late"  # shortly before the hold ends, or after
    DECLINES = "declines"  # the bank says no to the first card; half of them have another


# The rest buys as one should.
SHARES = {
    Behaviour.ABANDONS: 0.08,
    Behaviour.DOUBLE_CLICKS: 0.10,
    Behaviour.GOES_BACK: 0.08,
    Behaviour.SENDS_AGAIN: 0.07,
    Behaviour.PAYS_LATE: 0.05,
    Behaviour.DECLINES: 0.07,
}
# Of those who go through a waiting room, whatever they do then: who comes after the start, and who misses their turn.
LATE_SHARE, MISSING_SHARE = 0.10, 0.05
# They come within twice the time of the others, and within this.
MOST_LATE_SECONDS = 60.0
MOST_PLACES = 2


@dataclass(frozen=True)
class Person:
    """One of the crowd. `patience` is a number between 0 and 1 that decides what is left to their character."""

    number: int
    behaviour: Behaviour
    places: int
    arrives_after_seconds: float
    patience: float
    misses_turn: bool = False

    @property
    def has_another_card(self) -> bool:
        """Whether they pay with a second card after the first was declined."""
        return self.patience < 0.5  # half of them

    @property
    def joins_again(self) -> bool:
        """Whether they join the queue once more after they missed their turn."""
        return self.patience < 0.5

    def pays_after_seconds(self, hold_seconds: float) -> float:
        """How long they wait with the bank's page open: from half of the hold's time to a little more than it."""
        return hold_seconds * (0.5 + 0.6 * self.patience) if self.behaviour is Behaviour.PAYS_LATE else 0.0


def crowd_of(buyers: int, seed: int, spread_seconds: float, start_seconds: float | None = None) -> list[Person]:
    """The people of one rehearsal, always the same for a seed. More of them come each second, until all have.

    `start_seconds`: when lots are drawn in a waiting room. Then some come after that, and some miss their turn.
    """
    draw = random.Random(seed)  # noqa: S311  # who comes is no secret
    draw_of_queue = random.Random(f"queue {seed}")  # noqa: S311  # the same people as without a waiting room
    kinds = [Behaviour.BUYS, *SHARES]
    weights = [1 - sum(SHARES.values()), *SHARES.values()]
    people = []
    for number in range(buyers):
        (behaviour,) = draw.choices(kinds, weights)
        # The root of an even number grows evenly in its density.
        arrives = spread_seconds * math.sqrt(draw.random())
        places, patience = draw.randint(1, MOST_PLACES), draw.random()
        is_late, misses = draw_of_queue.random() < LATE_SHARE, draw_of_queue.random() < MISSING_SHARE
        if start_seconds is not None and is_late:
            arrives = start_seconds + min(MOST_LATE_SECONDS, 2 * spread_seconds) * draw_of_queue.random()
        people.append(Person(number, behaviour, places, arrives, patience, misses and start_seconds is not None))
    return people
