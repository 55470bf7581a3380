"""Settings of the bank simulator; each also as an environment variable with the prefix BANK_."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class BankSettings(BaseSettings):
    """What the bank needs to know. Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix="BANK_")

    data: Path
    api_key: SecretStr = Field(min_length=8)
    webhook_secret: SecretStr = Field(min_length=8)
    webhook_url: str
    public_url: str
    slow_seconds: float = Field(default=4.0, ge=0, le=120)
    # How long every answer to the merchant takes, whichever card is paid with: a bank on a bad day.
    answer_seconds: float = Field(default=0.0, ge=0, le=120)
    webhook_late_seconds: float = Field(default=10.0, ge=0, le=600)
    webhook_retry_seconds: float = Field(default=1.0, gt=0, le=60)
    capture_failures: int = Field(default=2, ge=0, le=20)
