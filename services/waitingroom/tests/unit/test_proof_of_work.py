"""A proof of work holds for its event and its time, and nothing else does, whatever somebody sends."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from altcha import Challenge, Payload, solve_challenge
from hypothesis import given
from hypothesis import strategies as st

from services.waitingroom.domain import ChallengeExpired, ChallengeWrong
from services.waitingroom.proof_of_work import ProofOfWork

EVENT = uuid4()
PROOF = ProofOfWork("k" * 32, tries=20, rounds=10, seconds=60)
Sent = dict[str, Any]


def solved(puzzle: str) -> Sent:
    """What a browser sends for a puzzle, before it is written as base64."""
    challenge = Challenge.from_dict(json.loads(puzzle))
    solution = solve_challenge(challenge)
    assert solution is not None
    return Payload(challenge, solution).to_dict()


def written(sent: object) -> str:
    return base64.b64encode(json.dumps(sent).encode()).decode()


async def test_what_was_computed_for_an_event_holds_for_it_and_names_its_challenge() -> None:
    sent = solved(await PROOF.puzzle(EVENT))
    sent["solution"]["time"] = 641.7
    proved = PROOF.check(EVENT, written(sent))
    assert (proved.solution_id.hex, proved.solving_ms) == (sent["challenge"]["parameters"]["nonce"], 641)
    assert proved.expires_at.timestamp() == sent["challenge"]["parameters"]["expiresAt"]


async def test_the_work_has_an_end_that_the_settings_say() -> None:
    found = [solved(await PROOF.puzzle(EVENT))["solution"]["counter"] for _ in range(60)]
    assert max(found) < 20
    assert len(set(found)) > 5


def changed(path: str, value: object) -> Callable[[Sent], None]:
    """Changes what is sent, at a path such as `solution counter`."""
    *holders, name = path.split()

    def change(sent: Sent) -> None:
        for holder in holders:
            sent = sent[holder]
        sent[name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed("solution derivedKey", "00" * 32),
        changed("solution derivedKey", None),
        changed("challenge signature", "00" * 32),
        changed("challenge signature", None),
        changed("challenge parameters data", {"event": str(uuid4())}),
        changed("challenge parameters expiresAt", 4_000_000_000),
        changed("challenge parameters expiresAt", None),
        changed("challenge parameters keyPrefix", ""),
        changed("challenge parameters keySignature", None),
        changed("challenge parameters nonce", "00" * 16),
        changed("challenge parameters", []),
        changed("challenge", "nothing"),
        changed("solution", 7),
    ],
)
async def test_what_somebody_changed_proves_nothing(change: Callable[[Sent], None]) -> None:
    sent = solved(await PROOF.puzzle(EVENT))
    change(sent)
    with pytest.raises(ChallengeWrong):
        PROOF.check(EVENT, written(sent))


async def test_a_proof_is_for_one_event_and_of_one_shop() -> None:
    sent = written(solved(await PROOF.puzzle(EVENT)))
    for proof, event_id in ((PROOF, uuid4()), (ProofOfWork("x" * 32, tries=1, rounds=1, seconds=60), EVENT)):
        with pytest.raises(ChallengeWrong):
            proof.check(event_id, sent)


async def test_a_proof_ends_with_its_challenge() -> None:
    late = ProofOfWork("k" * 32, tries=5, rounds=1, seconds=-1)
    sent = written(solved(await late.puzzle(EVENT)))
    with pytest.raises(ChallengeExpired):
        late.check(EVENT, sent)


@pytest.mark.parametrize("said", [None, "long", -1, 10**12, float("inf"), float("nan"), []])
async def test_a_time_that_cannot_be_is_left_out(said: object) -> None:
    sent = solved(await PROOF.puzzle(EVENT))
    sent["solution"]["time"] = said
    assert PROOF.check(EVENT, written(sent)).solving_ms is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_what_nobody_can_read_to_its_end_is_refused_in_words() -> None:
    with pytest.raises(ChallengeWrong):
        PROOF.check(EVENT, base64.b64encode(b"[" * 2900).decode())


@given(
    st.text()
    | ANYTHING.map(written)
    | st.builds(lambda c, s: written({"challenge": c, "solution": s}), ANYTHING, ANYTHING)
)
def test_whatever_is_sent_is_refused_in_words(sent: str) -> None:
    with pytest.raises((ChallengeWrong, ChallengeExpired)):
        PROOF.check(EVENT, sent)


@given(
    st.dictionaries(st.sampled_from(["algorithm", "nonce", "salt", "cost", "expiresAt", "data", "keyPrefix"]), ANYTHING)
)
def test_parameters_of_any_kind_are_refused_in_words(parameters: dict[str, object]) -> None:
    whole = {"algorithm": "PBKDF2/SHA-256", "nonce": "", "salt": "", "cost": 1} | parameters
    sent = {"challenge": {"parameters": whole, "signature": "00"}, "solution": {"counter": 0, "derivedKey": ""}}
    with pytest.raises((ChallengeWrong, ChallengeExpired)):
        PROOF.check(EVENT, written(sent))
