"""`make documents`: writes all that follows from the code, the contracts and the topology, in the order in which one needs the other."""

from contracts import documents
from k8s import lists, nats, policies


def main() -> None:
    """What services promise; who may reach whom, and what each user of the broker may; the lists of services."""
    for each in (documents, policies, nats, lists):
        each.main()


if __name__ == "__main__":
    main()
