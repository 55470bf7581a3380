"""Whole copies of this repository with a history of their own, for the tests of commands that ask Git."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contracts.forks import CHECKOUT, Ended, Forks
from contracts.mutation.scratch import copy_of_checkout
from contracts.releases import git

FIRST = "first"


@dataclass(frozen=True)
class Repository:
    """A repository like this one, with one commit. It can be made as it was at first, which costs less than another copy."""

    root: Path
    forks: Forks = field(default_factory=Forks)

    @classmethod
    def make(cls, root: Path) -> "Repository":
        """Copies the checkout as it lies on the disk."""
        copy_of_checkout(CHECKOUT, root)
        for command in (("init", "--quiet"), ("config", "user.email", "a@example.org"), ("config", "user.name", "A")):
            git(root, *command)
        git(root, "add", "--all", "--force")
        git(root, "commit", "--quiet", "--message", "first")
        git(root, "branch", FIRST)
        return cls(root)

    def renew(self) -> None:
        """As it was at first: no release, no change, and no file more."""
        for tag in git(self.root, "tag").split():
            git(self.root, "tag", "--delete", tag)
        git(self.root, "reset", "--quiet", "--hard", FIRST)
        git(self.root, "clean", "--quiet", "--force", "-d", "-x")

    def command(self, module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command, as people start it."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.root,
            env=self._environment({}),
            capture_output=True,
            text=True,
            check=False,
        )

    def fork(self, module: str, arguments: Sequence[str], more: Mapping[str, str] | None = None) -> Ended:
        """The same in a process that has the libraries already, for what only prepares a test. `more` variables."""
        return self.forks.run(self.root, module, arguments, self._environment(more or {}))

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        known = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        return known | {"PYTHONPATH": str(self.root), **more}
