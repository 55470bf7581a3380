"""What a cluster is given once: the same secrets as a data folder, completed when a service is new, and never changed."""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.tokens import CallerVerifier, ServiceTokens, load_signing_key
from local.cluster_secrets import Document, generated, names
from local.kubernetes import Cluster
from local.topology import SERVICES


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    return generated(tmp_path_factory.mktemp("first"), {})


def test_every_secret_that_manifests_may_refer_to_is_made_with_its_keys(first: dict[str, Document]) -> None:
    assert {name: frozenset(document.data) for name, document in first.items()} == names()
    assert all(value for document in first.values() for value in document.data.values())


def test_a_password_of_nats_cannot_be_taken_for_a_number(first: dict[str, Document]) -> None:
    words = first["nats-users"].data
    assert all(word[0].isalpha() for word in words.values())
    assert words["ORDERS"] == first["orders-nats"].data["password"]


def test_what_is_known_stays(first: dict[str, Document], tmp_path: Path) -> None:
    assert generated(tmp_path, first) == first


def test_a_new_service_gets_its_own_and_is_known_to_all_others(first: dict[str, Document], tmp_path: Path) -> None:
    """Before tickets was there, nobody had its key or its password."""
    keys = [
        key for key in json.loads(first["service-keys"].data["services.jwks.json"])["keys"] if key["kid"] != "tickets"
    ]
    users = {user: word for user, word in first["nats-users"].data.items() if user != "TICKETS"}
    before = {name: document for name, document in first.items() if not name.startswith("tickets-")} | {
        "service-keys": Document("Opaque", {"services.jwks.json": json.dumps({"keys": keys})}),
        "nats-users": Document("Opaque", users),
    }
    after = generated(tmp_path, before)
    assert after.keys() == first.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"service-keys", "nats-users"}
    assert after["tickets-nats"].data["password"] == after["nats-users"].data["TICKETS"]
    assert after["orders-key"] == first["orders-key"]


def test_what_somebody_put_there_stays(first: dict[str, Document], tmp_path: Path) -> None:
    own = Document("Opaque", {"secret": "x" * 40, "note": "ours"})
    after = generated(tmp_path, {**first, "web-cookie": own})
    assert after["web-cookie"] == own


def test_a_run_that_was_cut_short_before_the_brokers_passwords_changes_no_services_own(
    first: dict[str, Document], tmp_path: Path
) -> None:
    before = {name: document for name, document in first.items() if name != "nats-users"}
    after = generated(tmp_path, before)
    assert {name for name in before if before[name] != after[name]} == set()
    assert after["nats-users"].data["ORDERS"] == first["orders-nats"].data["password"]


def test_a_token_signed_with_a_secret_is_believed_by_whoever_has_the_public_keys(
    first: dict[str, Document], tmp_path: Path
) -> None:
    key, public = tmp_path / "key.pem", tmp_path / "services.jwks.json"
    key.write_text(first["orders-key"].data["key.pem"])
    public.write_text(first["service-keys"].data["services.jwks.json"])
    token = ServiceTokens("orders", load_signing_key(key)).to("inventory")
    assert CallerVerifier("inventory", public).caller(token) == "orders"


class Api(BaseHTTPRequestHandler):
    """As much of Kubernetes' API as the Job uses, with its refusals: a Secret is made once, and replaced only if it is there."""

    kept: dict[str, dict[str, Any]]

    def do_GET(self) -> None:
        self._answer(200, {"kind": "SecretList", "items": list(self.kept.values())})

    def do_POST(self) -> None:
        document = self._body()
        name = document["metadata"]["name"]
        fresh = name not in self.kept
        self.kept.setdefault(name, document)
        self._answer(201 if fresh else 409, document)

    def do_PATCH(self) -> None:
        changes = self._body()
        known = self.kept.get(self.path.rpartition("/")[2])
        merges = self.headers["content-type"] == "application/merge-patch+json"
        if known and merges:
            known["data"].update(changes["data"])
        self._answer(200 if known and merges else 404, changes)

    def log_message(self, *_arguments: Any) -> None:
        """Silence."""

    def _body(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        return document

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    handler = type("Handler", (Api,), {"kept": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    http = httpx.Client(base_url=f"http://127.0.0.1:{server.server_address[1]}", trust_env=False)
    with Cluster(http, "onsale") as made:
        yield made
    server.shutdown()
    server.server_close()


def test_secrets_go_to_the_cluster_and_come_back(cluster: Cluster, first: dict[str, Document]) -> None:
    for name, document in first.items():
        cluster.create_secret(name, document)
    assert cluster.secrets() == first
    changed = Document("Opaque", {"secret": "another"})
    cluster.complete_secret("web-cookie", changed)
    assert cluster.secrets()["web-cookie"] == changed
    assert all(item["metadata"]["labels"] for item in cluster._http.get(cluster._path).json()["items"])
    with pytest.raises(httpx.HTTPStatusError):
        cluster.create_secret("web-cookie", changed)


def test_data_is_encoded_as_kubernetes_wants_it(cluster: Cluster) -> None:
    cluster.create_secret("web-cookie", Document("Opaque", {"secret": "söme"}))
    kept = cluster._http.get(cluster._path).json()["items"][0]
    assert base64.b64decode(kept["data"]["secret"]).decode() == "söme"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("secrets", "This does not run in a pod"),
        ("databases", "There is no password in /run/onsale/databases"),
        ("stream", "Set NATS_ADMIN_URL"),
        ("verify", "Set SHOP_URL"),
        ("nonsense", "Say what to do: python -m local.cluster secrets|databases|stream|verify"),
    ],
)
def test_what_is_missing_is_reported_in_a_sentence(command: str, sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.cluster", command],
        capture_output=True,
        text=True,
        check=False,
        env={},
        timeout=60,
    )
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_services_of_the_cluster_are_those_of_make_up() -> None:
    assert {name.removesuffix("-key") for name in names() if name.endswith("-key")} == set(SERVICES)
