"""The smallest service, with everything in it that says something in a way of its own."""

import asyncio
import logging
import threading
import warnings

from fastapi import FastAPI

from chassis.logs import log
from chassis.service import Service
from chassis.tests.sample import app as sample
from chassis.worker import Worker
from tracing.spans import span


def create_app() -> FastAPI:
    service = Service(sample.SampleSettings(), title="Noisy", errors=sample.SampleError)
    service.database()
    service.work(Worker("noise", make_noise, 3600))
    return service.build()


async def make_noise() -> int:
    with span("noise"):
        log(__name__).info("noise of a trace")
    warnings.warn("noise of a warning", stacklevel=1)
    logging.getLogger("nats.aio.client").error("noise of a %s", "library")
    logging.getLogger("fontTools.subset").info("silent noise")
    thread = threading.Thread(target=fail, args=("noise of a thread",))
    thread.start()
    thread.join()
    # Forgotten: the event loop tells.
    asyncio.get_running_loop().call_soon(fail, "noise of the loop")
    raise ValueError("noise of a step")


def fail(sentence: str) -> None:
    raise ValueError(sentence)
