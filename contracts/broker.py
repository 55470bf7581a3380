"""A Pact Broker, if there is one: under which names it knows us, and how a verification takes its pacts from there and answers.

Nothing needs it: without a broker everything works from the folder. `make contracts-publish` (contracts/deploying/publish.py) uses it.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Self

from pact import Verifier

from contracts.pactfile import Edge, Interaction, Kind, render

ADDRESS = "PACT_BROKER_BASE_URL"
# Set while results are published: the version that they are about.
PUBLISHING = "CONTRACTS_PUBLISH"
# A broker has one pact for each two, and one result for it; here each kind has its own, since each is verified on its own.
SUFFIXES: dict[Kind, str] = {"asks": "", "hears": "-facts", "watches": "-bus"}


@dataclass(frozen=True)
class Version:
    """What is published: a commit, by its id, the branch on which it is, and the tags that it has."""

    number: str
    branch: str
    tags: tuple[str, ...] = ()

    def as_text(self) -> str:
        """For the environment of the processes that verify."""
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> Self:
        """The same again."""
        version = json.loads(text)
        return cls(version["number"], version["branch"], tuple(version["tags"]))


def publishing() -> Version | None:
    """The version whose results are being published; None in every other run."""
    text = os.environ.get(PUBLISHING)
    return Version.of_text(text) if text else None


def known_as(provider: str, kind: Kind) -> str:
    """The name of a provider of one kind at a broker: `inventory` is asked, `inventory-facts` is heard."""
    return provider + SUFFIXES[kind]


def verified_as(provider: str, kind: Kind) -> str:
    """The name under which a provider is verified: that at the broker while results are published, its own otherwise."""
    return known_as(provider, kind) if publishing() else provider


def render_for_broker(edge: Edge, interactions: list[Interaction]) -> str:
    """The text of a pact as the broker gets it."""
    document = json.loads(render(edge, interactions))
    document["provider"]["name"] = known_as(edge.provider, edge.kind)
    return json.dumps(document, ensure_ascii=False)


def take_from_broker(verifier: Verifier, edges: Iterable[Edge], version: Version) -> None:
    """Lets a verifier verify what the broker has of these edges on the version's branch, and tell it the results.

    Address and credentials are taken from the environment. Raises ValueError if there is no address.
    """
    source = verifier.broker_source(selector=True)
    for edge in edges:
        source.consumer_version(consumer=edge.consumer, branch=version.branch)
    source.build()
    verifier.set_publish_options(version.number, branch=version.branch, tags=list(version.tags))
