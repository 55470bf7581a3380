"""Plants a fault and runs the one test that must fail with it."""

import asyncio
import os
import sys

from local.topology import ROOT
from rehearsal.bugs.model import Outcome, TestedBug
from rehearsal.bugs.plugin import PLANTED

LONGEST_SECONDS = 120.0
TESTS_FAILED = 1


async def try_test(bug: TestedBug) -> Outcome:
    """Whether the test passes without the fault and fails with it. Raises TimeoutError if it does not end."""
    sound = await _run(bug, planted=False)
    faulty = await _run(bug, planted=True)
    return Outcome(bug, (sound, faulty) == (0, TESTS_FAILED), ())


async def _run(bug: TestedBug, *, planted: bool) -> int:
    environment = {**os.environ, PLANTED: bug.name}
    plugin = ["-p", "rehearsal.bugs.plugin"] if planted else []
    command = [sys.executable, "-m", "pytest", "-q", "-x", *plugin, bug.test]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
