"""Builds the application from its settings."""

from fastapi import FastAPI

from chassis.service import Service
from services.catalog.api import make_router
from services.catalog.domain import CatalogError
from services.catalog.service import Catalog
from services.catalog.settings import CatalogSettings


def create_app(settings: CatalogSettings | None = None) -> FastAPI:
    """The service, ready to be served."""
    settings = settings or CatalogSettings()
    service = Service(settings, title="Catalog", errors=CatalogError)
    service.include(make_router(Catalog(service.database())))
    return service.build()
