"""One system per data folder."""

import fcntl
import json
from pathlib import Path

import pytest

from local.errors import StartError
from local.running import Running
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


def test_what_a_killed_system_left_is_no_running_system(tmp_path: Path) -> None:
    told = {"addresses": {}, "data": str(tmp_path), "control": "socket", "ports": {}, "services": {}}
    (tmp_path / "run.json").write_text(json.dumps(told))
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert Running.is_there(tmp_path)
        assert Running.find(tmp_path).data == tmp_path
    assert not Running.is_there(tmp_path)
    with pytest.raises(StartError, match=r"No system runs on .* make up"):
        Running.find(tmp_path)
    (tmp_path / "lock").unlink()
    assert not Running.is_there(tmp_path)
