"""Which migrations a service has, read from the names of their files: what a serving process needs to know of them."""

from pathlib import Path

SERVICES = Path(__file__).parent.parent / "services"


def migrations_of(service: str) -> Path:
    """The folder of a service's migrations."""
    return SERVICES / service / "migrations"


def newest_migration(migrations: Path) -> str | None:
    """The revision that this code needs: the highest number that begins a file's name. None without migrations."""
    numbers = (path.name.partition("_")[0] for path in (migrations / "versions").glob("[0-9]*_*.py"))
    return max(numbers, default=None)
