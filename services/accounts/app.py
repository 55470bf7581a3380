"""Builds the application from its settings."""

from fastapi import FastAPI

from chassis.service import Service
from chassis.worker import Worker
from services.accounts.api import make_router
from services.accounts.domain import AccountsError
from services.accounts.keys import Keyring
from services.accounts.passwords import Passwords
from services.accounts.service import Accounts
from services.accounts.settings import AccountsSettings

_TIDY_SECONDS = 600.0


def create_app(settings: AccountsSettings | None = None) -> FastAPI:
    """The service, ready to be served."""
    settings = settings or AccountsSettings()
    service = Service(settings, title="Accounts", errors=AccountsError)
    keyring = Keyring.load(settings)
    passwords = Passwords(settings)
    accounts = Accounts(service.database(), keyring, passwords, settings)
    service.manage(passwords.opened())
    service.work(Worker("forget_what_is_over", accounts.forget_what_is_over, every_seconds=_TIDY_SECONDS))
    service.include(make_router(accounts, keyring.jwks))
    return service.build()
