"""Find patients in an EHR: to be sure of the match before a start, and nothing more.

People compare who the EHR says that somebody is with who is before them; Kairos decides nothing by
it. An EHR is not believed to have answered what it was asked: only a record that carries the
identifier is shown.
"""

from datetime import date, datetime

from pydantic import Field

from api.dependencies import Dependencies
from api.edge.problems import Problem
from api.reading.ehr_failures import CANNOT_BE_READ, GONE, problem_of
from api.reading.pages import Page
from api.reading.work_views import PatientView
from domain.language.errors import Malformed
from fhir_adapters.exchange.failures import EhrRefused
from fhir_adapters.exchange.patients import EhrPatient
from store import patients
from store.database import Transaction

MOST_MATCHES = 20


class PatientsFound(Page[PatientView]):
    """The records that carry the identifier, and whether they are all of them."""

    complete: bool = Field(
        description="false if the EHR has, or may have, more matches: narrow the search there"
    )
    others: int = Field(
        description="records that the EHR also sent and that do not have this identifier now"
    )


async def read_patient(
    deps: Dependencies, connection: str, patient_id: str, today: date
) -> EhrPatient:
    """Read a patient who may be enrolled: there, active, alive and not merged into another."""
    try:
        client = deps.ehr(connection).client
        held = await client.read("Patient", patient_id)
        patient = EhrPatient.from_fhir(held.resource, client.bases, today)
    except EhrRefused as error:
        if error.status in GONE and not error.strange:
            detail = f"{connection} has no patient of that id; search by identifier first"
            raise Problem("unknown-patient", detail) from None
        raise problem_of(error, connection, of_a_record=True) from None
    except CANNOT_BE_READ as error:
        raise problem_of(error, connection) from None
    if patient.not_current is not None:
        raise Problem("patient-not-current", patient.not_current)
    return patient


async def note_identity(
    tx: Transaction, deps: Dependencies, connection: str, patient: EhrPatient, at: datetime
) -> None:
    """Keep who a patient with a pathway is, as the EHR said at a time."""
    system = deps.installation.connection(connection).patient_identifier_system
    await patients.note(
        tx,
        connection,
        patient.id,
        name=patient.name,
        birth_date=patient.born,
        identifier=patient.identifier_of(system),
        fingerprint=patient.fingerprint,
        at=at,
    )


async def find_patients(
    deps: Dependencies, connection: str, identifier: str, birth_date: date | None, today: date
) -> PatientsFound:
    """Find patients by an identifier of the connection's system."""
    system = deps.installation.connection(connection).patient_identifier_system
    try:
        client = deps.ehr(connection).client
        token = f"{_escaped(system)}|{_escaped(identifier)}"
        found = await client.search("Patient", [("identifier", token)], pages=1)
    except CANNOT_BE_READ as error:
        raise problem_of(error, connection) from None
    carrying, others, unread = [], 0, 0
    for resource in found.resources:
        try:
            patient = EhrPatient.from_fhir(resource, client.bases, today)
        except Malformed:
            unread += 1
            continue
        if patient.carries(system, identifier):
            carrying.append(patient)
        else:
            others += 1
    whole = found.complete and not found.issues and not unread
    return PatientsFound(
        items=[_view(patient, system, birth_date) for patient in carrying[:MOST_MATCHES]],
        complete=whole and len(carrying) <= MOST_MATCHES,
        others=others,
    )


def insist_seen(patient: EhrPatient, seen: list[str]) -> None:
    """Raise the problem that names the record's labels, unless they were all seen."""
    unseen = [label for label in patient.labels if label not in seen]
    if unseen:
        detail = (
            f"the record has security labels ({', '.join(unseen)}): it may be a test patient or"
            " have restricted access; to enroll the patient anyway, send these in `labels`"
        )
        raise Problem("patient-labelled", detail)


def _escaped(part: str) -> str:
    """A part of a search token, in which a few signs have a meaning (FHIR R4, 3.1.1.4.0.1)."""
    for sign in ("\\", ",", "|", "$"):
        part = part.replace(sign, f"\\{sign}")
    return part


def _view(patient: EhrPatient, system: str, birth_date: date | None) -> PatientView:
    return PatientView(
        id=patient.id,
        name=patient.name,
        birth_date=patient.born,
        identifier=patient.identifier_of(system),
        may_be_enrolled=patient.may_be_enrolled,
        why_not=patient.not_current,
        active=patient.active,
        replaced_by=patient.replaced_by,
        identifiers=patient.identifiers,
        labels=list(patient.labels),
        birth_date_matches=None if birth_date is None else patient.was_born_on(birth_date),
    )
