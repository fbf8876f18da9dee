"""What stands in where an EHR cannot hold an artefact: the same facts in a type that it takes.

Each stand-in states the structured values in words and carries our identifier, so that it can be
found again. Must not add anything that the artefact itself does not say.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Protocol

from domain.language.errors import Malformed
from fhir_adapters.content import elements
from fhir_adapters.content.identifiers import identifier

_FROM = "Kairos care pathway"


class Where(Protocol):
    """What a stand-in needs to know of the scene."""

    @property
    def patient(self) -> dict[str, Any]:
        """Refer to the patient."""

    @property
    def at(self) -> str:
        """When it happened, UTC."""

    @property
    def author(self) -> dict[str, Any]:
        """Refer to who says so."""


def stand_in(
    resource_type: str, artefact: str, body: Mapping[str, Any], says: str, where: Where
) -> dict[str, Any]:
    """Build the stand-in of a type for an artefact whose own FHIR is `body`."""
    match resource_type:
        case "Communication":
            return _communication(artefact, says, where)
        case "DocumentReference":
            return _document(artefact, says, where)
        case "Procedure":
            return _procedure(artefact, body, says)
        case "QuestionnaireResponse":
            return _answers(artefact, body, where)
    raise Malformed(f"{resource_type} is not used as a fallback")


def _communication(artefact: str, says: str, where: Where) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "identifier": [identifier(artefact)],
        "status": "completed",
        "category": [elements.concept(_FROM)],
        "subject": where.patient,
        "sent": where.at,
        "sender": elements.kairos(),
        "payload": [{"contentString": says}],
    }


def _document(artefact: str, says: str, where: Where) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "identifier": [identifier(artefact)],
        "status": "current",
        "type": elements.concept(_FROM),
        "subject": where.patient,
        "date": where.at,
        "author": [where.author],
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "data": b64encode(says.encode()).decode(),
                    "title": _FROM,
                }
            }
        ],
    }


def _procedure(artefact: str, body: Mapping[str, Any], says: str) -> dict[str, Any]:
    """Say an administration as a Procedure: no code was verified for it, so it has words."""
    medication = body["medicationCodeableConcept"]["text"]
    return {
        "resourceType": "Procedure",
        "meta": elements.profile("us-core-procedure"),
        "identifier": [identifier(artefact)],
        "status": "completed",
        "code": elements.concept(f"Administration of {medication}"),
        "subject": body["subject"],
        "performedDateTime": body["effectiveDateTime"],
        "performer": [{"actor": who["actor"]} for who in body["performer"]],
        "note": [{"text": says}],
    }


def _answers(artefact: str, body: Mapping[str, Any], where: Where) -> dict[str, Any]:
    """Say a scale, built as an Observation with components, as a QuestionnaireResponse."""
    return {
        "resourceType": "QuestionnaireResponse",
        "identifier": identifier(artefact),
        "status": "completed",
        "subject": body["subject"],
        "authored": body["effectiveDateTime"],
        "author": where.author,
        "item": [
            {
                "linkId": body["code"]["coding"][0]["code"],
                "text": body["code"]["text"],
                "item": [_answer(component) for component in body["component"]],
            }
        ],
    }


def _answer(component: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "linkId": component["code"]["coding"][0]["code"],
        "text": component["code"]["text"],
        "answer": [{"valueInteger": component["valueQuantity"]["value"]}],
    }
