"""The settings of catalog."""

from chassis.settings import ServiceSettings, settings_config


class CatalogSettings(ServiceSettings):
    """Catalog needs no more than every service does."""

    model_config = settings_config("CATALOG_")
    service_name = "catalog"
