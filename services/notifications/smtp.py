"""The conversation with the mail server. What it says may quote the buyer's address, so only codes leave this room."""

import re

import aiosmtplib
from opentelemetry.trace import SpanKind

from services.notifications.composing import Mail
from services.notifications.domain import NotDelivered
from services.notifications.settings import NotificationsSettings
from tracing.spans import mark_failed, span

PERMANENT = range(500, 600)
_ENHANCED_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


class MailServer:
    """Hands mails over to one SMTP server."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._settings = settings

    async def send(self, mail: Mail) -> None:
        """Returns when the server has taken the mail. Raises NotDelivered; then it may have taken it all the same."""
        settings = self._settings
        attributes = {"server.address": settings.smtp_host, "server.port": settings.smtp_port}
        with span("smtp send", attributes, SpanKind.CLIENT) as current:
            problem = await self._talk(mail)
            if problem is not None:
                mark_failed(current, problem.reason)
        if problem is not None:
            raise problem

    async def _talk(self, mail: Mail) -> NotDelivered | None:
        # The problem is returned, not raised from the original: a traceback in a span would hold the address.
        settings = self._settings
        password = settings.smtp_password
        try:
            await aiosmtplib.send(
                mail.data,
                sender=mail.sender,
                recipients=[mail.recipient],
                # An address in another script than ours: not every server takes such (RFC 6531).
                mail_options=None if mail.recipient.isascii() else ["SMTPUTF8", "BODY=8BITMIME"],
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                timeout=settings.smtp_timeout_seconds,
                use_tls=settings.smtp_security == "tls",
                start_tls=settings.smtp_security == "starttls",
                username=settings.smtp_username,
                password=password.get_secret_value() if password else None,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _refused(error.recipients[0])
        except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
            return _refused(error)
        except aiosmtplib.SMTPResponseException as error:
            # Refused is our sender or our login: that is for us to mend, and the mail can wait for it.
            return NotDelivered(f"the mail server answered {_status(error)}")
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return NotDelivered(f"no conversation with the mail server: {type(error).__name__}")
        return None


def _refused(error: aiosmtplib.SMTPResponseException) -> NotDelivered:
    return NotDelivered(f"the mail server refused the mail: {_status(error)}", permanent=error.code in PERMANENT)


def _status(error: aiosmtplib.SMTPResponseException) -> str:
    enhanced = _ENHANCED_STATUS.search(error.message)
    return f"{error.code} {enhanced.group()}" if enhanced else str(error.code)
