"""What is broken, on a copy of the repository, and what the checks must say to it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class DoesNotFit(Exception):
    """A planted break does not fit the code any more, so it would prove nothing. Its message says what to do."""


@dataclass(frozen=True)
class Edit:
    """Replaces a text that occurs exactly once in a file."""

    path: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        """Raises DoesNotFit if the text is not there, or more than once."""
        text = _read(root, self.path)
        if (found := text.count(self.old)) != 1:
            raise DoesNotFit(
                f"{self.path} has {found} times what should be there once: {self.old!r}. "
                "Write the break anew, for the code as it is now."
            )
        (root / self.path).write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True)
class Everywhere:
    """Replaces a text wherever it occurs in a file, as a rename does."""

    path: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        """Raises DoesNotFit if the text is not there."""
        text = _read(root, self.path)
        if self.old not in text:
            raise DoesNotFit(
                f"{self.path} does not have {self.old!r}. Write the break anew, for the code as it is now."
            )
        (root / self.path).write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True)
class Delete:
    """Removes a file."""

    path: str

    def apply(self, root: Path) -> None:
        """Raises DoesNotFit if there is no such file."""
        _read(root, self.path)
        (root / self.path).unlink()


@dataclass(frozen=True)
class Document:
    """Changes a JSON document, such as a pact."""

    path: str
    change: Callable[[dict[str, Any]], None]

    def apply(self, root: Path) -> None:
        """Raises DoesNotFit if there is no such document, or if it is the same afterwards."""
        before = _read(root, self.path)
        document = json.loads(before)
        try:
            self.change(document)
        except (KeyError, IndexError, StopIteration) as error:
            raise DoesNotFit(
                f"{self.path} does not have what is changed in it ({error!r}). Write the break anew."
            ) from error
        if document == json.loads(before):
            raise DoesNotFit(f"{self.path} is the same after its change. Write the break anew.")
        (root / self.path).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Documents:
    """Has the documents written anew from the code, as somebody does who changes an interface."""

    def apply(self, root: Path) -> None:
        """Raises DoesNotFit if they cannot be made."""
        command = [sys.executable, "-m", "contracts.documents"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DoesNotFit(f"The documents cannot be written any more after this change:\n{done.stderr}")


Change = Edit | Everywhere | Delete | Document | Documents


@dataclass(frozen=True)
class Break:
    """One way to break a contract.

    `checks` are the files of tests, or single tests, that must fail, `says` the words of one of their messages: the field, and whose it is.
    `rewrites` are consumers' tests that write their pacts anew first, as somebody who changes both sides does; `blind` are
    checks that stay green all the same, which is why there are others. `across`: the checks are held against the contracts of
    the sound version, as those of the last release are. A `harmless` change must leave its checks green.
    """

    name: str
    changes: tuple[Change, ...]
    checks: tuple[str, ...]
    says: tuple[str, ...] = ()
    rewrites: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    across: bool = False
    harmless: bool = False


def _read(root: Path, path: str) -> str:
    try:
        return (root / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DoesNotFit(f"There is no {path} any more. Write the break anew, for the code as it is now.") from None
