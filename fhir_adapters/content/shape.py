"""The shape check: the only module that names `fhir.resources`, always as R4B.

R4B has the same elements as R4 for every resource used here (only PlanDefinition's and
ActivityDefinition's `subjectCanonical` differ, which Kairos never sends). It checks names, types
and cardinalities. It is not a validator: bindings, invariants and profiles are checked in tests.
Must not change what is sent: models are made, looked at and thrown away.
"""

from collections.abc import Mapping
from typing import Any

from fhir.resources.R4B.appointment import Appointment
from fhir.resources.R4B.careplan import CarePlan
from fhir.resources.R4B.communication import Communication
from fhir.resources.R4B.documentreference import DocumentReference
from fhir.resources.R4B.episodeofcare import EpisodeOfCare
from fhir.resources.R4B.flag import Flag
from fhir.resources.R4B.medicationadministration import MedicationAdministration
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.procedure import Procedure
from fhir.resources.R4B.provenance import Provenance
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from fhir.resources.R4B.servicerequest import ServiceRequest
from fhir.resources.R4B.task import Task
from pydantic import BaseModel, ValidationError

from domain.language.errors import Malformed

_MODELS: Mapping[str, type[BaseModel]] = {
    "Appointment": Appointment,
    "CarePlan": CarePlan,
    "Communication": Communication,
    "DocumentReference": DocumentReference,
    "EpisodeOfCare": EpisodeOfCare,
    "Flag": Flag,
    "MedicationAdministration": MedicationAdministration,
    "MedicationRequest": MedicationRequest,
    "Observation": Observation,
    "Procedure": Procedure,
    "Provenance": Provenance,
    "QuestionnaireResponse": QuestionnaireResponse,
    "ServiceRequest": ServiceRequest,
    "Task": Task,
}
WRITTEN_TYPES = frozenset(_MODELS)
"""Every resource type that Kairos can write."""


def check_shape(resource: Mapping[str, Any]) -> None:
    """Raise Malformed, naming paths and no values, unless R4B accepts the resource's shape."""
    name = resource.get("resourceType")
    model = _MODELS.get(name) if isinstance(name, str) else None
    if model is None:
        raise Malformed("Kairos does not write this type of resource")
    try:
        model.model_validate(dict(resource))
    except ValidationError as problem:
        paths = sorted({_path(error["loc"]) for error in problem.errors(include_input=False)})
        raise Malformed(f"{name} has the wrong shape at {', '.join(paths)}") from None


def _path(place: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in place) or "the resource itself"
