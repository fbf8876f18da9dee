"""What of an EHR's Patient is believed: whether it is current, whose it is, its labels."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language.errors import Malformed
from fhir_adapters.exchange.patients import EhrPatient
from tests.fhir_adapters.odd import ANYTHING

TODAY = date(2027, 3, 1)
BASES = ("https://ehr.example/fhir",)
MRN = "urn:test:mrn"
ANN: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": MRN, "value": "M1"}],
    "birthDate": "1980-01-02",
}


def read(**change: Any) -> EhrPatient:
    """The patient, but for what is changed."""
    return EhrPatient.from_fhir(ANN | change, BASES, TODAY)


def replaced(other: Any) -> dict[str, Any]:
    """A link that says that another record replaces this one."""
    return {"link": [{"type": "replaced-by", "other": other}]}


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"active": "false"},
        {"active": "true"},
        {"active": 1},
        {"deceasedBoolean": True},
        {"deceasedBoolean": "true"},
        {"deceasedBoolean": "false"},
        {"deceasedDateTime": "2027"},
        {"deceasedBoolean": 0},
        {"_deceasedDateTime": {"extension": [{"url": "u", "valueCode": "unknown"}]}},
        {"deceasedBoolean": False, "_deceasedDateTime": {"extension": [{"url": "u"}]}},
        {"_deceasedBoolean": {"extension": [{"url": "u"}]}},
        {"deceased": True},
        {"deceasedString": "yes"},
        {"active": True, "_active": {"extension": [{"url": "u"}]}},
        {"link": {"type": "replaced-by", "other": {"reference": "Patient/p9"}}},
        {"link": [{"type": "replaced-by ", "other": {"reference": "Patient/p9"}}]},
        {"link": [{"type": "Replaced-By", "other": {"reference": "Patient/p9"}}]},
        {"link": ["replaced-by"]},
        {"link": "replaced-by"},
        {"link": [{"other": {"reference": "Patient/p9"}}]},
        {"modifierExtension": [{"url": "http://example.org/negated", "valueBoolean": True}]},
        {"implicitRules": "http://example.org/rules"},
        replaced({"reference": "Patient/p9"}),
        replaced({"reference": f"{BASES[0]}/Patient/p9/_history/2"}),
        replaced({"reference": "https://elsewhere.example/fhir/Patient/p9"}),
        replaced({"reference": "urn:uuid:0f2a3c4d-0000-4000-8000-000000000000"}),
        replaced({"identifier": {"system": MRN, "value": "M9"}}),
        replaced({"display": "another record"}),
        replaced({}),
        replaced(None),
    ],
)
def test_what_is_not_plainly_the_patients_current_record_is_not_enrolled(
    change: dict[str, Any],
) -> None:
    """In whichever spelling the EHR says so, and where what it says is no plain yes."""
    assert read().may_be_enrolled
    found = read(**change)
    assert not found.may_be_enrolled
    assert found.not_current


@pytest.mark.parametrize("kind", ["replaces", "refer", "seealso"])
def test_a_record_that_replaces_another_or_points_to_one_is_the_patients(kind: str) -> None:
    """Only a link that takes the patient away keeps a record from being enrolled."""
    assert read(link=[{"type": kind, "other": {"reference": "Patient/p9"}}]).may_be_enrolled


@pytest.mark.parametrize(
    "entry",
    [
        {"system": MRN, "value": "M2", "use": "old"},
        {"system": MRN, "value": "M2", "period": {"end": "2027-02-28"}},
        {"system": MRN, "value": "M2", "period": {"end": "2027-02"}},
        {"system": MRN, "value": "M2", "period": {"end": "2026"}},
        {"system": MRN, "value": "M2", "period": {"end": "2027-02-28T23:00:00-05:00"}},
        {"system": MRN, "value": "M2", "period": {"start": "2027-03-02"}},
    ],
)
def test_an_identifier_that_does_not_hold_is_none(entry: dict[str, Any]) -> None:
    """Neither counted, nor a match, nor part of the fingerprint."""
    found = read(identifier=[*ANN["identifier"], entry])
    assert (found.identifiers, found.carries(MRN, "M2")) == (1, False)
    assert found.fingerprint == read().fingerprint


@pytest.mark.parametrize(
    "period",
    [
        {},
        {"end": "2027-03-01"},
        {"end": "2027-03"},
        {"end": "2027"},
        {"start": "2027"},
        "2020",
        None,
    ],
)
def test_an_identifier_that_holds_today_is_one(period: object) -> None:
    """To the end of its last day, month or year; and where what is said of it is no period."""
    found = read(identifier=[{"system": MRN, "value": "M1", "period": period}])
    assert found.carries(MRN, "M1")


@pytest.mark.parametrize(
    ("system", "value", "carries"),
    [(MRN, "M1", True), (MRN, " M1 ", True), (MRN, "m1", False), ("urn:other", "M1", False)],
)
def test_a_record_carries_exactly_the_system_and_the_value(
    system: str, value: str, *, carries: bool
) -> None:
    """Spaces at its ends aside, with which some EHRs pad."""
    assert read().carries(system, value) is carries
    assert read(identifier=[{"system": MRN, "value": "     M1"}]).carries(MRN, "M1")


@pytest.mark.parametrize(
    ("birth_date", "matches"),
    [
        ("1980-01-02", True),
        ("1980-01-03", False),
        ("1980-01", None),
        ("1980", None),
        ("1981", False),
        ("1980-02", False),
        (None, None),
        (1980, None),
        ("yesterday", None),
        ("1980-13-01", None),
        ("1980-W01-1", None),
        ("19800102", None),
    ],
)
def test_a_birth_date_that_is_not_known_whole_cannot_be_told(
    birth_date: object, *, matches: bool | None
) -> None:
    """Unknown is neither a match nor a mismatch; another year is a mismatch."""
    assert read(birthDate=birth_date).was_born_on(date(1980, 1, 2)) is matches


LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


@pytest.mark.parametrize(
    ("security", "labels"),
    [
        ([{"system": REASON, "code": "HTEST"}], ("HTEST",)),
        ([{"system": LEVEL, "code": "R"}, {"system": LEVEL, "code": "V"}], ("R", "V")),
        ([{"system": LEVEL, "code": "N"}], ()),
        ([{"system": "urn:fi", "code": "TURVAKIELTO"}], ("TURVAKIELTO",)),
        ([{"system": "urn:x", "code": "N"}], ("N",)),
        ([{"display": "closed"}, "closed"], ("a label without a code",)),
        ("HTEST", ("a label without a code",)),
        ({"system": REASON, "code": "HTEST"}, ("HTEST",)),
        (None, ()),
    ],
)
def test_labels_beyond_the_usual_are_told(security: object, labels: tuple[str, ...]) -> None:
    """A test patient and a record that is closed to most are for a person to decide about."""
    assert read(meta={"security": security}).labels == labels


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([{"family": "Roe", "given": ["Ann", "B"]}], "Ann B Roe"),
        ([{"text": "Ann Roe", "family": "Other"}], "Ann Roe"),
        ({"family": "Roe"}, "Roe"),
        ([{"use": "maiden", "family": "Doe"}, {"family": "Roe"}], "Roe"),
        ([{"use": "nickname", "text": "Annie"}, {"use": "usual", "text": "Ann"}], "Ann"),
        ([{"use": "usual", "text": "Ann"}, {"use": "official", "text": "Anna"}], "Anna"),
        ([{"text": "Before", "period": {"end": "2020"}}, {"text": "Now"}], "Now"),
        ([{"text": "Later", "period": {"start": "2030-01-01"}}], None),
        ([{"family": "Roe", "suffix": ["Jr."], "prefix": ["Dr."]}], "Roe Jr."),
        ([{"given": ["Ann", 7, None, {"a": 1}], "family": ["Roe"]}], "Ann"),
        ([{"text": "   "}, {"text": "Ann"}], "Ann"),
        ([{"text": "A\u202enn\x00 \u2066Roe\n\tX"}], "A nn Roe X"),
        ([{"use": ["official"], "text": "Ann"}], "Ann"),
        ([{"text": "x" * 5000}], "x" * 200),
        (["Ann"], None),
        ("Ann", None),
        ([], None),
        (None, None),
    ],
)
def test_the_name_that_people_go_by_now_is_one_line(names: object, shown: str | None) -> None:
    """Not an old one or a nickname; with no sign in it that turns the others around."""
    assert read(name=names).name == shown


def test_the_identifier_for_people_is_of_the_connections_system_and_holds() -> None:
    """The first that holds now; none of another system stands in for it."""
    others = [{"system": "urn:other", "value": "X"}, {"system": MRN, "value": "OLD", "use": "old"}]
    mine = {"system": MRN, "value": " M\u202e2 "}
    assert read(identifier=[*others, mine]).identifier_of(MRN) == "M 2"
    assert read(identifier=others).identifier_of(MRN) is None


@given(
    st.dictionaries(
        st.sampled_from(
            ["name", "identifier", "birthDate", "link", "meta", "active", "deceasedBoolean"]
        ),
        ANYTHING,
    )
)
def test_no_record_however_odd_breaks_the_reader(change: dict[str, Any]) -> None:
    """It is read, or it is said to be none: no other error, and no sign that is not shown."""
    try:
        found = read(**change)
    except Malformed:
        return
    assert found.name is None or (found.name and found.name.isprintable())
    known = found.identifier_of(MRN)
    assert known is None or (known and known.isprintable())
    assert found.born is None or isinstance(found.born, str)
    assert found.age_on(TODAY) is None or isinstance(found.age_on(TODAY), int)


@pytest.mark.parametrize("odd", [[], {}, ["replaces"], {"a": 1}, 7, None, True])
def test_an_odd_word_where_a_code_belongs_is_no_code(odd: object) -> None:
    """A link whose type cannot be read is taken for the worst; so is a label's code."""
    assert read(link=[{"type": odd, "other": {"reference": "Patient/p9"}}]).replaced_by == "p9"
    system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    assert read(meta={"security": [{"system": system, "code": odd}]}).labels


@pytest.mark.parametrize(
    "change",
    [
        {"deceasedBoolean": False},
        {"deceasedBoolean": False, "deceasedDateTime": None},
        {"deceasedBoolean": False, "_deceasedBoolean": {"id": "x"}},
        {"deceasedDateTime": None},
        {"active": None},
        {"active": True},
    ],
)
def test_a_living_patients_record_is_current(change: dict[str, Any]) -> None:
    """A null says nothing, and an id beside a plain no is no death."""
    assert read(**change).may_be_enrolled


@pytest.mark.parametrize(
    "change",
    [
        {"deceasedBoolean": "false"},
        {"deceasedBoolean": 0},
        {"deceasedBoolean": False, "deceasedDateTime": "2027"},
        {"_deceasedDateTime": {"extension": [{"url": "u", "valueCode": "unknown"}]}},
        {"deceased": False},
    ],
)
def test_a_record_that_does_not_say_plainly_is_not_told_as_a_death(change: dict[str, Any]) -> None:
    """Nobody is told that a patient has died of whom the record does not say so."""
    found = read(**change)
    assert not found.died
    assert found.not_current == "the record does not say plainly whether the patient lives"


@pytest.mark.parametrize("code", ["HTEST", "SUBSETTED"])
def test_a_label_counts_wherever_it_stands(code: str) -> None:
    """HL7's own test patients carry it as a tag; a tag of somebody's own is no label."""
    system = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
    assert read(meta={"tag": [{"system": system, "code": code}]}).labels == (code,)
    assert read(meta={"tag": [{"system": "urn:ours", "code": "vip-lounge"}]}).labels == ()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ({"text": "Roel", "family": "Bor", "given": ["Roelof"]}, "Roel Bor"),
        ({"text": "BOR, Roelof", "family": "Bor"}, "BOR, Roelof"),
        ({"text": "Ann Doe", "family": 5}, "Ann Doe"),
        ({"family": "Bor", "given": ["Roelof"]}, "Roelof Bor"),
    ],
)
def test_no_name_is_shown_without_its_family_name(name: dict[str, Any], line: str) -> None:
    """A text that is only what somebody goes by is no name to compare a person with."""
    assert read(name=[name]).name == line
