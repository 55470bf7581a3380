"""What this service is told from outside."""

from pathlib import Path

from pydantic import Field

from chassis.settings import ServiceSettings, settings_config


class TicketsSettings(ServiceSettings):
    """Settings of `tickets`, as `TICKETS_...` in the environment."""

    model_config = settings_config("TICKETS_")
    service_name = "tickets"

    # The private Ed25519 key (PEM) that signs the codes. Required; without it the service says how to make one.
    signing_key_file: Path | None = None
    # Public keys (JWKS) that signed codes before: still believed, so that printed tickets outlive a change of key.
    retired_keys_file: Path | None = None
    # PDFs that are made at the same time, each in a thread, and how many may wait for one.
    printer_threads: int = Field(default=2, ge=1, le=16)
    printer_queue: int = Field(default=32, ge=0, le=1000)
