"""Private networks that let through what the NetworkPolicies allow: who may talk to whom shares one, nobody else does.

A network joins all who may talk to each other, so that there are few of them. It is coarser than the policies in two ways: both
sides may begin, and on every port.
"""

from collections.abc import Iterable, Mapping

from k8s.objects import Build
from k8s.reach import allows, inside

Pair = frozenset[str]


def pairs_that_may_talk(build: Build, merged: Mapping[str, str]) -> set[Pair]:
    """The pods (`Deployment/orders`) between whom some policy allows a connection. `merged`: who is played by another."""
    policies = list(build.of_kind("NetworkPolicy"))
    points = list(inside(build))
    pairs = set()
    for source in points:
        for target in points:
            if any(allows(policies, source, target, port, "TCP") for port in target.ports.values()):
                pairs.add(frozenset(merged.get(each.name, each.name) for each in (source, target)))
    return {pair for pair in pairs if len(pair) > 1}


def networks_for(pairs: Iterable[Pair]) -> list[Pair]:
    """Groups in which everybody may talk to everybody, and which have every pair in them."""
    friends: dict[str, set[str]] = {}
    for one, other in (sorted(pair) for pair in pairs):
        friends.setdefault(one, set()).add(other)
        friends.setdefault(other, set()).add(one)
    missing = {frozenset(pair) for pair in pairs}
    groups: list[Pair] = []
    while missing:
        group = set(min(missing, key=sorted))
        while joining := _most_useful(group, friends, missing):
            group.add(joining)
        groups.append(frozenset(group))
        missing -= {frozenset({one, other}) for one in group for other in group}
    return groups


def _most_useful(group: set[str], friends: Mapping[str, set[str]], missing: set[Pair]) -> str | None:
    """Whoever may talk to all of a group, and brings most pairs that no group has yet."""
    welcome = [each for each in sorted(friends) if each not in group and group <= friends[each]]
    gains = {each: sum(frozenset({each, other}) in missing for other in group) for each in welcome}
    best = max(welcome, key=lambda each: gains[each], default=None)
    return best if best is not None and gains[best] else None
