"""The switch between hosts: which packets it carries, when, and which it does not."""

import random
import socket
from collections.abc import Callable

import pytest

from local.hosts.switch import MOST_WAITING, Link, Switch

ADDRESSES = {"edge": "10.83.0.11", "shop": "10.83.0.12", "money": "10.83.0.13"}


class Bench:
    """A switch whose clock and luck are this test's."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.arrived: list[tuple[str, int]] = []
        self.switch = Switch(ADDRESSES, self._deliver, self._later, lambda: self.now, random.Random(1))  # noqa: S311  # the same luck in every run

    def _deliver(self, host: str, packet: bytes) -> None:
        self.arrived.append((host, packet[-1]))

    def _later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.due.append((self.now + seconds, callback))

    def send(self, source: str, target: str, number: int = 0) -> None:
        self.switch.carry(source, packet_to(ADDRESSES.get(target, target), number))

    def after(self, seconds: float) -> None:
        self.now += seconds
        for each in [each for each in sorted(self.due, key=lambda one: one[0]) if each[0] <= self.now]:
            self.due.remove(each)
            each[1]()


def packet_to(address: str, number: int = 0, version: int = 4) -> bytes:
    return bytes([version << 4, *[0] * 15]) + socket.inet_aton(address) + bytes([number])


def test_a_packet_comes_to_the_host_that_it_is_for_and_to_no_other() -> None:
    bench = Bench()
    bench.send("edge", "money", 1)
    bench.send("money", "shop", 2)
    assert bench.arrived == [("money", 1), ("shop", 2)]


@pytest.mark.parametrize(
    "packet",
    [
        packet_to("224.0.0.1"),
        packet_to("10.83.0.99"),
        packet_to("10.83.0.11"),
        packet_to("10.83.0.13", version=6),
        b"",
        b"E",
    ],
    ids=["multicast", "nobody", "the sender itself", "not IPv4", "empty", "cut off"],
)
def test_what_is_for_no_host_of_ours_is_for_nobody(packet: bytes) -> None:
    bench = Bench()
    bench.switch.carry("edge", packet)
    assert bench.arrived == []


def test_a_slow_link_is_slow_both_ways_and_others_are_not() -> None:
    bench = Bench()
    bench.switch.set_link("edge", "money", Link(delay_ms=200))
    bench.send("edge", "money", 1)
    bench.send("money", "edge", 2)
    bench.send("edge", "shop", 3)
    assert bench.arrived == [("shop", 3)]
    bench.after(0.199)
    assert bench.arrived == [("shop", 3)]
    bench.after(0.002)
    assert bench.arrived == [("shop", 3), ("money", 1), ("edge", 2)]


def test_packets_stay_in_order_whatever_the_delay_does() -> None:
    bench = Bench()
    bench.switch.set_link("edge", "money", Link(delay_ms=50, jitter_ms=100))
    for number in range(20):
        bench.send("edge", "money", number)
    bench.switch.set_link("edge", "money", Link())
    bench.send("edge", "money", 20)
    bench.after(0.151)
    assert bench.arrived == [("money", number) for number in range(21)]


def test_what_is_under_way_arrives_as_it_was_sent() -> None:
    bench = Bench()
    bench.switch.set_link("edge", "money", Link(delay_ms=100))
    bench.send("edge", "money", 1)
    bench.switch.set_link("edge", "money", Link(delay_ms=1))
    bench.send("edge", "money", 2)
    bench.after(0.05)
    assert bench.arrived == []
    bench.after(0.051)
    assert bench.arrived == [("money", 1), ("money", 2)]


def test_as_many_packets_are_lost_as_was_said() -> None:
    bench = Bench()
    bench.switch.set_link("edge", "money", Link(loss_percent=10))
    for _ in range(10_000):
        bench.send("edge", "money")
    assert 8_800 <= len(bench.arrived) <= 9_200
    assert bench.switch.links()["edge", "money"][1:] == (len(bench.arrived), 10_000 - len(bench.arrived))


def test_a_cut_link_carries_nothing_until_it_is_well_again() -> None:
    bench = Bench()
    bench.switch.set_link("money", "edge", Link(partition=True))
    bench.send("edge", "money")
    bench.send("money", "edge")
    assert bench.arrived == []
    bench.switch.set_link("edge", "money", Link())
    bench.send("edge", "money", 1)
    assert bench.arrived == [("money", 1)]


def test_what_waits_on_a_slow_link_is_bounded() -> None:
    bench = Bench()
    bench.switch.set_link("edge", "money", Link(delay_ms=1))
    for _ in range(MOST_WAITING + 5):
        bench.send("edge", "money")
    assert bench.switch.links()["edge", "money"][1:] == (MOST_WAITING, 5)


@pytest.mark.parametrize(
    "wrong", [{"delay_ms": -1}, {"delay_ms": float("nan")}, {"jitter_ms": 60_001}, {"loss_percent": 101}]
)
def test_a_link_that_cannot_be_is_refused_with_a_sentence(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="is a"):
        Link(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (Link(), "well"),
        (Link(delay_ms=200, loss_percent=10), "200 ms each way, 10 % lost"),
        (Link(delay_ms=200, jitter_ms=50), "200 to 250 ms each way"),
        (Link(partition=True, delay_ms=3), "cut"),
    ],
)
def test_a_link_is_described_in_words(link: Link, words: str) -> None:
    assert str(link) == words
