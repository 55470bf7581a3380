"""Starts Postgres as the official image does: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, PGDATA; arguments are the server's."""

import os
import subprocess
import sys
from pathlib import Path

SOCKETS = "/var/run/postgresql"
LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


def make_cluster(data: Path) -> None:
    """An empty one, whose superuser and database are those of the environment; everybody signs in with a password."""
    user, password_file = os.environ["POSTGRES_USER"], Path(SOCKETS) / "password"
    password_file.write_text(os.environ["POSTGRES_PASSWORD"])
    words = ["initdb", "-D", str(data), "-U", user, f"--pwfile={password_file}", "--auth=scram-sha-256", *LOCALE]
    subprocess.run(words, check=True)
    password_file.unlink()
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all all scram-sha-256\n")
    database = os.environ.get("POSTGRES_DB", user)
    if database != "postgres":
        single = ["postgres", "--single", "-D", str(data), "postgres"]
        subprocess.run(single, input=f'CREATE DATABASE "{database}"', text=True, check=True)


def main() -> None:
    """Makes the cluster if there is none, and becomes the server."""
    data = Path(os.environ["PGDATA"])
    if not (data / "PG_VERSION").exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_cluster(data)
    own = ["-c", "listen_addresses=*", "-c", f"unix_socket_directories={SOCKETS}"]
    os.execvp("postgres", ["postgres", "-D", str(data), *own, *sys.argv[1:]])  # noqa: S606  # it takes this process's place


if __name__ == "__main__":
    main()
