"""What web itself refuses on pages of every subject, in sentences for the person who looks at the page."""

from typing import ClassVar


class WebError(Exception):
    """Base of the errors below."""

    code: ClassVar[str]
    category: ClassVar[str]


class PageUnknown(WebError):
    """Nothing is at this address."""

    code = "page_unknown"
    category = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such page. Look at the address again, or start from the list of events.")


class OrderNotHere(WebError):
    """An order that is not this person's, or does not exist: the two must look alike."""

    code = "order_unknown"
    category = "not_found"

    def __init__(self) -> None:
        super().__init__(
            "We do not find this order here. Open it on the device where you ordered, or sign in if you ordered "
            "with an account. If it was paid, your tickets are in your e-mail too."
        )


class FormTooOld(WebError):
    """A form whose token does not fit the visitor's cookie: an old page, or somebody else's."""

    code = "form_too_old"
    category = "forbidden"

    def __init__(self) -> None:
        super().__init__(
            "This page was open for too long, another tab was opened at the same moment, or your browser does not keep "
            "our cookie. Nothing was done. Open the page again and repeat it."
        )


class SessionEnded(WebError):
    """Somebody was signed in and is not any more."""

    code = "session_ended"
    category = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("You were signed out after a long time. Sign in again to go on.")


class ForeignPage(WebError):
    """A page of another site opens a socket here."""

    code = "foreign_page"
    category = "forbidden"

    def __init__(self) -> None:
        super().__init__("This can be opened by our own pages alone. Open the event's page.")


class SocketNeeded(WebError):
    """A request for a socket that does not ask to be one, or whose wish a proxy has not passed on."""

    code = "socket_needed"
    category = "upgrade_needed"

    def __init__(self) -> None:
        super().__init__(
            "This is a WebSocket. If a browser was sent here, the proxy between does not pass on the headers Upgrade and Connection."
        )


class TooManyStreams(WebError):
    """This process holds as many open streams as it may."""

    code = "too_many_streams"
    category = "unavailable"
    retry_after_seconds = 10

    def __init__(self) -> None:
        super().__init__("Too many people watch live at the moment. The page works without; it is tried again soon.")


class TooManyStreamsOfOne(WebError):
    """One browser, or one address, has as many open streams as it may."""

    code = "too_many_streams_of_one"
    category = "too_many"
    retry_after_seconds = 30

    def __init__(self) -> None:
        super().__init__("This page is open very often here. It works without being live; close some of its tabs.")
