"""How many guests one may become, in a sentence for the person who looks at the page."""

from services.web.frame.domain import WebError


class TooManyGuests(WebError):
    """One browser, or one address, became so many guests that it cannot be a crowd of buyers."""

    code = "too_many_guests"
    category = "too_many"

    def __init__(self, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        minutes = -(-retry_after_seconds // 60)
        super().__init__(
            "Very many orders without an account have begun here. Pay or cancel those that are open, sign in, or try "
            f"again in {minutes} minute{'s' * (minutes != 1)}."
        )
