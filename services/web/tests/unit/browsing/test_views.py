"""How many places are left, in words."""

from services.web.browsing.views import left_words, most_of


def test_few_places_are_counted_and_many_are_not() -> None:
    assert [left_words(left) for left in (None, 0, 3, 5000)] == ["", "Sold out", "Only 3 left", "Available"]
    assert [most_of(left, 8) for left in (None, 0, 3, 5000)] == [8, 0, 3, 8]
