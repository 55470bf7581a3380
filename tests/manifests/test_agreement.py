"""This repository's manifests, as `make manifests RELEASE=1` sees them."""

import pytest

from k8s import rules
from k8s.run import Run


@pytest.mark.manifests
def test_the_manifests_of_this_repository_have_no_finding_but_what_a_release_fills_in() -> None:
    outcome = Run().everything(release=True)
    assert [str(each) for each in outcome.findings if each.rule not in rules.RELEASE] == [], outcome.table()
