"""How commands start contract tests: with the plugins that these use and no others, since each takes its time to load."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

PLUGINS = ("pytest_asyncio.plugin", "pytest_timeout", "no:cacheprovider")
# It collects garbage five times at the end, which takes a second; what it would tell is not an error here either.
WITHOUT = "no:unraisableexception"
ON_BOTH_CORES = ("-p", "xdist.plugin", "-n", "2", "--dist", "loadfile")


def pytest_command(root: Path, tests: Iterable[Path], *options: str, parallel: bool) -> Sequence[str]:
    """The command that runs tests within the tree `root`. `parallel`: two processes, which takes longer to start."""
    plugins = [part for plugin in (*PLUGINS, WITHOUT) for part in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "--show-capture=no", "--disable-plugin-autoload"]
    command += [*plugins, *(ON_BOTH_CORES if parallel else ()), *options]
    return [*command, *(str(path.relative_to(root)) for path in tests)]
