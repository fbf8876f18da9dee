"""The whole pathway by example: eight doses, thirty stimulations, three months of maintenance."""

from datetime import date, time, timedelta

import pytest

from domain.language.baselines import BaselineNamed
from domain.language.clocks import LocalTime, local
from domain.language.errors import Refused
from domain.language.names import PathwayOutcome, PhaseDecision, Role, VisitId, VisitStatus
from domain.language.overrides import GateOverridden
from domain.language.phases import Decide, DecisionMade
from domain.language.release import VisitReleased
from domain.language.tasks import TaskClosed, TaskOpened
from domain.language.treatment import DoseGiven
from domain.language.visits import VisitCancelled, VisitProposed
from domain.rules.steps import Ask, Finished
from tests.course import UNCHANGED, Course
from tests.domain.scenes import FIRST, a_course
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, MAINTENANCE, NEW_YORK

THIRD, FOURTH = (VisitId(f"{INDUCTION}-visit-{number}") for number in (3, 4))

# Visit, day, dose in mg: one visit missed, one blood pressure high, all at nine o'clock.
INDUCTION_TABLE = """
    1  Mon 30 Nov  56
    2  Thu  3 Dec  84
    3  Mon  7 Dec  84
    4  Thu 10 Dec  missed
    9  Fri 11 Dec  84
    5  Mon 14 Dec  84
    6  Thu 17 Dec  84
    7  Mon 21 Dec  84
    8  Thu 24 Dec  84
"""
DTMS_TABLE = """
    1  Mon 28 Dec  09:00 10:10 11:20 12:30 13:40
    2  Tue 29 Dec  09:00 10:10 11:20 12:30 13:40
    3  Wed 30 Dec  09:00 10:10 11:20 12:30 13:40
    4  Thu 31 Dec  09:00 10:10 11:20 12:30 13:40
    5  Fri  1 Jan  09:00 10:10 11:20 12:30 13:40
    6  Mon  4 Jan  09:00 10:10 11:20 12:30 13:40
"""
MAINTENANCE_TABLE = """
    1  Wed  6 Jan  84
    2  Wed 13 Jan  84
    3  Wed 20 Jan  84
    4  Wed 27 Jan  84
    5  Wed  3 Feb  84
    6  Wed 17 Feb  84
    7  Wed  3 Mar  84
    8  Wed 17 Mar  84
"""


def decide_on(decision: PhaseDecision) -> Decide:
    """Decide at the end of induction."""
    return Decide(INDUCTION, decision, "As discussed.")


def table(course: Course, phase: str) -> str:
    """Write down what became of each visit of a phase."""
    rows = []
    for visit in course.pathway.visits_in(COMBINED.phase(phase).id):  # type: ignore[arg-type]
        given = course.pathway.sessions_at(visit.id)
        hours = " ".join(f"{local(s.started, course.zone).hour:%H:%M}" for s in given)
        doses = " ".join(str(s.mg) for s in given)
        what = str(visit.status) if not given else hours if given[0].ended else doses
        if given or visit.status is VisitStatus.MISSED:
            number = visit.id.rsplit("-", 1)[1]
            rows.append(
                f"    {number}  {visit.at.day:%a} {visit.at.day.day:2d} {visit.at.day:%b}  {what}"
            )
    return "\n" + "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def course() -> Course:
    """Run one whole pathway: the third visit held and overridden, the fourth missed."""
    script = {("pressure", THIRD): "is high", ("come", FOURTH): "misses"}
    whole = a_course(script=script)
    whole.run(Ask.REVIEW)
    return whole


def test_the_whole_pathway_by_the_table(course):
    """Every visit of the three phases falls on its day and hour and takes its dose or sessions."""
    assert table(course, INDUCTION) == INDUCTION_TABLE
    assert table(course, DTMS) == DTMS_TABLE
    assert table(course, MAINTENANCE).startswith(MAINTENANCE_TABLE.rstrip())
    hours = {local(event.at, NEW_YORK).hour for event in course.treatments()}
    assert hours == {time(9), time(10, 10), time(11, 20), time(12, 30), time(13, 40)}


def test_the_pathway_ends_by_a_named_prescribers_decision(course):
    """After twelve weeks of maintenance the review is decided by name, and nothing is left open."""
    entered = course.pathway.phases[MAINTENANCE].entered
    assert course.now - entered >= timedelta(weeks=12)
    assert isinstance(course.run(), Finished)
    decisions = [event for event in course.events if isinstance(event.fact, DecisionMade)]
    assert [event.by.role for event in decisions] == [Role.PRESCRIBER] * 3
    assert course.pathway.outcome is PathwayOutcome.COMPLETED
    assert all(task.closed for task in course.pathway.tasks.values())


def test_a_visit_held_for_high_pressure_is_given_after_an_authored_override(course):
    """152/94 holds the third dose; a prescriber overrides with a reason, and then it is given."""
    (override,) = (x for x in course.events if isinstance(x.fact, GateOverridden))
    assert isinstance(override.fact, GateOverridden)
    assert (override.by.role, override.fact.visit) == (Role.PRESCRIBER, THIRD)
    assert override.fact.reason == "Benefit outweighs the risk today."
    assert [finding.split(" (")[0] for finding in override.fact.findings] == [
        "systolic blood pressure 152 mmHg, required at most 140 mmHg",
        "diastolic blood pressure 94 mmHg, required at most 90 mmHg",
    ]
    dose = next(x for x in course.treatments() if getattr(x.fact, "visit", "") == THIRD)
    assert course.events.index(override) < course.events.index(dose)
    opened = [f for f in course.facts(TaskOpened) if f.rule == "blood-pressure-before"]
    assert [task.roles for task in opened] == [(Role.PRESCRIBER,)]


def test_only_people_treat_release_override_and_decide(course):
    """Whatever is care is said by a person; Kairos itself only proposes, reminds and tidies up."""
    own = {type(event.fact) for event in course.events if event.by.role is Role.KAIROS}
    assert own <= {VisitProposed, VisitCancelled, TaskOpened, TaskClosed, BaselineNamed}


def test_everyone_stays_for_two_hours(course):
    """Between a dose and its release lie two hours or more, each time."""
    released = {x.fact.visit: x.at for x in course.events if isinstance(x.fact, VisitReleased)}
    doses = [x for x in course.treatments() if isinstance(x.fact, DoseGiven)]
    assert len(doses) >= 8 + 8
    for dose in doses:
        assert released[dose.fact.visit] - dose.at >= timedelta(hours=2)


@pytest.mark.long
@pytest.mark.parametrize(
    ("first", "zone", "change"),
    [
        (date(2027, 3, 1), NEW_YORK, date(2027, 3, 14)),
        (date(2027, 10, 18), NEW_YORK, date(2027, 11, 7)),
        (date(2027, 3, 15), "Europe/Berlin", date(2027, 3, 28)),
        (date(2027, 10, 18), "Europe/Berlin", date(2027, 10, 31)),
        (date(2027, 3, 1), "America/Phoenix", None),
    ],
)
def test_the_hour_on_the_wall_stays_across_a_clock_change(first, zone, change):
    """All eight sessions begin at nine on the clinic's wall; in UTC the hour moves by one."""
    course = a_course(LocalTime(first, time(9)), zone=zone)
    course.run(Ask.DECIDE)
    starts = [event.at for event in course.treatments()]
    assert {local(start, zone).hour for start in starts} == {time(9)}
    before = {start.hour for start in starts if change is None or start.date() < change}
    after = {start.hour for start in starts if change is None or start.date() > change}
    assert [len(before), len(after)] == [1, 1]
    assert (before != after) == (change is not None)
    assert len(starts) == 8


@pytest.mark.long
def test_a_non_responder_is_stopped_at_four_weeks_by_a_named_prescriber():
    """Without benefit the prescriber is asked, knows the finding, and stops by name and reason."""
    course = a_course(madrs=UNCHANGED, script={("decide", INDUCTION): "stops"})
    step = course.run()
    assert isinstance(step, Finished)
    assert course.pathway.outcome is PathwayOutcome.STOPPED
    (made,) = (event for event in course.events if isinstance(event.fact, DecisionMade))
    assert isinstance(made.fact, DecisionMade)
    assert made.by.role is Role.PRESCRIBER
    assert made.fact.decision is PhaseDecision.STOP
    assert made.fact.reason
    last = course.pathway.sessions_in(INDUCTION)[-1]
    assert made.at - course.pathway.sessions_in(INDUCTION)[0].started < timedelta(weeks=4)
    assert made.at >= last.started + timedelta(hours=2)


@pytest.mark.long
def test_a_prescriber_may_go_on_with_a_non_responder_knowing_the_finding():
    """The benefit gate asks and does not stop: the decision keeps what was found."""
    course = a_course(madrs=UNCHANGED)
    course.run(DTMS)
    (made,) = course.facts(DecisionMade)
    assert made.decision is PhaseDecision.CONTINUE
    assert made.findings[0].startswith(
        "MADRS reduction 3.6 percent, required at least 50 percent (from 28 on 2026-11-29, "
    )


@pytest.mark.long
def test_nobody_goes_on_without_a_madrs():
    """With the last MADRS missing, going on is refused as missing, and stopping is not."""
    course = a_course()
    course.run(f"{INDUCTION}/madrs/end")
    with pytest.raises(Refused, match="may not decide yet: missing: MADRS total"):
        course.do(decide_on(PhaseDecision.CONTINUE))
    course.do(decide_on(PhaseDecision.STOP))


@pytest.mark.long
def test_a_misbehaving_clinic_still_gives_a_whole_course():
    """Misses, moves, holds, double clicks, wrong doses and late entries: still eight and thirty."""
    course = a_course(choices=[n % 5 for n in range(60)])
    course.run(MAINTENANCE)
    assert len(course.pathway.sessions_in(INDUCTION)) == 8
    assert len(course.pathway.sessions_in(DTMS)) == 30
    assert {said.refusal is None for said in course.said} == {True, False}


@pytest.mark.long
def test_the_same_choices_are_the_same_course():
    """Two runs with the same choices make equal events."""
    one, two = (Course(FIRST, choices=[3, 1, 4, 1, 5, 9, 2, 6]) for _ in range(2))
    one.run(Ask.DECIDE)
    two.run(Ask.DECIDE)
    assert one.events == two.events
    assert one.pathway == two.pathway
