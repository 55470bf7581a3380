"""Breaks of what providers answer: planted into the real answers, one in each group of interactions at a time.

A group is what one consumer reads of one operation with one outcome (a status, or a code): a break in it is caught when one of its
interactions fails. Groups do not touch each other, so each verification has a break in every one of them.
"""

import json
import tempfile
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from pact import Verifier

from contracts import moments
from contracts.completeness.services import Service, real
from contracts.demanded import OF_EVERY_REFUSAL, paths_of
from contracts.mutation.generated.kinds import KINDS
from contracts.mutation.generated.recording import Answered, Sight, answers_of, sight_of, sight_of_request
from contracts.pactfile import Edge, Interaction, Key, edges, key_of, read, render
from contracts.verification import verdicts_of

HOST = "127.0.0.1"
JSON, PROBLEM = "application/json", "application/problem+json"
FIRST_REFUSAL, TOO_MANY = 400, 429
# The header that the chassis itself reads of a refusal that says "too many".
RETRY_AFTER = "retry-after"

NOT_HERE = Answered(599, {}, b"", datetime.min.replace(tzinfo=UTC))

Spoil = Callable[[Answered], Answered | None]


@dataclass(frozen=True, eq=False)
class Break:
    """One way in which what a group reads is wrong: `what` of it, and how."""

    edge: Edge
    about: str
    what: str
    kind: str
    spoil: Spoil

    def __str__(self) -> str:
        return f"{self.edge}, {self.about}: {self.what} {self.kind}"


@dataclass(frozen=True, eq=False)
class Member:
    """An interaction, and what its provider answered."""

    edge: Edge
    interaction: Interaction
    answer: Answered

    @property
    def key(self) -> tuple[Edge, Key]:
        """What makes it that interaction."""
        return self.edge, key_of(self.interaction)


class Answers:
    """The contracts of one provider, and breaks of its answers."""

    def __init__(self, provider: str, recorded: Path) -> None:
        self.provider = provider
        service = real().service(provider)
        answers = answers_of(recorded, provider)
        self._groups: dict[tuple[Edge, str], list[Member]] = defaultdict(list)
        for edge in (each for each in edges() if each.kind == "asks" and each.provider == provider):
            for interaction in read(edge):
                answer = answers[sight_of(edge, interaction)]
                self._groups[edge, _about(service, interaction)].append(Member(edge, interaction, answer))

    def breaks(self) -> list[Break]:
        """All of them."""
        return [each for (edge, about), members in self._groups.items() for each in _breaks_of(edge, about, members)]

    def survivors(self, breaks: Sequence[Break]) -> list[Break]:
        """Those that no interaction of their group minds.

        Each verification has at most one break in each interaction, so very many are tried at once.
        """
        waiting = {each: self._candidates(each, number) for number, each in enumerate(breaks)}
        found: list[Break] = []
        with _Replay(self.provider) as replay:
            while waiting:
                planted = _one_in_each(waiting)
                minded = replay.minded({member: each.spoil(member.answer) for member, each in planted.items()})
                for member, each in planted.items():
                    if member.key in minded:
                        del waiting[each]
                    elif not waiting[each]:
                        found.append(each)
                        del waiting[each]
        return found

    def _candidates(self, planted: Break, number: int) -> deque[Member]:
        """The interactions in which a break can be seen. They begin with different ones, so that all have about as many."""
        members = self._groups[planted.edge, planted.about]
        can = deque(member for member in members if planted.spoil(member.answer) is not None)
        can.rotate(-number)
        return can


def _one_in_each(waiting: dict[Break, deque[Member]]) -> dict[Member, Break]:
    planted: dict[Member, Break] = {}
    for each, members in waiting.items():
        if members[0] not in planted:
            planted[members.popleft()] = each
    return planted


class _Replay:
    """A provider that answers from a table, and Pact's verifier in front of it."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._table: Mapping[Sight, Answered] = {}
        self._state: tuple[str, Mapping[str, Any]] = ("", {})

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer((HOST, 0), _handler(self._answer))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def minded(self, answers: Mapping[Member, Answered | None]) -> set[tuple[Edge, Key]]:
        """The interactions that do not hold with these answers."""
        given = {member: answer or member.answer for member, answer in answers.items()}
        self._table = {sight_of(member.edge, member.interaction): answer for member, answer in given.items()}
        by_edge: dict[Edge, list[Interaction]] = defaultdict(list)
        for member in given:
            by_edge[member.edge].append(member.interaction)
        verifier = Verifier(self._provider, host=HOST).add_transport(url=f"http://{HOST}:{self._server.server_port}")
        verifier.state_handler(self._set_up)
        with tempfile.TemporaryDirectory() as folder:
            for edge, interactions in by_edge.items():
                source = Path(folder) / edge.file_name
                source.write_text(render(edge, interactions), encoding="utf-8")
                verifier.add_source(source)
            minded = verdicts_of(verifier, by_edge)
        far_off = {member.key for member, answer in given.items() if _is_far_off(member, answer)}
        return minded | far_off

    def _set_up(self, state: str, parameters: dict[str, Any] | None) -> None:
        self._state = (state, parameters or {})

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answered | None:
        path, _, query = target.partition("?")
        caller = headers.get("authorization", "").removeprefix("Bearer ")
        return self._table.get(sight_of_request(caller, self._state, method, path, query, body))


def _handler(answer: Callable[[str, str, Mapping[str, str], bytes], Answered | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            found = answer(self.command, self.path, headers, body) or NOT_HERE
            self.send_response_only(found.status)
            for name, value in found.headers.items():
                if name not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)
            self.wfile.flush()

    return Handler


def _is_far_off(member: Member, answer: Answered) -> bool:
    try:
        return bool(moments.unlike(member.interaction["response"], answer.body, answer.at))
    except ValueError:
        return False  # it is no JSON, and Pact minds


def _about(service: Service, interaction: Interaction) -> str:
    """Which operation, and with what outcome."""
    request, response = interaction["request"], interaction["response"]
    operation = service.asked(request["method"], request["path"])
    if response["status"] < FIRST_REFUSAL:
        return f"{operation} answered"
    content = response.get("body", {}).get("content")
    code = content.get("code") if isinstance(content, dict) else None
    return f"{operation} refused with {response['status']} {code}"


def _breaks_of(edge: Edge, about: str, members: list[Member]) -> Iterator[Break]:
    def of(what: str, kind: str, spoil: Spoil) -> Iterator[Break]:
        if any(spoil(member.answer) is not None for member in members):
            yield Break(edge, about, what, kind, spoil)

    paths = _read_by(members)
    is_refusal = "refused" in about
    for path in paths:
        for kind in KINDS:
            yield from of(path, kind.name, _in_body(kind.at(path)))
    yield from of("the status", "another", _other_status)
    if paths or is_refusal:
        yield from of("the media type", "another", _other_media_type)
    if is_refusal:
        yield from of("the code", "renamed", _in_body(lambda body: {**body, "code": f"{body['code']}_"}))
        if f" {TOO_MANY} " in about:
            yield from of("Retry-After", "lost", _without(RETRY_AFTER))
    elif not paths:
        yield from of("the file", "of another format", _other_file)


def _read_by(members: list[Member]) -> list[str]:
    """Where the consumer reads, over all interactions of a group."""
    bodies = [_content(member) for member in members]
    read_ = {path for body in bodies if body is not None for path in paths_of("$", body)}
    is_refusal = {f"$.{name}" for name in OF_EVERY_REFUSAL} <= read_
    return sorted(read_ - {f"$.{name}" for name in OF_EVERY_REFUSAL} if is_refusal else read_)


def _content(member: Member) -> Any:
    body = member.interaction["response"].get("body", {})
    return body.get("content") if "json" in str(body.get("contentType")) else None


def _in_body(change: Callable[[Any], Any | None]) -> Spoil:
    def spoil(answer: Answered) -> Answered | None:
        if "json" not in answer.headers.get("content-type", ""):
            return None
        changed = change(json.loads(answer.body))
        return None if changed is None else replace(answer, body=json.dumps(changed).encode())

    return spoil


def _other_status(answer: Answered) -> Answered | None:
    others = {200: 201, 201: 200, 204: 200, 503: 500}
    return replace(answer, status=others.get(answer.status, 400 if answer.status != 400 else 422))


def _other_media_type(answer: Answered) -> Answered | None:
    kind = answer.headers.get("content-type")
    others = {PROBLEM: JSON, JSON: "text/plain"}
    other = others.get(kind or "", "application/octet-stream")
    return None if not kind or not answer.body else replace(answer, headers={**answer.headers, "content-type": other})


def _other_file(answer: Answered) -> Answered | None:
    """The right name on the wrong thing."""
    is_file = answer.body and "json" not in answer.headers.get("content-type", "json")
    return replace(answer, body=b"\x89PNG\r\n\x1a\n" + answer.body) if is_file else None


def _without(header: str) -> Spoil:
    def spoil(answer: Answered) -> Answered | None:
        kept = {name: value for name, value in answer.headers.items() if name != header}
        return replace(answer, headers=kept) if len(kept) < len(answer.headers) else None

    return spoil
