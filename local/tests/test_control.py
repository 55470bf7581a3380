"""Another command of this machine asks a running system."""

from collections.abc import Iterator

import pytest

from local.control import Control, ask
from local.errors import StartError


def add(*, first: int, second: int) -> int:
    if second < 0:
        raise ValueError("Give a number that is not negative.")
    return first + second


@pytest.fixture
def control() -> Iterator[Control]:
    made = Control({"add": add})
    yield made
    made.close()


def test_a_question_is_answered_by_the_command_that_it_names(control: Control) -> None:
    assert ask(control.path, "add", first=1, second=2) == 3


def test_what_a_command_refuses_comes_back_as_its_sentence(control: Control) -> None:
    with pytest.raises(StartError, match="Give a number that is not negative"):
        ask(control.path, "add", first=1, second=-2)


def test_an_unknown_command_is_answered_with_those_that_there_are(control: Control) -> None:
    with pytest.raises(StartError, match=r"does not know 'subtract'; it knows add"):
        ask(control.path, "subtract")


def test_only_its_owner_may_ask(control: Control) -> None:
    assert control.path.parent.stat().st_mode & 0o077 == 0


def test_nobody_answers_after_the_end(control: Control) -> None:
    control.close()
    with pytest.raises(StartError, match="Is `make up` still running"):
        ask(control.path, "add", first=1, second=2)
    assert not control.path.parent.exists()
