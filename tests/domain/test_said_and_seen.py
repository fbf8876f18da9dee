"""At the edges of what is entered: how late, of which visit, by whom; and what is said of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from domain.chapters import holds, tasks
from domain.chapters.observations import check_may_say_otherwise
from domain.chapters.treatment import found_since, its_doing
from domain.language.chart import ChartEntry, ChartReading, ReadChart
from domain.language.commands import Wish
from domain.language.errors import Malformed, Refused
from domain.language.findings import Held, Passed, blocks_of
from domain.language.holds import LiftHold
from domain.language.names import (
    Author,
    EventId,
    HoldId,
    ObservationName,
    Role,
    RuleId,
    TaskId,
    VisitId,
)
from domain.language.observations import Reading, RecordAssessment, RecordReadings
from domain.language.pathway import Observed
from domain.language.release import NotTreated, ReleaseVisit, VisitReleased
from domain.language.standing import DecideAhead, EndDecision
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import (
    RecordDose,
    RecordStimulation,
    ReportDose,
    ReportStimulation,
    StimulationGiven,
)
from domain.language.vocabulary import Alert
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, SESSION, Course
from tests.domain.scenes import FIRST, FIT_TO_LEAVE, ONE, checked_in, dosed, minutes, ready, rules
from tests.domain.schedules import alone
from tests.domain.simulation import COMBINED, DTMS, readings

NURSE = Author("a-nurse", Role.NURSE)
AGE = ObservationName("age")


def told(at: datetime) -> tuple[Wish, ...]:
    """What may be told of that time, one wish of each kind."""
    end = at + minutes(20)
    return (
        RecordReadings(at, readings(spo2=97)),
        RecordAssessment("phq9", at, (0,) * 9),
        RecordDose(ONE, at, 56, "lot-1"),
        ReportDose(ONE, at, 56, "lot-1", "why"),
        RecordStimulation(ONE, at, end, 1980, 120, 66),
        ReportStimulation(ONE, at, end, 1980, 120, 66, "why"),
        ReleaseVisit(ONE, left_at=at),
    )


def test_what_is_over_sixty_days_back_is_a_slip_of_the_pen():
    """Of every kind; what is sixty days back may be refused by a rule, and not for its age."""
    course = checked_in()
    for back, slip in ((timedelta(days=60, seconds=1), True), (timedelta(days=60), False)):
        for wish in told(course.now - back):
            refusal = course.attempt(wish, PRESCRIBER)
            aged = isinstance(refusal, Malformed) and "more than 60 days ago" in str(refusal)
            assert aged is slip, wish


@pytest.mark.parametrize(
    ("after", "taken"),
    [
        (timedelta(hours=11), True),
        (timedelta(hours=12), True),
        (timedelta(hours=12, seconds=1), False),
        (-timedelta(hours=23), False),
    ],
)
def test_how_long_a_visit_may_run_past_midnight(after: timedelta, *, taken: bool):
    """Twelve hours from the check-in at 22:00; a reading of the day before is not of the visit."""
    course = checked_in()
    came = course.now.replace(hour=3) + timedelta(days=1)  # 22:00 at the clinic
    visit = replace(course.pathway.visits[ONE], checked_in=came)
    course.pathway = replace(course.pathway, visits={**course.pathway.visits, ONE: visit})
    course.now = came + timedelta(days=1)
    wish = RecordReadings(came + after, readings(spo2=97), ONE)
    assert (course.attempt(wish, NURSE) is None) is taken


def test_a_reading_before_the_check_in_of_its_day_is_of_the_visit():
    """Taken at the door and typed afterwards: the same day is enough."""
    course = checked_in()
    wish = RecordReadings(course.now - minutes(10), readings(spo2=97), ONE)
    assert course.attempt(wish, NURSE) is None


def test_a_reading_of_the_instant_they_left_is_of_the_visit():
    """At the instant of leaving it is; a second later it is not."""
    course = ready()
    course.wait(minutes(5))
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.OTHER), NURSE)
    left = course.now
    course.wait(minutes(5))
    at = RecordReadings(left, readings(spo2=97), ONE)
    assert course.attempt(at, NURSE) is None
    after = replace(at, measured_at=left + timedelta(seconds=1))
    assert isinstance(course.attempt(after, NURSE), Malformed)


def test_who_says_otherwise_is_named_for_each_answer():
    """Of several answers the one that stops is asked of those whom the vocabulary names."""
    course = checked_in()
    course.measure(age=11)
    said = [
        Reading(ObservationName("spo2"), readings(spo2=97)[0].value),
        Reading(AGE, readings(age=44)[0].value),
    ]
    result = check_may_say_otherwise(COMBINED, course.pathway, said, Role.NURSE)
    assert isinstance(result, Held)
    (block,) = result.findings
    assert (block.rule, block.who) == ("said-otherwise", (Role.PRESCRIBER,))
    for role, value in ((Role.PRESCRIBER, 44), (Role.NURSE, 17)):
        other = [Reading(AGE, readings(age=value)[0].value)]
        assert isinstance(check_may_say_otherwise(COMBINED, course.pathway, other, role), Passed)
    none = checked_in()
    assert isinstance(check_may_say_otherwise(COMBINED, none.pathway, said, Role.NURSE), Passed)


def test_an_answer_that_stops_is_said_otherwise_by_those_named():
    """The same holds of answers in words, where a vocabulary names somebody for one."""
    course = checked_in()
    name = ObservationName("esketamine_consent")
    answers = COMBINED.vocabulary.kind(name).answers
    signed, other = "signed", next(each for each in answers if each != "signed")
    kind = replace(COMBINED.vocabulary.kind(name), said_otherwise_by=(Role.PRESCRIBER,))
    known = {**COMBINED.vocabulary.observations, name: kind}
    protocol = replace(COMBINED, vocabulary=replace(COMBINED.vocabulary, observations=known))
    course.measure(esketamine_consent=other)
    for answer, passes in ((signed, False), (other, True)):
        said = [Reading(name, None, answer)]
        result = check_may_say_otherwise(protocol, course.pathway, said, Role.NURSE)
        assert isinstance(result, Passed) is passes
    course.measure(esketamine_consent=signed)
    again = [Reading(name, None, signed)]
    result = check_may_say_otherwise(protocol, course.pathway, again, Role.NURSE)
    assert isinstance(result, Passed)


def test_whoever_may_say_otherwise_is_named_in_the_refusal():
    """The vocabulary may let a care manager as well as a prescriber; both are told of."""
    course = checked_in()
    name, who = ObservationName("esketamine_consent"), (Role.CARE_MANAGER, Role.PRESCRIBER)
    kind = replace(COMBINED.vocabulary.kind(name), said_otherwise_by=who)
    known = {**COMBINED.vocabulary.observations, name: kind}
    protocol = replace(COMBINED, vocabulary=replace(COMBINED.vocabulary, observations=known))
    other = next(each for each in kind.answers if each != "signed")
    course.measure(esketamine_consent=other)
    said = [Reading(name, None, "signed")]
    result = check_may_say_otherwise(protocol, course.pathway, said, Role.NURSE)
    assert [block.who for block in blocks_of(result)] == [who]


@pytest.mark.parametrize(("value", "seen"), [(88, False), (87, True), (180, False), (181, True)])
def test_an_alert_is_beyond_its_limit_and_not_at_it(value: int, *, seen: bool):
    """Above 180 or below 88: neither 180 nor 88 is one that a prescriber must see."""
    alert = Alert(above=Decimal(180), below=Decimal(88))
    assert alert.met(Decimal(value), None) is seen


def test_a_refusal_says_what_may_not_be_done():
    """May not record: against the chart, and over an age that forbids treatment."""
    course = checked_in()
    entry = ChartEntry(ObservationName("insurance"), "on file", "Coverage/1")
    course.do(ReadChart(ChartReading((entry,))))
    against = RecordReadings(course.now, readings(insurance="none"))
    assert str(course.attempt(against, NURSE)).startswith("may not record: insurance")
    course.measure(age=11)
    course.wait(minutes(1))
    over = RecordReadings(course.now, readings(age=44))
    assert str(course.attempt(over, NURSE)).startswith("may not record: age 11 years")


def test_what_is_not_there_is_told_where_to_find():
    """A task and a hold that the pathway does not have: both are listed with it."""
    pathway = checked_in().pathway
    with pytest.raises(Malformed, match="there is no such task on this pathway; its tasks are"):
        tasks.check_meant(pathway, AcknowledgeTask(TaskId("none"), "seen"))
    with pytest.raises(Malformed, match="there is no such hold on this pathway; its holds are"):
        holds.check_meant(pathway, LiftHold(HoldId("none"), "why"))


def test_a_task_is_for_those_it_names():
    """Somebody else is told whose it is, and that it is theirs to answer."""
    course = checked_in()
    course.assess("phq9", 1, 1, 1, 1, 1, 1, 1, 1, 3)
    course.run_rules()
    (key,) = [k for k in course.pathway.tasks if k.startswith(Ask.REVIEW_RISK)]
    refusal = course.attempt(AcknowledgeTask(key, "Seen."), NURSE)
    assert isinstance(refusal, Refused)
    (block,) = refusal.blocked_by
    assert (block.rule, block.who) == ("task-role", course.pathway.tasks[key].roles)


def test_nobody_leaves_before_the_treatment_is_over():
    """A time of leaving before the dose of that visit is a slip, and the words say so."""
    course = dosed()
    came = course.pathway.visits[ONE].checked_in
    assert came is not None
    course.wait(minutes(30))
    known = replace(course.pathway.visits[ONE], checked_in=came - minutes(30))
    course.pathway = replace(
        course.pathway, visits={**course.pathway.visits, ONE: known}, readings={}
    )
    wish = ReleaseVisit(ONE, left_at=came - minutes(5))
    says = "left_at must be later than the treatment that was given"
    assert str(course.attempt(wish, NURSE)) == says


def test_a_reading_of_the_very_time_of_leaving_was_known_then():
    """Only what was found after the time that is typed is looked for again, and only by itself."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(81))
    course.measure(ONE, **FIT_TO_LEAVE)
    at = course.now
    course.wait(minutes(10))
    course.do(RecordReadings(course.now, readings(spo2=97)), NURSE)  # on the phone, at home
    course.wait(minutes(35))
    assert course.attempt(ReleaseVisit(ONE, left_at=at), NURSE) is None
    assert course.facts(VisitReleased)[-1].findings == ()


def decided() -> tuple[Course, datetime]:
    """White-coat pressure decided about ahead, and an instant at which that held."""
    course = ready()
    course.wait(minutes(1))
    until = course.now.date() + timedelta(days=10)
    gate = RuleId("blood-pressure-before")
    course.measure(ONE, systolic_bp=150, diastolic_bp=92)
    course.do(DecideAhead(gate, until, "High in the clinic only."), PRESCRIBER)
    course.wait(minutes(1))
    return course, course.now


def test_a_decision_that_a_prescriber_ended_since_is_told_up_to_now():
    """Ended at this very instant it counts; before the time that is typed it was over already."""
    course, at = decided()
    course.wait(minutes(1))
    (decision,) = course.pathway.standing
    course.do(EndDecision(decision, "She is ill."), PRESCRIBER)
    ended = course.now
    known = [list(found_since(COMBINED, course.pathway, ONE, at, now)) for now in (ended, at)]
    assert [[block.rule for block in each] for each in known] == [["decision-ended"], []]
    assert known[0][0].finding == (
        "the standing decision about blood pressure before has ended: She is ill."
    )


def test_a_decision_that_holds_still_is_nobodys_finding():
    """A pressure that it lets pass, taken since, ends nothing and is found by nobody."""
    course, at = decided()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=151, diastolic_bp=91)
    assert list(found_since(COMBINED, course.pathway, ONE, at, course.now)) == []


def test_an_answer_that_a_prescriber_must_see_is_never_the_treatments_doing():
    """Respiratory depression forty minutes after a dose, if the vocabulary wants it seen."""
    name = ObservationName("respiratory_depression")
    kind = replace(COMBINED.vocabulary.kind(name), alert=Alert(answer="present"))
    known = {**COMBINED.vocabulary.observations, name: kind}
    protocol = replace(COMBINED, vocabulary=replace(COMBINED.vocabulary, observations=known))
    first = COMBINED.phases[0]
    checks = tuple(replace(check, record=(name,)) for check in first.timed_checks)
    phase = replace(first, timed_checks=checks)
    course = dosed()
    for answer, its in (("absent", True), ("present", False)):
        found = Observed(EventId("e"), course.now + minutes(40), None, answer, ONE)
        assert its_doing(protocol, phase, name, found, course.now) is its


def test_a_stimulation_says_on_which_decision_it_rests():
    """Decided ahead for deep TMS: its record names the decision, as a dose's does."""
    course = Course(FIRST, alone(COMBINED.phase(DTMS)))
    course.run("give")
    course.assess("phq9", 1, 1, 1, 1, 1, 1, 1, 1, 1)
    course.run_rules()
    for key in [k for k, task in course.pathway.tasks.items() if not task.closed]:
        course.attempt(AcknowledgeTask(key, "Passive, as known."), PRESCRIBER)
    until = course.now.date() + timedelta(days=5)
    course.do(DecideAhead(RuleId("suicide-risk"), until, "Passive ideation, known."), PRESCRIBER)
    course.wait(SESSION + minutes(1))
    at = course.now - SESSION
    visit = VisitId(f"{DTMS}-visit-1")
    refusal = course.attempt(RecordStimulation(visit, at, course.now, 1980, 120, 66))
    assert refusal is None, rules(refusal)
    (under,) = course.facts(StimulationGiven)[-1].under
    assert under.startswith("suicide risk: standing decision by a-prescriber")
