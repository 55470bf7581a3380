"""The proof of a draw: its page without JavaScript, and the document that programs read."""

from hashlib import sha256

from services.web.tests.integration.conftest import Stage
from services.web.tests.integration.waiting.test_waiting import join
from services.web.tests.waiting_neighbour import SEED, lot


async def test_before_the_draw_the_fingerprint_is_public_and_the_seed_is_not(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser, path = await join(stage), f"/events/{stage.festival}/queue/proof"
    page = await browser.open(path)
    assert sha256(SEED.encode()).hexdigest() in page.html
    assert SEED not in page.html
    document = (await browser.http.get(f"{path}.json")).json()
    assert (document["seed"], document["entries"], document["next"]) == (None, [], None)


async def test_after_it_the_page_has_recipe_and_numbers_and_marks_the_own_entry(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await join(stage)
    stage.neighbours.waitingroom.start(stage.festival, before=2)
    ((_, entry),) = stage.neighbours.waitingroom.entries.items()

    async def drawn() -> str | None:
        html = (await browser.open(f"/events/{stage.festival}/queue/proof")).html
        return html if f"printf %s {SEED} | sha256sum" in html else None

    # What is kept of the sale may be a second old.
    html = await stage.harness.eventually(drawn)
    own = f'<tr class="is-own"><td>3</td><td><code>{entry["entry_id"]}</code>'
    assert (html.count("<tr"), html.count('class="is-own"'), own in html) == (4, 1, True)
    assert 'class="is-own"' not in (await (await stage.browser()).open(f"/events/{stage.festival}/queue/proof")).html


async def test_anybody_can_draw_again_from_the_document(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    stage.neighbours.waitingroom.page_size = 3
    stage.neighbours.waitingroom.start(stage.festival)
    ids = [await join_and_know(stage) for _ in range(7)]
    stage.neighbours.waitingroom.start(stage.festival)
    browser, path = await stage.browser(), f"/events/{stage.festival}/queue/proof.json"
    entries, after = [], ""
    for _ in range(3):
        answer = await browser.http.get(path + after)
        assert "set-cookie" not in answer.headers
        entries += answer.json()["entries"]
        after = f"?after={answer.json()['next']}"
    assert after == "?after=None"
    assert {each["entry_id"]: each["number"] for each in entries} == {
        entry_id: number for number, entry_id in enumerate(sorted(ids, key=lot), 1)
    }


async def test_what_was_drawn_is_kept_and_an_event_without_a_draw_has_no_proof(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    stage.neighbours.waitingroom.start(stage.festival, before=5)
    browser, path = await stage.browser(), f"/events/{stage.festival}/queue/proof"
    for _ in range(3):
        await browser.open(path)
        await browser.http.get(f"{path}.json")
    assert stage.neighbours.count("waitingroom", f"/sales/{stage.festival}/drawn") == 1
    await browser.open(f"/events/{stage.play}/queue/proof", 404)


async def join_and_know(stage: Stage) -> str:
    """Somebody joins; their entry."""
    before = set(stage.neighbours.waitingroom.entries)
    await join(stage)
    (key,) = set(stage.neighbours.waitingroom.entries) - before
    return str(stage.neighbours.waitingroom.entries[key]["entry_id"])
