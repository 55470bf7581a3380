"""Finds a Chromium for the tests that need one, and installs Debian's where that is allowed."""

import os
import shutil

from local.apt import complaint_of_apt_get

# The build that never has a window comes first: it does the same with half of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Debian's packages in the order in which they are tried: not every snapshot has the first.
PACKAGES = ("chromium-headless-shell", "chromium")


def find_chromium() -> str | None:
    """Where it is: CHROMIUM of the environment, else on the path; None if there is none."""
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


def install_chromium() -> None:
    """Debian's package, if none is here and this is root on a machine with apt-get. Elsewhere nothing happens."""
    if find_chromium() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print("Installing Debian's Chromium for the browser tests ...", flush=True)
    _apt_get("update")
    for package in PACKAGES:
        if _apt_get("install", "-y", "--no-install-recommends", package):
            return


def _apt_get(*arguments: str) -> bool:
    """Whether it worked; what it complains about is printed."""
    if complaint := complaint_of_apt_get(*arguments):
        print(f"apt-get {' '.join(arguments)} failed: {complaint}", flush=True)
    return not complaint


def missing_chromium() -> str | None:
    """Why browser tests cannot run here, in a sentence; None if they can."""
    if find_chromium():
        return None
    return "No Chromium on this machine. Debian: apt-get install chromium-headless-shell; elsewhere name yours in CHROMIUM=..."
