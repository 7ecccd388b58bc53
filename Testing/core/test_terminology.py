from gsema_core.labels import ANEURYSM, NAMES, VESSEL
from gsema_core.terminology import CONTEXT_NAME, TERMS, terminology_context, terminology_entry


def test_entries_have_slicers_seven_parts() -> None:
    for label in NAMES:
        parts = terminology_entry(label).split("~")
        assert len(parts) == 7
        assert parts[0] == CONTEXT_NAME
        assert all(part.count("^") == 2 for part in (*parts[1:4], *parts[5:]))


def test_codes() -> None:
    vessel, aneurysm = (terminology_entry(label).split("~") for label in (VESSEL, ANEURYSM))
    assert vessel[1:3] == ["SCT^123037004^Anatomical Structure", "SCT^59820001^Blood vessel"]
    assert aneurysm[1] == "SCT^49755003^Morphologically Altered Structure"
    assert aneurysm[2] == "SCT^128059003^Cerebral aneurysm"
    assert aneurysm[5] == "SCT^12738006^Brain"


def test_the_context_offers_every_term() -> None:
    context = terminology_context()
    assert context["SegmentationCategoryTypeContextName"] == CONTEXT_NAME
    categories = {entry["CodeValue"]: entry for entry in context["SegmentationCodes"]["Category"]}
    for label, term in TERMS.items():
        (offered,) = categories[term.category.value]["Type"]
        assert offered["CodeValue"] == term.type.value
        assert (
            offered["recommendedDisplayRGBValue"]
            == {
                VESSEL: [180, 20, 22],
                ANEURYSM: [255, 176, 0],
            }[label]
        )
