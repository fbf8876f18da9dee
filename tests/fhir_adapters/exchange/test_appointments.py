"""An appointment that both Kairos and an EHR write to, on a real FHIR server."""

from dataclasses import replace

from domain.delivery.words import Action, LastSeen
from domain.language.names import EhrPatientId
from fhir_adapters.exchange.verbs import read_back, send


async def test_who_the_ehr_adds_to_a_visit_stays(client, plan, patient, story) -> None:
    """The EHR puts a practitioner before our patient; the booking keeps them and is equal."""
    whose = EhrPatientId(patient)
    visits = [intent for intent in story if intent.resource_type == "Appointment"]
    bare = {key: value for key, value in visits[0].body.items() if key != "supportingInformation"}
    made = await send(client, plan, replace(visits[0], body=bare, needs=()), {}, whose)
    held = await client.read("Appointment", made.ehr_id)
    added = {"actor": {"display": "Dr. Synthetic"}, "status": "accepted"}
    body = {**held.resource, "participant": [added, *held.resource["participant"]]}
    await client.update("Appointment", made.ehr_id, body, held.version or "")

    booking = next(intent for intent in visits if intent.action is Action.UPDATE)
    known = {booking.artefact: f"Appointment/{made.ehr_id}"}
    standing = LastSeen(made.version, bare)
    await send(client, plan, booking, known, whose, standing)
    found = (await client.read("Appointment", made.ehr_id)).resource
    assert [each["status"] for each in found["participant"]] == ["accepted"] * 3
    assert found["participant"][0]["actor"] == added["actor"]
    back = await read_back(client, "Appointment", made.ehr_id, booking.body, patient=whose)
    assert back.equal
