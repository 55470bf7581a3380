"""Open streams: bounded, and never held up by one that does not listen."""

import pytest

from services.web.domain import TooManyStreams
from services.web.live import QUEUE_SIZE, Streams, message


async def test_a_listener_hears_what_is_told_until_everything_ends() -> None:
    streams = Streams(1)
    with streams.listener() as listener:
        listener.put(b"one")
        messages = listener.messages()

        assert await anext(messages) == b"one"
        streams.end_all()
        assert [told async for told in messages] == []


async def test_a_listener_that_does_not_take_its_messages_is_dropped() -> None:
    with Streams(1).listener() as listener:
        for _ in range(QUEUE_SIZE + 1):
            listener.put(b"told")

        assert listener.is_dropped
        assert [told async for told in listener.messages()] == []


async def test_there_are_no_more_streams_than_allowed() -> None:
    streams = Streams(1)
    with streams.listener(), pytest.raises(TooManyStreams), streams.listener():
        pass
    with streams.listener():
        assert len(streams) == 1
    assert len(streams) == 0


def test_a_message_is_one_event_on_one_line() -> None:
    assert message("change", {"free": [1]}) == b'event: change\ndata: {"free":[1]}\n\n'
