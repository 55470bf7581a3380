"""What a service's code needs of others, read from its syntax: the HTTP calls of its clients, and the subjects it subscribes to.

What cannot be read is not passed over: it is a ContractBroken with the line, since a call that nobody sees is one without a
contract.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.pactfile import ContractBroken

# A part of an address that is known only when the call is made.
HOLE = "{}"
VERBS = frozenset({"get", "post", "put", "patch", "delete"})
# How code subscribes: an inbox or a listener to the firehose, and the bus.
FIREHOSE = frozenset({"hears", "listen"})
BUS = frozenset({"subscribe"})
PUBLISH = frozenset({"publish"})
# `service.client("orders", address)` in the composition root.
MAKE_CLIENT = frozenset({"client"})
MAKE_STRANGER = frozenset({"stranger"})
HTTP_LIBRARIES = frozenset({"httpx", "httpx_aiohttp", "aiohttp", "urllib.request", "http.client", "requests"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Call:
    """A method and an address whose unknown parts are `{}`; `query` names the parameters that it may send, `line` is where it is made."""

    method: str
    address: str
    query: frozenset[str]
    line: int


@dataclass(frozen=True)
class Said:
    """A text that is the first argument of a call: a subject, or a provider's name. Its unknown parts are `{}`."""

    how: str
    text: str
    path: Path
    line: int


def calls_of(client: Path) -> list[Call]:
    """All HTTP calls of a client's module. Raises ContractBroken if there is none, or one cannot be read."""
    module = _Module(client)
    found = [call for holder in module.classes for call in _Client(module, holder).calls()]
    if not found:
        raise ContractBroken(
            f"{client} makes no HTTP call that can be seen. A client is a class whose __init__ keeps an httpx.AsyncClient and "
            "calls it by its verbs; if nobody needs this one any more, delete it with its pact."
        )
    return found


def first_arguments(service: Path, names: frozenset[str], *, texts_only: bool = False) -> list[Said]:
    """The first arguments of all calls of methods with these names in a service's code, its tests left out.

    Raises ContractBroken for one that is no text; with `texts_only` it is left out.
    """
    found = []
    for path in code_of(service):
        module = _Module(path)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
                text = module.text(node.args[0], {}) if node.args else HOLE
                if text == HOLE and texts_only:
                    continue
                if text == HOLE:
                    raise ContractBroken(
                        f"{path}:{node.lineno}: what `.{node.func.attr}(...)` is given cannot be read. Write it down there as a "
                        "text, so that it can be compared with the contracts."
                    )
                found.append(Said(node.func.attr, text, path, node.lineno))
    return found


def asks_beside_clients(service: Path) -> list[str]:
    """The places in a service's code, its clients left out, that could make HTTP calls: they import a library for them."""
    found = []
    for path in code_of(service):
        if path.parent == service / "clients":
            continue
        for node in ast.walk(_Module(path).tree):
            match node:
                case ast.Import(names=imported, lineno=line):
                    names = [each.name for each in imported]
                case ast.ImportFrom(module=str(module), lineno=line):
                    names = [module]
                case _:
                    continue
            found += [f"{path}:{line}" for name in names if name in HTTP_LIBRARIES]
    return found


def code_of(service: Path) -> list[Path]:
    """The modules of a service, its tests, its migrations and its faults to practise on left out: it runs none of them."""
    apart = {"tests", "migrations", "drills.py"}
    return sorted(path for path in service.rglob("*.py") if apart.isdisjoint(path.relative_to(service).parts))


class _Module:
    """A module's syntax, and the texts that its expressions are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        self.classes = [node for node in self.tree.body if isinstance(node, ast.ClassDef)]
        self._functions = {node.name: node for node in self.tree.body if isinstance(node, Function)}
        self._constants = _texts_assigned(self.tree.body)

    def text(self, expression: ast.expr, known: Mapping[str, str]) -> str:
        """The text of an expression, `{}` for what is not known. `known` are local names."""
        match expression:
            case ast.Constant(value=str(value)):
                return value
            case ast.JoinedStr(values=parts):
                return "".join(self.text(part, known) for part in parts)
            case ast.FormattedValue(value=value):
                return self.text(value, known)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.text(left, known) + self.text(right, known)
            case ast.Name(id=name) if name in known:
                return known[name]
            case ast.Name(id=name) if name in self._constants:
                return self.text(self._constants[name], {})
            case ast.Call(func=ast.Name(id=name)) if name in self._functions:
                return self._returned(self._functions[name], expression, known)
            case _:
                return HOLE

    def _returned(self, function: Function, call: ast.Call, known: Mapping[str, str]) -> str:
        returns = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
        return self.text(returns[0], self.bound(function, call, known)) if len(returns) == 1 else HOLE

    def bound(self, function: Function, call: ast.Call, known: Mapping[str, str]) -> dict[str, str]:
        """The parameters of a function, as a call gives them."""
        names = [each.arg for each in function.args.args if each.arg != "self"]
        given = dict(zip(names, call.args, strict=False)) | {each.arg: each.value for each in call.keywords if each.arg}
        return {name: self.text(value, known) for name, value in given.items()}


class _Client:
    """A class of a client's module: what it calls, with the texts that its private methods are given."""

    def __init__(self, module: _Module, holder: ast.ClassDef) -> None:
        self._module = module
        self._methods = {node.name: node for node in holder.body if isinstance(node, Function)}
        self._http = self._kept_client()

    def calls(self) -> Iterator[Call]:
        """Every call, once for each text that its address can be. Raises ContractBroken for one that cannot be read."""
        for method in self._methods.values():
            calls = dict(_calls_by_object(method))
            for node in ast.walk(method):
                if self._is_http(node) and method.name != "__init__":
                    yield from self._read(method, node, calls.get(id(node)))

    def _read(self, method: Function, http: ast.AST, call: ast.Call | None) -> Iterator[Call]:
        line = getattr(http, "lineno", 0)
        verb = call.func.attr if call and isinstance(call.func, ast.Attribute) else ""
        if call is None or verb not in VERBS or not call.args:
            verbs = ", ".join(sorted(VERBS))
            raise ContractBroken(
                f"{self._module.path}:{line}: what is done with the HTTP client here cannot be read. Call it by its verbs "
                f"({verbs}), with the address as the first argument."
            )
        query = self._query(method, call)
        for known in self._given(method, ()):
            locals_known = dict(known)
            for name, value in _texts_assigned(ast.walk(method)).items():
                locals_known.setdefault(name, self._module.text(value, locals_known))
            address = self._module.text(call.args[0], locals_known)
            if not address.startswith("/"):
                raise ContractBroken(
                    f"{self._module.path}:{line}: the address of this {verb.upper()} cannot be read. Write it as a text that "
                    "begins with a slash, so that it can be compared with the contracts."
                )
            yield Call(verb.upper(), address, query, line)

    def _query(self, method: Function, call: ast.Call) -> frozenset[str]:
        """The names of the parameters that a call may send. Raises ContractBroken if they cannot be read."""
        given = next((each.value for each in call.keywords if each.arg in {"params", None}), None)
        names = _keys_of(given, _values_assigned(method), ()) if given is not None else set()
        if names is None:
            raise ContractBroken(
                f"{self._module.path}:{call.lineno}: the parameters of this query cannot be read. Write them down in this method "
                "as `params=` with a dict of literal names, so that they can be compared with the contracts."
            )
        return frozenset(names)

    def _given(self, method: Function, above: tuple[str, ...]) -> list[Mapping[str, str]]:
        """What a private method is given by each of those that call it; of a public one nothing is known."""
        if not method.name.startswith("_") or method.name in above:
            return [{}]
        found = [
            self._module.bound(method, node, known)
            for caller in self._methods.values()
            for node in ast.walk(caller)
            if isinstance(node, ast.Call) and _is_of_self(node.func, method.name)
            for known in self._given(caller, (*above, method.name))
        ]
        return list(found) or [{}]

    def _kept_client(self) -> str | None:
        """The name under which __init__ keeps the httpx.AsyncClient."""
        init = self._methods.get("__init__")
        if init is None:
            return None
        clients = {
            each.arg for each in init.args.args if each.annotation and "AsyncClient" in ast.unparse(each.annotation)
        }
        for node in ast.walk(init):
            match node:
                case ast.Assign(
                    targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=ast.Name(id=value)
                ) if value in clients:
                    return name
        return None

    def _is_http(self, node: ast.AST) -> bool:
        return self._http is not None and _is_of_self(node, self._http)


def _is_of_self(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == name
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _calls_by_object(method: Function) -> Iterator[tuple[int, ast.Call]]:
    """The calls of methods, by the syntax of the object whose method it is."""
    for node in ast.walk(method):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield id(node.func.value), node


def _values_assigned(method: Function) -> dict[str, list[ast.expr]]:
    """All that a method assigns to each of its local names, item by item (`names["after"] = ...`) as well."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(method):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found.setdefault(name, []).append(value)
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                found.setdefault(name, []).append(value)
            case ast.Subscript(value=ast.Name(id=name), slice=key, ctx=ast.Store()):
                found.setdefault(name, []).append(ast.Dict(keys=[key], values=[key]))
            # A call is no dict of literal names: what it adds cannot be read, and that is told.
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="update" | "setdefault")):
                found.setdefault(name, []).append(node)
    return found


def _keys_of(expression: ast.expr, local: Mapping[str, list[ast.expr]], above: tuple[str, ...]) -> set[str] | None:
    """The keys that a dict may have, None if they cannot be read. `local` are the values of local names, `above` those being read."""
    match expression:
        case ast.Dict(keys=keys, values=values):
            parts = [
                _keys_of(value, local, above) if key is None else _text_of(key)
                for key, value in zip(keys, values, strict=True)
            ]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right) | ast.IfExp(body=left, orelse=right):
            parts = [_keys_of(each, local, above) for each in (left, right)]
        case ast.DictComp(
            key=ast.Name(id=key),
            generators=[ast.comprehension(target=ast.Tuple(elts=[ast.Name(id=first), _]), iter=items)],
        ) if key == first:
            parts = [_keys_of_items(items, local, above)]
        case ast.Name(id=name) if name in local and name not in above:
            parts = [_keys_of(each, local, (*above, name)) for each in local[name]]
        case _:
            return None
    return None if None in parts else {key for part in parts if part for key in part}


def _keys_of_items(items: ast.expr, local: Mapping[str, list[ast.expr]], above: tuple[str, ...]) -> set[str] | None:
    """The keys of `names` in `names.items()`."""
    match items:
        case ast.Call(func=ast.Attribute(value=of, attr="items"), args=[]):
            return _keys_of(of, local, above)
    return None


def _text_of(key: ast.expr) -> set[str] | None:
    return {key.value} if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def _texts_assigned(nodes: Iterable[ast.AST]) -> dict[str, ast.expr]:
    """Names that are assigned a text, by themselves."""
    found: dict[str, ast.expr] = {}
    for node in nodes:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=(ast.Constant() | ast.JoinedStr() | ast.BinOp()) as value
            ):
                found[name] = value
    return found
