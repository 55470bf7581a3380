"""A waiting room that is not there."""

from services.web.frame.domain import WebError


class NoWaitingRoom(WebError):
    """This event is sold without one."""

    code = "no_waiting_room"
    category = "not_found"

    def __init__(self) -> None:
        super().__init__("This event has no waiting room. Open its page: what is on sale can be bought there.")
