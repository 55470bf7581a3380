"""Builds the application from its settings."""

from fastapi import FastAPI

from chassis.service import Service
from chassis.tokens import load_signing_key
from chassis.worker import Worker
from services.waitingroom.api import make_router
from services.waitingroom.bank import Bank
from services.waitingroom.challenge import challenge_of
from services.waitingroom.clients.inventory import InventoryClient
from services.waitingroom.domain import WaitingroomError
from services.waitingroom.inbox import make_inbox
from services.waitingroom.passes import Passes
from services.waitingroom.service.proofs import SWEPT_AT_ONCE, Proofs
from services.waitingroom.service.queue import Queue
from services.waitingroom.service.sales import Sales
from services.waitingroom.service.steps import Steps
from services.waitingroom.settings import WaitingroomSettings

SWEEP_SECONDS = 60.0


def create_app(settings: WaitingroomSettings | None = None) -> FastAPI:
    """The service, ready to be served."""
    settings = settings or WaitingroomSettings()
    service = Service(settings, title="Onsale waiting room", errors=WaitingroomError)
    database = service.database()
    inventory = service.client_of(InventoryClient, settings.inventory_url)
    challenge = challenge_of(settings)
    proofs = Proofs(database, challenge)
    passes = Passes(load_signing_key(settings.key_file))
    queue = Queue(database, passes, proofs, settings.pass_seconds, settings.most_per_address)
    bank = Bank()
    service.bus.subscribe("bus.payments.bank_late.>", bank.on_bank_late)
    steps = Steps(database, inventory, bank, service.bus, settings.turn_seconds)
    service.hear(make_inbox(queue))
    service.work(Worker("let_people_in", steps, settings.step_seconds))
    service.work(Worker("sweep_solutions", proofs.sweep, SWEEP_SECONDS, batch=SWEPT_AT_ONCE))
    service.include(make_router(Sales(database, can_challenge=challenge is not None), queue, proofs))
    return service.build()
