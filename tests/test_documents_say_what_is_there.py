"""What pages say is there: paths, modules, targets of make, settings, HTTP paths and links; and their prose is not too wide."""

import functools
import re
import subprocess
from collections.abc import Iterable, Iterator
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from chassis.settings import ServiceSettings
from local.topology import ROOT, SERVICES

WIDTH = 120
# A line of no more words than these is a link that stands alone, with the sign of its list.
MARK_AND_LINK = 2
TOPS = "chassis|contracts|drills|k8s|local|rehearsal|services|simulators|tests|tracing"
# The service that does not exist: the guide makes it.
EXAMPLE = "insights"
# Folders of a checkout that programs make.
MADE = (".onsale/", ".venv/")
# Names files of other projects, from which schemas are made.
ELSEWHERE = ROOT / "k8s/schemas/README.md"
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s#]+)")
_PATH = re.compile(r"[\w.<>*{}-]+(/[\w.<>*{}-]+)*(/|\.(?:conf|json|md|py|sh|sql|toml|txt|typ|yaml|yml))")
_MODULE = re.compile(rf"(?:{TOPS})(?:\.\w+)+(?::\w+)?")
_PROGRAM = re.compile(rf"\bpython3? -m ((?:{TOPS})\S*)")
_MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
_SETTING = re.compile(r"(?<![\w$.])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w*{]|\.\.)")
_ROUTE = re.compile(r'(?:@\w+\.\w+\(|\bRoute\(|\bOperation\(|\bAPIRouter\(prefix=)\s*(?:"[A-Z]+",\s*)?"(/[^"]+)"')
_REQUEST = re.compile(r"(?:DELETE|GET|HEAD|PATCH|POST|PUT) (/[^\s`?\"),:;]*)")


@functools.cache
def tracked() -> tuple[Path, ...]:
    """The files of the checkout, committed or about to be."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(path for each in listed.stdout.splitlines() if (path := ROOT / each).is_file())


@functools.cache
def pages() -> tuple[Path, ...]:
    """All pages of prose."""
    return tuple(path for path in tracked() if path.suffix == ".md")


@functools.cache
def code() -> str:
    """All that is no page, as one text; without this file, which names what is not there."""
    return _text_of(tracked())


def _text_of(files: Iterable[Path]) -> str:
    found = [path.read_bytes() for path in files if path.suffix != ".md" and path != Path(__file__)]
    return b"\n".join(each for each in found if b"\0" not in each).decode(errors="replace")


@functools.cache
def routes() -> frozenset[str]:
    """The paths of all routes: of documents, of operations, and of routers, which may have a prefix."""
    text = _text_of(path for path in tracked() if "tests" not in path.parts)
    documented = re.findall(r'^ *"(/[^"]*)": \{', text, re.MULTILINE)
    return frozenset([*documented, *_ROUTE.findall(text)])


@functools.cache
def targets() -> frozenset[str]:
    """What make can do."""
    return frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@functools.cache
def places() -> frozenset[Path]:
    """All files and folders, from the top."""
    files = [path.relative_to(ROOT) for path in tracked()]
    return frozenset([*files, *(parent for file in files for parent in file.parents)])


@functools.cache
def settings() -> frozenset[str]:
    """The environment's variables of all services and simulators, and those that all services share."""
    found = {f"ONSALE_{name.upper()}" for name in ServiceSettings.model_fields}
    for path in (*ROOT.glob("services/*/settings.py"), *ROOT.glob("simulators/*/settings.py")):
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for _, each in getmembers(module, lambda member: isclass(member) and issubclass(member, BaseSettings)):
            found |= {f"{each.model_config.get('env_prefix', '')}{name}".upper() for name in each.model_fields}
    return frozenset(found)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT)) if page.is_relative_to(ROOT) else page.name


def lines_of(page: Path) -> Iterator[tuple[int, str, bool]]:
    """Lines with their numbers, and whether they are in a block of code."""
    is_code = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        is_fence = line.lstrip().startswith("```")
        is_code ^= is_fence
        yield number, line, is_code or is_fence


def too_wide(page: Path) -> Iterator[str]:
    """Lines of prose that are wider than they should be. A table, a block of code and a long link are what they are."""
    for number, line, is_code in lines_of(page):
        is_prose = not is_code and not line.lstrip().startswith("|") and len(line.split()) > MARK_AND_LINK
        if is_prose and len(line) > WIDTH:
            yield f"{_name(page)}:{number} is {len(line)} characters wide. Break it before column {WIDTH + 1}."


def drift_of(page: Path) -> Iterator[str]:
    """What a page names and is not there."""
    for number, line, is_code in lines_of(page):
        # Blocks also show what is printed about a mistake, such as a route that nobody offers.
        requests = [] if is_code else _REQUEST.findall(line)
        missing = [path for path in requests if not _is_route(path)]
        for name in [*missing, *_missing([line] if is_code else _SPAN.findall(line), page)]:
            yield f"{_name(page)}:{number} names {name}, which is not there."
        for target in [] if is_code else _LINK.findall(line):
            if ":" not in target and not (page.parent / target).exists():
                yield f"{_name(page)}:{number} leads to {target}, which is not there."


def _missing(spans: list[str], page: Path) -> Iterator[str]:
    for span in spans:
        yield from (name for name in _MAKE.findall(span) if name not in targets())
        yield from (name for name in _SETTING.findall(span) if not _is_setting(name, page))
        yield from (name for name in _PROGRAM.findall(span) if not _is_module(name))
        is_path = _PATH.fullmatch(span) is not None
        if is_path and page != ELSEWHERE and not _is_there(span, page):
            yield span
        if not is_path and _MODULE.fullmatch(span) and not _is_module(span) and span not in code():
            yield span


def _is_setting(name: str, page: Path) -> bool:
    """Whether a setting has that name, with its service's prefix or, on the service's own page, without; or code reads it."""
    prefixes = {
        "",
        *(f"{service.upper()}_" for service in SERVICES if page.is_relative_to(ROOT / "services" / service)),
    }
    return any(f"{prefix}{name}" in settings() for prefix in prefixes) or name in code()


def _is_route(path: str) -> bool:
    """Whether code has that path, or the end of it (routers have prefixes). A parameter of a route fits anything."""
    wanted = re.sub(r"\.{3}|[^/]*…", "*", path).rstrip("/").split("/")[1:]
    return not wanted or any(
        len(parts) <= len(wanted)
        and any(map(_fits, wanted[-len(parts) :], parts))
        and all(map(_may, wanted[-len(parts) :], parts))
        for each in routes()
        if (parts := each.rstrip("/").split("/")[1:])
    )


def _fits(wanted: str, part: str) -> bool:
    return wanted == part


def _may(wanted: str, part: str) -> bool:
    return wanted == part or part.startswith("{") or wanted == "*"


def _is_module(name: str) -> bool:
    """Whether a module is there, and what is named within it."""
    parts = re.split(r"[.:]", name)
    for length in range(len(parts), 0, -1):
        file = ROOT.joinpath(*parts[:length]).with_suffix(".py")
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            return all(re.search(rf"\b{each}\b", text) for each in parts[length:])
    return ROOT.joinpath(*parts).is_dir()


def _is_there(name: str, page: Path) -> bool:
    """Whether a file or folder is there, from the page's own folder, from the top or anywhere; or a program makes it."""
    pattern = re.sub(rf"<[^>]*>|\{{[^}}]*\}}|\.{{3,}}|\b[A-Z]\b|{EXAMPLE}", "*", name).rstrip("/")
    return (
        any(next(base.glob(pattern), None) for base in (ROOT, page.parent))
        or any(path.match(pattern) for path in places())
        or name in code()
        or name.startswith(MADE)
    )


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_prose_is_not_too_wide(page: Path) -> None:
    assert not (found := [*too_wide(page)]), "\n".join(["", *found])


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    assert not (found := [*drift_of(page)]), "\n".join(["", *found])


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("`make frobnicate`", "frobnicate"),
        ("`ORDERS_FROBNICATE_SECONDS`", "ORDERS_FROBNICATE_SECONDS"),
        ("`POST /orders/{order_id}/frobnicate`", "/orders/{order_id}/frobnicate"),
        ("`python -m local.frobnicate`", "local.frobnicate"),
        ("`services.orders.domain.Frobnicate`", "services.orders.domain.Frobnicate"),
        ("`services/orders/frobnicate.py`", "services/orders/frobnicate.py"),
        ("[there](frobnicate.md)", "frobnicate.md"),
    ],
)
def test_what_is_not_there_is_found(written: str, name: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\nSee {written}.\n", encoding="utf-8")
    (found,) = drift_of(page)
    assert found.startswith("page.md:3 ")
    assert f" {name}, which is not there." in found


def test_only_prose_is_held_to_the_width(tmp_path: Path) -> None:
    page, wide = tmp_path / "page.md", "word " * 30
    page.write_text(f"{wide}\n| {wide} |\n```\n{wide}\n```\n", encoding="utf-8")
    assert [*too_wide(page)] == ["page.md:1 is 150 characters wide. Break it before column 121."]
