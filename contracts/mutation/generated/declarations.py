"""Breaks of declarations: what consumers declare to use and providers to offer, each changed alone, held against the rest.

Nothing runs: the gates that compare declarations with each other and with the pacts have to say so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import create_model

from chassis.asking import NOTHING, Client, Read, Use
from chassis.operations import EVERYBODY, Operation
from contracts.completeness.agreement import disagreements
from contracts.completeness.edges import apart, declared_needs, under_contract, unsent, uses_of
from contracts.completeness.refusals import problems_of_refusals
from contracts.completeness.services import System, real
from contracts.demanded import Demanded
from contracts.pactfile import ContractBroken, Edge, read


@dataclass(frozen=True, eq=False)
class Break:
    """One declaration that is not as it should be, and the system in which it is so."""

    about: str
    what: str
    kind: str
    plant: Callable[[], System]

    def __str__(self) -> str:
        return f"{self.about}: {self.what} {self.kind}"


class Declarations:
    """The declarations of all services, and breaks of them."""

    def __init__(self) -> None:
        self._system = real()

    def breaks(self) -> list[Break]:
        """All of them."""
        return [*self._of_uses(), *self._of_operations(), *self._of_hearing()]

    def survivors(self, breaks: Sequence[Break]) -> list[Break]:
        """Those that no gate minds."""
        return [each for each in breaks if not _is_minded(each.plant())]

    def _of_uses(self) -> Iterator[Break]:
        for name in self._system.names():
            for client in self._system.service(name).clients:
                for use in client.uses:
                    for what, kind, changed in _changed_uses(use):
                        about = f"{name} asks {client.provider}, {use}"
                        yield Break(about, what, kind, _planting(self._system, name, client, use, changed))

    def _of_operations(self) -> Iterator[Break]:
        asked: dict[Operation, bool] = {}
        for edge, _, use in uses_of(self._system):
            if (operation := self._system.service(edge.provider).called(use.method, use.path)) is not None:
                asked[operation] = asked.get(operation, False) or use.repeatable
        for provider in self._system.names():
            for operation in self._system.service(provider).operations:
                for what, kind, changed in _changed_operations(operation, asked.get(operation)):
                    plant = _offering(self._system, provider, operation, changed)
                    yield Break(f"{provider} offers {operation}", what, kind, plant)

    def _of_hearing(self) -> Iterator[Break]:
        heard = _heard_by_somebody(self._system)
        for name in self._system.names():
            service = self._system.service(name)
            for kind in ("hears", "watches"):
                for subject in getattr(service, kind):
                    rest = tuple(each for each in getattr(service, kind) if each != subject)
                    yield Break(
                        f"{name} {kind} {subject}", "the subject", "removed", _with(self._system, name, kind, rest)
                    )
                    other = (*rest, subject.replace(".v1", ".v2") if ".v1" in subject else subject.replace(".>", "s.>"))
                    yield Break(
                        f"{name} {kind} {subject}", "the subject", "another", _with(self._system, name, kind, other)
                    )
            for kind in ("facts", "messages"):
                for subject in getattr(service, kind):
                    if subject in heard:
                        rest = tuple(each for each in getattr(service, kind) if each != subject)
                        yield Break(f"{name} tells {subject}", "it", "removed", _with(self._system, name, kind, rest))


def _heard_by_somebody(system: System) -> set[str]:
    return {need.what for need in declared_needs(system) if need.edge.kind != "asks"}


def _with(system: System, name: str, kind: str, value: tuple[str, ...]) -> Callable[[], System]:
    changed: dict[str, Any] = {kind: value}
    return lambda: replace(system, services={**system.services, name: replace(system.service(name), **changed)})


def _planting(
    system: System, name: str, client: type[Client], use: Use[Any], changed: Use[Any] | None
) -> Callable[[], System]:
    def plant() -> System:
        uses = tuple(kept for each in client.uses if (kept := changed if each is use else each) is not None)
        members = {"provider": client.provider, "uses": uses, "__module__": client.__module__}
        planted: type[Client] = type(client.__name__, (Client,), members)
        service = system.service(name)
        clients = tuple(planted if each is client else each for each in service.clients)
        return replace(system, services={**system.services, name: replace(service, clients=clients)})

    return plant


def _offering(system: System, provider: str, operation: Operation, changed: Operation | None) -> Callable[[], System]:
    def plant() -> System:
        service = system.service(provider)
        kept = tuple(
            other for each in service.operations if (other := changed if each is operation else each) is not None
        )
        return replace(system, services={**system.services, provider: replace(service, operations=kept)})

    return plant


def _changed_uses(use: Use[Any]) -> Iterator[tuple[str, str, Use[Any] | None]]:
    yield "it", "removed", None
    yield "the method", "another", replace(use, method="DELETE")
    yield "the path", "another", replace(use, path=f"{use.path}/more")
    for code in use.refusals:
        kept = {each: facts for each, facts in use.refusals.items() if each != code}
        yield f"the refusal {code}", "renamed", replace(use, refusals={**kept, f"{code}_": use.refusals[code]})
    yield "a refusal", "invented", replace(use, refusals={**use.refusals, "made_up": None})
    yield (
        "the key",
        "exchanged with none" if use.keyed else "invented",
        replace(use, keyed=not use.keyed, repeatable=use.repeatable),
    )
    if use.sends is not None:
        yield "a field that is sent", "invented", replace(use, sends=_with_more(use.sends))
    if use.query is not None:
        yield "a parameter", "invented", replace(use, query=_with_more(use.query))
    if use.reads is NOTHING or use.reads is bytes:
        return
    for path, reads in _changed_models(use.reads):
        yield path, "read under another name", replace(use, reads=reads)
    yield "a field that is read", "invented", replace(use, reads=_with_more(use.reads))


def _with_more(model: Any) -> Any:
    return create_model("More", __base__=model, made_up=(str | None, None))


def _changed_models(model: Any) -> Iterator[tuple[str, Any]]:
    """The model with each of its fields under another name."""
    for name in model.model_fields:
        fields: dict[str, Any] = {
            f"{each}_" if each == name else each: (info.annotation, info) for each, info in model.model_fields.items()
        }
        yield f"$.{name}", create_model("Other", __base__=Read, **fields)


def _changed_operations(operation: Operation, is_repeated: bool | None) -> Iterator[tuple[str, str, Operation | None]]:
    """`is_repeated`: some consumer tries it again; None if none asks it at all, so that it may be as it likes."""
    if is_repeated is None:
        return
    yield "it", "removed", None
    yield "the method", "another", replace(operation, method="DELETE")
    yield "the path", "another", replace(operation, path=f"{operation.path}/more")
    yield "the key", "another", replace(operation, keyed=not operation.keyed)
    if operation.callers != EVERYBODY:
        for caller in operation.callers:
            others = tuple(each for each in operation.callers if each != caller)
            yield f"the caller {caller}", "removed", replace(operation, callers=(*others, "nobody"))
    if is_repeated:
        once = replace(operation, keyed=False)
        # Operation sets this by the method or the key; here it has to be wrong.
        object.__setattr__(once, "repeatable", False)
        yield "that it may be repeated", "removed", once


def _is_minded(system: System) -> bool:
    try:
        if apart(declared_needs(system), under_contract(system)) or unsent(system):
            return True
        if problems_of_refusals(system) or disagreements(system):
            return True
        for name in system.names():
            for client in system.service(name).clients:
                _demand(system, Edge(name, "asks", client.provider), client)
    except ContractBroken:
        return True
    return False


def _demand(system: System, edge: Edge, client: type[Client]) -> None:
    """Raises ContractBroken if the client reads what its pact does not demand, or the other way round."""
    provider = system.service(edge.provider)
    demanded = Demanded(edge)
    demanded.uses = client.uses
    for interaction in read(edge, system.pacts):
        request = interaction["request"]
        operation = provider.asked(request["method"], request["path"])
        for use in client.uses:
            if operation is not None and provider.called(use.method, use.path) is operation:
                demanded.add(use, interaction)
    demanded.refuse_undemanded()
