"""Now and then nobody gets on for some seconds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from drills.customer import events_with_places, hold_a_place
from drills.model import Answer, Drill, fault
from drills.stage import Question, Stage
from local.browser import Browser
from tracing.model import Span, Trace

SLOW_SECONDS = 1.5
SLOWER_TIMES = 1.5
SLOWER_BY_SECONDS = 0.8
BLOCKED_SECONDS = 2.0
LATE_SECONDS = 0.5
LATE_SHARE = 0.5
TOGETHER_SECONDS = 0.5
MANY = 2
# After the one who makes an account pressed the button, in seconds.
ARRIVALS = (0.25, 0.5, 0.8)


@dataclass(frozen=True)
class Evening:
    """How long guests waited for their places, in seconds: some by themselves, some while somebody made an account."""

    before: tuple[float, ...]
    beside: tuple[float, ...]


async def make_an_account_beside_others(stage: Stage) -> Evening:
    """Some guests hold places. Then somebody makes an account, and as many guests hold places at the same time."""
    url = (await events_with_places(stage))[0]
    before = await asyncio.gather(*(hold_a_place(url) for _ in ARRIVALS))
    pressed = asyncio.Event()
    guests = [asyncio.create_task(hold_a_place(url, pressed, wait)) for wait in ARRIVALS]
    async with Browser() as browser:
        form = (await browser.open(f"{stage.addresses['web']}/sign-up")).form_to(r"/sign-up$")
        if form is None:
            raise ValueError("There is no form to make an account.")
        word = uuid4().hex
        email, password = f"new-{word[:12]}@example.test", f"four long words {word}"
        pressed.set()
        await browser.submit(form, [("name", "Kim New"), ("email", email), ("password", password)])
    return Evening(tuple(before), tuple(await asyncio.gather(*guests)))


def symptom(seen: Evening) -> str | None:
    """Somebody who came at the wrong moment waited much longer than anybody before."""
    usual, slowest = max(seen.before), max(seen.beside)
    if slowest < SLOW_SECONDS or slowest < SLOWER_TIMES * usual + SLOWER_BY_SECONDS:
        return None
    return f"To hold a place took {min(seen.before):.1f} s when I tried first, and {slowest:.1f} s when I tried again."


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """A request with much time that no span explains; meanwhile others have been sent, and are all begun at one moment."""
    requests = [
        (span, trace)
        for trace in traces
        for span in trace.spans
        if span.kind == "server" and span.service == "accounts"
    ]
    return [
        span
        for span, trace in requests
        if (gap := _unexplained(span, trace))[1] - gap[0] > BLOCKED_SECONDS * 1e9 and _let_others_wait(gap, requests)
    ]


def _let_others_wait(gap: tuple[int, int], requests: Sequence[tuple[Span, Trace]]) -> bool:
    meanwhile = [
        (client, server)
        for server, trace in requests
        if (client := trace.get(server.parent_id)) is not None
        and gap[0] < client.start_ns < gap[1] - LATE_SECONDS * 1e9
    ]
    late = [server.start_ns for client, server in meanwhile if _began_late(client, server)]
    return len(late) >= MANY and max(late) - min(late) < TOGETHER_SECONDS * 1e9


def _began_late(client: Span, server: Span) -> bool:
    waited = server.start_ns - client.start_ns
    return waited > LATE_SECONDS * 1e9 and waited > LATE_SHARE * client.duration_ns


def _unexplained(span: Span, trace: Trace) -> tuple[int, int]:
    """The longest time within a span in which none of its children is at work."""
    moments = [span.start_ns]
    for child in trace.children_of(span):
        moments += [child.start_ns, max(moments[-1], child.end_ns)]
    moments.append(span.end_ns)
    gaps = [(moments[at], moments[at + 1]) for at in range(0, len(moments), 2)]
    return max(gaps, key=lambda gap: gap[1] - gap[0])


DRILL = Drill(
    name="stuck-for-a-moment",
    report="Now and then, when I press the button to hold places, nothing happens for seconds. When I try again, it is quick.",
    environments=fault("accounts", "look-up-on-the-loop"),
    journey=make_an_account_beside_others,
    symptom=symptom,
    question=Question("accounts"),
    evidence=evidence,
    answer=Answer("accounts", ("POST /people",)),
)
