"""Exceptions are for one finding each, have a reason, and go when nothing needs them."""

from pathlib import Path

import pytest

from k8s.findings import Accepted, Finding, read_exceptions, sift

FOUND = Finding("token", "Job/secrets", "mounts a token.", "k8s/infra/local")
REASON = "It asks the cluster's API."


def test_what_is_accepted_is_not_reported() -> None:
    assert sift([FOUND], [Accepted("token", "Job/secrets", REASON)], ["token"]) == []
    assert (
        sift([FOUND], [Accepted("token", "Job/*", REASON, about="a token", build="k8s/x k8s/infra/*")], ["token"]) == []
    )


@pytest.mark.parametrize(
    "other",
    [
        Accepted("probes", "Job/secrets", REASON),
        Accepted("token", "Job/stream", REASON),
        Accepted("token", "Job/secrets", REASON, about="a volume"),
        Accepted("token", "Job/secrets", REASON, build="k8s/infra/production"),
    ],
)
def test_what_is_accepted_elsewhere_is_reported(other: Accepted) -> None:
    assert FOUND in sift([FOUND], [other], ["token", "probes"])


def test_an_exception_that_nothing_needs_is_reported() -> None:
    (stale,) = sift([], [Accepted("token", "Job/secrets", REASON)], ["token"])
    assert (
        str(stale)
        == "token of Job/secrets is excepted in k8s/exceptions.yaml, but nothing needs that any more. Remove it."
    )
    # An exception to a rule that did not run is not called unnecessary.
    assert sift([], [Accepted("token", "Job/secrets", REASON)], ["probes"]) == []


def test_a_finding_of_several_builds_is_reported_once() -> None:
    again = Finding(FOUND.rule, FOUND.where, FOUND.sentence, "k8s/infra/local/light")
    assert [str(each) for each in sift([FOUND, again], [], [])] == ["k8s/infra/local: Job/secrets mounts a token."]


def test_an_exception_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_text("- {rule: token, where: Job/secrets, because: needed}\n")
    with pytest.raises(ValueError, match="has no reason"):
        read_exceptions(path)


def test_the_committed_exceptions_have_reasons() -> None:
    assert all(len(each.because.split()) > 5 for each in read_exceptions())
