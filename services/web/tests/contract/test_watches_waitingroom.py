"""What web reads in the bus messages of waitingroom: up to which number people are let in."""

import httpx
import orjson

from contracts import matchers
from contracts.consumer import Watching, an_id, watches
from contracts.demanded import refuse_unread
from services.web.clients.waitingroom import WaitingroomClient
from services.web.waiting.now_serving import NowServing, QueueMoved

waitingroom = watches("web", "waitingroom")

SUBJECT = "bus.waitingroom.queue_moved"


async def test_people_were_let_in(waitingroom: Watching) -> None:
    event_id = an_id("web watches waitingroom: event")
    now_serving = NowServing(WaitingroomClient(httpx.AsyncClient(base_url="http://127.0.0.1:9", timeout=30)))
    said = {"event_id": matchers.identifier(event_id), "serving": matchers.integer(7)}
    with waitingroom.said(SUBJECT, said) as body:
        payload = orjson.loads(body)
        refuse_unread(payload, QueueMoved, SUBJECT)
        await now_serving.on_queue_moved(f"{SUBJECT}.{event_id}", payload)
        assert now_serving.pace(event_id).serving == 7
