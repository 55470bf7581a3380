"""`make drills`: proves every drill on a system of its own. Off: no symptom, no evidence. On: both. Off again: gone.

All journeys run once before and once after, with every drill off; in between each drill is on alone. The evidence comes from
queries on traces and from nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from drills.catalogue import all_drills
from drills.model import Drill
from drills.stage import Stage
from drills.switching import Switchboard
from local.errors import StartError
from local.parts import part_of
from local.running import Running
from local.temporary import temporary_system

HOSTS = 3


@dataclass
class Proof:
    """What came of one drill; a sentence for each thing that was not as promised."""

    drill: Drill
    symptom: str = ""
    evidence: str = ""
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


async def prove(running: Running, drills: Iterable[Drill]) -> list[Proof]:
    """Proves drills on a running system, one after the other. None may be on when this is called."""
    proofs = [Proof(drill) for drill in drills]
    await _all_is_well(running, proofs, "off")
    for proof in proofs:
        started = time.monotonic()
        await _practise(running, proof)
        proof.seconds = time.monotonic() - started
    await _all_is_well(running, proofs, "off again")
    return proofs


async def _all_is_well(running: Running, proofs: list[Proof], when: str) -> None:
    stage = Stage(running.addresses, running.data)
    try:
        for proof in proofs:
            if seen := proof.drill.symptom(await stage.once(proof.drill.journey)):
                proof.problems.append(f"{when}: there is a symptom all the same: {seen}")
        await stage.wait_until_quiet()
        for proof in proofs:
            if found := await asyncio.to_thread(proof.drill.evidence_on, stage):
                first = found[0]
                proof.problems.append(
                    f"{when}: there is evidence all the same: {first.service} {first.name} in trace {first.trace_id}"
                )
    finally:
        stage.close()


async def _practise(running: Running, proof: Proof) -> None:
    """Switches one drill on, waits for symptom and evidence, and switches it off."""
    drill, board = proof.drill, Switchboard(running)
    await asyncio.to_thread(board.on, drill)
    stage = Stage(running.addresses, running.data)
    try:
        proof.symptom = await _tried(stage, proof)
        if not proof.symptom:
            proof.problems.append(f"on: nobody saw the symptom in {drill.tries} tries")
        found = await drill.wait_for_evidence_on(stage)
        if found:
            proof.evidence = f"{found[0].service} {found[0].name}"
        else:
            proof.problems.append("on: no evidence was found in the traces")
    finally:
        stage.close()
        await asyncio.to_thread(board.off, drill)


async def _tried(stage: Stage, proof: Proof) -> str:
    try:
        return await provoke(stage, proof.drill) or ""
    except Exception as error:  # noqa: BLE001  # the next drill is to be proved all the same
        proof.problems.append(f"on: people could not try it: {type(error).__name__}: {error}")
        return ""


async def provoke(stage: Stage, drill: Drill) -> str | None:
    """Lets people do what shows the fault, as often as it takes. What they say; None if all went well every time."""
    for _ in range(drill.tries):
        if seen := drill.symptom(await drill.journey(stage)):
            return seen
    return None


def table(proofs: list[Proof]) -> str:
    """A line per drill, and what was not as promised below."""
    width = max([len(proof.drill.name) for proof in proofs] + [5])
    lines = [f"{'drill':<{width}}  {'off':<8}{'on':<8}{'off again':<11}{'seconds':>7}  seen / found in the traces"]
    for proof in proofs:
        words = [_word(proof, when) for when in ("off:", "on:", "off again:")]
        seen = f"{proof.symptom or '-'}  <- {proof.evidence or '-'}"
        lines.append(
            f"{proof.drill.name:<{width}}  {words[0]:<8}{words[1]:<8}{words[2]:<11}{proof.seconds:>7.1f}  {seen}"
        )
    for proof in proofs:
        lines += [f"\n{proof.drill.name}: {problem}" for problem in proof.problems]
    good = sum(not proof.problems for proof in proofs)
    return "\n".join([*lines, "", f"proved {good} of {len(proofs)}"])


def _word(proof: Proof, when: str) -> str:
    if any(problem.startswith(when) for problem in proof.problems):
        return "FAILED"
    return "found" if when == "on:" else "nothing"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make drills", description=__doc__)
    parser.add_argument("names", nargs="*", help="some drills; without a name all of them")
    parser.add_argument("--part", help="a part of them: 3/6 is every sixth, beginning with number 3")
    chosen = parser.parse_args()
    drills = all_drills()
    if unknown := set(chosen.names) - drills.keys():
        print(f"There is no drill {', '.join(sorted(unknown))}. There are: {', '.join(drills)}.", file=sys.stderr)
        return 2
    wanted = [drill for name, drill in drills.items() if not chosen.names or name in chosen.names]
    if chosen.part is not None:
        wanted = part_of(wanted, chosen.part)
    try:
        replicas = int(any(drill.needs_replica for drill in wanted))
        with temporary_system(hosts=HOSTS, replicas=replicas) as system:
            running = Running.find(system.layout.folder)
            skipped = [drill for drill in wanted if drill.needs_hosts] if system.hosts.no_network else []
            proofs = asyncio.run(prove(running, [drill for drill in wanted if drill not in skipped]))
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(proofs))
    if skipped:
        print(f"not tried {len(skipped)}: {', '.join(drill.name for drill in skipped)}. {system.hosts.no_network}")
    return 1 if any(proof.problems for proof in proofs) else 0


if __name__ == "__main__":
    sys.exit(main())
