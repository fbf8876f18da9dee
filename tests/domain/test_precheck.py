"""What cannot be meant is answered before any rule of care is asked, and names the field."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.decide import precheck
from domain.language.commands import Wish
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import (
    HoldId,
    HoldReason,
    PathwayId,
    PathwayOutcome,
    PhaseDecision,
    PhaseId,
    RuleId,
    TaskId,
    VisitId,
)
from domain.language.observations import RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.pathway import Pathway
from domain.language.phases import Decide, SignOrder
from domain.language.release import ReleaseVisit
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import RecordDose, RecordStimulation
from domain.language.visits import CancelVisit, CheckIn
from tests.domain.scenes import ONE, a_course, checked_in, minutes
from tests.domain.simulation import COMBINED, readings

NONE = "no-such-thing"
NOW = a_course().now
HOLD = PlaceHold(HoldReason.OTHER, "")

UNKNOWN: list[tuple[Wish, str]] = [
    (CheckIn(VisitId(NONE)), "visit"),
    (CancelVisit(VisitId(NONE), "why"), "visit"),
    (ReleaseVisit(VisitId(NONE)), "visit"),
    (RecordReadings(NOW, readings(spo2=97), VisitId(NONE)), "visit"),
    (RecordDose(VisitId(NONE), NOW, 56, "lot"), "visit"),
    (RecordStimulation(VisitId(NONE), NOW, NOW + minutes(1), 1980, 120, 66), "visit"),
    (OverrideGate(VisitId(NONE), RuleId("ride-home"), "why"), "visit"),
    (LiftHold(HoldId(NONE), "why"), "hold"),
    (AcknowledgeTask(TaskId(NONE)), "task"),
    (SignOrder(PhaseId(NONE)), "phase"),
    (Decide(PhaseId(NONE), PhaseDecision.STOP, "why"), "phase"),
]


@pytest.mark.parametrize(("wish", "field"), UNKNOWN, ids=lambda case: getattr(case, "kind", case))
def test_what_is_not_there_is_named_by_its_field(wish: Wish, field: str):
    """A name of what the pathway does not have is malformed: its field is told, never the name."""
    with pytest.raises(Malformed) as refusal:
        precheck(COMBINED, a_course().pathway, wish, NOW + minutes(1))
    assert refusal.value.unknown == field
    assert NONE not in str(refusal.value)


def test_only_a_gate_of_the_visits_phase_can_be_overridden():
    """A gate that the phase does not have is malformed; the known ones are listed."""
    course = checked_in()
    with pytest.raises(Malformed, match=r"its gates: .*ride-home") as refusal:
        precheck(COMBINED, course.pathway, OverrideGate(ONE, RuleId(NONE), "why"), course.now)
    assert refusal.value.unknown == "gate"


def test_a_time_to_come_cannot_be_meant():
    """Readings of tomorrow are malformed, and no name is to blame."""
    tomorrow = RecordReadings(NOW + timedelta(days=1), readings(spo2=97))
    with pytest.raises(Malformed, match="measured_at is in the future") as refusal:
        precheck(COMBINED, a_course().pathway, tomorrow, NOW)
    assert refusal.value.unknown is None


def test_nothing_is_meant_on_a_pathway_that_has_ended():
    """Whatever is asked of a stopped pathway is refused by the same rule, known name or not."""
    ended = replace(a_course().pathway, outcome=PathwayOutcome.STOPPED)
    for wish in (HOLD, SignOrder(PhaseId(NONE))):
        with pytest.raises(Refused, match="the pathway was stopped") as refusal:
            precheck(COMBINED, ended, wish, NOW)
        assert [block.rule for block in refusal.value.blocked_by] == ["pathway-open"]


def test_a_pathway_that_is_being_started_is_a_conflict():
    """Before its first phase is entered, nothing can be asked of a pathway."""
    with pytest.raises(Conflict, match="still starting"):
        precheck(COMBINED, Pathway(PathwayId("p")), HOLD, NOW)
