"""Parts of long programmes, that together are the whole."""

import pytest

from local.parts import part_of


def test_the_parts_are_the_whole_and_nothing_twice() -> None:
    things = list(range(31))
    parts = [part_of(things, f"{number}/12") for number in range(700, 712)]
    assert sorted(thing for part in parts for thing in part) == things


@pytest.mark.parametrize("which", ["", "7", "7/0", "-1/3", "a/b", "1/2/3"])
def test_what_is_no_part_is_refused_with_a_sentence(which: str) -> None:
    with pytest.raises(ValueError, match="A part is said as 7/12"):
        part_of([1], which)
