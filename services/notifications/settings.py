"""The settings of this service."""

from email.utils import parseaddr
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from chassis.settings import ProviderUrl, ServiceSettings, settings_config
from services.notifications.domain import is_address


class NotificationsSettings(ServiceSettings):
    """Settings of `notifications`, as `NOTIFICATIONS_...` in the environment. Times are in seconds."""

    model_config = settings_config("NOTIFICATIONS_")
    service_name = "notifications"

    accounts_url: ProviderUrl = ""
    tickets_url: ProviderUrl = ""
    # Where buyers find their order: the public address of the shop. Without it mails carry no link.
    shop_url: str | None = None

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=8025, ge=1, le=65535)
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    # For each step of the conversation (connect, command, data).
    smtp_timeout_seconds: float = Field(default=10.0, gt=0)
    mail_from: str = "Onsale <tickets@onsale.example>"

    # How many mails of unpaid orders go to one address in a window; more wait for the next one.
    mails_per_address: int = Field(default=10, ge=1)
    mails_per_address_seconds: float = Field(default=3600.0, gt=0)
    # How many mails one process sends at a time, and how often it looks for due ones that nobody announced.
    send_batch: int = Field(default=8, ge=1, le=100)
    poll_seconds: float = Field(default=1.0, gt=0)
    # One try, from asking for the contact to the server's answer; then how long the mail is this process's alone.
    attempt_seconds: float = Field(default=60.0, gt=0)
    lease_seconds: float = Field(default=120.0, gt=0)
    # Waiting times between tries; one try more than there are numbers, then the delivery has failed. About a day in all.
    retry_delays_seconds: tuple[float, ...] = (2, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 28800)

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not is_address(parseaddr(value)[1]):
            raise ValueError("mail_from is not an address. Write it like: Onsale <tickets@example.org>")
        return value

    @field_validator("lease_seconds")
    @classmethod
    def _outlives_an_attempt(cls, value: float, info: ValidationInfo) -> float:
        if value <= info.data.get("attempt_seconds", 0.0):
            raise ValueError("lease_seconds must be more than attempt_seconds, or two processes send the same mail.")
        return value
