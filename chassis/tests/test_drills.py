"""Drills are switched on by a setting, and are not even there when they are off."""

import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from chassis.drills import Faults, switch_on, switches_of
from chassis.migrated import SERVICES
from chassis.settings import ServiceSettings, settings_config
from local.topology import ROOT

WITHOUT_DRILLS = """
import importlib, sys
for service in sys.argv[1:]:
    importlib.import_module(f"services.{service}.app").create_app
print([name for name in sys.modules if name.endswith("drills")])
"""


class SampleSettings(ServiceSettings):
    model_config = settings_config("SAMPLE_")
    service_name: ClassVar[str] = "sample"


def settings(**values: str) -> SampleSettings:
    needed = {
        "database_url": "postgresql://",
        "nats_url": "nats://",
        "key_file": "-",
        "service_keys_file": "-",
        "person_keys_url": "-",
    }
    return SampleSettings(**(needed | values))  # type: ignore[arg-type]


class Good:
    @staticmethod
    def price() -> int:
        return 10


class Better(Good):
    pass


def test_a_fault_takes_the_place_of_the_good_part_and_is_taken_out_again() -> None:
    with Faults() as faults:
        good = faults.replace(Good, "price", lambda _self: 1)
        assert (Good().price(), good()) == (1, 10)
    assert Good().price() == Good.price() == 10


def test_a_part_that_was_inherited_is_inherited_again() -> None:
    with Faults() as faults:
        faults.replace(Better, "price", staticmethod(lambda: 1))
        assert Better.price() == 1
    assert "price" not in vars(Better)


def test_a_drill_on_a_part_that_is_no_longer_there_fails_aloud() -> None:
    with Faults() as faults, pytest.raises(AttributeError, match="cost"):
        faults.replace(SimpleNamespace(price=1), "cost", 2)


def test_a_service_without_the_drill_is_left_as_it_is() -> None:
    assert switches_of("sample") == {}
    switch_on("sample", "somebody-elses")


def test_a_fault_that_nobody_practises_on_is_named_with_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere: Any = ModuleType("elsewhere.faults")
    elsewhere.SWITCHES = {"cheap": lambda faults: faults.replace(Good, "price", lambda _self: 1)}
    monkeypatch.setitem(sys.modules, "elsewhere.faults", elsewhere)
    with switch_on("sample", "elsewhere.faults:cheap"):
        assert Good().price() == 1
    with pytest.raises(ModuleNotFoundError):
        switch_on("sample", "nowhere.at.all:cheap")


def test_production_refuses_to_start_with_a_drill_on() -> None:
    with pytest.raises(ValidationError, match="production must not start with one on"):
        settings(environment="production", drill="any")
    assert settings(environment="production").drill is None
    assert settings(environment="local", drill="any").drill == "any"


def test_nothing_of_a_drill_is_loaded_when_none_is_on() -> None:
    services = sorted(path.parent.name for path in SERVICES.glob("*/app.py"))
    program = [sys.executable, "-c", WITHOUT_DRILLS, *services]
    found = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
