"""Which role may wish for what. The API asks here, in one place, before anything is written."""

from domain.language.commands import (
    AcknowledgeTask,
    BookVisit,
    CancelVisit,
    CheckIn,
    Decide,
    LiftHold,
    MissVisit,
    MoveVisit,
    OverrideGate,
    PlaceHold,
    RecordAssessment,
    RecordDose,
    RecordReadings,
    RecordStimulation,
    ReleaseVisit,
    SignOrder,
    Wish,
)
from domain.language.names import Role

CARE = (Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER, Role.TMS_OPERATOR)

MAY: dict[type, tuple[Role, ...]] = {
    SignOrder: (Role.PRESCRIBER,),
    BookVisit: (Role.CARE_MANAGER, Role.NURSE),
    MoveVisit: (Role.CARE_MANAGER, Role.NURSE),
    CheckIn: CARE,
    MissVisit: CARE,
    CancelVisit: (Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER),
    ReleaseVisit: (Role.NURSE, Role.PRESCRIBER, Role.TMS_OPERATOR),
    RecordReadings: CARE,
    RecordAssessment: CARE,
    RecordDose: (Role.NURSE, Role.PRESCRIBER),
    RecordStimulation: (Role.TMS_OPERATOR, Role.PRESCRIBER),
    PlaceHold: CARE,
    LiftHold: (Role.PRESCRIBER,),
    OverrideGate: (Role.PRESCRIBER,),
    Decide: (Role.PRESCRIBER,),
    AcknowledgeTask: CARE,
}

MAY_START: tuple[Role, ...] = (Role.CARE_MANAGER, Role.PRESCRIBER)
MAY_READ: tuple[Role, ...] = (*CARE, Role.OPERATIONS, Role.AUDITOR)


def roles_for(wish: type[Wish]) -> tuple[Role, ...]:
    """List the roles that may have this wish."""
    return MAY[wish]
