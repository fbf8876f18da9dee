"""Names of what Kairos writes: one artefact id for each thing, the same however often it is built.

The id is the value of the thing's FHIR identifier and the way to find it again after a lost
answer. Ids are made of ids that the pathway already has; they must carry no patient data.
"""

from typing import Any
from urllib.parse import quote, urlencode

from domain.language.names import EventId, HoldId, PathwayId, PhaseId, TaskId, VisitId
from domain.language.pathway import Pathway

SYSTEM = "urn:kairos:artefact"
"""The identifier system of everything that Kairos writes to an EHR."""

PERSON = "urn:kairos:person"
"""System of a token's subject, by which authors are named: never by their names."""

SITE = "urn:kairos:site"
DEVICE = "urn:kairos:device"


def identifier(artefact: str) -> dict[str, Any]:
    """Build the FHIR identifier of an artefact."""
    return {"system": SYSTEM, "value": artefact}


def token(artefact: str) -> str:
    """Build the value of an `identifier` search. Ids need no escaping: see `_safe`."""
    return f"{SYSTEM}|{artefact}"


def query(artefact: str) -> str:
    """Build the search string of a conditional create, which is encoded as in a URL."""
    return urlencode({"identifier": token(artefact)})


def episode(pathway: PathwayId) -> str:
    """Name the EpisodeOfCare of a pathway."""
    return _name(pathway, "episode")


def care_plan(pathway: PathwayId) -> str:
    """Name the CarePlan of a pathway."""
    return _name(pathway, "care-plan")


def order(pathway: Pathway, phase: PhaseId) -> str:
    """Name the order of a phase that was signed last: a medication or a course of stimulation.

    One that is signed after another was taken back is another order, with a number of its own.
    """
    number = pathway.phases[phase].order if phase in pathway.phases else 1
    return _name(pathway.id, "order", phase if number == 1 else f"{phase}#{number}")


def visit(pathway: PathwayId, visit_id: VisitId) -> str:
    """Name a visit's Appointment. A visit in place of a missed one has its own id."""
    return _name(pathway, "visit", visit_id)


def treatment(pathway: PathwayId, event: EventId) -> str:
    """Name a dose or a stimulation that was given."""
    return _name(pathway, "treatment", event)


def reading(pathway: PathwayId, event: EventId, what: str) -> str:
    """Name an Observation: a reading, or a panel of readings taken together."""
    return _name(pathway, "reading", event, what)


def scale(pathway: PathwayId, event: EventId) -> str:
    return _name(pathway, "scale", event)


def scale_part(pathway: PathwayId, event: EventId, what: str) -> str:
    """Name a scale's total, or an item of it that stands by itself."""
    return _name(pathway, "scale", event, what)


def task(pathway: PathwayId, task_id: TaskId) -> str:
    return _name(pathway, "task", task_id)


def hold(pathway: PathwayId, hold_id: HoldId) -> str:
    return _name(pathway, "hold", hold_id)


def event(pathway: PathwayId, event_id: EventId) -> str:
    """Name an event, and with it the one Provenance of what it says."""
    return _name(pathway, "event", event_id)


def note(artefact: str, event_id: EventId) -> str:
    """Name a text about a later change of something that the EHR cannot hold itself."""
    return f"{artefact}/note/{_safe(event_id)}"


def _name(pathway: PathwayId, *parts: str) -> str:
    return "/".join(_safe(part) for part in (pathway, *parts))


def _safe(part: str) -> str:
    """Keep commas, bars, dollars and backslashes out of ids: they mean something in a search."""
    return quote(part, safe="/:@~")
