"""One system per data folder."""

import fcntl
import os
from pathlib import Path
from typing import IO

from local.errors import StartError
from local.folder import is_ours, others_in


class FolderLock:
    """The lock is the kernel's: it is gone when its holder is, however that ended. The file names its holder to people."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = folder / "running"
        self._file: IO[str] | None = None

    @property
    def is_held(self) -> bool:
        """Whether the folder is this system's."""
        return self._file is not None

    @property
    def was_not_released(self) -> bool:
        """Whether the last holder was killed: what it had started may still be ending."""
        return self._mark.exists()

    def take(self) -> None:
        """Makes the folder if need be. Raises StartError with a sentence that says what to do."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if (others := others_in(self._folder)) and not is_ours(self._folder):
                raise StartError(
                    f"The folder {self._folder} holds other things ({', '.join(others[:3])}{' ...' * (len(others) > 3)}). "
                    "Take a folder that is empty, or does not exist yet, with DATA=..."
                )
            file = (self._folder / "lock").open("a+")
        except OSError as error:
            raise StartError(
                f"The data folder {self._folder} cannot be used ({error.strerror}). Make it writable, run the same "
                "command as its owner, or take another folder with DATA=..."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StartError(
                f"Onsale already runs on the data folder {self._folder} (process {holder}). Stop it there with Ctrl-C, "
                "or start a second one with its own folder and ports: make up DATA=.onsale2 PORTS=9000"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def mark(self) -> None:
        """From now on there is something that outlives a kill for a moment."""
        self._mark.touch()

    def release(self) -> None:
        """Once all that was started has ended. Safe to repeat."""
        if self._file is not None:
            self._mark.unlink(missing_ok=True)
            self._file.close()
            self._file = None


def is_taken(folder: Path) -> bool:
    """Whether a system runs on the folder now, whatever a killed one has left there."""
    try:
        with (folder / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
