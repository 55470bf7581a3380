"""Finds a Chromium for the tests that need one, and installs Debian's where that is allowed."""

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Where it is: CHROMIUM of the environment, else on the path; None if there is none."""
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


def install_chromium() -> None:
    """Debian's package, if it is missing and this is root on a machine with apt-get. Elsewhere nothing happens."""
    if find_chromium() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print("Installing Debian's chromium for the browser tests ...", flush=True)
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ):
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            print(f"{' '.join(command)} failed: {(done.stderr or done.stdout)[-500:]}", flush=True)


def missing_chromium() -> str | None:
    """Why browser tests cannot run here, in a sentence; None if they can."""
    if find_chromium():
        return None
    return "No Chromium on this machine. Debian: apt-get install chromium; elsewhere name yours in CHROMIUM=..."
