"""The settings of inventory."""

from typing import ClassVar

from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings, settings_config


class InventorySettings(ServiceSettings):
    """Settings of inventory; variables start with `INVENTORY_`."""

    model_config = settings_config("INVENTORY_")
    service_name: ClassVar[str] = "inventory"

    # Further shards; the main database is shard 0. Who has which events stands in the shards (buckets.py).
    shard_urls: list[SecretStr] = Field(default_factory=list)
    sweep_every_seconds: float = Field(default=1.0, gt=0)
    # For how long holds that came to nothing are kept: longer than the facts that tell of them.
    keep_holds_days: int = Field(default=120, ge=31, le=36_500)
    max_hold_ttl_seconds: int = Field(default=3600, ge=1)
