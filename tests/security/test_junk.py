"""Nonsense on every route of every service: always an answer, never a failure of ours, and a sentence that says what to do."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from local.browser import Browser, Form
from local.system import System
from tests.security.junk import VALUES, addresses_for, bodies_for
from tests.security.surface import OPEN, Route, Tokens, all_routes, known_values, new_guest, path_of

pytestmark = pytest.mark.system

AT_ONCE = 8
LONGEST_SENTENCE = 1_000


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def test_nonsense_is_refused_with_a_sentence_everywhere(system: System, http: httpx.AsyncClient) -> None:
    tokens = Tokens(system.layout.keys)
    known = await known_values(http, system, tokens)
    guest = await new_guest(http, system, tokens)
    at_once = asyncio.Semaphore(AT_ONCE)
    statuses: Counter[int] = Counter()
    wrong: dict[str, str] = {}

    async def send(route: Route, address: str, content: bytes | None = None, content_type: str = "") -> None:
        caller = "web" if route.callers == OPEN else route.callers[0]
        headers = tokens.headers(caller, route.service, guest)
        if content is not None:
            headers["Content-Type"] = content_type
        url = system.addresses[route.service] + address
        async with at_once:
            answer = await http.request(route.method, url, headers=headers, content=content)
        statuses[answer.status_code] += 1
        if (why := wrong_with(route, answer)) is not None:
            wrong.setdefault(f"{route.name}: {why}", f"{address[:120]} {content_type} {(content or b'')[:200]!r}")

    calls = []
    for route in all_routes(system):
        if route.path.startswith("/live/"):
            continue  # streams: they do not end
        path = path_of(route, known)
        calls += [send(route, address) for address in addresses_for(path, route)]
        if route.method != "GET":
            calls += [send(route, path, content, kind) for kind, content in bodies_for(route, known)]
    await asyncio.gather(*calls)
    assert wrong == {}
    assert sum(statuses.values()) > 2_000


def wrong_with(route: Route, answer: httpx.Response) -> str | None:
    """What a caller could not make sense of, None if all is well."""
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if answer.status_code < 400:
        return None
    kind = answer.headers.get("content-type", "")
    if route.service == "web" and not route.path.startswith("/api/"):
        return None if kind.startswith("text/html") else f"not a page: {kind}"
    if kind != "application/problem+json":
        return f"not a problem document: {kind}"
    problem = answer.json()
    sentence = problem["detail"]
    is_sentence = sentence.endswith(".") and " " in sentence and len(sentence) <= LONGEST_SENTENCE
    return None if is_sentence and problem["trace_id"] else f"no sentence: {sentence[:100]}"


async def test_forms_filled_with_nonsense_are_answered_with_pages(system: System) -> None:
    """The forms as a browser gets them, with their tokens, each field spoilt in each way."""
    async with Browser() as browser:
        shop = system.addresses["web"]
        listing = await browser.open(shop)
        event_url = await one_with_quantities(browser, [url for url, _ in listing.links if "/events/" in url])
        form = await order_form(browser, event_url)
        assert form is not None
        forms = [form, *await forms_of(browser, f"{shop}/sign-in"), *await forms_of(browser, f"{shop}/sign-up")]
        bought = await browser.submit(form, [(quantity_in(form), "1")])
        forms += [each for each in bought.forms if each.action.endswith("/pay")]
        assert len(forms) == 4
        failed = []
        for form in forms:
            names = [each.name for each in form.fields if each.kind != "hidden"] + ["seat", "form_token", "next"]
            for name in dict.fromkeys(names):
                for value in (str(value) for value in VALUES if value is not None and len(str(value)) < 30_000):
                    page = await browser.submit(form, [(name, value.encode(errors="replace").decode())])
                    if page.status >= 500 or not page.headings:
                        failed.append((form.action, name, value[:40], page.status))
        assert failed == []


async def one_with_quantities(browser: Browser, urls: list[str]) -> str:
    """The first event that sells places without seats."""
    for url in urls:
        if quantity_in(await order_form(browser, url)):
            return url
    raise AssertionError("No event has places without seats.")


async def order_form(browser: Browser, url: str) -> Form | None:
    return (await browser.open(url)).form_to(r"/events/[^/]+/orders$")


async def forms_of(browser: Browser, url: str) -> list[Form]:
    return [form for form in (await browser.open(url)).forms if form.method == "post"]


def quantity_in(form: Form | None) -> str:
    """The name of the form's first field for a number of places that are not sold out, empty if there is none."""
    fields = form.fields if form else []
    return next((each.name for each in fields if each.name.startswith("quantity-") and not each.disabled), "")
