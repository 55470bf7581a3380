"""The settings of this service."""

from pathlib import Path

from pydantic import Field

from chassis.settings import ProviderUrl, ServiceSettings, settings_config


class TicketsSettings(ServiceSettings):
    """Settings of `tickets`, as `TICKETS_...` in the environment."""

    model_config = settings_config("TICKETS_")
    service_name = "tickets"

    # The private Ed25519 key (PEM) that signs the codes. Required; without it the service says how to make one.
    signing_key_file: Path | None = None
    # Public keys (JWKS) that signed codes before: still believed, so that printed tickets outlive a change of key.
    retired_keys_file: Path | None = None
    # PDFs that are made at the same time, each in a thread, and how many may wait for one.
    accounts_url: ProviderUrl = ""
    # How long a PDF waits for the holder's name; then it is printed without one.
    name_seconds: float = Field(default=1.5, gt=0)
    # Printed PDFs, kept so that they are not printed twice: where, how many bytes of them, and for how long. Without a folder
    # they are in a temporary one of this process's own, which goes with it, or with the start of the next one if it was killed.
    printed_folder: Path | None = None
    printed_bytes_max: int = Field(default=32 * 1024 * 1024, ge=0)
    printed_seconds_max: float = Field(default=24 * 3600.0, gt=0)
    printer_threads: int = Field(default=2, ge=1, le=16)
    printer_queue: int = Field(default=32, ge=0, le=1000)
