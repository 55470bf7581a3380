"""The settings of waitingroom."""

from pydantic import Field, SecretStr

from chassis.settings import ProviderUrl, ServiceSettings, settings_config


class WaitingroomSettings(ServiceSettings):
    """Settings of `waitingroom`, as `WAITINGROOM_...` in the environment. Times are in seconds."""

    model_config = settings_config("WAITINGROOM_")
    service_name = "waitingroom"

    inventory_url: ProviderUrl = ""
    # How often people are let in, and numbers are given to who comes after the draw.
    step_seconds: float = Field(default=0.5, gt=0)
    # How long somebody whose turn it is may take to come in, and how long their pass is good for then.
    turn_seconds: int = Field(default=120, ge=1)
    pass_seconds: int = Field(default=600, ge=1)
    # How many may wait from one network address: a school, or a provider's customers, share one.
    most_per_address: int = Field(default=200, ge=1)
    # Signs what browsers are asked to compute before they join; without one no sale can ask for it. The same in every process.
    challenge_key: SecretStr | None = Field(default=None, min_length=32)
    # How much it is: a browser tries numbers until one fits, half of so many on average, each with so many rounds of PBKDF2.
    challenge_tries: int = Field(default=1000, ge=1, le=1_000_000)
    challenge_rounds: int = Field(default=5000, ge=1, le=1_000_000)
    # How long a browser may take: after that it is asked for another one.
    challenge_seconds: int = Field(default=600, ge=10)
