"""A process that dies between the server's answer and its own note sends again, under the same name."""

import asyncio
import os
import signal
import sys

from pydantic import SecretStr

from chassis.testing import Harness
from services.notifications.app import create_app
from services.notifications.settings import NotificationsSettings
from services.notifications.tests.integration.conftest import World


def environment(settings: NotificationsSettings, **more: str) -> dict[str, str]:
    """The settings in the environment of a process of its own."""
    settings_of_process = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in dict(settings).items()
        if value is not None and name != "retry_delays_seconds"
    }
    return os.environ | {f"NOTIFICATIONS_{name.upper()}": value for name, value in (settings_of_process | more).items()}


async def test_a_crash_after_sending_repeats_the_same_message_id(world: World, harness: Harness) -> None:
    settings = world.settings.model_copy(update={"attempt_seconds": 2.9, "lease_seconds": 3.0})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chassis.serve", "services.notifications.app:create_app"),
        env=environment(settings, crash_at="notifications.sent_not_marked", port="0"),
    )
    try:
        fact = await world.issue()
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert [row["state"] for row in await world.deliveries()] == ["waiting"]
    async with harness.running(create_app, settings):
        [delivery] = await world.until("sent")
    first, second = world.mail.messages
    assert first["Message-ID"] == second["Message-ID"] == f"<tickets.{fact['order_id']}@onsale.example>"
    assert delivery["attempts"] == 2
