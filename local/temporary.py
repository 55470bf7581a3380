"""A whole system for a while, for whoever tries things on one: its ports and its folder are its own, and nothing is left of it."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.shape import Shape
from local.system import System
from local.topology import Ports


@contextmanager
def temporary_system(
    *,
    durable: bool = False,
    environment: Mapping[str, Mapping[str, str]] | None = None,
    **shape: Any,
) -> Iterator[System]:
    """Started, with the sample events, and stopped afterwards. Raises StartError. For the parameters see `System` and `Shape`."""
    with tempfile.TemporaryDirectory(prefix="onsale-system-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # as root, Postgres runs as another user, who has to pass
        system = System(data, Ports.free(), durable=durable, environment=environment, shape=Shape(**shape))
        try:
            system.start()
            yield system
        finally:
            system.stop()
            system.postgres.remove()
            if system.replica is not None:
                system.replica.remove()
