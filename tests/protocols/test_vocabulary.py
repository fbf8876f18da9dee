"""The vocabulary is closed: what it says twice must agree, and a code must have been verified."""

import pytest

from protocols.codes import check_digit_fits
from protocols.loader import SHIPPED, load_protocols
from tests.protocols.protocol_folder import (
    ESK,
    VOC,
    Wrong,
    check_told,
    copied,
    freeze_as_it_is,
    problems,
    spoil,
)

WRONG: list[Wrong] = [
    (VOC, "code: 8480-6", "code: 8480-5", "8480-5", "its LOINC check digit does not fit"),
    (VOC, "code: 8480-6", "code: SBP", "SBP", "does not have the form of a code of LOINC"),
    (VOC, "system: LOINC, code: 8480", "system: CPT, code: 8480", "CPT", "one of: LOINC, RxNorm"),
    (VOC, ", verified: ndclist from RxNorm 20AA_260601F", "", "esketamine:", "verified: missing"),
    (VOC, "title: MADRS total", "name: MADRS total", "madrs_total:", "title: missing"),
    (VOC, "ucum: mm[Hg]", "ucum: mmHg", "ucum: mmHg", "not one of: a, mm[Hg]"),
    (VOC, "range: 40 to 300", "range: 300 to 40", "300 to 40", "is not a range"),
    (VOC, "above 180 mmHg", "above 180", "above 180", "has no unit"),
    (VOC, "above 180 mmHg", "at most 180 mmHg", "at most 180", "must be above or below"),
    (VOC, "above 180 mmHg", "above 1800 mmHg", "above 1800", "outside the range 40 to 300"),
    (VOC, "sees: is present", "sees: is bad", "is bad", "must be one of its answers"),
    (VOC, "[worn, not worn]", "['yes', 'no']", "['yes'", 'answers: "yes" is ambiguous'),
    (VOC, "[worn, not worn]", "[worn]", "[worn]", "two different answers or more"),
    (VOC, "[worn, not worn]", "[worn, not worn]\n    unit: pairs", "pairs", "never both"),
    (VOC, "  spo2:", "  SpO2:", "SpO2:", "small letters, digits and single underscores"),
    (VOC, "range: 0 to 60", "range: 0 to 61", "total: madrs_total", "must have the range 0 to 60"),
    (VOC, "total: madrs_total", "total: mood", "mood", "is not among the observations"),
    (VOC, "each_item: 0 to 3", "each_item: 1 to 3", "1 to 3", "from 0 to a whole number"),
    (VOC, "observation: phq9_item9", "observation: spo2", "spo2", "must have the range 0 to 3"),
    (VOC, "[tms-operator, prescriber]", "nobody", "recorded_by: nobody", "can derive only"),
    (VOC, "[tms-operator, prescriber]", "[auditor]", "recorded_by: [auditor]", "auditor cannot"),
    (VOC, "reduction_of: madrs_total", "reduction_of: hamd", "reduction_of: hamd", "not the total"),
    (VOC, "reduction_of: phq9_total", "reduction_of: phq9_item9", "phq9_item9", "not the total"),
    (ESK, "at_least: 10 points", "at_least: 0 points", "at_least: 0", "must be above 0"),
    (ESK, "at_least: 10 points", "at_least: 999 points", "at_least: 999", "at most 60"),
    (ESK, "when_closed: the", "when_closed: '-'  # the", "when_closed: '-'", "in words who looks"),
    (
        VOC,
        "total: phq9_total\n    recorded_by: [care-manager, nurse, prescriber]",
        "total: phq9_total\n    recorded_by: [nurse]",
        "recorded_by: [nurse]",
        "differs from phq9_total's",
    ),
    (VOC, "says: pregnancy is present", "says: pregnancy is likely", "likely", "is no answer of"),
    (VOC, "says: pregnancy is present", "says: pregnant is present", "pregnant", "is no answer of"),
    (VOC, "in: AllergyIntolerance", "in: Allergy", "in: Allergy", "not one of: Condition"),
    (VOC, "codes: [K72]", "codes: [72]", "codes: [72]", "form of a code of ICD-10-CM"),
    (VOC, "codes: [K72]", "codes: [K72, K72]", "codes: [K72, K72]", "lists a code twice"),
    (VOC, "codes: [82810-3]", "codes: [82810-4]", "82810-4", "check digit does not fit"),
    (VOC, "values: [77386006]", "values: [pregnant]", "values: [pregnant]", "SNOMED CT"),
    (VOC, "within: 280 days", "within: 280", "within: 280", "280"),
    (VOC, "counts: also when it is past", "counts: always", "counts: always", "not one of: while"),
    (VOC, "  - says: insurance", "  - counts: always\n    says: insurance", "counts", "be past"),
    (VOC, "in: Coverage", "in: Coverage\n    codes: [A]", "codes: [A]", "in force is enough"),
    (VOC, "codes: [K72]", "codes: [K72]\n    values: [1]", "values: [1]", "only an Observation"),
    (VOC, "authorizes: dtms", "authorizes: tms", "authorizes: tms", "not one of: esketamine"),
    (
        VOC,
        "[granted, not required, pending",
        "[given, not required, pending",
        "authorizes",
        "needs",
    ),
    (VOC, "[tms-operator, prescriber]", "[porter]", "porter", "not one of: care-manager"),
    (VOC, "range: 1 to 100", "range: few to 100", "few to", '"few" is not a number such as 140'),
    (
        VOC,
        "category: procedure\n    code: local",
        "category: exam\n    code: none",
        "code: none",
        "what is recorded needs a code",
    ),
    (VOC, "code: 44260-8", "code: 44261-6", "44260-8", "differs from the code of phq9_item9"),
    (VOC, "    total: madrs_total\n", "", "madrs:", "scales.madrs.total: missing"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong[4])
def test_a_problem_is_told_with_its_line(tmp_path, wrong):
    """What is wrong in the vocabulary is reported at its line, with what would be right."""
    check_told(copied(tmp_path), wrong)


def test_a_wrong_kind_is_told_once(tmp_path):
    """Protocols that use a kind which has a problem itself are not blamed for it."""
    folder = copied(tmp_path)
    spoil(folder / VOC, "unit: points", "unit: # points")
    freeze_as_it_is(folder)
    told = problems(folder)
    assert [line.partition(":")[2].partition(": ")[2] for line in told] == ["unit: has no value"]


def test_every_published_code_says_where_it_was_read():
    """LOINC codes carry a right check digit, and a code outside our system a display."""
    kinds = load_protocols(SHIPPED).vocabulary.observations.values()
    codes = [code for kind in kinds for code in (kind.code, kind.panel) if code is not None]
    loinc = [code.code for code in codes if code.system == "http://loinc.org"]
    assert {"8480-6", "8462-4", "85354-9", "59408-5", "44261-6", "44260-8"} == set(loinc)
    assert not check_digit_fits("44261-7")
    assert all(code.display for code in codes)


TIERS: list[Wrong] = [
    (VOC, "1: [cssrs_wish is present", "1: [cssrs_wish is sad", "cssrs_wish is sad", "no answer"),
    (VOC, "1: [cssrs_wish is present", "1: [mood is low", "mood is low", "is no answer of an obs"),
    (VOC, "      1: [cssrs_wish", "      4: [cssrs_wish", "4: [cssrs_wish", "numbered 1, 2, 3 and"),
    (VOC, "always_asked: [cssrs_wish, ", "always_asked: [mood, ", "mood", "not among the observ"),
    (
        VOC,
        "always_asked: [cssrs_wish, ",
        "always_asked: [",
        "cssrs_tier:",
        "never asked: cssrs_wish",
    ),
    (VOC, "cssrs_behavior is present: [", "cssrs_behavior: [", "cssrs_behavior: [", "no answer"),
    (VOC, "    source: Columbia", "    sauce: Columbia", "cssrs_tier:", "source: missing"),
    (VOC, "tiers:   ", "teirs:   ", "recorded_by: nobody", "can derive only"),
    (VOC, "  cssrs_tier:\n    any_of", "  spo2:\n    any_of", "spo2:", "that nobody records"),
]


@pytest.mark.parametrize("wrong", TIERS, ids=lambda wrong: wrong[2])
def test_a_wrong_tier_is_told(tmp_path, wrong: Wrong):
    """A tier that counts what nobody asks, or what nobody can answer, is refused by name."""
    check_told(copied(tmp_path), wrong)
