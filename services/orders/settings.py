"""The settings of orders."""

from typing import ClassVar

from pydantic import Field

from chassis.settings import ProviderUrl, ServiceSettings, settings_config


class OrdersSettings(ServiceSettings):
    """Settings of orders; variables start with `ORDERS_`."""

    model_config = settings_config("ORDERS_")
    service_name: ClassVar[str] = "orders"

    catalog_url: ProviderUrl = ""
    inventory_url: ProviderUrl = ""
    payments_url: ProviderUrl = ""
    hold_ttl_seconds: int = Field(default=600, ge=10, le=3600)
    # How long a buyer may keep places unpaid altogether, if they ask for more time.
    hold_longest_seconds: int = Field(default=1800, ge=10, le=3600)
    # The bank stops authorising this long before the hold ends, so that what is authorised can still be committed.
    payment_margin_seconds: int = Field(default=10, ge=0)
    # An order that is still being placed after this was abandoned by a crash; longer than any caller waits.
    abandoned_after_seconds: float = Field(default=20.0, gt=0)
    saga_every_seconds: float = Field(default=1.0, gt=0)
    # An order that has no tickets so long after it was confirmed is published again; usually they are there in less than a second.
    tickets_within_seconds: float = Field(default=30.0, gt=0)
