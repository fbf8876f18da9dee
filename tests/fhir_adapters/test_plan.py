"""The capability planner: against real vendors' statements, and never beyond what is advertised."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.delivery.words import Action
from domain.language.errors import Malformed
from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.capability import supports_of
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import Fallback, Kept, Native, Person, plan_for
from fhir_adapters.profile.vendors import VENDORS
from tests.fhir_adapters.fhir_profiles import published_data
from tests.fhir_adapters.fhir_story import statement, whole_story, written

VENDOR_WAYS = {
    # artefact: Epic, Oracle, athenahealth, MEDITECH; + native, text the fallback, - kept, ! person
    ArtefactKind.EPISODE: ("-", "-", "-", "-"),
    ArtefactKind.CARE_PLAN: ("DocumentReference", "DocumentReference", "-", "-"),
    ArtefactKind.MEDICATION_ORDER: ("!", "!", "!", "!"),
    ArtefactKind.COURSE_ORDER: ("+", "!", "!", "!"),
    ArtefactKind.APPOINTMENT: ("Communication", "Communication", "!", "!"),
    ArtefactKind.ADMINISTRATION: ("Procedure", "Procedure", "!", "!"),
    ArtefactKind.STIMULATION: ("+", "+", "!", "!"),
    ArtefactKind.BLOOD_PRESSURE: ("+", "+", "!", "!"),
    ArtefactKind.VITAL_SIGN: ("+", "+", "!", "!"),
    ArtefactKind.FINDING: ("DocumentReference", "DocumentReference", "!", "!"),
    ArtefactKind.SCALE: (
        "QuestionnaireResponse",
        "DocumentReference",
        "QuestionnaireResponse",
        "QuestionnaireResponse",
    ),
    ArtefactKind.TASK: ("Communication", "Communication", "-", "-"),
    ArtefactKind.HOLD: ("Communication", "Communication", "!", "!"),
    ArtefactKind.OVERRIDE: ("DocumentReference", "+", "!", "!"),
    ArtefactKind.DECISION: ("DocumentReference", "+", "!", "!"),
    ArtefactKind.PROVENANCE: ("-", "+", "-", "-"),
}
CAPTURED = ("epic", "oracle", "athenahealth", "meditech")


def _captured(vendor: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (published_data() / "capability" / f"{vendor}-r4.json").read_text()
    )
    return found


def _sign(way: Native | Fallback | Kept | Person) -> str:
    match way:
        case Native():
            return "+"
        case Fallback(to=to):
            return to.resource_type
        case Kept():
            return "-"
        case Person():
            return "!"


@pytest.mark.parametrize("vendor", CAPTURED)
def test_a_vendor_gets_what_it_takes(vendor: str) -> None:
    """Each captured statement gives exactly the ways in the table above."""
    place = CAPTURED.index(vendor)
    plan = plan_for(_captured(vendor), VENDORS[vendor])
    ways = {kind: _sign(way) for kind, way in plan.ways.items()}
    assert ways == {kind: signs[place] for kind, signs in VENDOR_WAYS.items()}


@pytest.mark.parametrize(
    ("vendor", "kind", "told_nothing", "told"),
    [
        ("epic", ArtefactKind.SCALE, "+", "QuestionnaireResponse"),
        ("oracle", ArtefactKind.MEDICATION_ORDER, "+", "!"),
        ("meditech", ArtefactKind.HOLD, "Communication", "!"),
    ],
)
def test_a_vendors_file_takes_away_what_the_statement_promises(
    vendor: str, kind: ArtefactKind, told_nothing: str, told: str
) -> None:
    """What such an EHR refuses, or shows to somebody else, is planned only if it is not known."""
    said = _captured(vendor)
    assert _sign(plan_for(said, GENERIC).ways[kind]) == told_nothing
    assert _sign(plan_for(said, VENDORS[vendor]).ways[kind]) == told


@pytest.mark.parametrize("vendor", CAPTURED)
def test_no_vendor_is_sent_what_it_does_not_advertise(vendor: str, protocol) -> None:
    """Every intent of a whole pathway is advertised by the vendor, or a person's."""
    said = _captured(vendor)
    for chosen in VENDORS.values():
        _only_advertised(said, plan_for(said, chosen), protocol)


def test_no_vendor_has_conditional_create() -> None:
    """None of the four plans it; Epic's blood pressure and Oracle's are found by content."""
    once = {}
    for vendor in CAPTURED:
        rows = plan_for(_captured(vendor), VENDORS[vendor]).describe()
        assert not [row for row in rows if row.once_by == "conditional create"]
        once[vendor] = {row.kind: row.once_by for row in rows}
    assert once["epic"][ArtefactKind.BLOOD_PRESSURE] == "search by content"
    assert once["epic"][ArtefactKind.STIMULATION] == "search by identifier"
    assert once["oracle"][ArtefactKind.BLOOD_PRESSURE] == "search by content"
    assert once["oracle"][ArtefactKind.TASK] == "a person checks, if a response is lost"


@settings(deadline=None)  # an example is a whole pathway: on a busy machine over 200 ms
@given(data=st.data())
def test_a_plan_never_goes_beyond_the_statement(data, protocol) -> None:
    """Whatever interactions and parameters a server lacks, nothing unadvertised is written."""
    said = statement()
    for resource in said["rest"][0]["resource"]:
        for key, items in (("interaction", "code"), ("searchParam", "name")):
            names = [entry[items] for entry in resource[key]]
            kept = data.draw(st.sets(st.sampled_from(names)))
            resource[key] = [entry for entry in resource[key] if entry[items] in kept]
        resource["conditionalCreate"] = data.draw(st.sampled_from([True, False, None]))
    vendor = data.draw(st.sampled_from(sorted(VENDORS)))
    _only_advertised(said, plan_for(said, VENDORS[vendor]), protocol)


def _only_advertised(said, plan, protocol) -> None:
    supports = supports_of(said)
    for way in plan.ways.values():
        native = way.to if isinstance(way, Fallback) else way
        if isinstance(native, Native):
            there = supports[native.resource_type]
            assert there.create
            assert there.read
            assert there.update or not native.update
            assert there.conditional_create or not native.conditional_create
            assert "identifier" in there.search or not native.search_by_identifier
    created: set[str] = set()
    for intent in written(whole_story(protocol), protocol, plan):
        advertised = supports.get(intent.resource_type)
        if intent.action is Action.PERSON:
            continue
        assert advertised is not None
        assert set(intent.needs) <= created
        if intent.action is Action.CREATE:
            assert advertised.create
            created.add(intent.artefact)
        else:
            assert advertised.update
            assert intent.artefact in created


def test_the_plan_says_what_would_be_written() -> None:
    """There is one row for each artefact, with the reason wherever it is not native."""
    rows = plan_for(statement(("Observation", "Communication")), GENERIC).describe()
    assert [row.kind for row in rows] == list(ArtefactKind)
    assert all(row.why or row.way == "native" for row in rows)
    dose = next(row for row in rows if row.kind is ArtefactKind.ADMINISTRATION)
    assert (dose.way, dose.resource_type) == ("fallback", "Communication")
    assert dose.why == (
        "MedicationAdministration is not listed; Procedure is not listed; "
        "DocumentReference is not listed"
    )


def test_what_cannot_be_read_back_is_not_written() -> None:
    """A type that can be created but never read is passed over."""
    plan = plan_for(statement(interactions=("create", "search-type")), GENERIC)
    assert not [way for way in plan.ways.values() if isinstance(way, Native | Fallback)]


def test_a_parameter_counts_only_where_searching_is_advertised() -> None:
    """Listed parameters without search-type are no search, and no conditional create either."""
    way = plan_for(statement(interactions=("read", "create")), GENERIC).ways[ArtefactKind.SCALE]
    assert isinstance(way, Native)
    assert not way.search_by_identifier
    assert not way.conditional_create


@pytest.mark.parametrize("said", [None, False, "true"])
def test_conditional_create_counts_only_where_it_is_stated(said: object) -> None:
    """Omitted, false or strange: a conditional create is not sent and not relied on."""
    whole = statement()
    for resource in whole["rest"][0]["resource"]:
        resource["conditionalCreate"] = said
    rows = plan_for(whole, GENERIC).describe()
    assert not [row for row in rows if row.once_by == "conditional create"]


def test_a_vendor_only_takes_away() -> None:
    """On the same statement no vendor's file makes anything native that was not."""
    said = statement(("Observation", "Procedure"))
    plain = plan_for(said, GENERIC)
    for vendor in VENDORS.values():
        for kind, way in plan_for(said, vendor).ways.items():
            assert (
                not isinstance(way, Native)
                or way == plain.ways[kind]
                or (not way.search_by_identifier)
            )


def test_another_fhir_version_is_refused() -> None:
    """An STU3 server is told apart before anything is planned for it."""
    with pytest.raises(Malformed, match=r"3\.0"):
        plan_for(
            json.loads((published_data() / "capability" / "epic-stu3.json").read_text()), GENERIC
        )


@pytest.mark.parametrize(
    "damage",
    [
        {"rest": "?"},
        {"rest": [{"mode": "server", "resource": 3}]},
        {"rest": [{"mode": "server", "resource": [{"type": {}}]}]},
        {"rest": []},
        {"rest": {"mode": "server"}},
        {"kind": "requirements"},
    ],
)
def test_a_statement_of_no_servers_types_is_none(damage: dict[str, Any]) -> None:
    """Nothing is planned from what lists nothing: the statement before it stays."""
    with pytest.raises(Malformed):
        plan_for(deepcopy(statement()) | damage, GENERIC)


@pytest.mark.parametrize("code", [["read"], {"code": "read"}, 3, None])
def test_an_odd_word_in_a_statement_is_passed_over(code: Any) -> None:
    """One interaction that is no code hides none of the others."""
    said = deepcopy(statement())
    said["rest"][0]["resource"][0]["interaction"].append({"code": code})
    assert plan_for(said, GENERIC).describe() == plan_for(statement(), GENERIC).describe()
