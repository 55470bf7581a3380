"""This version's chassis understands the examples of the protocol: its own, or those of the version that `CONTRACTS_ACROSS` names.

`make can-i-deploy` finds this file in either version by its name, and tells by the results which examples were understood: a test
each, with the example's name in brackets (docs/adr/0008).
"""

import pytest

from contracts.protocol.reading import READERS, examples_to_read
from contracts.protocol.writing import examples

pytestmark = pytest.mark.agreement


@pytest.mark.parametrize("name", sorted({*READERS, *examples_to_read()}))
async def test_an_example_means_here_what_its_version_meant(name: str) -> None:
    example = examples_to_read().get(name)
    if name not in READERS:
        pytest.skip(f"This version knows of no {name}.")
    if example is None:
        pytest.skip(f"The other version has no example of a {name}.")
    await READERS[name](example)


def test_every_example_has_a_reader_and_every_reader_an_example() -> None:
    assert examples().keys() == READERS.keys()
