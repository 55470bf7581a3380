"""A small broker on a real socket: the parts of the Pact Broker's HAL API that the official clients use. It keeps what it is sent."""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

HAL = "application/hal+json"
NEEDS_CREDENTIALS = 401
Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Published:
    """A pact as it was published."""

    consumer: str
    provider: str
    version: str
    branch: str | None
    tags: list[str]
    pact: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """The result of a verification as it was published."""

    consumer: str
    provider: str
    success: bool
    provider_version: str


@dataclass
class Broker:
    """What the broker knows, and how it answers."""

    # What `Authorization` has to be; anything if None.
    credentials: str | None = None
    url: str = ""
    pacts: list[Published] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    # Provider, branch, version.
    branches: list[tuple[str, str, str]] = field(default_factory=list)
    # Provider, version, tag.
    tags: list[tuple[str, str, str]] = field(default_factory=list)
    refused: int = 0

    def answer(self, method: str, path: str, authorization: str | None, body: Any) -> Answer:
        """The status and the document for a request."""
        if self.credentials is not None and authorization != self.credentials:
            self.refused += 1
            return NEEDS_CREDENTIALS, {"error": {"message": "Who are you?"}}
        for (known, pattern), respond in self._routes().items():
            if known == method and (found := re.fullmatch(pattern, path)):
                return respond(body, *(unquote(each) for each in found.groups()))
        return 404, {"error": {"message": f"There is no {method} {path} here."}}

    def _routes(self) -> dict[tuple[str, str], Callable[..., Answer]]:
        pact = r"/pacts/provider/([^/]+)/consumer/([^/]+)/version/([^/]+)"
        return {
            ("GET", "/?"): self._index,
            ("POST", "/contracts/publish"): self._publish,
            ("GET", "/pacts/provider/([^/]+)/for-verification"): self._where_to_ask,
            ("POST", "/pacts/provider/([^/]+)/for-verification"): self._to_verify,
            ("GET", pact): self._pact,
            ("POST", f"{pact}/verification-results"): self._keep_result,
            ("GET", "/pacticipants/([^/]+)"): self._pacticipant,
            ("PUT", "/pacticipants/([^/]+)/branches/([^/]+)/versions/([^/]+)"): self._keep_branch,
            ("PUT", "/pacticipants/([^/]+)/versions/([^/]+)/tags/([^/]+)"): self._keep_tag,
        }

    def _index(self, _body: Any) -> Answer:
        verification = {"href": f"{self.url}/pacts/provider/{{provider}}/for-verification", "templated": True}
        publishing = {"href": f"{self.url}/contracts/publish"}
        return 200, {"_links": {"pb:publish-contracts": publishing, "pb:provider-pacts-for-verification": verification}}

    def _publish(self, body: Any) -> Answer:
        version, branch, tags = body["pacticipantVersionNumber"], body.get("branch"), body.get("tags") or []
        links = []
        for each in body["contracts"]:
            pact = json.loads(base64.b64decode(each["content"]))
            new = Published(each["consumerName"], each["providerName"], version, branch, tags, pact)
            self.pacts.append(new)
            links.append({"href": self._address(new), "title": "Pact", "name": new.consumer})
        about = {"href": self.url, "title": "Pacticipant", "name": body["pacticipantName"]}
        pacts = {
            "pacticipant": {"name": body["pacticipantName"], "_links": {"self": about}},
            "version": {"number": version, "_links": {"self": about}},
        }
        related = {
            "pb:pacticipant": about,
            "pb:pacticipant-version": about,
            "pb:pacticipant-version-tags": [{"href": self.url, "title": "Tag", "name": tag} for tag in tags],
            "pb:contracts": links,
        }
        return 200, {
            "logs": [],
            "notices": [{"type": "success", "text": "Published."}],
            "_links": related,
            "_embedded": pacts,
        }

    def _where_to_ask(self, _body: Any, provider: str) -> Answer:
        return 200, {"_links": {"self": {"href": f"{self.url}/pacts/provider/{quote(provider)}/for-verification"}}}

    def _to_verify(self, body: Any, provider: str) -> Answer:
        found = []
        for selector in body["consumerVersionSelectors"]:
            of_branch = [
                each
                for each in self.pacts
                if (each.provider, each.branch) == (provider, selector["branch"])
                and selector.get("consumer") in {None, each.consumer}
            ]
            found += of_branch[-1:]
        pacts = [
            {
                "shortDescription": f"latest of {each.branch}",
                "verificationProperties": {"notices": [], "pending": False},
                "_links": {"self": {"href": self._address(each), "name": each.consumer, "templated": False}},
            }
            for each in found
        ]
        return 200, {"_embedded": {"pacts": pacts}, "_links": {"self": {"href": self.url}}}

    def _pact(self, _body: Any, provider: str, consumer: str, version: str) -> Answer:
        found = next(
            each for each in self.pacts if (each.provider, each.consumer, each.version) == (provider, consumer, version)
        )
        links = {
            "self": {"href": self._address(found)},
            "pb:publish-verification-results": {"href": f"{self._address(found)}/verification-results"},
            "pb:provider": {"href": f"{self.url}/pacticipants/{quote(provider)}"},
        }
        return 200, found.pact | {"_links": links}

    def _keep_result(self, body: Any, provider: str, consumer: str, _version: str) -> Answer:
        self.results.append(Result(consumer, provider, body["success"], body["providerApplicationVersion"]))
        return 201, {"_links": {}}

    def _pacticipant(self, _body: Any, name: str) -> Answer:
        here = f"{self.url}/pacticipants/{quote(name)}"
        links = {
            "self": {"href": here},
            "pb:branch-version": {"href": f"{here}/branches/{{branch}}/versions/{{version}}", "templated": True},
            "pb:version-tag": {"href": f"{here}/versions/{{version}}/tags/{{tag}}", "templated": True},
        }
        return 200, {"name": name, "_links": links}

    def _keep_branch(self, _body: Any, name: str, branch: str, version: str) -> Answer:
        self.branches.append((name, branch, version))
        return 201, {"_links": {}}

    def _keep_tag(self, _body: Any, name: str, version: str, tag: str) -> Answer:
        self.tags.append((name, version, tag))
        return 201, {"_links": {}}

    def _address(self, pact: Published) -> str:
        names = (quote(each, safe="") for each in (pact.provider, pact.consumer, pact.version))
        return "{}/pacts/provider/{}/consumer/{}/version/{}".format(self.url, *names)


@contextmanager
def running_broker(credentials: str | None = None) -> Iterator[Broker]:
    """A broker that is there until the block ends. `credentials`: the header `Authorization` that it wants."""
    broker = Broker(credentials)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(content) if content.strip() else None
            status, document = broker.answer(self.command, self.path, self.headers.get("Authorization"), body)
            encoded = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", HAL)
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815  # the names are http.server's

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    broker.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield broker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
