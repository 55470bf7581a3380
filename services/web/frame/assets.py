"""Static files whose addresses hold a hash of their content, so that browsers may keep them for ever."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "static"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_IMPORT = re.compile(rb"""(from\s+["'])\./([a-z-]+\.js)(["'])""")


@dataclass(frozen=True)
class Asset:
    """One file as it is sent."""

    path: str
    content: bytes
    compressed: bytes
    media_type: str


class Assets:
    """All static files, read and hashed once at start-up.

    Modules import each other by plain names (`./seats.js`), which are replaced by hashed ones here. The hash of
    a module therefore covers what it imports: a new leaf is a new address all the way up.
    """

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._sources = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
        self._by_name: dict[str, Asset] = {}
        for name in self._sources:
            self._build(name, ())
        self._by_path = {asset.path: asset for asset in self._by_name.values()}

    def _build(self, name: str, importers: tuple[str, ...]) -> Asset:
        if name in importers:
            raise ValueError(f"The modules {' -> '.join((*importers, name))} import each other in a circle.")
        if name not in self._by_name:
            content = self._sources[name]
            if name.endswith(".js"):
                content = _IMPORT.sub(
                    lambda found: (
                        found[1] + b"./" + self._build(found[2].decode(), (*importers, name)).path.encode() + found[3]
                    ),
                    content,
                )
            stem, dot, ending = name.rpartition(".")
            path = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{ending}"
            media_type = _TYPES.get(dot + ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._by_name[name] = Asset(path, content, gzip.compress(content, 9, mtime=0), media_type)
        return self._by_name[name]

    def address(self, name: str) -> str:
        """Where browsers find the file of this name."""
        return f"/static/{self._by_name[name].path}"

    def find(self, path: str) -> Asset | None:
        """The file at a hashed path, if that is its content now."""
        return self._by_path.get(path)


@cache
def own_assets() -> Assets:
    """Web's own, read once in a process."""
    return Assets()
