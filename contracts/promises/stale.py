"""`python -m contracts.promises.stale [orders]`: prints which documents are not what the code says; the exit code is 1 if some are.

Of one service: its own documents, and the examples of the protocol, which are everybody's.
"""

import sys

from contracts.promises.documents import stale_documents, stale_documents_of, stale_examples


def main(services: list[str]) -> int:
    """The command."""
    found = [*stale_examples(), *(name for each in services for name in stale_documents_of(each))]
    stale = found if services else stale_documents()
    print("\n".join(name.rpartition("/")[2] for name in stale))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
