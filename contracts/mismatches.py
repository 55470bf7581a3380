"""What a client asked and its contract does not say, in sentences: pact's own leave out the field, and print the tokens."""

from collections.abc import Iterable, Iterator

from pact.error import BodyMismatch, Mismatch, MissingRequest, RequestMismatch, RequestNotFound


def sentences_of(mismatches: Iterable[Mismatch]) -> Iterator[str]:
    """What is wrong with the requests that came, or did not come, with the field where there is one."""
    for each in mismatches:
        match each:
            case RequestMismatch():
                asked = f"{each.method} {each.path}"
                yield from (f"{asked}: {_where(detail)}{detail}" for detail in each.mismatches)
            case RequestNotFound():
                yield f"{each.method} {each.path} is asked, but the contract does not say so."
            case MissingRequest():
                yield f"{each.method} {each.path} is not asked, but the contract says so."
            case _:
                yield str(each)


def _where(mismatch: Mismatch) -> str:
    return f"{mismatch.path}: " if isinstance(mismatch, BodyMismatch) else ""
