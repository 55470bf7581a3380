"""Debian's packages, for what tests need beyond Python's: as root, where it is allowed. The standard library alone."""

import os
import subprocess


def complaint_of_apt_get(*arguments: str) -> str:
    """Runs apt-get without a question. The end of what it complains about; nothing if it worked."""
    done = subprocess.run(
        ["apt-get", "-qq", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stderr or done.stdout or f"It ended with {done.returncode}.")[-500:].strip() if done.returncode else ""
