"""Migrates one service's database: `python -m chassis.migrate orders`, or that of the service that ONSALE_SERVICE names."""

import os
import sys

from chassis.migrated import migrations_of
from chassis.migrations import migrate, url_from_environment


def main() -> int:
    """The command line."""
    service = sys.argv[1] if len(sys.argv) == 2 else os.environ.get("ONSALE_SERVICE", "")
    migrations = migrations_of(service)
    if not (migrations / "env.py").is_file():
        sys.stderr.write("Say which service to migrate: python -m chassis.migrate orders\n")
        return 2
    try:
        migrate(migrations, url_from_environment(service))
    except KeyError as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
