"""How commands start contract tests: with the plugins that these use and no others, since each takes its time to load."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from pathlib import Path

# Where a provider's side is verified; other versions find it by these names (docs/adr/0008).
PROVIDERS_SIDE = ("test_is_asked.py", "test_tells.py")
PLUGINS = ("pytest_asyncio.plugin", "pytest_timeout", "no:cacheprovider")
# This plugin collects garbage five times at the end, which takes a second; what it finds is no error here.
WITHOUT = "no:unraisableexception"
# Names the folder with the contracts of another version, on which tests are run instead of those of this one (docs/adr/0008).
ACROSS = "CONTRACTS_ACROSS"
ON_BOTH_CORES = ("-p", "xdist.plugin", "-n", "2", "--dist", "loadfile")


def pytest_command(root: Path, tests: Iterable[Path], *options: str, parallel: bool) -> Sequence[str]:
    """The command that runs tests within the tree `root`. `parallel`: two processes, which takes longer to start."""
    distributed = ON_BOTH_CORES if parallel else ()
    return [sys.executable, "-m", "pytest", *pytest_arguments(root, tests, *distributed, *options)]


def pytest_arguments(root: Path, tests: Iterable[Path], *options: str) -> Sequence[str]:
    """The arguments of pytest for tests within the tree `root`."""
    plugins = [part for plugin in (*PLUGINS, WITHOUT) for part in ("-p", plugin)]
    always = ["-q", "--tb=short", "--show-capture=no", "--disable-plugin-autoload", *plugins]
    return [*always, *options, *(str(path.relative_to(root)) for path in tests)]


def service_asked_for(root: Path, command: str, description: str) -> str | None:
    """The service that `--service` names; None without that option. Ends the program with a sentence if there is no such service."""
    parser = ArgumentParser(prog=command, description=description)
    parser.add_argument("--service", default=None)
    service: str | None = parser.parse_args().service
    known = sorted(path.parent.name for path in (root / "services").glob("*/app.py"))
    if service is not None and service not in known:
        print(f"There is no service {service}. Choose one of {', '.join(known)}.", file=sys.stderr)
        sys.exit(2)
    return service
