"""Password hashes (argon2id), made in threads of their own: a crowd that signs in must not stop the process."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.accounts.domain import TooBusy, normal_password
from services.accounts.settings import AccountsSettings

Result = TypeVar("Result")


class Passwords:
    """Hashes and verifies, `hash_threads` at a time; of those who wait, `hash_queue` at most, the others are asked to retry."""

    def __init__(self, settings: AccountsSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._threads = settings.hash_threads
        self._limit = settings.hash_threads + settings.hash_queue
        self._busy = 0
        self._executor: ThreadPoolExecutor | None = None
        # Verified for people who do not exist, so that their sign-in takes as long as everybody's.
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(16))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keeps the threads while the service runs."""
        with ThreadPoolExecutor(self._threads, thread_name_prefix="argon2") as executor:
            self._executor = executor
            yield
        self._executor = None

    async def hash(self, password: str) -> str:
        """The hash to keep. TooBusy if too many wait."""
        return await self._in_thread(lambda: self._hasher.hash(normal_password(password)))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether this is the password; None (nobody has that address) is never, and takes as long. TooBusy as above."""
        matches = await self._in_thread(lambda: self._verify(kept or self._nobodys, password))
        return matches and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether the settings ask for a stronger hash than this one."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, normal_password(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._busy >= self._limit:
            raise TooBusy
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._busy -= 1
