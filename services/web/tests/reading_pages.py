"""Reads a page as a browser would, as far as the tests ask: forms, attributes, words."""

from html.parser import HTMLParser


class PageRead(HTMLParser):
    """A page that was read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.meta: dict[str, str] = {}
        self.main: dict[str, str | None] = {}
        self.forms: dict[str, dict[str, str]] = {}
        self.checked: set[str] = set()
        self.disabled: set[str] = set()
        self.ticket_codes: list[str] = []
        self.links: list[str] = []
        self._form: dict[str, str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "meta" and values.get("name"):
            self.meta[str(values["name"])] = values.get("content") or ""
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        if tag == "main":
            self.main = values
        if tag == "form":
            self._form = self.forms.setdefault(str(values.get("action")), {})
        if tag == "input":
            self._input(values)
        if "data-ticket-code" in values:
            self.ticket_codes.append(values["data-ticket-code"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def _input(self, values: dict[str, str | None]) -> None:
        name, value = str(values.get("name")), values.get("value") or ""
        if values.get("type") == "checkbox":
            if "checked" in values:
                self.checked.add(value)
            if "disabled" in values:
                self.disabled.add(value)
        elif self._form is not None:
            self._form[name] = value
