"""The settings of this service."""

from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings, settings_config


class PaymentsSettings(ServiceSettings):
    """Settings of `payments`, as `PAYMENTS_...` in the environment. Times are in seconds."""

    model_config = settings_config("PAYMENTS_")
    service_name = "payments"

    bank_url: str
    bank_api_key: SecretStr = Field(min_length=8)
    # What the bank signs its webhooks with.
    bank_webhook_secret: SecretStr = Field(min_length=8)
    bank_timeout_seconds: float = Field(default=5.0, gt=0, le=30)
    # How long nothing may be heard of a payment before the bank is asked, and how long an unknown operation waits.
    ask_after_seconds: float = Field(default=20.0, gt=0)
    ask_again_seconds: float = Field(default=5.0, gt=0)
    # How often such rows are looked for, while there are any.
    ask_every_seconds: float = Field(default=1.0, gt=0)
