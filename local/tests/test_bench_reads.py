"""The bench of reads: what it asks, and what it makes of its figures."""

import httpx

from local.bench.reads import PAGES, READS, Turns, Way, in_turns, request_of, told


def turns(cpu_us: float, rate: float = 100.0) -> Turns:
    return Turns([rate] * 3, [cpu_us] * 3, [370.0] * 3)


def test_a_request_is_whole() -> None:
    url = httpx.URL("http://127.0.0.1:80/events/1?a=b")
    assert request_of(url, {"accept": "text/html"}) == (
        "GET /events/1?a=b HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/html\r\n\r\n"
    )


def test_the_ratios_are_of_the_same_run_and_pretix_is_by_the_reference_loop() -> None:
    pages = dict(zip(PAGES, (turns(3000), turns(651, 400), turns(434, 500)), strict=True))
    reads = dict(zip(READS, (turns(500), turns(525), turns(400), turns(400)), strict=True))
    said = told(pages, reads)
    assert (
        "kept: 1/4.6 of the CPU without caches, 4.0 x as many a second; 1/100 of pretix' CPU (1/60 is wanted)" in said
    )
    assert "1/150 of pretix' CPU (1/150 is wanted)" in said
    assert "a pinned read (replica): 1.05 of one" in said


def test_no_round_asks_nobody_but_to_get_warm() -> None:
    asked: list[str] = []

    def ways() -> dict[str, Way]:
        asked.append("anew")
        return {}

    assert in_turns(ways, 2, 1.0) == {}
    assert len(asked) == 4
