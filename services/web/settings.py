"""The settings of this service."""

from typing import Any

from pydantic import Field, SecretStr

from chassis.settings import ProviderUrl, ServiceSettings, settings_config


class WebSettings(ServiceSettings):
    """Settings of `web`, as `WEB_...` in the environment."""

    model_config = settings_config("WEB_")
    service_name = "web"
    is_for_browsers = True

    # Where browsers find this service; banks send them back there.
    public_url: str
    # Signs form tokens and purchase cookies. The same in every process; changing it makes open pages ask again.
    cookie_secret: SecretStr = Field(min_length=32)
    accounts_url: ProviderUrl = ""
    catalog_url: ProviderUrl = ""
    inventory_url: ProviderUrl = ""
    notifications_url: ProviderUrl = ""
    orders_url: ProviderUrl = ""
    payments_url: ProviderUrl = ""
    tickets_url: ProviderUrl = ""
    waitingroom_url: ProviderUrl = ""
    # Base address of the trace viewer, e.g. http://127.0.0.1:16686; without one pages show the id alone.
    trace_url: str | None = None
    # Where traces can be read (the viewer's API, from within), to add what spans tell to the pages of support.
    trace_query_url: str | None = None
    # Opens the pages of support; without one there are none. The same in every process.
    support_key: SecretStr | None = Field(default=None, min_length=24)
    # Origins of the banks' payment pages, separated by blanks: a form may end there (form-action of the page's policy).
    payment_origins: str = ""
    # Open live streams that one process holds; more are sent away and try again.
    max_streams: int = Field(default=2000, ge=0)
    # How many of these one browser (a cookie: its tabs) and one address (a school, a provider's customers) may have.
    max_streams_per_visitor: int = Field(default=12, ge=1)
    max_streams_per_address: int = Field(default=500, ge=1)
    # A live stream is never silent for longer than this; a proxy that ends silent connections sooner needs less.
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    # Guests that one browser and one address become, in a process and in so many seconds; README.md says why so many.
    max_guests_per_visitor: int = Field(default=10, ge=1)
    max_guests_per_address: int = Field(default=500, ge=1)
    max_guests_per_address_and_event: int = Field(default=300, ge=1)
    guests_again_after_seconds: float = Field(default=600.0, gt=0)

    def model_post_init(self, context: Any) -> None:
        """Refuses settings that must not meet."""
        super().model_post_init(context)
        if self.environment == "production" and not self.public_url.startswith("https://"):
            raise ValueError("public_url must start with https:// in production: sessions travel in secure cookies.")

    @property
    def is_secure(self) -> bool:
        """Whether browsers come over https, so that cookies can be bound to it."""
        return self.public_url.startswith("https://")
