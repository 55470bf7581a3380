"""The comparison of what tracing costs: how it counts, and that it fails when the promise is broken."""

import httpx
import pytest

from local.bench import micro
from local.bench.sink import Sink
from local.bench.tracing import OFF, Measured, broken, kept, report, ways


def measured(**rates: float) -> dict[str, Measured]:
    """Ten rounds of ten seconds; 100 orders each without tracing."""
    names = {way.name: rates.get(key, 1.0) for way, key in zip(ways(""), ("off", "some", "all", "away"), strict=True)}
    return {
        name: Measured([round(100 * rate)] * 10, [10.0] * 10, [5.0] * 10, [0.5] * 10) for name, rate in names.items()
    }


def test_what_is_kept_is_a_share_of_the_throughput_without_tracing() -> None:
    found = measured(all=0.93)
    assert kept(found, "100 %") == pytest.approx((0.93, 0.93, 0.93))
    assert kept(found, OFF)[0] == 1


def test_noise_widens_what_is_certain() -> None:
    found = measured()
    found["100 %"].orders[:] = [60, 140] * 5
    share, low, high = kept(found, "100 %")
    assert share == pytest.approx(1)
    assert low < 0.9
    assert high > 1.1


@pytest.mark.parametrize(
    ("rates", "names"),
    [
        ({}, []),
        ({"some": 0.5}, []),
        ({"all": 0.91}, []),
        ({"all": 0.89}, ["100 %"]),
        ({"away": 0.8}, ["100 %, sent away"]),
    ],
)
def test_less_than_ninety_per_cent_at_a_hundred_breaks_the_promise(rates: dict[str, float], names: list[str]) -> None:
    faults = broken(measured(**rates))
    assert len(faults) == len(names)
    for fault, name in zip(faults, names, strict=True):
        assert f"With tracing at {name} only" in fault


def test_the_table_has_a_line_for_each_way() -> None:
    table = report(measured(all=0.93))
    assert "93.0%" in table
    assert [line.split("  ")[0] for line in table.splitlines()[1:]] == [way.name for way in ways("")]


async def test_the_sink_takes_what_is_sent_again_and_again() -> None:
    async with Sink() as sink, httpx.AsyncClient(trust_env=False) as http:
        for _ in range(3):
            assert (await http.post(f"{sink.url}/v1/traces", content=b"12345")).status_code == 200
        assert (sink.exports, sink.bytes) == (3, 15)


def test_the_small_figure_can_be_had() -> None:
    lines = micro.micro_costs(requests=50)
    assert [line.split(" µs")[0].split()[1:-1] for line in lines] == [["off"], ["10", "%"], ["100", "%"]]
