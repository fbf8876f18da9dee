"""The demo's recount: nothing in the EHR goes uncounted, and what is counted is said."""

from copy import deepcopy
from typing import Any

from demo.recount import WRITTEN_TYPES
from demo.tally import Count, Recount, tally
from fhir_adapters.content import shape as r4b

Json = dict[str, Any]
DOSE: Json = {
    "resourceType": "MedicationAdministration",
    "identifier": [{"system": "urn:kairos:artefact", "value": "pw-1/treatment/1"}],
    "status": "completed",
    "subject": {"reference": "Patient/1"},
    "request": {"reference": "urn:kairos:artefact:pw-1/order/1"},
}
ORDER: Json = {
    "resourceType": "MedicationRequest",
    "identifier": [{"system": "urn:kairos:artefact", "value": "pw-1/order/1"}],
    "status": "active",
    "subject": {"reference": "Patient/1"},
}
SOURCE: Json = {"what": {"identifier": {"system": "urn:kairos:artefact", "value": "pw-1/event/1"}}}
PROVENANCE: Json = {
    "resourceType": "Provenance",
    "target": [{"reference": "urn:kairos:artefact:pw-1/order/1"}],
    "entity": [SOURCE],
}
INTENDED: dict[str, Json] = {
    "pw-1/order/1": ORDER,
    "pw-1/treatment/1": DOSE,
    "pw-1/event/1": PROVENANCE,
}


def _deliveries() -> list[Json]:
    return [
        {"artefact": artefact, "resource_type": body["resourceType"], "resource": body}
        for artefact, body in INTENDED.items()
    ]


def _held() -> list[Json]:
    """What an EHR holds when all went well."""
    held: list[Json] = deepcopy([{"id": "9", **body} for body in INTENDED.values()])
    held[1]["request"] = {"reference": "MedicationRequest/9"}
    held[2]["target"] = [{"reference": "MedicationRequest/9"}]
    return held


def _with(**changes: Any) -> Recount:
    """The recount with a further dose, which differs from the intended one in this."""
    return tally(_deliveries(), [*_held(), {**_held()[1], "id": "10", **changes}])


def _dose(counted: Recount) -> Count:
    return counted.rows["MedicationAdministration"]


def test_all_that_was_intended_is_equal() -> None:
    """Found once each and as intended: equal, and nothing doubled or unexplained."""
    counted = tally(_deliveries(), _held())
    assert counted.equal
    assert _dose(counted) == Count(intended=1, found=1, equal=1)


def test_a_copy_with_the_same_id_is_doubled() -> None:
    """Two resources with one of our ids are one and a double."""
    counted = _with()
    assert (counted.equal, _dose(counted).doubled) == (False, 1)


def test_a_copy_without_our_id_is_doubled() -> None:
    """A resource that says the same is a double, whatever it carries."""
    for identifier in ([], [{"system": "urn:kairos:artefact", "value": "pw-1/treatment/2"}]):
        counted = _with(identifier=identifier)
        assert (counted.equal, _dose(counted).doubled) == (False, 1)


def test_what_nothing_intended_explains_is_counted() -> None:
    """Another dose of that patient, with an id of ours or without, is unexplained."""
    for identifier in ([], [{"system": "urn:kairos:artefact", "value": "pw-1/treatment/2"}]):
        counted = _with(identifier=identifier, status="not-done")
        assert (counted.equal, _dose(counted).unexplained) == (False, 1)
        (said,) = counted.differences
        assert said == "MedicationAdministration/10: Kairos did not intend to write it"


def test_a_type_that_was_not_intended_is_counted() -> None:
    """A resource of a type that no delivery has makes a row of its own."""
    note = {"resourceType": "Communication", "id": "1", "subject": {"reference": "Patient/1"}}
    counted = tally(_deliveries(), [*_held(), note])
    assert counted.rows["Communication"] == Count(unexplained=1)
    assert not counted.equal


def test_a_provenance_of_ours_is_counted_by_its_target() -> None:
    """Provenance names no patient: one about a resource of ours is held against what was meant."""
    other = {**_held()[2], "id": "10", "entity": []}
    assert tally(_deliveries(), [*_held(), other]).rows["Provenance"].doubled == 1
    other["target"] = [{"reference": "http://ehr/fhir/MedicationAdministration/9/_history/1"}]
    assert tally(_deliveries(), [*_held(), other]).rows["Provenance"].unexplained == 1


def test_what_is_another_patients_is_not_counted() -> None:
    """The EHR's other patients are none of our business, unless a resource carries our ids."""
    other = {"subject": {"reference": "Patient/2"}, "request": {"reference": "Basic/1"}}
    assert _with(**other, identifier=[]).equal
    ours = [{"system": "urn:kairos:artefact", "value": "x"}]
    assert _dose(_with(**other, identifier=ours)).unexplained == 1


def test_the_recount_reads_every_type_that_is_written() -> None:
    """Its own list of types is Kairos's."""
    assert set(WRITTEN_TYPES) == r4b.WRITTEN_TYPES


def test_what_was_taken_back_before_it_left_is_not_intended() -> None:
    """An entry in error whose write never left is neither missed nor counted; one that left is."""
    another = {**DOSE, "identifier": [{"system": "urn:kairos:artefact", "value": "pw-1/x"}]}
    row: Json = {"artefact": "pw-1/x", "resource_type": "MedicationAdministration"}
    row |= {"resource": another, "state": "superseded"}
    assert tally([*_deliveries(), {**row, "attempts": 0}], _held()).equal
    assert not tally([*_deliveries(), {**row, "attempts": 1}], _held()).equal
