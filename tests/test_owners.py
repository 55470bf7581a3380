"""Descriptors say who knows which feature and what is owed until when, in a form that can be read; no debt is past its date."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from contracts.completeness.owners import Debt, Feature, Owners, read_owners, sentence_on_late, table
from local.topology import SERVICES

TODAY = date(2027, 7, 1)
SERVICE = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: library
  annotations:
    backstage.io/techdocs-ref: dir:.
    {annotation}
spec:
  owner: group:default/team-readers
"""


@pytest.fixture(scope="module")
def owners() -> Owners:
    return read_owners()


def made_up(folder: Path, annotation: str) -> Owners:
    """What a descriptor with that annotation says; it has one of somebody else's as well."""
    library = folder / "services" / "library"
    library.mkdir(parents=True)
    (library / "catalog-info.yaml").write_text(SERVICE.format(annotation=annotation), encoding="utf-8")
    return read_owners(folder / "services")


# Our own descriptors


def test_descriptors_say_who_knows_what_and_what_is_owed_in_a_form_that_can_be_read(owners: Owners) -> None:
    assert not owners.problems, "\n".join(["", *owners.problems])


def test_every_service_is_in_the_table(owners: Owners) -> None:
    assert {each.service for each in owners.features} == set(SERVICES)


def test_no_debt_is_past_its_date(owners: Owners) -> None:
    late = owners.late(datetime.now(UTC).date())
    assert not late, sentence_on_late(late)


# Made-up ones


def test_a_feature_has_its_service_its_team_and_its_experts(tmp_path: Path) -> None:
    found = made_up(tmp_path, "onsale.dev/expert-late-books: ada,  grace")
    assert found == Owners((Feature("late-books", "library", "team-readers", ("ada", "grace")),), (), ())


def test_a_debt_has_its_date_and_its_words(tmp_path: Path) -> None:
    found = made_up(tmp_path, 'onsale.dev/debt-old-table: "2027-06-30  A table is dropped. team-readers pays."')
    words = "A table is dropped. team-readers pays."
    assert found.debts == (Debt(date(2027, 6, 30), "library", "old-table", "team-readers", words),)
    assert found.problems == ()


def test_a_service_that_names_no_feature_is_known_to_nobody(tmp_path: Path) -> None:
    (feature,) = made_up(tmp_path, "backstage.io/source-location: dir:.").features
    assert feature == Feature("(all of it)", "library", "team-readers", ())
    assert feature.is_gap


def test_a_feature_without_a_name_of_a_person_is_known_to_nobody(tmp_path: Path) -> None:
    assert made_up(tmp_path, 'onsale.dev/expert-repairs: ""').features == (
        Feature("repairs", "library", "team-readers", ()),
    )


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ("onsale.dev/expert-Holds: ada", "onsale.dev/expert-Holds is no annotation that is used here. Write it like"),
        ("onsale.dev/knows-holds: ada", "onsale.dev/knows-holds is no annotation that is used here. Write it like"),
        ("onsale.dev/expert-: ada", "onsale.dev/expert- is no annotation that is used here. Write it like"),
        ("onsale.dev/expert-holds: [ada, grace]", "onsale.dev/expert-holds has ['ada', 'grace'], which is not read as"),
        (
            "onsale.dev/expert-holds: ada grace",
            "onsale.dev/expert-holds has 'ada grace', which is no name. Write names",
        ),
        ("onsale.dev/expert-holds: ada,", "onsale.dev/expert-holds has '', which is no name. Write names"),
        ("onsale.dev/expert-holds: ada, ada", "onsale.dev/expert-holds names somebody twice. Name each person once"),
        ("onsale.dev/expert-holds: team-readers", "onsale.dev/expert-holds names team-readers. A team is the owner"),
        ('onsale.dev/debt-table: "A table is old."', "onsale.dev/debt-table has no date. Begin with a day, like"),
        ('onsale.dev/debt-table: ""', "onsale.dev/debt-table has no date. Begin with a day, like"),
        ('onsale.dev/debt-table: "2027-02-30 Old."', "onsale.dev/debt-table has '2027-02-30', which is no day. Begin"),
        ('onsale.dev/debt-table: "2027-7-1 Old."', "onsale.dev/debt-table has '2027-7-1', which is no day. Begin"),
        ('onsale.dev/debt-table: "20270630 Old."', "onsale.dev/debt-table has '20270630', which is no day. Begin"),
        ('onsale.dev/debt-table: "2027-06-30"', "onsale.dev/debt-table does not say what is owed. Begin"),
        (
            "onsale.dev/debt-table: 2027-06-30",
            "onsale.dev/debt-table has datetime.date(2027, 6, 30), which is not read",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_file_and_annotation(tmp_path: Path, annotation: str, said: str) -> None:
    found = made_up(tmp_path, annotation)
    (sentence,) = found.problems
    assert sentence.startswith(f"services/library/catalog-info.yaml: {said}")
    assert found.debts == ()
    assert all(each.name == "(all of it)" for each in found.features)


# What is printed


A_DEBT = Debt(date(2027, 6, 30), "library", "old-table", "team-readers", "A table is dropped.")
ANOTHER = Debt(date(2027, 8, 1), "archive", "one-shelf", "team-readers", "More shelves.")


def test_a_debt_is_late_when_its_day_is_over_and_not_before() -> None:
    owing = Owners((), (A_DEBT,), ())
    assert owing.late(A_DEBT.due) == []
    assert owing.late(A_DEBT.due + timedelta(days=1)) == [A_DEBT]


def test_late_debts_are_told_with_where_they_stand_and_what_to_do() -> None:
    assert sentence_on_late([A_DEBT]).startswith(
        "1 debt is past its date: onsale.dev/debt-old-table of services/library/catalog-info.yaml (2027-06-30). Pay it and remove "
    )
    assert sentence_on_late([A_DEBT, ANOTHER]).startswith("2 debts are past their dates: onsale.dev/debt-old-table of")


def test_a_feature_that_one_person_or_nobody_knows_is_shown_as_a_gap() -> None:
    known = Feature("lending", "library", "team-readers", ("ada", "grace"))
    of_one = Feature("late-books", "library", "team-readers", ("ada",))
    of_nobody = Feature("repairs", "library", "team-readers", ())
    printed = table(Owners((known, of_one, of_nobody), (), ()), TODAY)
    features, gaps, debts = printed.split("\n\n")
    assert features.splitlines() == [
        "feature     service  team          experts",
        "lending     library  team-readers  ada, grace",
        "late-books  library  team-readers  ada",
        "repairs     library  team-readers  (nobody)",
    ]
    assert gaps.splitlines() == [
        "Gaps: 2 of 3 features are known to one person or none",
        "  late-books  library  only ada",
        "  repairs     library  nobody",
    ]
    assert debts == "No debts."


def test_debts_are_shown_by_their_date_with_how_far_it_is() -> None:
    printed = table(Owners((), (A_DEBT, ANOTHER), ()), TODAY)
    assert printed.split("\n\n")[-1].splitlines() == [
        "Debts, by their date: what is late comes first (seen from 2027-07-01)",
        "  2027-06-30  LATE 1 d  library  old-table",
        "              A table is dropped.",
        "  2027-08-01  in 31 d   archive  one-shelf",
        "              More shelves.",
    ]
