"""One system per data folder."""

import fcntl
from pathlib import Path

import pytest

from local.errors import StartError
from local.system import System


def test_a_second_system_on_the_same_folder_leaves_the_first_ones_addresses_alone(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("4711")
        held.flush()
        file = tmp_path / "run.json"
        file.write_text("{}")
        second = System(tmp_path)
        with pytest.raises(StartError, match=r"already runs on the data folder .* [(]process 4711[)]"):
            second.start()
        second.stop()
        assert file.exists()
