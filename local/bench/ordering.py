"""A small closed-loop load on what is sold: hold places, begin to pay, let go, as fast as the services answer.

It calls orders as web does, with web's key and a person's token, so that what is measured is the services and not a browser.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
import jwt

from chassis.http import PERSON_HEADER
from chassis.people import PEOPLE_AUDIENCE, PEOPLE_ISSUER
from chassis.tokens import ServiceTokens, load_signing_key
from local.topology import Layout

PERSON_SECONDS = 3_600
ANSWER_SECONDS = 30.0


class LoadFailed(Exception):
    """A service did not answer as it must; the message says which, and how."""


@dataclass
class Ordering:
    """Buyers who order one place of the largest class for money, begin to pay, and cancel; `close` it."""

    addresses: Mapping[str, str]
    layout: Layout
    _http: aiohttp.ClientSession = field(init=False, repr=False)
    _tokens: ServiceTokens = field(init=False, repr=False)
    _key_id: str = field(init=False, repr=False, default="")
    _order: dict[str, Any] = field(init=False, repr=False, default_factory=dict)

    async def open(self) -> None:
        """Finds out what is sold. Raises LoadFailed."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS))
        self._tokens = ServiceTokens("web", load_signing_key(self.layout.keys / "web.pem"))
        self._key_id = (await self._call("GET", "accounts", "/.well-known/jwks.json", 200))["keys"][0]["kid"]
        listed = await self._call("GET", "catalog", "/events?limit=100", 200)
        events = [await self._call("GET", "catalog", f"/events/{each['event_id']}", 200) for each in listed["items"]]
        offers = [
            (each["capacity"], event["event_id"], each["class_id"])
            for event in events
            for each in event["classes"]
            if each["price_minor"] > 0 and each["kind"] == "general"
        ]
        if not offers:
            raise LoadFailed("Nothing that has a price and no seats is on sale: load the sample events.")
        _, event_id, class_id = max(offers)
        self._order = {"event_id": event_id, "places": [{"class_id": class_id, "quantity": 1}], "seats": []}

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._http.close()

    async def run(self, seconds: float, buyers: int) -> tuple[int, float]:
        """How many orders in how many seconds, with so many buyers who each wait for their answers. Raises LoadFailed."""
        started = time.perf_counter()
        counts = await asyncio.gather(*(self._buyer(started + seconds) for _ in range(buyers)))
        return sum(counts), time.perf_counter() - started

    async def _buyer(self, until: float) -> int:
        token, done = self._person_token(), 0
        while time.perf_counter() < until:
            await self.order_once(token)
            done += 1
        return done

    async def order_once(self, token: str) -> None:
        """One order of one place, from the hold to its release."""
        order = await self._call("POST", "orders", "/orders", 201, token, self._order)
        path = f"/orders/{order['order_id']}"
        back = {"return_url": f"{self.addresses['web']}{path}"}
        await self._call("POST", "orders", f"{path}/checkout", 200, token, back)
        await self._call("POST", "orders", f"{path}/cancel", 200, token)

    def _person_token(self) -> str:
        now = int(time.time())
        claims = {"iss": PEOPLE_ISSUER, "aud": PEOPLE_AUDIENCE, "sub": str(uuid4()), "guest": True}
        key = load_signing_key(self.layout.keys / "people.signing.pem")
        return jwt.encode(
            {**claims, "iat": now, "exp": now + PERSON_SECONDS}, key, algorithm="EdDSA", headers={"kid": self._key_id}
        )

    async def _call(
        self, method: str, service: str, path: str, expected: int, token: str = "", body: object = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._tokens.to(service)}", "Idempotency-Key": uuid4().hex}
        if token:
            headers[PERSON_HEADER] = token
        try:
            async with self._http.request(method, self.addresses[service] + path, json=body, headers=headers) as answer:
                if answer.status == expected:
                    return await answer.json()
                raise LoadFailed(f"{method} {service}{path} answered {answer.status}: {(await answer.text())[:300]}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise LoadFailed(f"{method} {service}{path} got no answer ({type(error).__name__}).") from error
