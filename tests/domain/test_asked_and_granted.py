"""Whoever is asked is let in and granted, and nobody else is, whatever a protocol's roles say."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.decide import decide
from domain.language.authorizations import AuthorizedUnit, RecordAuthorization
from domain.language.clocks import instant
from domain.language.commands import Command, Wish
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.holds import LiftHold
from domain.language.names import (
    Author,
    HoldId,
    PhaseDecision,
    PhaseId,
    RequestId,
    Role,
    RuleId,
    Treatment,
    VisitId,
)
from domain.language.names import VisitStatus as Status
from domain.language.observations import RecordAssessment, RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.phases import Decide, SignOrder
from domain.language.protocol import CombinedProtocol
from domain.language.release import Disposition, ReleaseVisit
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import RecordDose, RecordStimulation
from domain.language.trials import RecordTrial, TrialOutcome
from domain.language.visits import BookVisit, CheckIn, MissVisit
from domain.permissions import roles_for
from domain.planner import steps, task_key
from domain.rules.reviews import REVIEWS
from domain.rules.steps import Ask, AskPerson
from tests.course import SESSION, Course
from tests.domain.scenes import FIRST
from tests.domain.simulation import COMBINED, measure, readings

PRESSURE = {"systolic_bp": 120, "diastolic_bp": 80}
OF_ROLES = {"may-wish", "recorded-by", "ordered-by", "released-by", "task-role"}
"""The rules that say who may; any other refusal is of what was wished, and not of whom."""


def wishes(course: Course, step: AskPerson) -> Iterator[Wish]:  # noqa: C901, PLR0912  one case an ask
    """What a step asks for, as wishes: one who may have any of them may do what is asked."""
    now, visit = course.now, VisitId(step.about)
    match step.ask:
        case Ask.SIGN_ORDER:
            yield SignOrder(PhaseId(step.about))
        case Ask.BOOK_VISITS:
            known = course.pathway.visits.values()
            yield BookVisit(next(v.id for v in known if v.status is Status.PROPOSED))
        case Ask.CHECK_IN:
            yield CheckIn(visit)
        case Ask.RESOLVE_VISIT:
            here = course.pathway.visits[visit].status is Status.CHECKED_IN
            yield (
                ReleaseVisit(visit, Disposition.AGAINST_ADVICE, "left")
                if here
                else MissVisit(visit)
            )
        case Ask.RECORD:
            yield from recordings(course, step)
        case Ask.GIVE:
            phase = course.protocol.phase(course.pathway.visits[visit].phase)
            if phase.dose is not None:
                yield RecordDose(visit, now, 56, "lot")
            else:
                yield RecordStimulation(visit, now - SESSION, now, 1980, 120, 66)
        case Ask.RELEASE:
            yield ReleaseVisit(visit)
        case Ask.CLEAR_GATE:
            at, _, gate = step.about.partition("/")
            if step.blocked_by and not step.blocked_by[0].overridable:
                yield from recordings(course, step)
            else:
                yield OverrideGate(VisitId(at), RuleId(gate), "why")
        case Ask.RENEW_AUTHORIZATION:
            yield authorization(course, Treatment(step.about.partition("/")[0]))
        case Ask.LIFT_HOLD:
            yield LiftHold(HoldId(step.about), "why")
        case Ask.DECIDE | Ask.REVIEW:
            phase_id = PhaseId(step.about.partition("/")[0])
            yield Decide(phase_id, PhaseDecision.STOP, "why")
        case ask if ask in REVIEWS:
            yield AcknowledgeTask(task_key(step, course.pathway), "seen")


def authorization(course: Course, treatment: Treatment) -> RecordAuthorization:
    """Another letter of the payer's."""
    day = course.first_visit.day
    return RecordAuthorization(treatment, "PA-9", day, day, 1, AuthorizedUnit.SESSION, ("90868",))


def recordings(course: Course, step: AskPerson) -> Iterator[Wish]:
    """A reading, or an assessment, of each kind that is asked for."""
    vocabulary = course.protocol.vocabulary
    of_scale = {
        name: scale
        for scale in vocabulary.scales.values()
        for name in (scale.total, *scale.item_observations.values())
    }
    for block in step.blocked_by:
        says = block.missing or block.finding or ""
        for kind in vocabulary.observations.values():
            if not re.search(rf"(?<![a-z]){re.escape(kind.title)}", says):
                continue
            if kind.counts_trials_from is not None:
                yield RecordTrial("sertraline", "SSRI", "50 mg", 6, TrialOutcome.NO_RESPONSE)
            if kind.derived:
                continue
            if kind.name in of_scale:
                scale = of_scale[kind.name]
                yield RecordAssessment(scale.name, course.now, (0,) * len(scale.item_titles))
            elif kind.name in PRESSURE:
                yield RecordReadings(course.now, readings(**PRESSURE))
            else:
                if kind.authorizes is not None:
                    yield authorization(course, kind.authorizes)
                value = kind.answers[-1] if kind.answers else float(kind.low or 0)
                yield RecordReadings(course.now, (measure(kind.name, value),))


def granted(course: Course, wish: Wish, role: Role) -> bool:
    """Whether the domain would let this role have this wish, whatever else it says of it."""
    command = Command(RequestId("r"), Author("somebody", role), wish)
    try:
        decide(course.protocol, course.pathway, command, course.now)
    except Refused as refusal:
        return not OF_ROLES & {block.rule for block in refusal.blocked_by}
    except (Conflict, Malformed):
        return role in wish.MAY
    return True


def check_asked_is_granted(course: Course) -> int:
    """Compare, for every step that is asked now and every role there is."""
    compared = 0
    for step in steps(course.protocol, course.pathway, course.now):
        if not isinstance(step, AskPerson):
            continue
        course.run_rules()
        wanted = list(wishes(course, step))
        for role in Role if wanted else ():
            some = any(granted(course, wish, role) for wish in wanted)
            assert some == (role in step.roles), (step.ask, step.says, role)
            if some:
                door = chain.from_iterable(
                    roles_for(type(wish), [course.protocol]) for wish in wanted
                )
                assert role in set(door), (step.ask, role)
            compared += 1
    return compared


def with_roles(ordering: tuple[Role, ...], recording: tuple[Role, ...]) -> CombinedProtocol:
    """The shipped protocol, but ordered and recorded by others than it says."""
    observations = {
        name: replace(kind, recorded_by=recording) if kind.recorded_by else kind
        for name, kind in COMBINED.vocabulary.observations.items()
    }
    scales = {
        name: replace(scale, recorded_by=recording)
        for name, scale in COMBINED.vocabulary.scales.items()
    }
    vocabulary = replace(COMBINED.vocabulary, observations=observations, scales=scales)
    phases = tuple(replace(phase, ordered_by=ordering) for phase in COMBINED.phases)
    return replace(COMBINED, phases=phases, vocabulary=vocabulary)


MAY_ORDER = st.lists(st.sampled_from(SignOrder.MAY), min_size=1, unique=True).map(tuple)
MAY_RECORD = st.lists(st.sampled_from(RecordReadings.MAY), min_size=1, unique=True).map(tuple)


@settings(deadline=None)
@given(choices=st.lists(st.integers(0, 12), max_size=40), length=st.integers(1, 60))
def test_on_any_course_who_is_asked_is_who_may(choices: list[int], length: int):
    """Every step of courses with misses, holds and high pressures, for every role."""
    course = Course(FIRST, choices=choices)
    for _ in range(length):
        check_asked_is_granted(course)
        course.follow_next()


@settings(deadline=None)
@given(ordering=MAY_ORDER, recording=MAY_RECORD)
def test_whatever_a_protocol_says_of_roles_is_asked_and_granted_alike(
    ordering: tuple[Role, ...], recording: tuple[Role, ...]
):
    """Whoever a clinic names to order or to record is asked, let in and granted."""
    protocol = with_roles(ordering, recording)
    course = Course(FIRST, protocol=protocol)
    assert check_asked_is_granted(course)
    signer = Author("signs", ordering[0])
    course.do(SignOrder(course.pathway.phase), signer)
    for visit in course.pathway.visits_in(course.pathway.phase):
        course.do(BookVisit(visit.id))
    first = course.pathway.visits_in(course.pathway.phase)[0]
    course.wait(instant(first.at, course.zone) - course.now)
    course.do(CheckIn(first.id))
    assert check_asked_is_granted(course)


@pytest.mark.parametrize("role", [role for role in Role if role not in RecordReadings.MAY])
def test_nobody_outside_care_has_a_wish(role: Role):
    """An auditor's command is refused where it is decided too, and not at the door only."""
    course = Course(FIRST)
    refusal = course.attempt(SignOrder(course.pathway.phase), Author("x", role))
    assert isinstance(refusal, Refused)
    assert [block.rule for block in refusal.blocked_by] == ["may-wish"]
