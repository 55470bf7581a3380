"""Migrates the database of a service, and those of its further shards: `python -m chassis.migrate orders`.

Without a name that of the service that ONSALE_SERVICE names.
"""

import os
import sys

from sqlalchemy.exc import DBAPIError

from chassis.migrated import migrations_of
from chassis.migrations import migrate, urls_from_environment

# SQLSTATE classes: no connection, no such login or password, no such database, a server that starts or stops.
NOT_THERE_YET = ("08", "28", "3D", "57P")


def main() -> int:
    """The command line."""
    service = sys.argv[1] if len(sys.argv) == 2 else os.environ.get("ONSALE_SERVICE", "")
    migrations = migrations_of(service)
    if not (migrations / "env.py").is_file():
        sys.stderr.write("Say which service to migrate: python -m chassis.migrate orders\n")
        return 2
    try:
        for url in urls_from_environment(service):
            migrate(migrations, url)
    except KeyError as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 2
    except (OSError, DBAPIError) as error:
        if isinstance(error, DBAPIError) and not _is_not_there_yet(error):
            raise
        why = error.orig if isinstance(error, DBAPIError) else error
        sys.stderr.write(f"The database of {service} cannot be used yet ({why}). Once it is there, run this again.\n")
        return 1
    return 0


def _is_not_there_yet(error: DBAPIError) -> bool:
    return (getattr(error.orig, "sqlstate", None) or "").startswith(NOT_THERE_YET)


if __name__ == "__main__":
    sys.exit(main())
