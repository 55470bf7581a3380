"""Open streams: bounded, and never held up by one that does not listen."""

from contextlib import ExitStack

import pytest

from services.web.frame.domain import TooManyStreams, TooManyStreamsOfOne
from services.web.frame.limits import Caller
from services.web.frame.streams import QUEUE_SIZE, End, Streams, message

SOMEBODY = Caller("192.0.2.1", "cookie")


async def test_a_listener_hears_what_is_published_until_everything_ends() -> None:
    streams = Streams(1, 9, 9)
    with streams.listener(SOMEBODY) as listener:
        listener.put(b"one")
        messages = listener.messages()

        assert await anext(messages) == b"one"
        streams.end_all()
        assert [sent async for sent in messages] == []


async def test_a_listener_that_does_not_take_its_messages_is_dropped() -> None:
    with Streams(1, 9, 9).listener(SOMEBODY) as listener:
        for _ in range(QUEUE_SIZE + 1):
            listener.put(b"sent")

        assert listener.end is End.SLOW
        assert [sent async for sent in listener.messages()] == []


async def test_there_are_no_more_streams_than_allowed() -> None:
    streams = Streams(1, 9, 9)
    with streams.listener(SOMEBODY), pytest.raises(TooManyStreams), streams.listener(SOMEBODY):
        pass
    with streams.listener(SOMEBODY):
        assert len(streams) == 1
    assert len(streams) == 0


def test_a_message_is_one_event_on_one_line() -> None:
    assert message("change", {"free": [1]}) == b'event: change\ndata: {"free":[1]}\n\n'


def test_one_browser_and_one_address_have_their_share_and_no_more() -> None:
    streams = Streams(100, most_of_browser=2, most_of_address=5)
    with ExitStack() as opened:
        for _ in range(2):
            opened.enter_context(streams.listener(SOMEBODY))
        with pytest.raises(TooManyStreamsOfOne):
            streams.check(SOMEBODY)
        for cookie in ("another", "a third", None):
            opened.enter_context(streams.listener(Caller(SOMEBODY.address, cookie)))
        with pytest.raises(TooManyStreamsOfOne):
            streams.check(Caller(SOMEBODY.address, "a fifth"))
        opened.enter_context(streams.listener(Caller("192.0.2.2", "elsewhere")))
    streams.check(SOMEBODY)


def test_browsers_without_a_cookie_are_one_at_their_address() -> None:
    streams = Streams(100, most_of_browser=1, most_of_address=50)
    with streams.listener(Caller("192.0.2.1", None)):
        with pytest.raises(TooManyStreamsOfOne):
            streams.check(Caller("192.0.2.1", None))
        streams.check(Caller("192.0.2.2", None))
