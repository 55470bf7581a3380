"""Whoever joins a sale that asks for a proof brings one: over real Postgres, in which each counts once."""

import asyncio
import json
from uuid import uuid4

import httpx
from altcha import Challenge, Payload, solve_challenge

from chassis.statements import text
from chassis.testing import Harness
from services.waitingroom.app import create_app
from services.waitingroom.proof_of_work import ProofOfWork
from services.waitingroom.service.proofs import Proofs
from services.waitingroom.tests.integration.conftest import CHALLENGE_KEY, Room
from tracing.testing import Kept


def computed(puzzle: str) -> str:
    """What a browser sends back."""
    challenge = Challenge.from_dict(json.loads(puzzle))
    solution = solve_challenge(challenge)
    assert solution is not None
    return Payload(challenge, solution).to_base64()


async def solution(room: Room) -> str:
    """Asks for a challenge as web does, and computes it."""
    answer = await room.web("POST", "/challenge")
    assert answer.status_code == 200, answer.text
    return computed(answer.json()["puzzle"])


async def asking(room: Room) -> None:
    """A sale whose doors are open and which asks for a proof."""
    await room.announce()
    assert (await room.web("PATCH", challenge=True)).json()["challenge"] is True


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def used(room: Room) -> int:
    async with room.app.app.state.service._databases[0].reader() as reads:
        return int((await reads.execute(text("SELECT count(*) FROM used_solution"), {}, name="test.used")).scalar())


async def test_nobody_is_asked_unless_the_sale_wants_it(room: Room) -> None:
    assert (await room.announce())["challenge"] is False
    assert (await room.join()).status_code == 200
    assert code(await room.web("POST", "/challenge")) == (409, "no_challenge")


async def test_who_joins_brings_a_proof_that_counts_once(room: Room) -> None:
    await asking(room)
    sent, person = await solution(room), uuid4()
    joined = await room.join(person, solution=sent)
    assert joined.status_code == 200, joined.text
    assert code(await room.join(solution=sent)) == (409, "challenge_used")
    # Who is in the queue may ask again, with the same or with nothing.
    again = [await room.join(person, solution=sent), await room.join(person)]
    assert {each.json()["entry_id"] for each in (joined, *again)} == {joined.json()["entry_id"]}


async def test_of_many_who_bring_the_same_at_the_same_moment_one_joins(room: Room) -> None:
    await asking(room)
    sent = await solution(room)
    answers = await asyncio.gather(*(room.join(address=f"{at}", solution=sent) for at in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


async def test_who_presses_twice_at_the_same_moment_has_joined(room: Room) -> None:
    await asking(room)
    sent, person = await solution(room), uuid4()
    answers = await asyncio.gather(*(room.join(person, solution=sent) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["entry_id"] for answer in answers}) == 1


async def test_without_a_proof_or_with_a_wrong_or_late_one_nobody_joins(room: Room) -> None:
    await asking(room)
    assert code(await room.join()) == (403, "challenge_missing")
    assert code(await room.join(solution="bm8=")) == (422, "challenge_wrong")
    late = ProofOfWork(CHALLENGE_KEY, tries=1, rounds=1, seconds=-1)
    assert code(await room.join(solution=computed(await late.puzzle(room.event_id)))) == (410, "challenge_expired")
    other = ProofOfWork(CHALLENGE_KEY, tries=1, rounds=1, seconds=60)
    assert code(await room.join(solution=computed(await other.puzzle(uuid4())))) == (422, "challenge_wrong")
    assert await used(room) == 0


async def test_a_joining_that_fails_for_something_else_uses_no_proof_up(room: Room) -> None:
    await room.announce()
    for _ in range(20):
        await room.join()
    await room.web("PATCH", challenge=True)
    sent = await solution(room)
    assert code(await room.join(solution=sent)) == (429, "too_many_from_address")
    assert (await room.join(address="b", solution=sent)).status_code == 200


async def test_nobody_can_compute_before_doors_open_or_after_the_end(room: Room) -> None:
    assert code(await room.web("POST", "/challenge")) == (404, "sale_unknown")
    await room.announce(doors=60)
    await room.web("PATCH", challenge=True)
    assert code(await room.web("POST", "/challenge")) == (409, "doors_closed")
    await room.web("PATCH", ended=True)
    assert code(await room.web("POST", "/challenge")) == (410, "sale_ended")


async def test_who_missed_their_turn_brings_another_proof(room: Room) -> None:
    await asking(room)
    sent, person = await solution(room), uuid4()
    await room.join(person, solution=sent)
    await room.write("UPDATE entry SET number = 1, until = now() - interval '1 second'")
    assert code(await room.join(person, solution=sent)) == (409, "challenge_used")
    again = await room.join(person, solution=await solution(room))
    assert (again.status_code, again.json()["number"]) == (200, None)


async def test_used_proofs_are_forgotten_once_they_would_be_refused_for_their_age(room: Room) -> None:
    await asking(room)
    await room.write("""
        INSERT INTO used_solution (solution_id, event_id, expires_at)
        SELECT gen_random_uuid(), gen_random_uuid(), now() - make_interval(secs => ago) FROM unnest(ARRAY[0, 3500, 3700]) ago
    """)
    await room.join(solution=await solution(room))
    database = room.app.app.state.service._databases[0]
    assert [await Proofs(database, None).sweep() for _ in range(2)] == [1, 0]
    assert await used(room) == 3


async def test_a_shop_without_a_key_asks_nobody_and_a_sale_that_asks_takes_nobody_without(
    room: Room, harness: Harness
) -> None:
    await asking(room)
    sent = await solution(room)
    settings = room.app.app.state.service.settings.model_copy(update={"challenge_key": None})
    async with harness.running(create_app, settings) as beside:
        unkeyed = Room(beside, harness, room.crowd, room.event_id)
        assert code(await unkeyed.web("PATCH", challenge=True)) == (409, "no_challenge")
        assert code(await unkeyed.web("POST", "/challenge")) == (409, "no_challenge")
        assert code(await unkeyed.join(solution=sent)) == (422, "challenge_wrong")
        assert (await unkeyed.web("PATCH", challenge=False)).json()["challenge"] is False
        assert (await unkeyed.join()).status_code == 200


async def test_a_trace_tells_how_long_a_browser_computed_and_no_secret(room: Room, kept_spans: Kept) -> None:
    await asking(room)
    sent = await solution(room)
    await room.join(solution=sent)
    told = kept_spans.the("waitingroom.join").attributes["onsale.solving_ms"]
    assert isinstance(told, int)
    assert 0 <= told < 60_000
    assert len(kept_spans.named("waitingroom.make_challenge")) == 1
    assert CHALLENGE_KEY not in kept_spans.as_text()
    assert sent not in kept_spans.as_text()
