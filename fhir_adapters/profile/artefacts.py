"""The kinds of things that a pathway writes to an EHR."""

from enum import StrEnum


class ArtefactKind(StrEnum):
    """What an artefact is; which one it is says its id (`fhir_adapters/content/identifiers.py`)."""

    EPISODE = "episode"
    CARE_PLAN = "care-plan"
    MEDICATION_ORDER = "medication-order"
    COURSE_ORDER = "course-order"
    APPOINTMENT = "appointment"
    ADMINISTRATION = "administration"
    STIMULATION = "stimulation"
    BLOOD_PRESSURE = "blood-pressure"
    VITAL_SIGN = "vital-sign"
    FINDING = "finding"
    SCALE = "scale"
    TASK = "task"
    HOLD = "hold"
    OVERRIDE = "override"
    DECISION = "decision"
    PROVENANCE = "provenance"
