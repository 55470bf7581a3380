"""Calls over NATS instead of a network of addresses: the asking side. What is asked, and the rules of asking, are chassis/calls.py.

One inbox serves all calls of a process. That nobody is there to take a request NATS says at once, and then nobody has heard of it.
Everything else that goes wrong (a provider that dies, an answer that is lost) is silence, which ends with the call's time.
"""

import asyncio
import secrets
from itertools import count

import aiohttp
import nats.errors
from multidict import CIMultiDict
from nats.aio.client import Client
from nats.aio.msg import Msg

from chassis.ask_bus import NO_RESPONDERS, subject_of
from chassis.broker import Broker
from chassis.calls import Answered, Carry, NotSent, Sending
from chassis.envelope import CONTINUE, pieces, read_answer, written_request
from chassis.limits import MOST_BODY_BYTES
from chassis.logs import log

_LOG = log(__name__)


class _Waiting:
    """A call without an answer yet."""

    __slots__ = ("_answered", "_pieces", "answer", "missing", "wished")

    def __init__(self) -> None:
        self.answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        # Where the provider wants the rest of a large body.
        self.wished: asyncio.Future[str] | None = None
        self.missing = 0
        self._answered: Answered | None = None
        self._pieces: list[bytes] = []

    def take(self, message: Msg) -> None:
        """Some of what comes back. Raises ValueError if it is no answer, aiohttp.ClientPayloadError if it is too large."""
        if self.answer.done():
            return
        if self._answered is not None:
            self._add(message.data)
            return
        if message.headers and message.headers.get("Status") == NO_RESPONDERS.decode():
            self.answer.set_exception(NotSent("Nobody takes requests there."))
            return
        read = read_answer(message.data)
        if read.status == CONTINUE:
            if self.wished is not None and not self.wished.done():
                self.wished.set_result(message.reply)
            return
        if read.length > MOST_BODY_BYTES:
            raise aiohttp.ClientPayloadError(f"The answer has {read.length} bytes, and {MOST_BODY_BYTES} are taken.")
        self._answered = Answered(read.status, CIMultiDict(read.headers), b"")
        self.missing = read.length
        self._add(read.piece)

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.missing -= len(piece)
        if self.missing <= 0 and self._answered is not None:
            content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self.answer.set_result(Answered(self._answered.status_code, self._answered.headers, content))


class CallsOverBus:
    """Carries the calls of one process; `to` names the provider."""

    def __init__(self, broker: Broker, service_name: str) -> None:
        self._broker = broker
        self._inbox = f"_INBOX_{service_name}.calls.{secrets.token_hex(8)}."
        self._numbers = count(1)
        self._waiting: dict[str, _Waiting] = {}
        broker.subscribe(f"{self._inbox}*", self._take)

    def to(self, provider: str) -> Carry:
        """What carries requests to a provider (chassis/calls.py)."""
        subject = subject_of(provider)

        async def carry(sending: Sending) -> Answered:
            return await self._carry(subject, sending)

        return carry

    async def _carry(self, subject: str, sending: Sending) -> Answered:
        target = f"{sending.path}?{sending.query}" if sending.query else sending.path
        head = written_request(sending.method, target, _with_length(sending), len(sending.body))
        number, waiting = str(next(self._numbers)), _Waiting()
        async with asyncio.timeout(sending.seconds):
            client = self._broker.client_now() or await self._connected(sending.connect_seconds)
            room = client.max_payload - len(head)
            if len(sending.body) > room:
                waiting.wished = asyncio.get_running_loop().create_future()
            self._waiting[number] = waiting
            try:
                await _say(client, subject, head + sending.body[:room], self._inbox + number)
                if waiting.wished is not None:
                    await _send_rest(client, subject, waiting, waiting.wished, sending.body[room:])
                return await waiting.answer
            finally:
                del self._waiting[number]

    async def _connected(self, seconds: float) -> Client:
        try:
            return await asyncio.wait_for(self._broker.client(), seconds)
        except TimeoutError as error:
            raise NotSent("NATS is not connected.") from error

    async def _take(self, message: Msg) -> None:
        waiting = self._waiting.get(message.subject[len(self._inbox) :])
        if waiting is None:
            return  # too late: nobody waits for it any more
        try:
            waiting.take(message)
        except (ValueError, aiohttp.ClientError) as error:
            _LOG.warning("an answer over the bus was not understood", error=str(error))
            waiting.answer.set_exception(aiohttp.ClientPayloadError(str(error)))


def _with_length(sending: Sending) -> dict[str, str]:
    headers = dict(sending.headers)
    if sending.body:
        headers["Content-Length"] = str(len(sending.body))
    return headers


async def _say(client: Client, subject: str, data: bytes, reply: str) -> None:
    try:
        await client.publish(subject, data, reply=reply)
    except nats.errors.Error as error:
        raise NotSent("NATS is not connected.") from error


async def _send_rest(
    client: Client, subject: str, waiting: _Waiting, wished: "asyncio.Future[str]", rest: bytes
) -> None:
    """Sends what did not fit, once the provider wants it: it may as well answer without having read it."""

    def answered(_answer: object) -> None:
        if not wished.done():
            wished.set_result("")

    waiting.answer.add_done_callback(answered)
    where = await wished
    if not where:
        return
    if not where.startswith(f"{subject}."):
        raise aiohttp.ClientPayloadError("The provider wants the body where it is not asked.")
    try:
        for piece in pieces(rest, client.max_payload):
            await client.publish(where, piece)
    except nats.errors.Error as error:
        raise aiohttp.ClientPayloadError("The connection to NATS was lost within the body.") from error
