"""A browser without a screen: pages, forms, links, cookies and redirects, as a person meets them. No JavaScript."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.cookies import CookieError, SimpleCookie
from typing import Self
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

MOST_REDIRECTS = 10
TIMEOUT_SECONDS = 30.0
_NOT_SENT = {"button", "submit", "reset", "image", "file"}
_CHECKED = {"checkbox", "radio"}
_NOT_READ = {"script", "style", "title"}


@dataclass(frozen=True)
class Field:
    """An input of a form."""

    name: str
    value: str
    kind: str
    checked: bool
    disabled: bool
    attributes: dict[str, str]


@dataclass
class Form:
    """A form as it is on the page."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[Field] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether it asks for that field."""
        return any(each.name == name for each in self.fields)

    def initial(self) -> list[tuple[str, str]]:
        """What would be sent if nothing were touched: hidden fields, values that stand there, ticked boxes."""
        sent = [f for f in self.fields if f.name and not f.disabled and (f.kind not in _CHECKED or f.checked)]
        return [(each.name, each.value) for each in sent]


@dataclass
class Page:
    """A page that was loaded."""

    url: str
    status: int
    forms: list[Form] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    data: list[dict[str, str]] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)  # the sentences of errors and warnings
    text: str = ""  # all words that a person reads, with single spaces

    def datum(self, name: str) -> str | None:
        """The first `data-<name>` on the page."""
        return next((attributes[name] for attributes in self.data if name in attributes), None)

    def all_data(self, name: str) -> list[str]:
        """Every `data-<name>` on the page."""
        return [attributes[name] for attributes in self.data if name in attributes]

    def form_to(self, pattern: str) -> Form | None:
        """The first form whose action's path matches the pattern."""
        return next((form for form in self.forms if re.search(pattern, urlsplit(form.action).path)), None)


class _PageParser(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page
        self._form: Form | None = None
        self._words: list[str] | None = None
        self._href = ""
        self._alert_sentences = 0  # still to be read
        self.read: list[str] = []
        self._unread = 0  # scripts and styles that are open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._unread += tag in _NOT_READ
        if data := {name[5:]: value for name, value in attributes.items() if name.startswith("data-")}:
            self._page.data.append(data)
        if tag == "form":
            action = urljoin(self._page.url, attributes.get("action") or self._page.url)
            self._form = Form(action, attributes.get("method", "get").lower())
            self._page.forms.append(self._form)
        elif tag in {"input", "select", "textarea", "button"} and self._form is not None:
            self._add_field(self._form, tag, attributes)
        elif tag == "meta" and "name" in attributes:
            self._page.meta[attributes["name"]] = attributes.get("content", "")
        elif tag == "a" and "href" in attributes:
            self._href = urljoin(self._page.url, attributes["href"])
            self._words = []
        elif tag == "h1" or (tag == "p" and self._alert_sentences):
            self._words = []
        if attributes.get("role") == "alert" or "notice--warning" in attributes.get("class", "").split():
            self._alert_sentences = 2  # what it is about, and what to do

    def _add_field(self, form: Form, tag: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", "submit" if tag == "button" else "text").lower()
        value = attributes.get("value", "on" if kind in _CHECKED else "")
        one = Field(
            attributes.get("name", ""), value, kind, "checked" in attributes, "disabled" in attributes, attributes
        )
        (form.buttons if kind in _NOT_SENT else form.fields).append(one)

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in _NOT_READ
        self.read.append(" ")
        if tag == "form":
            self._form = None
        elif tag in {"a", "h1", "p"} and self._words is not None:
            self._keep_words(tag, " ".join("".join(self._words).split()))
            self._words = None

    def _keep_words(self, tag: str, text: str) -> None:
        if tag == "a":
            self._page.links.append((self._href, text))
        elif tag == "h1":
            self._page.headings.append(text)
        else:
            self._page.alerts.append(text)
            self._alert_sentences -= 1

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.read.append(data)
        if self._words is not None:
            self._words.append(data)


class Browser:
    """One person's browser: its cookies are its own. An async context manager.

    `reached` maps origins as people know them to those under which this process reaches them (`http://localhost:8000` to
    `http://web:8000`, inside a cluster): only the connection goes elsewhere, as with curl's --connect-to.
    `languages` is what it says of its owner in Accept-Language (`de-CH, de;q=0.9`).
    """

    def __init__(self, reached: Mapping[str, str] | None = None, languages: str | None = None) -> None:
        self._reached = reached or {}
        # The client keeps no cookies: it would not send secure ones over loopback's http, and browsers do.
        nothing = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        headers = {"accept": "text/html", "user-agent": "onsale-buyer"}
        if languages is not None:
            headers["accept-language"] = languages
        self._http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, cookies=nothing, headers=headers)
        self._cookies: dict[tuple[str, str, str], str] = {}  # by host (ports share cookies), path and name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._http.aclose()

    async def open(self, url: str) -> Page:
        """Loads a page and follows its redirects. Raises httpx.HTTPError if there is no answer."""
        return await self._go("GET", url, None)

    async def submit(self, form: Form, filled: list[tuple[str, str]]) -> Page:
        """Sends a form with these fields instead of what stands in the fields of those names."""
        fields = _filled(form, filled)
        if form.method == "get":
            return await self._go("GET", f"{form.action.partition('?')[0]}?{urlencode(fields)}", None)
        return await self._go("POST", form.action, fields)

    async def send(self, form: Form, filled: list[tuple[str, str]]) -> str:
        """Sends a form and follows no redirect, as if the window had been closed then: the address that it would have led to."""
        response = await self._request("POST", form.action, _filled(form, filled))
        location: str = response.headers.get("location", "")
        return urljoin(form.action, location)

    async def json(self, url: str) -> dict[str, object]:
        """A JSON document."""
        response = await self._http.get(url, headers={"accept": "application/json"})
        document: dict[str, object] = response.raise_for_status().json()
        return document

    async def answer(self, form: Form, address: str) -> object:
        """The JSON with which an address answers a form, sent there as a script of the page would. Raises httpx.HTTPError."""
        return (await self._request("POST", address, form.initial())).raise_for_status().json()

    async def _go(self, method: str, url: str, fields: list[tuple[str, str]] | None) -> Page:
        for _ in range(MOST_REDIRECTS):
            response = await self._request(method, url, fields)
            if not response.has_redirect_location:
                return _read(response, url)
            url = urljoin(url, response.headers["location"])
            method, fields = "GET", None  # what browsers do after 302 and 303; nobody here answers 307 or 308
        raise httpx.TooManyRedirects(f"More than {MOST_REDIRECTS} redirects", request=response.request)

    async def _request(self, method: str, url: str, fields: list[tuple[str, str]] | None) -> httpx.Response:
        parts = urlsplit(url)
        cookies = self._cookies_for(parts.hostname or "", parts.path)
        headers = {"cookie": "; ".join(cookies)} if cookies else {}
        body = urlencode(fields).encode() if fields is not None else None
        if body is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
            headers["origin"] = f"{parts.scheme}://{parts.netloc}"
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin in self._reached:
            headers["host"] = parts.netloc
            url = self._reached[origin] + url.removeprefix(origin)
        response = await self._http.request(method, url, content=body, headers=headers)
        for line in response.headers.get_list("set-cookie"):
            self._keep(parts.hostname or "", line)
        return response

    def _cookies_for(self, host: str, path: str) -> list[str]:
        return [
            f"{name}={value}"
            for (its_host, its_path, name), value in self._cookies.items()
            if its_host == host and (path == its_path or path.startswith(its_path.rstrip("/") + "/"))
        ]

    def _keep(self, host: str, line: str) -> None:
        try:
            cookies = SimpleCookie(line)
        except CookieError:
            return
        for name, morsel in cookies.items():
            place = (host, morsel["path"] or "/", name)
            if morsel["max-age"] == "0":
                self._cookies.pop(place, None)
            else:
                self._cookies[place] = morsel.coded_value


def _filled(form: Form, filled: list[tuple[str, str]]) -> list[tuple[str, str]]:
    names = {name for name, _ in filled}
    return [(name, value) for name, value in form.initial() if name not in names] + filled


def _read(response: httpx.Response, url: str) -> Page:
    page = Page(url, response.status_code)
    if "html" in response.headers.get("content-type", ""):
        parser = _PageParser(page)
        parser.feed(response.text)
        parser.close()
        page.text = " ".join("".join(parser.read).split())
    return page
