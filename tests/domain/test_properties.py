"""What is true of every course, whatever is said: drawn by Hypothesis, some tame, some wild.

`courses(n)` says how many; `wild.py` what they are made of; `oracles.py` what must be true of them.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from domain.automatic import automatic
from domain.due import next_due
from domain.language.authorizations import AuthorizationRecorded
from domain.language.baselines import BaselineNamed
from domain.language.chart import ChartRead
from domain.language.clocks import LocalTime, exists, local
from domain.language.corrections import ActQuestioned, EntryVoided
from domain.language.events import Event
from domain.language.findings import Passed
from domain.language.holds import HoldLifted, HoldPlaced
from domain.language.names import PathwayId
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.overrides import GateOverridden
from domain.language.pathway import Pathway
from domain.language.phases import (
    DecisionMade,
    FirstVisitHastened,
    OrderSigned,
    PathwayFinished,
    PathwayStarted,
    PhaseEntered,
    ProtocolChanged,
)
from domain.language.protocol import When
from domain.language.standing import DecidedAhead, DecisionEnded
from domain.language.tasks import TaskAcknowledged, TaskClosed, TaskOpened, TaskRaised
from domain.language.trials import TrialRecorded
from domain.planner import steps
from domain.rules.fold import apply, fold
from domain.rules.steps import Ask, AskPerson, Finished
from domain.rules.treating import check_may_treat
from store import columns
from tests.course import AUTHORIZATION, Course
from tests.domain.oracles import check_course
from tests.domain.scenes import a_course, minutes
from tests.domain.schedules import ten_a_day
from tests.domain.simulation import COMBINED, DTMS, NEW_YORK
from tests.domain.wild import CHOICES, courses, played

WORDS = COMBINED.vocabulary
LATER = st.timedeltas(timedelta(), timedelta(days=100))


@courses(60)
@given(played())
def test_no_course_breaks_what_must_always_be_true(course: Course):
    """Spacing, gaps, counts, first doses, holds, gates and two hours hold in every course."""
    check_course(course)


@courses(30)
@given(played(), LATER)
def test_what_is_next_is_total_and_deterministic(course: Course, later: timedelta):
    """At any moment of any course there is an answer, the same each time, and never in the past."""
    now = course.now + later
    answer = steps(COMBINED, course.pathway, now)
    assert answer
    assert answer == steps(COMBINED, course.pathway, now)
    for visit in course.pathway.visits:
        check_may_treat(COMBINED, course.pathway, visit, now)


@courses(30)
@given(played(), LATER)
def test_it_is_looked_at_again_within_a_day(course: Course, later: timedelta):
    """The next time to look again is later than now and at most 24 hours away."""
    now = course.now + later
    assert now < next_due(COMBINED, course.pathway, now) <= now + timedelta(hours=24)


@courses(30)
@given(played(), LATER)
def test_what_kairos_does_by_itself_comes_to_rest(course: Course, later: timedelta):
    """Proposing, opening and closing settle in at most three rounds, then nothing is left."""
    course.now += later
    course.run_rules()
    assert course.rounds <= 3
    assert automatic(COMBINED, course.pathway, course.now) == ()


@courses(30)
@given(played(), st.randoms(use_true_random=False))
def test_an_event_applied_again_changes_nothing(course: Course, random: Random):
    """Each event, applied twice at once or once more at the end, leaves the pathway as it is."""
    pathway = Pathway(PathwayId("p1"))
    for event in course.events:
        pathway = apply(pathway, event, WORDS)
        assert apply(pathway, event, WORDS) == pathway
    assert pathway == course.pathway
    again = random.sample(course.events, min(20, len(course.events)))
    for event in again:
        assert apply(pathway, event, WORDS) == pathway


def subject(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912  one answer a kind of thing
    """Name what an event is about; events about different things are independent.

    Readings and scores are independent of everything, of one another too. Events about one visit,
    phase, hold or task are in order among themselves and independent of all others.
    """
    match event.fact:
        case ReadingsTaken() | ScaleAssessed() | GateOverridden() | PathwayFinished():
            return event.id
        case DecisionMade(phase=about) | OrderSigned(phase=about) | PhaseEntered(phase=about):
            return about
        case FirstVisitHastened(phase=about):
            return about
        case HoldPlaced(hold=about) | HoldLifted(hold=about):
            return about
        case TaskOpened(task=about) | TaskAcknowledged(task=about) | TaskClosed(task=about):
            return about
        case TaskRaised(task=about):
            return about
        case PathwayStarted() | ProtocolChanged():
            return "pathway"
        case ChartRead():
            return "chart"
        case EntryVoided(event=about) | ActQuestioned(event=about):
            return about
        case BaselineNamed(phase=about):
            return about
        case DecidedAhead() | TrialRecorded() | AuthorizationRecorded():
            return event.id
        case DecisionEnded(decision=about):
            return about
        case fact:
            return fact.visit


def shuffled(events: list[Event], random: Random) -> list[Event]:
    """Shuffle events, keeping those about one thing in their order."""
    order = list(events)
    random.shuffle(order)
    waiting: dict[str, list[Event]] = {}
    for event in events:
        waiting.setdefault(subject(event), []).append(event)
    return [waiting[subject(event)].pop(0) for event in order]


@courses(30)
@given(played(), st.randoms(use_true_random=False))
def test_the_order_of_independent_events_does_not_matter(course: Course, random: Random):
    """Events about different visits, readings, phases, holds and tasks may come in any order."""
    other = fold(Pathway(PathwayId("p1")), shuffled(course.events, random), WORDS)
    assert other == course.pathway


@courses(15)
@given(played())
def test_stored_and_read_again_it_is_the_same(course: Course):
    """Every event and the pathway itself survive JSON with every value equal."""
    for event in course.events:
        assert columns.fact_from_json(columns.fact_to_json(event.fact)) == event.fact
    assert columns.pathway_from_json(columns.pathway_to_json(course.pathway)) == course.pathway


@courses(15)
@given(played())
def test_what_is_missing_is_never_passed(course: Course):
    """Where treatment may be given, taking away any one required reading forbids it."""
    if isinstance(course.run(Ask.GIVE), Finished):
        return
    visit = next(v for v in course.pathway.visits.values() if v.status.value == "checked-in")
    assert isinstance(check_may_treat(COMBINED, course.pathway, visit.id, course.now), Passed)
    moments = {When.BEFORE_EACH_SESSION}
    if not course.pathway.sessions_at(visit.id):
        moments.add(When.BEFORE_EACH_VISIT)
    if not course.pathway.sessions_in(visit.phase):
        moments.add(When.BEFORE_FIRST_SESSION)
    gates = [g for g in COMBINED.phase(visit.phase).gates if g.when in moments]
    for name in {need.observation for gate in gates for need in gate.require}:
        known = {key: seen for key, seen in course.pathway.readings.items() if key != name}
        without = replace(course.pathway, readings=known)
        if name == "adequate_trials":
            without = replace(without, trials={})
        if name in AUTHORIZATION.values():
            without = replace(without, authorizations={})
        assert not isinstance(check_may_treat(COMBINED, without, visit.id, course.now), Passed)


@courses(12)
@given(CHOICES)
def test_every_fair_run_ends(choices: list[int]):
    """Staff who misbehave for a while and then follow what is next bring every course to an end."""
    course = a_course(choices=choices)
    assert isinstance(course.run(), Finished)
    check_course(course)


@courses(15)
@given(CHOICES)
def test_after_finish_within_nothing_is_forgotten(choices: list[int]):
    """On the last day of the induction it is over, somebody is asked, or a visit is booked."""
    course = a_course(choices=choices)
    last = course.now + timedelta(days=COMBINED.phases[0].schedule.finish_within or 0)
    while course.now < last and course.pathway.phase == COMBINED.phases[0].id:
        course.follow_next()
    asked = any(isinstance(step, AskPerson) for step in steps(COMBINED, course.pathway, course.now))
    coming = any(v.status.value == "booked" for v in course.pathway.visits.values())
    assert asked or coming or course.pathway.phase == DTMS


@courses(25)
@given(
    st.dates(date(2026, 12, 1), date(2027, 12, 1)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.sampled_from((NEW_YORK, "Europe/Berlin", "America/Phoenix", "Australia/Lord_Howe", "UTC")),
)
def test_a_calendar_rule_keeps_the_local_hour(day: date, hour: time, zone: str):
    """Every proposal has the hour of the first visit, but for a night that has no such hour."""
    assume(exists(LocalTime(day, hour), zone))
    course = Course(LocalTime(day, hour), zone=zone)
    course.run(Ask.BOOK_VISITS)
    hours = [visit.at.hour for visit in course.pathway.visits.values()]
    assert len(hours) == 8
    assert sum(at != hour for at in hours) <= 1


@courses(10)
@given(
    st.sampled_from((date(2027, 3, 14), date(2027, 11, 7), date(2027, 6, 1))),
    st.integers(0, 3),
)
def test_an_elapsed_rule_keeps_the_instant(day: date, waited: int):
    """Between stimulations of a night in which the clocks change lie fifty real minutes."""
    protocol = ten_a_day()
    course = Course(LocalTime(day, time(0, 5)), protocol)
    course.run(Ask.CHECK_IN)
    course.wait(minutes(30 * waited))
    course.run(Ask.GIVE)
    visit = course.pathway.visits_in(DTMS)[0].id
    wish = course.treatment(visit, course.now)
    course.wait(minutes(20))
    course.do(wish)
    ended: datetime = course.now
    course.wait(minutes(50))
    course.measure(visit, fit_to_stimulate="confirmed", hearing_protection="worn")
    for at, allowed in ((ended + minutes(49.99), False), (ended + minutes(50), True)):
        answer = check_may_treat(protocol, course.pathway, visit, at)
        assert isinstance(answer, Passed) == allowed
    assert local(ended, NEW_YORK).day == day
