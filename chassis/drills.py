"""Drills: faults that an engineer switches on to practise finding them (docs/drills).

A fault is a function in `services/<name>/drills.py`, in the service where such a bug would live. When it is switched on, it puts
faulty parts in the place of good ones before the service is built. Switched off, that file is not even imported: the
good code asks nobody whether a drill is on, and pays nothing for it.
"""

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self


class Faults:
    """What a drill put in the place of good parts. Tests take it out again; a service keeps it until its process ends."""

    def __init__(self) -> None:
        self._undoing: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()

    def replace(self, owner: Any, name: str, faulty: Any) -> Any:
        """Puts `faulty` in the place of an attribute of a module or class. The good one, for the faulty one to use.

        Raises AttributeError if there is none of that name (any more): a drill must not rot into doing nothing.
        """
        good = getattr(owner, name)
        if name in vars(owner):
            # As it is written there: a static method that came back as a plain function would be a method.
            self._undoing.append(partial(setattr, owner, name, vars(owner)[name]))
        else:
            self._undoing.append(partial(delattr, owner, name))
        setattr(owner, name, faulty)
        return good

    def undo(self) -> None:
        """Puts the good parts back."""
        while self._undoing:
            self._undoing.pop()()


Switch = Callable[[Faults], None]


def switch_on(service_name: str, drill: str) -> Faults:
    """Lets a service have a fault, if it is one of its own; a drill of another service changes nothing here.

    So one variable can be given to all services of a cluster. A fault that nobody practises on lies elsewhere, and is named with
    its module: `package.module:name`. Raises ModuleNotFoundError if there is no such module.
    """
    faults = Faults()
    module, _, name = drill.rpartition(":")
    switches: Mapping[str, Switch] = importlib.import_module(module).SWITCHES if module else switches_of(service_name)
    switch = switches.get(name)
    if switch is not None:
        switch(faults)
    return faults


def switches_of(service_name: str) -> Mapping[str, Switch]:
    """The faults that a service can be given, by name; none if it has no `drills.py`."""
    try:
        module = importlib.import_module(f"services.{service_name}.drills")
    except ModuleNotFoundError as error:
        if error.name not in {f"services.{service_name}.drills", f"services.{service_name}"}:
            raise
        return {}
    switches: Mapping[str, Switch] = module.SWITCHES
    return switches
