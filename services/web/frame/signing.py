"""What web signs with its cookie secret (form tokens, cookies of purchases and of support), and seals with a session.

A signed value names its purpose, so that a token made for one use is worth nothing for another.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_UNIX_TIME = re.compile(r"[0-9]{1,12}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def new_secret() -> str:
    """256 random bits, fit for a cookie."""
    return secrets.token_urlsafe(32)


def digest(value: str) -> bytes:
    """What is stored of an opaque secret: its SHA-256. The secret has 256 bits, so that no salt is needed."""
    return hashlib.sha256(value.encode()).digest()


class Signer:
    """Signs and checks with one secret key."""

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    def _mac(self, purpose: str, *parts: str) -> str:
        # Lengths keep ("ab", "c") and ("a", "bc") apart.
        message = "".join(f"{len(part)}:{part}" for part in (purpose, *parts))
        return urlsafe_b64encode(hmac.digest(self._key, message.encode(), "sha256")).decode().rstrip("=")

    def form_token(self, binding: str) -> str:
        """A token for the forms of one page, good only together with the cookie that it is bound to.

        Each has a random half, so that a compressed page gives nothing away about it. That half also shows, whatever
        the cookie, that we made the token.
        """
        drawn = secrets.token_urlsafe(12)
        nonce = f"{drawn}~{self._mac('form of ours', drawn)}"
        return f"{nonce}.{self._mac('form', binding, nonce)}"

    def form_token_is_good(self, token: str, binding: str) -> bool:
        """Whether the token was made by this server for this cookie."""
        nonce, _, mac = token.partition(".")
        return bool(binding) and _same(mac, self._mac("form", binding, nonce))

    def form_token_is_ours(self, token: str) -> bool:
        """Whether the token was made by this server, for whichever cookie."""
        drawn, _, mac = token.partition(".")[0].partition("~")
        return _same(mac, self._mac("form of ours", drawn))

    def purchase(self, order_id: str, traceparent: str) -> str:
        """The value of an order's purchase cookie: the trace that its later requests continue."""
        return f"{traceparent}.{self._mac('purchase', order_id, traceparent)}"

    def traceparent_of(self, order_id: str, cookie: str) -> str | None:
        """The traceparent of a purchase cookie, or None if this server did not sign it for this order."""
        traceparent, _, mac = cookie.partition(".")
        if not _TRACEPARENT.fullmatch(traceparent):
            return None
        return traceparent if _same(mac, self._mac("purchase", order_id, traceparent)) else None

    def admission(self, event_id: str, until: int, token: str) -> str:
        """The value of an event's admission cookie: a pass of its waiting room, and until when it is good (Unix time)."""
        return f"{until}~{token}~{self._mac('admission', event_id, str(until), token)}"

    def admission_of(self, event_id: str, cookie: str) -> tuple[int, str] | None:
        """Until when, and the pass of an admission cookie; None if this server did not sign it for this event."""
        until, token, mac = [*cookie.split("~", 2), "", ""][:3]
        is_good = bool(_UNIX_TIME.fullmatch(until)) and _same(mac, self._mac("admission", event_id, until, token))
        return (int(until), token) if is_good else None

    def page(self, digest: str, binding: str) -> str:
        """Stands for a page's contents and the cookie that its forms are bound to, of which it tells nothing."""
        return self._mac("page", digest, binding)

    def pins(self, pins: str) -> str:
        """What shows that we made a cookie of pins."""
        return self._mac("pins", pins)

    def pins_are_ours(self, pins: str, mac: str) -> bool:
        """Whether we made it."""
        return _same(mac, self._mac("pins", pins))

    def hidden_address(self, event_id: str, address: str) -> str:
        """Stands for a network address in the queue of an event: the same for all who come from there, and nobody can turn it back."""
        return hmac.digest(self._key, f"address of a queue:{event_id}:{address}".encode(), "sha256").hex()

    def support(self, until: int, key: bytes) -> str:
        """The value of the cookie of a visit of support: good until a moment (Unix time), while the key stays."""
        visit = secrets.token_urlsafe(18)
        return f"{until}.{visit}.{self._mac('support', str(until), visit, key.hex())}"

    def support_visit(self, cookie: str, key: bytes, now: float) -> str | None:
        """The visit that the cookie is for; None if this server did not sign it for this key, or its time is over."""
        until, visit, mac = [*cookie.split(".", 2), "", ""][:3]
        is_good = bool(_UNIX_TIME.fullmatch(until)) and _same(mac, self._mac("support", until, visit, key.hex()))
        return visit if is_good and now < int(until) else None


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


_SEAL_CONTEXT = b"onsale web session tokens"
_NONCE_BYTES = 12


def seal(session_id: str, text: str) -> bytes:
    """Encrypts with a key derived from the session's cookie: a copy of the database alone opens nothing."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(session_id).encrypt(nonce, text.encode(), None)


def unseal(session_id: str, sealed: bytes) -> str:
    """What was sealed. Raises cryptography's InvalidTag if it was with another cookie, or was changed."""
    return _cipher(session_id).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()


def _cipher(session_id: str) -> AESGCM:
    return AESGCM(hmac.digest(session_id.encode(), _SEAL_CONTEXT, "sha256"))
