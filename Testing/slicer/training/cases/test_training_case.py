"""What cases are used for, and what is wrong with a list."""

from __future__ import annotations

import pytest


def uses(training_module, *rows):
    from GSEMATrainingLib.cases.TrainingCase import TrainingCase, suggestedUses

    cases = [TrainingCase(str(n), patient, center) for n, (patient, center) in enumerate(rows)]
    return suggestedUses(cases)


def test_suggested_uses_keep_patients_of_every_center_out(training_module):
    found = uses(training_module, *((f"{c}{n}", c) for c in "AB" for n in range(8)))
    for center in "AB":
        counts = [
            sum(use == kind for patient, use in found.items() if patient[0] == center)
            for kind in ("training", "validation", "test")
        ]
        assert counts == [5, 1, 2]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, (1, 0, 0)), (2, (1, 1, 0)), (3, (2, 1, 0)), (4, (2, 1, 1))]
)
def test_few_patients_are_mostly_trained_on(training_module, count, expected):
    found = list(uses(training_module, *((f"p{n}", "A") for n in range(count))).values())
    assert tuple(found.count(use) for use in ("training", "validation", "test")) == expected


def test_what_is_decided_is_not_decided_again(training_module):
    from GSEMATrainingLib.cases.TrainingCase import TrainingCase, suggestedUses

    cases = [TrainingCase(str(n), f"p{n}", "A", "test" if n < 2 else "") for n in range(10)]
    found = list(suggestedUses(cases).values())
    assert [found.count(use) for use in ("training", "validation", "test")] == [7, 1, 2]
    cases = [TrainingCase(str(n), f"p{n}", "A", "training") for n in range(10)]
    assert set(suggestedUses(cases).values()) == {"training"}


def case_of(use, aneurysms=1, spacing=(0.4,)):
    from GSEMATrainingLib.cases.TrainingCase import TrainingCase

    return TrainingCase("1", use, "A", use, aneurysms=aneurysms, spacingMm=spacing)


def test_a_list_is_warned_of_as_a_whole(training_module):
    from GSEMATrainingLib.cases.TrainingCase import caseWarnings

    good = [case_of("training"), case_of("validation"), case_of("test")]
    assert caseWarnings(good) == []
    without = [case_of("training"), case_of("validation", 0), case_of("test")]
    assert "No validation case has an aneurysm" in caseWarnings(without)[0]
    assert "No training case has an aneurysm" in caseWarnings([case_of("training", 0)])[0]
    assert "no case to train on" in caseWarnings([case_of("test")])[0]
    mixed = [*good, case_of("training", spacing=(1.0,))]
    assert "0.4 to 1 mm" in caseWarnings(mixed)[0]
    alone = " ".join(caseWarnings([case_of("training")]))
    assert "kept for validation" in alone and "kept for a test" in alone


def test_what_labels_mean_is_kept_whatever_the_values_are(training_module):
    """A value of 0.5 was cut to 0, which is background."""
    from dataclasses import asdict

    from GSEMATrainingLib.cases.CaseReader import caseFromEntry
    from GSEMATrainingLib.cases.TrainingCase import TrainingCase

    entry = {"image": "a", "label": "b", "usable": True, "relabel": [[0, 0], [0.5, 1], [1000, 2]],
             "labels": {"ignore": [7]}, "ignored_ml": 0.2}  # fmt: skip
    case = caseFromEntry(entry)
    assert case.relabel == ((0, 0), (0.5, 1), (1000, 2)) and case.ignoredMl == 0.2
    assert TrainingCase.fromDict(asdict(case)) == case
    assert case.labelRules == {"ignore": [7]}
