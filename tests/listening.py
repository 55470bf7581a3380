"""Who listens where, as the kernel says it."""

import os
from pathlib import Path

LISTENS = "0A"


def listening(pid: int) -> list[str]:
    """The sockets on which a process listens, of its own descriptors."""
    own = {os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    rows = [
        line.split()
        for kind in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[3] == LISTENS and f"socket:[{row[9]}]" in own]
