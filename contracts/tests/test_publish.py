"""A broker is sent pacts and results by the official clients, never a secret by accident; without one nothing is sent."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.testing import Harness
from contracts.broker import ADDRESS, PUBLISHING, Version, known_as, render_for_broker, verified_as
from contracts.consumer import Book, Hearing, an_id
from contracts.deploying import publish
from contracts.deploying.publish import CannotPublish, check_environment, find_client, publish_pacts, version_of
from contracts.pactfile import PACTS, ContractBroken, Edge, all_edges, is_writing, read
from contracts.provider import encoded, verify_answers, verify_facts
from contracts.tests.broker import Broker, Result, running_broker
from contracts.tests.library import A_SHELF, EDGE, Library, write_pact
from contracts.tests.test_provider import BookLent

VERSION = Version("0123abcd", "main", ("v1.2.0",))
TOKEN = "sesame-open-up"
# Stands in for the official client, which is not needed to test what it is given: keeps that, then says too much.
CLIENT = """#!{python}
import json, os, sys
from pathlib import Path
folder = Path(sys.argv[3])
kept = {{path.name: json.loads(path.read_text()) for path in folder.iterdir()}}
Path({kept!r}).write_text(json.dumps({{"arguments": sys.argv[1:], "pacts": kept, "token": os.environ["PACT_BROKER_TOKEN"]}}))
print("published with", os.environ["PACT_BROKER_TOKEN"])
sys.exit({code})
"""

not_while_writing = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ADDRESS, PUBLISHING, "BRANCH", "PACT_BROKER_TOKEN", "PACT_BROKER_USERNAME", "PACT_BROKER_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client(tmp_path: Path) -> Callable[..., tuple[str, Path]]:
    """The client's path, and where it keeps what it was given."""

    def make(code: int = 0) -> tuple[str, Path]:
        path, kept = tmp_path / "pact", tmp_path / "kept.json"
        path.write_text(CLIENT.format(python=sys.executable, kept=str(kept), code=code))
        path.chmod(0o755)
        return str(path), kept

    return make


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit on `trunk`."""
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "trunk")
    (root / "file").write_text("1")
    git(root, "add", "file")
    git(root, "commit", "--quiet", "--message", "one")
    return root


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_without_a_broker_a_sentence_says_that_none_is_needed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "publish_pacts", pytest.fail)
    assert publish.main() == 2
    assert "everything works from the folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({ADDRESS: ""}, "No broker is set"),
        ({ADDRESS: "broker.example"}, "begins with http:// or https://"),
        ({ADDRESS: "https://ada:secret@broker.example"}, "Put them into PACT_BROKER_USERNAME"),
        (
            {ADDRESS: "https://broker.example", "PACT_BROKER_TOKEN": "a", "PACT_BROKER_USERNAME": "b"},
            "Keep one of them",
        ),
    ],
)
def test_what_is_wrong_with_the_environment_is_reported_without_secrets(environment: dict[str, str], said: str) -> None:
    with pytest.raises(CannotPublish, match=said) as refused:
        check_environment(environment)
    assert "secret" not in str(refused.value)
    check_environment({ADDRESS: "https://broker.example", "PACT_BROKER_TOKEN": "a"})


def test_without_the_official_client_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:1")
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: None)
    assert publish.main() == 2
    assert "Run `make contracts-publish`" in capsys.readouterr().err


def test_the_version_is_the_commit_with_its_branch_and_tags(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert version_of(checkout) == Version(commit, "trunk", ())
    git(checkout, "tag", "v1.0.0")
    version = version_of(checkout)
    assert version == Version(commit, "trunk", ("v1.0.0",))
    assert Version.of_text(version.as_text()) == version


def test_what_is_not_committed_or_on_no_branch_or_in_no_repository_is_not_published(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(checkout, "switch", "--quiet", "--detach")
    with pytest.raises(CannotPublish, match="without a branch"):
        version_of(checkout)
    monkeypatch.setenv("BRANCH", "release")
    assert version_of(checkout).branch == "release"
    (checkout / "file").write_text("2")
    with pytest.raises(CannotPublish, match="Commit them first:\n M file"):
        version_of(checkout)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(CannotPublish, match="not a checkout of git"):
        version_of(tmp_path / "elsewhere")


@not_while_writing
def test_the_client_gets_every_pact_once_under_a_name_for_each_kind_and_no_secret_in_its_arguments(
    client: Callable[..., tuple[str, Path]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PACT_BROKER_TOKEN", TOKEN)
    path, kept = client()
    assert publish_pacts(path, VERSION)
    given = json.loads(kept.read_text())
    options = ["--consumer-app-version", "0123abcd", "--branch", "main", "--tag", "v1.2.0"]
    assert given["arguments"][:2] + given["arguments"][3:] == ["broker", "publish", *options]
    assert given["token"] == TOKEN
    assert TOKEN not in str(given["arguments"])
    assert "published with ***" in capsys.readouterr().out
    sent = {(pact["consumer"]["name"], pact["provider"]["name"]): pact for pact in given["pacts"].values()}
    assert sent.keys() == {(edge.consumer, known_as(edge.provider, edge.kind)) for edge in all_edges()}
    assert len(sent) == len(given["pacts"]) == len(all_edges())
    for edge in all_edges():
        pact = sent[edge.consumer, known_as(edge.provider, edge.kind)]
        assert len(pact["interactions"]) == len(read(edge))


def test_pacts_that_the_broker_does_not_take_have_no_results(
    client: Callable[..., tuple[str, Path]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:1")
    monkeypatch.setenv("PACT_BROKER_TOKEN", TOKEN)
    monkeypatch.setattr(publish, "find_client", lambda: client(code=1)[0])
    monkeypatch.setattr(publish, "version_of", lambda _root: VERSION)
    monkeypatch.setattr(publish, "publish_results", pytest.fail)
    assert publish.main() == 1
    assert "did not take the pacts" in capsys.readouterr().err


def test_a_version_is_handed_to_the_tests_of_every_provider_and_of_no_consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        ran.update(options, names={Path(each).name for each in command if each.endswith(".py")})
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("subprocess.run", run)
    assert publish.publish_results(VERSION) == 0
    assert ran["names"] == {"test_is_asked.py", "test_tells.py"}
    assert Version.of_text(ran["env"][PUBLISHING]) == VERSION


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker that knows the token, and an environment in which results are published to it."""
    with running_broker(f"Bearer {TOKEN}") as running:
        monkeypatch.setenv(ADDRESS, running.url)
        monkeypatch.setenv("PACT_BROKER_TOKEN", TOKEN)
        yield running


def publish_to(broker: Broker, edge: Edge, pacts: Path) -> None:
    """The broker gets a pact, as the client sends it."""
    pact = render_for_broker(edge, read(edge, pacts))
    contract = {
        "consumerName": edge.consumer,
        "providerName": known_as(edge.provider, edge.kind),
        "content": b64encode(pact.encode()).decode(),
    }
    body = {
        "pacticipantName": edge.consumer,
        "pacticipantVersionNumber": VERSION.number,
        "branch": VERSION.branch,
        "tags": list(VERSION.tags),
        "contracts": [contract],
    }
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.post(f"{broker.url}/contracts/publish", json=body, headers=headers).is_success


async def verify(harness: Harness, library: Library, pacts: Path) -> int:
    async with harness.serving(library.app) as url:
        states = {A_SHELF: library.a_shelf_with_a_book}
        return await verify_answers("library", url, callers=["reader"], states=states, pacts=pacts)


async def test_the_broker_hears_that_a_provider_keeps_its_promises_and_in_which_version(
    harness: Harness, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_pact(tmp_path)
    publish_to(broker, EDGE, tmp_path)
    assert await verify(harness, Library(), tmp_path) == 2
    assert broker.results == [], "An ordinary run publishes nothing."
    monkeypatch.setenv(PUBLISHING, VERSION.as_text())
    assert await verify(harness, Library(), tmp_path) == 2
    assert broker.results == [Result("reader", "library", True, "0123abcd")]
    assert broker.branches == [("library", "main", "0123abcd")]
    assert broker.tags == [("library", "0123abcd", "v1.2.0")]


async def test_the_broker_hears_of_a_broken_promise_too_and_the_run_is_red(
    harness: Harness, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_pact(tmp_path)
    publish_to(broker, EDGE, tmp_path)
    monkeypatch.setenv(PUBLISHING, VERSION.as_text())
    with pytest.raises(ContractBroken, match=r"\$\.place"):
        await verify(harness, Library(lambda answer: answer | {"place": None}), tmp_path)
    assert broker.results == [Result("reader", "library", False, "0123abcd")]


async def test_facts_are_verified_under_a_name_of_their_own(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = Edge("reader", "hears", "library")
    book = Book(edge)
    about = an_id("publish: book")
    with Hearing(book).published(BookLent.subject, {"book_id": str(about)}, about=about):
        pass
    book.close(complete=True, write=True, pacts=tmp_path)
    publish_to(broker, edge, tmp_path)
    facts = {BookLent.subject: encoded(BookLent(book_id=str(about), pages=1))}
    assert verified_as("library", "hears") == "library"
    monkeypatch.setenv(PUBLISHING, VERSION.as_text())
    assert await verify_facts("library", hearers=["reader"], facts=facts, pacts=tmp_path) == 1
    assert broker.results == [Result("reader", "library-facts", True, "0123abcd")]


async def test_a_pact_that_the_broker_does_not_have_and_a_wrong_token_are_red_and_the_token_is_not_shown(
    harness: Harness, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_pact(tmp_path)
    monkeypatch.setenv(PUBLISHING, VERSION.as_text())
    with pytest.raises(ContractBroken, match="have 2 interactions, but 0 were verified"):
        await verify(harness, Library(), tmp_path)
    publish_to(broker, EDGE, tmp_path)
    monkeypatch.setenv("PACT_BROKER_TOKEN", wrong := str(uuid4()))
    with pytest.raises(ContractBroken) as refused:
        await verify(harness, Library(), tmp_path)
    assert wrong not in str(refused.value)
    assert broker.refused > 0
    assert broker.results == []


@not_while_writing
def test_the_official_client_brings_all_pacts_to_the_broker(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = find_client()
    monkeypatch.setenv("PACT_BROKER_HTTP_RETRIES", "0")
    assert publish_pacts(client, VERSION), capsys.readouterr().out
    sent = {(each.consumer, each.provider, each.version, each.branch, *each.tags) for each in broker.pacts}
    assert sent == {
        (edge.consumer, known_as(edge.provider, edge.kind), "0123abcd", "main", "v1.2.0") for edge in all_edges(PACTS)
    }
    monkeypatch.setenv("PACT_BROKER_TOKEN", "wrong-token")
    assert not publish_pacts(client, VERSION)
    assert "wrong-token" not in capsys.readouterr().out
