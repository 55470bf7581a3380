"""What is shown: from memory when it must, live when it can, and always with its trace and its guards."""

import asyncio

from services.web.browsing.pages import OLD_NUMBERS
from services.web.frame.streams import HEARTBEAT_SECONDS
from services.web.tests.integration.conftest import Stage
from services.web.tests.neighbours import problem, sample_class, sample_event

# Before the next heartbeat, which would look by itself.
SOON_SECONDS = HEARTBEAT_SECONDS / 2


async def test_the_list_is_searched_and_goes_on_page_by_page(stage: Stage) -> None:
    for number in range(30):
        entry = [sample_class("Entry", "general", 100)]
        starts_at = f"2027-01-{number + 1:02}T19:00:00Z"
        stage.neighbours.add_event(sample_event(f"Evening {number}", entry, starts_at=starts_at))
    browser = await stage.browser()

    first = await browser.open("/")
    assert "Evening 3" in first.html
    assert 'rel="next"' in first.html
    later = await browser.open("/?after=24")
    assert "Evening 29" in later.html
    assert 'rel="next"' not in later.html

    found = await browser.open("/?q=zerbrochne")
    assert "Der zerbrochne Krug" in found.html
    assert "Lakeside" not in found.html
    assert "Nothing here for" in (await browser.open("/?q=nothing+like+it")).html


async def test_many_who_come_at_once_ask_catalog_once(stage: Stage) -> None:
    browser = await stage.browser()

    pages = await asyncio.gather(*(browser.http.get(f"/events/{stage.play}") for _ in range(20)))

    assert {page.status_code for page in pages} == {200}
    assert stage.neighbours.count("catalog", f"/events/{stage.play}") == 1
    assert stage.neighbours.count("inventory", f"/events/{stage.play}/seats") == 1


async def test_what_is_free_and_which_seats_are_taken_is_asked_at_once(stage: Stage) -> None:
    stage.neighbours.both_at_once = asyncio.Barrier(2)
    page = await (await stage.browser()).open(f"/events/{stage.play}")
    assert OLD_NUMBERS.title not in page.html
    # Whoever asks for one alone is not answered, and asks again.
    asked = [stage.neighbours.count("inventory", f"/events/{stage.play}/{what}") for what in ("availability", "seats")]
    assert asked == [1, 1]


async def test_a_fact_of_catalog_drops_what_was_kept(stage: Stage) -> None:
    browser = await stage.browser()
    await browser.open(f"/events/{stage.play}")
    await browser.open("/")
    stage.neighbours.events[str(stage.play)]["title"] = "Der neue Krug"
    await stage.harness.tell(
        "events.catalog.event_published.v1", {"event_id": str(stage.play), "title": "Der neue Krug"}
    )

    async def is_new(path: str) -> bool:
        return "Der neue Krug" in (await browser.open(path)).html

    await stage.harness.eventually(lambda: is_new(f"/events/{stage.play}"))
    await stage.harness.eventually(lambda: is_new("/"))


async def test_what_is_kept_is_shown_while_providers_are_away(stage: Stage) -> None:
    browser = await stage.browser()
    await browser.open("/")
    await browser.open(f"/events/{stage.play}")
    stage.neighbours.down |= {"catalog", "inventory"}
    for drop in (stage.play, stage.festival):
        await stage.harness.tell("events.catalog.event_published.v1", {"event_id": str(drop)})

    async def says(path: str, words: str) -> bool:
        return words in (await browser.open(path)).html

    await stage.harness.eventually(lambda: says("/", "This list may be a little old."))
    await stage.harness.eventually(lambda: says(f"/events/{stage.play}", "We cannot see at the moment how many"))
    assert await says(f"/events/{stage.play}", "Hold these places")


async def test_what_was_never_seen_is_a_sentence_with_its_trace(stage: Stage) -> None:
    stage.neighbours.down.add("catalog")
    browser = await stage.browser()

    response = await browser.http.get(f"/events/{stage.festival}")

    assert response.status_code == 503
    assert "We cannot do this right now" in response.text
    assert response.headers["retry-after"]
    assert f"http://traces.example/trace/{response.headers['x-trace-id']}" in response.text


async def test_every_page_tells_its_trace_and_is_guarded(stage: Stage) -> None:
    browser = await stage.browser()
    order = await browser.place(stage.play, "0-0-0")

    for path in ("/", f"/events/{stage.play}", order, "/my/tickets", "/sign-in", "/nowhere", "/events/nonsense"):
        response = await browser.http.get(path)
        headers = response.headers
        assert f'<meta name="trace-id" content="{headers["x-trace-id"]}">' in response.text, path
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert " style=" not in response.text
        assert "<style" not in response.text


async def test_files_are_kept_for_ever_at_the_address_of_their_content(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    style = page.html.split('rel="stylesheet" href="')[1].split('"')[0]
    plan = page.html.split('data-plan="')[1].split('"')[0]

    for address in (style, plan):
        response = await browser.http.get(address)
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["x-content-type-options"] == "nosniff"
    other = plan.rsplit("/", 1)[0] + "/000000000000.svg"
    assert (await browser.http.get(other)).headers["cache-control"] == "public, max-age=60"
    assert (await browser.http.get("/static/onsale.000000000000.css")).status_code == 404


async def test_an_open_seat_map_hears_of_places_that_change(stage: Stage) -> None:
    browser = await stage.browser()
    stage.neighbours.taken[str(stage.play)]["0-0-1"] = "sold"
    async with stage.listening(browser, f"/live/events/{stage.play}") as heard:
        name, snapshot = await heard.get()
        assert (name, snapshot["sold"]) == ("snapshot", [1])

        seats = [{"seat_id": "0-0-0", "state": "held"}, {"seat_id": "0-0-1", "state": "free"}]
        change = {"event_id": str(stage.play), "seats": seats, "classes": []}
        await stage.say_on_bus(f"bus.inventory.places_changed.{stage.play}", change)

        assert await heard.get() == ("change", {"held": [0], "free": [1]})


async def test_an_open_festival_hears_how_many_places_are_left(stage: Stage) -> None:
    browser = await stage.browser()
    async with stage.listening(browser, f"/live/events/{stage.festival}") as heard:
        await heard.get()
        class_id = next(iter(stage.neighbours.free[str(stage.festival)]))
        stage.neighbours.free[str(stage.festival)][class_id] = 3
        change = {"event_id": str(stage.festival), "seats": [], "classes": [class_id]}
        await stage.say_on_bus(f"bus.inventory.places_changed.{stage.festival}", change)

        assert await heard.get() == ("change", {"places": {class_id: {"most": 3, "words": "Only 3 left"}}})


async def test_an_open_order_hears_that_it_is_confirmed(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    order_id = path.removeprefix("/orders/")
    async with stage.listening(browser, f"/live{path}") as heard:
        assert await heard.get() == ("order", {"state": "held", "tickets": 0})

        stage.neighbours.orders[order_id]["state"] = "paying"
        await stage.say_on_bus(f"bus.orders.order_changed.{order_id}", {"order_id": order_id, "state": "paying"})
        assert await asyncio.wait_for(heard.get(), SOON_SECONDS) == ("order", {"state": "paying", "tickets": 0})

        stage.neighbours.confirm(order_id)
        await stage.harness.tell("events.tickets.tickets_issued.v1", {"order_id": order_id})
        assert await asyncio.wait_for(heard.get(), SOON_SECONDS) == ("order", {"state": "confirmed", "tickets": 1})


async def test_all_requests_of_a_purchase_are_one_trace(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    placed = await browser.send(page, f"/events/{stage.play}/orders", seat="0-0-0")
    trace_id = placed.headers["x-trace-id"]
    order = placed.headers["location"]
    await browser.http.get(order)

    stage.neighbours.traceparents.clear()
    shown = await browser.http.get(order, headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})

    assert shown.headers["x-trace-id"] == trace_id
    assert {parent.split("-")[1] for parent in stage.neighbours.traceparents} == {trace_id}
    assert (await browser.http.get("/")).headers["x-trace-id"] != trace_id


async def test_nobody_from_outside_chooses_a_trace(stage: Stage) -> None:
    browser = await stage.browser()
    order = await browser.place(stage.play, "0-0-0")
    foreign = f"00-{'a' * 32}-{'b' * 16}-01"
    forger = await stage.browser()

    by_header = await browser.http.get("/", headers={"traceparent": foreign})
    by_cookie = await forger.http.get(order, headers={"Cookie": f"purchase={foreign}.{'c' * 43}"})

    assert by_header.headers["x-trace-id"] != "a" * 32
    assert by_cookie.headers["x-trace-id"] != "a" * 32


async def test_an_address_whose_page_marker_is_nonsense_is_a_page_that_says_so(stage: Stage) -> None:
    browser = await stage.browser()
    await browser.place(stage.play, "0-0-0")
    for asked in ("GET catalog/events", "GET tickets/tickets"):
        stage.neighbours.refuse[asked] = problem(422, "cursor_invalid", "There is no such place in the list.")
    for path in ("/", "/my/orders", "/my/tickets"):
        for nonsense in ("%FF", "x" * 201):
            page = await browser.open(f"{path}?after={nonsense}", 404)
            assert page.main["data-problem"] == "page_unknown"
    assert stage.neighbours.count("orders", "/orders") == 1  # its placing


async def test_a_stranger_has_nothing_at_any_page_marker(stage: Stage) -> None:
    stranger = await stage.browser()
    for path in ("/my/orders", "/my/tickets"):
        await stranger.open(f"{path}?after=nonsense")
