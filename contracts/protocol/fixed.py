"""What is the same whenever examples are written: keys, ids, the trace, and the clock."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from unittest.mock import patch
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from opentelemetry.trace import NoOpTracer

from chassis.testing import public_jwk

CALLER, PROVIDER, STRANGER = "orders", "tickets", "catalog"
# These keys are trusted nowhere: whoever reads this file could sign with them.
SERVICE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEOPLE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
NOW = datetime(2031, 6, 21, 18, tzinfo=UTC)
PERSON, GUEST = UUID("0190163d-0000-7000-8000-000000000001"), UUID("0190163d-0000-7000-8000-000000000002")
ORDER, THING = UUID("0190163d-0000-7000-8000-000000000003"), UUID("0190163d-0000-7000-8000-000000000004")
EVENT = UUID("0190163d-0000-7000-8000-000000000005")
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
PIN = "2A/16B3748"
KEY = "a-key-of-the-caller"


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    """A clock that stands: for whoever signs and verifies tokens, and for deadlines. No spans are made, so that no ids are drawn."""

    class Standing(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(moment.timestamp(), tz)

    standing = SimpleNamespace(time=moment.timestamp, monotonic=lambda: 1000.0)
    with ExitStack() as stack:
        stack.enter_context(patch("chassis.tokens.time", standing))
        stack.enter_context(patch("chassis.deadline.time", standing))
        stack.enter_context(patch("services.accounts.keys.utc_now", lambda: moment))
        # PyJWT verifies tokens by this clock, and takes no other one.
        stack.enter_context(patch("jwt.api_jwt.datetime", Standing))
        stack.enter_context(patch("tracing.spans._TRACER", NoOpTracer()))
        yield


def service_jwks() -> dict[str, Any]:
    """The public keys of services, as the file that each of them is given."""
    return {"keys": [public_jwk(SERVICE_KEY, CALLER)]}


def keep_keys(folder: Path, services: dict[str, Any], people: dict[str, Any]) -> dict[str, Any]:
    """Lays key sets (JWKS) into files of a folder; the settings that name them to a service."""
    files = {"key_file": folder / "own.pem", "service_keys_file": folder / "services.json"}
    files["key_file"].write_bytes(SERVICE_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files["service_keys_file"].write_text(json.dumps(services))
    (folder / "people.json").write_text(json.dumps(people))
    return {**files, "person_keys_url": f"file:{folder / 'people.json'}"}
