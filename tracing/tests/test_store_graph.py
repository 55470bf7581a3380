"""The drawing of who calls whom."""

from __future__ import annotations

from tracing.store.graph import BOX_HEIGHT, BOX_WIDTH, drawing_of
from tracing.store.queries import Dependency


def calls(*pairs: str) -> list[Dependency]:
    """ "web>orders" and so on."""
    return [Dependency(parent, child, 1, 0) for parent, child in (pair.split(">") for pair in pairs)]


def test_those_who_call_each_other_most_stand_beside_each_other() -> None:
    calls_of = [
        Dependency("web", "orders", 100, 0),
        Dependency("web", "catalog", 1, 0),
        Dependency("orders", "bank", 50, 0),
    ]
    names = [box.service for box in drawing_of(calls_of).boxes]
    assert names == ["orders", "web", "catalog", "bank"]


def test_the_two_directions_between_a_pair_are_distinguished() -> None:
    there, back = drawing_of(calls("web>orders", "orders>web")).arrows
    assert there.path != back.path
    assert abs(there.x - back.x) + abs(there.y - back.y) > 20


def test_services_that_call_each_other_are_drawn_too() -> None:
    drawing = drawing_of(calls("web>orders", "orders>web", "orders>orders2", "orders2>orders", "a>b", "b>a"))
    assert {box.service for box in drawing.boxes} == {"web", "orders", "orders2", "a", "b"}
    assert len(drawing.arrows) == 6


def test_no_box_lies_on_another_and_all_are_in_the_drawing() -> None:
    drawing = drawing_of(calls(*(f"s{n}>s{m}" for n in range(12) for m in range(n + 1, 12, 3)), "s11>s0"))
    places = [(box.x, box.y) for box in drawing.boxes]
    assert len(set(places)) == len(places) == 12
    for x, y in places:
        assert 0 <= x <= drawing.width - BOX_WIDTH
        assert 0 <= y <= drawing.height - BOX_HEIGHT
    for arrow in drawing.arrows:
        assert 0 <= arrow.x <= drawing.width
        assert 0 <= arrow.y <= drawing.height


def test_the_same_calls_give_the_same_drawing() -> None:
    some = calls("web>orders", "web>catalog", "orders>catalog")
    assert drawing_of(some).boxes == drawing_of(some[::-1]).boxes


def test_nothing_is_drawn_of_nothing() -> None:
    assert drawing_of([]).boxes == ()
