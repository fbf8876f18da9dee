"""What a level of risk hastens and wants recorded, in full: from when on, and for whom."""

from dataclasses import replace
from datetime import date, time, timedelta

from domain.language.clocks import LocalTime, instant
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import (
    Author,
    HoldReason,
    ObservationName,
    PathwayOutcome,
    Role,
    VisitStatus,
)
from domain.language.observations import RecordReadings
from domain.language.phases import FirstVisitHastened, SignOrder
from domain.language.protocol import CombinedProtocol, Days
from domain.language.visits import MoveVisit
from domain.rules.risk import (
    as_asked,
    earliest,
    hastened,
    may_come_sooner,
    risk_now,
    to_bring_forward,
    to_hasten,
    to_record,
)
from domain.rules.steps import Ask, AskPerson
from tests.course import BASELINE, PRESCRIBER, Course
from tests.domain.scenes import ONE, TWO, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION, readings

NURSE = Author("a-nurse", Role.NURSE)
PHASE = COMBINED.phase(INDUCTION)
HIGH, MODERATE, LOW = PHASE.risk_levels
RISK, ITEM9 = ObservationName("suicide_risk"), ObservationName("phq9_item9")
LATER = LocalTime(date(2026, 12, 14), time(9))


def referred(protocol: CombinedProtocol = COMBINED) -> Course:
    """A patient whose first visit is two weeks off, on a Friday at ten."""
    course = Course(LATER, protocol)
    course.now = instant(LocalTime(date(2026, 11, 27), time(10)), course.pathway.zone)
    course.assess("madrs", *BASELINE[:9], 0)
    return course


def judged(course: Course, answer: str) -> None:
    """A clinician judges the risk."""
    course.do(RecordReadings(course.now, readings(suicide_risk=answer)), NURSE)


def test_nothing_is_hastened_at_low_risk_after_the_end_or_once_treated():
    """High risk before the first session is; the rest is not."""
    course = referred()
    judged(course, "high")
    risk = hastened(COMBINED, course.pathway, course.now)
    assert risk is not None
    assert risk.level == HIGH
    over = replace(course.pathway, outcome=PathwayOutcome.STOPPED)
    assert hastened(COMBINED, over, course.now) is None
    course = referred()
    course.assess("phq9", 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert hastened(COMBINED, course.pathway, course.now) is None
    course = dosed()
    judged(course, "high")
    assert risk_now(COMBINED, course.pathway, course.now) is not None
    assert hastened(COMBINED, course.pathway, course.now) is None


def test_the_earliest_is_the_next_treatment_day_at_the_usual_hour():
    """On a Friday at ten it is Monday at nine; at eight it is still that Friday."""
    course = referred()
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    first = course.pathway.visits_in(INDUCTION)[0]
    nine = time(9)
    at = earliest(COMBINED, course.pathway, course.now, first)
    assert at == LocalTime(date(2026, 11, 30), nine)
    friday = course.now - timedelta(hours=2)
    assert earliest(COMBINED, course.pathway, friday, first) == LocalTime(date(2026, 11, 27), nine)
    on_the_hour = instant(LocalTime(date(2026, 11, 27), nine), course.zone)
    assert earliest(COMBINED, course.pathway, on_the_hour, first) == at


def test_the_earliest_keeps_its_distance_from_other_visits():
    """Two days from each that is to come or was kept; those canceled or missed are in no way."""
    course = referred()
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    visits = dict(course.pathway.visits)
    first, second = (course.pathway.visits_in(INDUCTION)[place] for place in (0, 1))
    monday = LocalTime(date(2026, 11, 30), time(9))
    for status, day in (
        (VisitStatus.BOOKED, date(2026, 12, 2)),
        (VisitStatus.MISSED, date(2026, 11, 30)),
        (VisitStatus.CANCELLED, date(2026, 11, 30)),
    ):
        near = replace(second, at=monday, status=status)
        pathway = replace(course.pathway, visits={**visits, second.id: near})
        at = earliest(COMBINED, pathway, course.now, first)
        assert at is not None
        assert at.day == day
    assert earliest(
        COMBINED, replace(course.pathway, treated_on=monday.day), course.now, first
    ) == (LocalTime(date(2026, 12, 2), time(9)))


def test_visits_are_hastened_only_where_that_brings_them_forward():
    """Signed, at high risk, none proposed and no hold open: from the earliest day on."""
    course = referred()
    judged(course, "high")
    signed = {k: replace(p, signed=course.now) for k, p in course.pathway.phases.items()}
    pathway = replace(course.pathway, phases=signed)
    monday = LocalTime(date(2026, 11, 30), time(9))
    wanted = FirstVisitHastened(INDUCTION, monday, HIGH.rule)
    assert to_hasten(COMBINED, pathway, course.now) == wanted
    assert to_hasten(COMBINED, course.pathway, course.now) is None
    for first, sooner in ((monday.day, False), (monday.day + timedelta(days=1), True)):
        at = LocalTime(first, time(9))
        near = {k: replace(p, first_visit=at) for k, p in signed.items()}
        found = to_hasten(COMBINED, replace(pathway, phases=near), course.now)
        assert (found is not None) is sooner
    without = replace(pathway, readings={})
    assert to_hasten(COMBINED, without, course.now) is None


def test_nothing_is_hastened_where_visits_are_proposed_already():
    """People may have told the patient: from then on somebody moves the first visit by hand."""
    course = planned()
    assert course.pathway.visits_in(INDUCTION)
    assert to_hasten(COMBINED, course.pathway, course.now) is None
    assert course.facts(FirstVisitHastened) == []


def test_the_earliest_is_a_treatment_day_of_the_phase():
    """From a Friday at ten it is Monday on weekdays, and Saturday where every day is one."""
    course = referred()
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    first = course.pathway.visits_in(INDUCTION)[0]
    every = replace(PHASE, schedule=replace(PHASE.schedule, days=Days.EVERY_DAY))
    protocol = replace(COMBINED, phases=(every, *COMBINED.phases[1:]))
    at = earliest(protocol, course.pathway, course.now, first)
    assert at == LocalTime(date(2026, 11, 28), time(9))


def test_the_first_visit_is_no_neighbor_of_itself():
    """It may come a day sooner although two visits are two days apart at least."""
    course = planned()
    first = course.pathway.visits[ONE]
    tuesday = replace(first, at=LocalTime(date(2026, 12, 1), time(9)))
    pathway = replace(course.pathway, visits={ONE: tuesday})
    (step,) = to_bring_forward(COMBINED, pathway, course.now)
    assert "from Tuesday 2026-12-01 to Monday 2026-11-30 09:00 EST" in step.says


def test_nothing_is_hastened_past_an_open_hold():
    """Once it is lifted the visits are proposed from the earliest day on."""
    course = referred()
    course.do(PlaceHold(HoldReason.MEDICAL_REVIEW, "a rash"), NURSE)
    judged(course, "high")
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    assert to_hasten(COMBINED, course.pathway, course.now) is None
    course.do(LiftHold(course.pathway.open_holds()[0], "Nothing."), PRESCRIBER)
    assert course.facts(FirstVisitHastened)[-1].first_visit.day == date(2026, 11, 30)


def planned() -> Course:
    """Visits were proposed from the far first visit on, and then somebody judged the risk high."""
    course = referred()
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    judged(course, "high")
    return course


def test_only_the_first_visit_to_come_may_come_sooner():
    """The second may not, nor the first without risk; a canceled one is not the first."""
    course = planned()
    one, two = course.pathway.visits[ONE], course.pathway.visits[TWO]

    def sooner(visit, pathway=course.pathway) -> bool:
        return may_come_sooner(COMBINED, pathway, visit, course.now)

    assert sooner(one)
    assert not sooner(two)
    gone = replace(one, status=VisitStatus.CANCELLED)
    assert sooner(two, replace(course.pathway, visits={**course.pathway.visits, ONE: gone}))
    assert not sooner(one, replace(course.pathway, readings={}))
    assert not sooner(one, replace(course.pathway, visits={}))


def test_the_first_visit_is_asked_to_be_brought_forward():
    """From where to where, why, by when and who is next; the people who move visits are asked."""
    course = planned()
    (step,) = to_bring_forward(COMBINED, course.pathway, course.now)
    assert step == AskPerson(
        Ask.BRING_FORWARD,
        ONE,
        (*MoveVisit.MAY, Role.PRESCRIBER),
        "Risk is high (suicide risk as judged by a clinician high): move "
        "esketamine induction visit 1 up from "
        "Monday 2026-12-14 to Monday 2026-11-30 09:00 EST, the earliest that the rules allow, or "
        "say why that is not possible.",
        HIGH.rule,
        HIGH.why,
        HIGH.source,
        course.now + HIGH.look.within,
        rises=HIGH.look.then,
    )
    near = replace(course.pathway.visits[ONE], at=LocalTime(date(2026, 11, 30), time(9)))
    here = replace(course.pathway.visits[ONE], status=VisitStatus.CHECKED_IN)
    for changed in ({**course.pathway.visits, ONE: near}, {ONE: here}, {}):
        pathway = replace(course.pathway, visits=changed)
        assert list(to_bring_forward(COMBINED, pathway, course.now)) == []


def test_what_a_level_wants_recorded_is_asked_until_it_is_there():
    """After two points of item 9 a clinician judges the risk, by the level's time."""
    course = referred()
    course.assess("phq9", 0, 0, 0, 0, 0, 0, 0, 0, 2)
    risk = risk_now(COMBINED, course.pathway, course.now)
    assert risk is not None
    kind = COMBINED.vocabulary.kind(RISK)
    assert list(to_record(COMBINED, course.pathway, course.now)) == [
        AskPerson(
            Ask.ASSESS,
            f"{risk.readings[0][1].evidence}/suicide_risk",
            (Role.NURSE, Role.PRESCRIBER),  # a medical director once it has risen to them
            f"Risk is moderate ({risk.says}): record {kind.title}.",
            MODERATE.rule,
            MODERATE.why,
            MODERATE.source,
            course.now + MODERATE.look.within,
            rises=MODERATE.look.then,
        )
    ]
    judged(course, "low")
    assert list(to_record(COMBINED, course.pathway, course.now)) == []
    assert list(to_record(COMBINED, referred().pathway, course.now)) == []


def test_a_judgment_of_before_does_not_answer_for_a_later_reading():
    """Each reading at risk is judged anew, and a level may want several things recorded."""
    course = referred()
    judged(course, "low")
    course.wait(minutes(1))
    course.assess("phq9", 0, 0, 0, 0, 0, 0, 0, 0, 2)
    more = replace(MODERATE, record=(RISK, ObservationName("cssrs_tier")))
    phases = [replace(p, risk_levels=(HIGH, more, LOW)) for p in COMBINED.phases]
    protocol = replace(COMBINED, phases=tuple(phases))
    asked = [
        step.about.rpartition("/")[2] for step in to_record(protocol, course.pathway, course.now)
    ]
    assert asked == ["suicide_risk", "cssrs_tier"]
    judged(course, "low")
    asked = [
        step.about.rpartition("/")[2] for step in to_record(protocol, course.pathway, course.now)
    ]
    assert asked == ["cssrs_tier"]


def test_a_question_takes_the_times_and_holds_of_its_level():
    """Its rule, reason, source, time, next roles and what it holds; without a level it stays."""
    at = ready().now
    step = AskPerson(Ask.REVIEW_RISK, "e/x", (Role.PRESCRIBER,), "look", "prescriber-sees")
    assert as_asked(step, None, at) == step
    assert as_asked(step, LOW, at) == replace(
        step,
        rule=LOW.rule,
        why=LOW.why,
        source=LOW.source,
        due=at + LOW.look.within,
        rises=LOW.look.then,
        holds=LOW.holds,
    )
