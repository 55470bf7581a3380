"""A streaming replica of the databases on one machine: a base backup of the primary, which then follows it."""

import os
import shutil
from pathlib import Path

from local.errors import StartError
from local.postgres import SUPERUSER, PostgresServer
from local.processes import LOOPBACK, Account, changes_user, end, spawn
from local.unprivileged import account_for, place_of

COPY_SECONDS = 300.0
# As which the primary knows it (`synchronous_standby_names`).
NAME = "replica"


class PostgresReplica(PostgresServer):
    """Follows a primary that runs, and takes reads. Each start copies the primary anew: what it has is nobody's only copy.

    `through`: the port at which it finds the primary, if that is not the primary's own.
    """

    def __init__(
        self,
        primary: PostgresServer,
        folder: Path,
        port: int | None = None,
        durable: bool = True,
        through: int | None = None,
    ) -> None:
        super().__init__(folder, port, durable, {"cluster_name": NAME})
        self._primary = primary
        self._through = through or primary.port

    def start(self) -> None:
        """Copies the primary, starts the server, and waits until it accepts reads."""
        found = self._find_data()
        for each in (found, place_of(found, account_for(found))):
            shutil.rmtree(each, ignore_errors=True)
        super().start()

    def _initialise(self, installation: Path, data: Path) -> None:
        account = account_for(data)
        data.mkdir(mode=0o700, parents=True)
        if changes_user(account):
            os.chown(data, account.uid, account.gid)
        self._copy(installation, data, account)
        # The same logins are there, with the same passwords.
        self._keep_password(self._primary.password)

    def _copy(self, installation: Path, data: Path, account: Account) -> None:
        command: list[str | Path] = [
            installation / "bin" / "pg_basebackup",
            *("-h", LOOPBACK, "-p", str(self._through), "-U", SUPERUSER, "-D", data),
            # It says itself where the primary is, and that it is a replica.
            *("--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"),
        ]
        environment = {**self._environment(), "PGPASSWORD": self._primary.password}
        with self.log_file.open("ab") as log:
            process = spawn(command, output=log.fileno(), env=environment, cwd=data, account=account)
            try:
                code = process.wait(COPY_SECONDS)
            finally:
                end(process)
        if code != 0:
            shutil.rmtree(data, ignore_errors=True)
            raise StartError(f"The replica could not copy the databases. {self._last_words()}")
