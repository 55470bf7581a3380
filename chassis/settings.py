"""The settings of every service, from its environment. One prefix per service, so that a whole system can live in one environment.

A setting that all services of an environment share may be given once, with the prefix `ONSALE_`; a service's own goes before it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

SHARED_PREFIX = "ONSALE_"


@dataclass(frozen=True)
class _OfOurs:
    """Marks the address of one of our services."""


# The base address of another of our services. With `transport=bus` none is needed, since the bus knows where everybody is.
ProviderUrl = Annotated[str, _OfOurs()]


def settings_config(prefix: str) -> SettingsConfigDict:
    """The pydantic-settings configuration of a service whose variables start with `prefix`, e.g. `ORDERS_`."""
    return SettingsConfigDict(env_prefix=prefix, extra="ignore", frozen=True)


class ServiceSettings(BaseSettings):
    """Settings that all services share. Times are in seconds."""

    service_name: ClassVar[str]
    # Browsers talk to it, and they speak HTTP: it opens its port whatever carries the calls of services.
    is_for_browsers: ClassVar[bool] = False

    environment: Literal["local", "test", "production"] = "local"
    # What carries calls between our services. With "bus" it is NATS: a service needs no address of another, and opens no port.
    transport: Literal["http", "bus"] = "http"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    # postgresql://login:password@host:port/database
    database_url: SecretStr
    replica_url: SecretStr | None = None
    database_pool_size: int = Field(default=8, ge=1, le=200)
    # How long somebody waits for a connection, and a new one for the server, before they hear that the store does not answer.
    database_wait_seconds: float = Field(default=3.0, gt=0)
    statement_timeout_seconds: float = Field(default=10.0, gt=0)
    # nats://login:password@host:port
    nats_url: SecretStr
    # Base address of an OTLP/HTTP receiver; without one spans stay in the process.
    otlp_endpoint: str | None = None
    trace_sample_ratio: float = Field(default=1.0, ge=0, le=1)
    # Base address of an OTLP/HTTP receiver of metrics; without one they are at /metrics alone.
    metrics_endpoint: str | None = None
    # Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or networks, with commas between. None by default.
    trusted_proxies: str = ""
    # Whether /readyz, /load and /metrics also answer what came through a proxy. In a mesh everything does.
    health_through_proxies: bool = False
    # How often facts are looked for that another process wrote: those of a loaded file wait so long at most.
    outbox_poll_seconds: float = Field(default=5.0, gt=0)
    # For how long facts are kept that were told and heard. A stream that lost its own is told the last 30 days again, and whoever
    # had heard them knows them by their inbox; support reads both.
    keep_facts_days: int = Field(default=90, ge=30, le=36_500)
    # For how long a request may be sent again under its Idempotency-Key, and gets the answer that it had.
    keep_keys_hours: int = Field(default=7 * 24, ge=24, le=876_000)
    # For how long support can read what tries of remembered work came to.
    keep_attempts_days: int = Field(default=90, ge=1, le=36_500)
    # The name of the host in spans; without it, the machine's own.
    host_name: str | None = None
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: str = "INFO"
    # This service's own Ed25519 key (PEM), and the public ones of all services (JWKS, key id = service name).
    key_file: Path
    service_keys_file: Path
    # Where the keys are published that verify people's tokens.
    person_keys_url: ProviderUrl = ""
    drain_seconds: float = Field(default=10.0, ge=0)
    # Failpoint for crash tests: the process kills itself when it reaches this point. Refused in production.
    crash_at: str | None = None
    # A fault to practise on (docs/drills). Refused in production.
    drill: str | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the service's own variables, then those that all services share."""
        return init_settings, env_settings, EnvSettingsSource(settings_cls, env_prefix=SHARED_PREFIX)

    def model_post_init(self, _context: Any) -> None:
        """Refuses settings that must not meet."""
        if self.environment == "production" and self.crash_at:
            raise ValueError("crash_at is for crash tests: it must not be set in production.")
        if self.environment == "production" and self.drill:
            raise ValueError("drill is for practising: production must not start with one on. Leave it out.")
        if self.transport == "http" and (missing := self._providers_without_address()):
            names = " and ".join(f"{self.model_config.get('env_prefix', '')}{name.upper()}" for name in missing)
            raise ValueError(
                f"Over HTTP this service has to know where others are: set {names}, or {SHARED_PREFIX}TRANSPORT=bus for all services."
            )

    def _providers_without_address(self) -> list[str]:
        fields = type(self).model_fields.items()
        ours = (name for name, field in fields if any(isinstance(each, _OfOurs) for each in field.metadata))
        return [name for name in ours if not getattr(self, name)]
