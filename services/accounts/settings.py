"""The settings of accounts."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from chassis.settings import ServiceSettings, settings_config


class AccountsSettings(ServiceSettings):
    """Settings of `accounts`, as `ACCOUNTS_...` in the environment. Times are in seconds."""

    model_config = settings_config("ACCOUNTS_")
    service_name = "accounts"

    # Ed25519 private keys (PEM). The first signs people's tokens; the others are published beside it, so that keys can be
    # changed without a gap: publish the next one, wait five minutes, make it the signing key and the old one the previous.
    signing_key_file: Path | None = None
    next_signing_key_file: Path | None = None
    previous_signing_key_file: Path | None = None
    token_lives_seconds: int = Field(default=900, ge=60, le=3600)
    refresh_lives_seconds: int = Field(default=30 * 24 * 3600, ge=3600)
    # Two requests of one browser may rotate at the same moment, and an answer may get lost: for so long a rotated token
    # is taken once more. After that its reuse ends the session.
    refresh_grace_seconds: float = Field(default=10.0, ge=0, le=60)
    # Wrong passwords per e-mail address and window; then 429.
    sign_in_attempts: int = Field(default=10, ge=1, le=1000)
    sign_in_window_seconds: int = Field(default=900, ge=1)
    # argon2id (OWASP's first choice): memory per hash in KiB, passes. Each hash has a thread and this memory to itself.
    argon2_memory_kib: int = Field(default=19 * 1024, ge=8)
    argon2_passes: int = Field(default=2, ge=1)
    hash_threads: int = Field(default=2, ge=1, le=64)
    hash_queue: int = Field(default=64, ge=0, le=10_000)

    @model_validator(mode="after")
    def _needs_a_key_in_production(self) -> Self:
        if self.environment == "production" and self.signing_key_file is None:
            raise ValueError("signing_key_file is missing: set it to the PEM file of an Ed25519 private key")
        return self
