"""Idempotency keys: the same key with the same request gets the same answer, and the work happens once."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel
from starlette.responses import Response

from chassis.db import Database
from chassis.errors import KeyMissing, KeyReused, StillInProgress
from chassis.problems import problem_of, problem_response
from chassis.statements import text
from chassis.tasks import to_its_end

KEY_HEADER = "Idempotency-Key"
SHORTEST, LONGEST = 8, 200
# How long one taker may work before another one may try; longer than any deadline.
LEASE_SECONDS = 60
SERVER_ERROR = 500
# The `openapi_extra=` of a route that needs a key.
NEEDS_KEY: dict[str, Any] = {
    "parameters": [
        {
            "name": KEY_HEADER,
            "in": "header",
            "required": True,
            "description": "New for each new request; a repetition with the same key gets the same answer.",
            "schema": {"type": "string", "minLength": SHORTEST, "maxLength": LONGEST},
        }
    ]
}


@dataclass(frozen=True)
class _Claim:
    parameters: dict[str, Any]
    fence: int


async def idempotent(
    request: Request,
    database: Database,
    principal: str,
    body: BaseModel,
    work: Callable[[], Awaitable[BaseModel]],
    *,
    status: int = 200,
) -> Response:
    """Runs `work` once per (principal, route, Idempotency-Key), and answers a repetition with the stored answer.

    Refusals (4xx) are answers too and are stored; a failure (5xx) is not, so that the next try works. Raises `KeyMissing`,
    `KeyReused` (the same key with another body) and `StillInProgress`.
    """
    key = request.headers.get(KEY_HEADER, "")
    if not SHORTEST <= len(key) <= LONGEST:
        raise KeyMissing
    route = f"{request.method} {getattr(request.scope.get('route'), 'path', request.url.path)}"
    canonical = orjson.dumps(body.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    claim = await _claim(database, principal, route, key, hashlib.sha256(canonical).digest())
    if isinstance(claim, Response):
        return claim
    try:
        answer = await work()
    except Exception as error:
        problem = problem_of(error)
        if problem.status >= SERVER_ERROR:
            await _give_back(database, claim)
            raise
        response = problem_response(request, problem)
    else:
        response = Response(orjson.dumps(jsonable_encoder(answer)), status, media_type="application/json")
    await _store(database, claim, response)
    return response


async def _claim(database: Database, principal: str, route: str, key: str, request_hash: bytes) -> _Claim | Response:
    identity = {"principal": principal, "route": route, "key": key}
    parameters = {**identity, "request_hash": request_hash, "seconds": LEASE_SECONDS}
    async with database.writer(single=True) as tx:
        found = (await tx.execute(_TAKE, parameters, name="idempotency.take")).mappings().one()
    if found["fence"] is not None:
        return _Claim(identity, found["fence"])
    known = found["known"]
    if known is not None and known["request_hash"] != request_hash.hex():
        raise KeyReused
    # Without a row: somebody has taken the key in this very moment.
    if known is None or known["status"] is None:
        raise StillInProgress
    stored = known["response"]
    return Response(orjson.dumps(stored["body"]), known["status"], media_type=stored["media_type"])


async def _store(database: Database, claim: _Claim, response: Response) -> None:
    stored = {"body": orjson.loads(bytes(response.body)), "media_type": response.media_type}
    parameters = {
        **claim.parameters,
        "fence": claim.fence,
        "status": response.status_code,
        "response": orjson.dumps(stored).decode(),
    }
    async with database.writer(single=True) as tx:
        await tx.execute(_STORE, parameters, name="idempotency.store")


async def _give_back(database: Database, claim: _Claim) -> None:
    """Frees the key. It does so even if the request is cut off meanwhile, since its time is mostly over when this is called."""

    async def delete() -> None:
        async with database.writer(single=True) as tx:
            await tx.execute(_GIVE_BACK, {**claim.parameters, "fence": claim.fence}, name="idempotency.give_back")

    await to_its_end(delete())


# Takes a key that is new, or whose taker died: its lease is over and there is no answer. Otherwise, what is known of it: as it was
# before this statement, so that a key is taken or known, unless somebody else takes it at the same moment.
_TAKE = text("""
    WITH taken AS (
        INSERT INTO idempotency_key AS known (principal, route, key, request_hash, leased_until)
        VALUES (:principal, :route, :key, :request_hash, now() + make_interval(secs => :seconds))
        ON CONFLICT (principal, route, key) DO UPDATE
            SET fence = known.fence + 1, leased_until = now() + make_interval(secs => :seconds)
            WHERE known.status IS NULL AND known.leased_until < now() AND known.request_hash = excluded.request_hash
        RETURNING fence
    )
    SELECT (SELECT fence FROM taken) AS fence, (
        SELECT jsonb_build_object('request_hash', encode(request_hash, 'hex'), 'status', status, 'response', response)
        FROM idempotency_key WHERE principal = :principal AND route = :route AND key = :key
    ) AS known
""")
_STORE = text("""
    UPDATE idempotency_key SET status = :status, response = CAST(:response AS jsonb)
    WHERE principal = :principal AND route = :route AND key = :key AND fence = :fence AND status IS NULL
""")
_GIVE_BACK = text("""
    DELETE FROM idempotency_key
    WHERE principal = :principal AND route = :route AND key = :key AND fence = :fence AND status IS NULL
""")
