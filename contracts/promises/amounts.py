"""Amounts that are read in some unit: a whole number of cents and one of euros have the same type, so no schema tells them apart.

They are distinguished across versions by a contract that says an amount to the letter: whoever answers in another unit answers another
number. So each operation, fact and message of which a consumer reads an amount (`..._minor`) has such an interaction.
"""

from collections.abc import Iterable, Iterator, Mapping

from contracts.pactfile import Edge, Interaction
from contracts.promises.declared import Declared
from contracts.promises.reading import Body, below, body_of, subject_of

SUFFIX = "_minor"
UNITS = 100


def of_any_unit(edge: Edge, interactions: Iterable[Interaction], declared: Declared) -> list[str]:
    """Sentences about the amounts that no interaction of an edge says to the letter: in another unit they would pass."""
    said: dict[tuple[str, str], bool] = {}
    for interaction in interactions:
        body = body_of(interaction["response"] if edge.kind == "asks" else interaction)
        for name, amount, path in _amounts("$", body.example) if body else ():
            key = (_about(edge, interaction, declared), name)
            said[key] = said.get(key, False) or _is_to_the_letter(body, path, amount)
    return [
        f"{edge}, {about}: {name} would be read in another unit as well. Say one amount to the letter, as its provider tells it."
        for (about, name), is_said in said.items()
        if not is_said
    ]


def _amounts(path: str, example: object) -> Iterator[tuple[str, int, str]]:
    for each, value in below(path, example):
        name = each.rpartition(".")[2]
        # Nothing is nothing in every unit.
        if name.endswith(SUFFIX) and isinstance(value, int) and value != 0:
            yield name, value, each
        yield from _amounts(each, value)


def _is_to_the_letter(body: Body | None, path: str, amount: int) -> bool:
    reading = body.at(path) if body else None
    return reading is not None and not any(reading.accepts(other) for other in (amount // UNITS, amount * UNITS))


def _about(edge: Edge, interaction: Interaction, declared: Declared) -> str:
    if edge.kind != "asks":
        return subject_of(edge, interaction)
    request: Mapping[str, str] = interaction["request"]
    api = declared.apis.get(edge.provider)
    operation = api.find(request["method"], request["path"]) if api else None
    return str(operation or request["path"])
