"""Postgres refuses to run as root: as root it runs as an unprivileged user, who may not be able to enter /root and the like.

Then what that user needs (the data, and a copy of Postgres itself) lives under /var/lib/onsale, in a folder named after
the one that was asked for, so that the next start finds it again.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from local.errors import StartError
from local.processes import Account, account_of, changes_user, current_account

SHARED_FOLDER = Path("/var/lib/onsale")


def account_for(folder: Path) -> Account:
    """The user that runs Postgres on this data folder: its owner if it is there, otherwise this user, or `nobody` for root."""
    me = current_account()
    owner = folder.stat().st_uid if folder.exists() else me.uid
    if me.uid != 0:
        if owner != me.uid:
            raise StartError(
                f"The data folder {folder} belongs to another user (uid {owner}), so {me.name} cannot use it. "
                "Run the same command as that user or as root, or take another folder with DATA=..."
            )
        return me
    try:
        return account_of(owner if owner != 0 else "nobody")
    except KeyError as error:
        raise StartError(
            f"Postgres does not run as root, and the user to run it as ({error}) does not exist on this machine. "
            "Run the same command as an ordinary user."
        ) from error


def can_enter(account: Account, folder: Path) -> bool:
    """Whether that user can reach the folder, found out by trying."""
    if not changes_user(account):
        return True
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return tried.returncode == 0


def place_of(folder: Path, account: Account) -> Path:
    """`folder` itself if its parent can be entered by `account`, else its stand-in under /var/lib/onsale."""
    folder = folder.absolute()
    if can_enter(account, folder.parent):
        return folder
    SHARED_FOLDER.mkdir(mode=0o755, exist_ok=True)
    return SHARED_FOLDER / f"data-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"


def hand_over(folder: Path, place: Path, account: Account) -> None:
    """Brings data to where `account` can use them: after a checkout was moved or copied by root they may be elsewhere."""
    if place != folder and folder.exists() and not place.exists():
        shutil.move(folder, place)
    if place.exists() and changes_user(account) and place.stat().st_uid != account.uid:
        for each in (place, *place.rglob("*")):
            os.chown(each, account.uid, account.gid, follow_symlinks=False)


def installation_for(account: Account, installation: Path, libraries: Path) -> Path:
    """The Postgres installation, copied (42 MB, once per version) to where `account` can run it, if need be."""
    if can_enter(account, installation / "bin"):
        return installation
    SHARED_FOLDER.mkdir(mode=0o755, exist_ok=True)
    stamp = f"{installation}:{(installation / 'bin' / 'postgres').stat().st_mtime_ns}"
    root = SHARED_FOLDER / f"postgres-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    if not root.exists():
        unfinished = root.with_name(f"{root.name}.{os.getpid()}")
        # The same places relative to each other: the programs look for their libraries from where they are.
        shutil.copytree(installation, unfinished / installation.parent.name / installation.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        try:
            unfinished.rename(root)
        except OSError:  # another start was quicker
            shutil.rmtree(unfinished)
    return root / installation.parent.name / installation.name
