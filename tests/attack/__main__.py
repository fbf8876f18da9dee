"""`./dev attack courses`: generated courses, each held against what must always be true.

Seeded and resumable: seed N is always the same course. Staff who follow what is next and sometimes
misbehave, wild wishes of every kind at any time, missed visits, holds, corrections and corrections
of corrections, orders and decisions taken back, standing decisions, payers' letters, the EHR's
chart, other versions, tasks that rise, and a clock that changes. What is checked:
every invariant of `oracles.py`; what Kairos adds by itself comes to rest; the state is the fold of
all that was recorded, and the events survive JSON; no id and no session number is given twice; each
safety task that nobody looked at has risen as far as its protocol says. Too long for CI.
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from random import Random

from domain.automatic import automatic, to_raise
from domain.language.authorizations import AuthorizationRecorded
from domain.language.chart import ChartEntry, ChartReading, ChartType, ReadChart
from domain.language.clocks import local_day
from domain.language.corrections import CorrectEntry, EntryVoided
from domain.language.holds import HoldLifted
from domain.language.names import Author, ObservationName, Role, RuleId, Treatment
from domain.language.observations import ReadingsTaken, RecordReadings, ScaleAssessed
from domain.language.phases import DecisionMade, OrderSigned
from domain.language.release import VisitReleased
from domain.language.standing import DecideAhead, DecidedAhead, DecisionEnded, EndDecision
from domain.language.tasks import TaskAcknowledged, TaskRaised
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.language.trials import TrialRecorded
from domain.language.visits import VisitCheckedIn, VisitMissed
from domain.planner import steps, wanted_tasks
from domain.rules.corrected import refold
from store import columns
from tests.course import AUTHORIZATION, Course
from tests.domain.oracles import check_course
from tests.domain.simulation import DTMS, INDUCTION, MAINTENANCE, REFUSALS, readings
from tests.domain.versions import move
from tests.domain.wild import begun, play

PRESCRIBER = Author("a-prescriber", Role.PRESCRIBER)
BEGINNINGS = ("start", INDUCTION, DTMS, MAINTENANCE)
VOIDABLE = (
    ReadingsTaken,
    ScaleAssessed,
    DoseGiven,
    StimulationGiven,
    VisitReleased,
    VisitCheckedIn,
    VisitMissed,
    TaskAcknowledged,
    TrialRecorded,
    DecidedAhead,
    DecisionEnded,
    EntryVoided,
    OrderSigned,
    HoldLifted,
    DecisionMade,
    AuthorizationRecorded,
)
IN_THE_CHART = (
    ChartEntry(ObservationName("depression_diagnosis"), "F33.2", "Condition/1", "F33.2"),
    ChartEntry(ObservationName("intracerebral_hemorrhage"), "present", "Condition/2", "I61.9"),
    ChartEntry(ObservationName("pregnancy"), "present", "Condition/3", "Z33.1"),
    ChartEntry(ObservationName("seizure_history"), "present", "Condition/4", "G40.9"),
    ChartEntry(ObservationName("insurance"), "on file", "Coverage/1"),
)
AHEAD = (RuleId("suicide-risk"), RuleId("blood-pressure-before"))


def course_of(seed: int) -> tuple[Course, bool]:
    """Play the course of a seed; whether anything in it was corrected."""
    chance = Random(seed)
    course = begun(chance.choice(BEGINNINGS)).copied()
    course._script, course._choices = (
        {},
        [chance.randint(0, 6) for _ in range(chance.randint(0, 25))],
    )
    corrects = chance.random() < 0.5
    for _ in range(chance.randint(5, 45)):
        turn = chance.random()
        if corrects and turn < 0.12:
            _correct(course, chance)
        elif turn < 0.2:
            _ahead(course, chance)
        elif turn < 0.23:
            _letter(course, chance)
        elif turn < 0.26:
            _chart(course, chance)
        elif corrects and turn < 0.28:  # the oracles know one version only
            _version(course)
        else:
            with suppress(*REFUSALS):  # staff who follow a script may want what cannot be any more
                play(course, (chance.randint(0, 44), chance.randint(0, 99), chance.randint(0, 99)))
    return course, any(isinstance(event.fact, EntryVoided) for event in course.events)


def _correct(course: Course, chance: Random) -> None:
    entries = [event for event in course.events if isinstance(event.fact, VOIDABLE)]
    if entries:
        wrong = chance.choice(entries[-25:])
        course.attempt(CorrectEntry(wrong.id, "entered in error"), PRESCRIBER)


def _ahead(course: Course, chance: Random) -> None:
    if course.pathway.standing and chance.random() < 0.3:
        key = chance.choice(list(course.pathway.standing))
        course.attempt(EndDecision(key, "a new plan"), PRESCRIBER)
        return
    last = local_day(course.now, course.zone) + timedelta(days=chance.randint(0, 14))
    wish = DecideAhead(chance.choice(AHEAD), last, "known and planned for; seen weekly")
    course.attempt(wish, PRESCRIBER)


def _letter(course: Course, chance: Random) -> None:
    """A payer's letter: few sessions, a window that begins or ends near, now and then a denial."""
    treatment = chance.choice(list(Treatment))
    if chance.random() < 0.2:
        answer = chance.choice(("denied", "pending", "not required"))
        taken = readings(**{AUTHORIZATION[treatment]: answer})
        course.attempt(RecordReadings(course.now, taken), PRESCRIBER)
        return
    days = (chance.randint(-20, 5), chance.randint(5, 60))
    with suppress(*REFUSALS):
        course.authorized(treatment, chance.randint(1, 12), days=days)


def _chart(course: Course, chance: Random) -> None:
    """The chart, with some of what it may say, or not all of it readable."""
    entries = tuple(each for each in IN_THE_CHART if chance.random() < 0.2)
    unread = (ChartType.CONDITION,) if chance.random() < 0.2 else ()
    course.attempt(ReadChart(ChartReading(entries, unread)))


def _version(course: Course) -> None:
    """Another version, which changes a title only."""
    title = f"{course.protocol.title}, again"
    new = replace(course.protocol, version=course.protocol.version + 1, title=title, sha256=title)
    move(course, new)


def check(course: Course, *, corrected: bool) -> None:
    """Hold a course against what must always be true."""
    course.run_rules()
    if not corrected:  # the oracles know nothing of entries that were voided
        check_course(course)
    assert automatic(course.protocol, course.pathway, course.now) == (), "comes to no rest"
    events = [
        replace(event, fact=columns.fact_from_json(columns.fact_to_json(event.fact)))
        for event in course.events
    ]
    assert events == course.events, "an event does not survive JSON"
    anew = refold(course.pathway.id, events, course.protocol.vocabulary)
    assert anew == course.pathway, "the state is not the fold"
    ids = [event.id for event in events]
    assert len(set(ids)) == len(ids), "an id is given twice"
    numbers = [(s.phase, s.number) for s in course.pathway.sessions.values()]
    assert len(set(numbers)) == len(numbers), "a session number is given twice"
    wanted = wanted_tasks(course.pathway, steps(course.protocol, course.pathway, course.now))
    for key, task in course.pathway.tasks.items():
        if not task.closed and key in wanted:
            assert to_raise(key, task, wanted[key], course.now) is None, f"{key} has not risen"


def main() -> int:
    """Play the courses of these seeds; 1 if any broke something, each with its seed."""
    if sys.argv[1:2] == ["mutants"]:  # its own lock: imported only where it is asked for
        return import_module("tests.attack.mutants").main(sys.argv[2:])  # type: ignore[no-any-return]
    if sys.argv[1:2] == ["ehr"]:
        return import_module("tests.attack.lies").main(sys.argv[2:])  # type: ignore[no-any-return]
    parser = argparse.ArgumentParser(prog="./dev attack", description=__doc__)
    parser.add_argument("what", choices=["courses", "ehr", "mutants"])
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--count", type=int, default=10_000, help="how many (%(default)s)")
    options = parser.parse_args()
    began, broken, seen = time.monotonic(), [], Counter[str]()
    for done, seed in enumerate(range(options.first, options.first + options.count), start=1):
        try:
            course, corrected = course_of(seed)
            check(course, corrected=corrected)
            seen["corrected"] += corrected
            seen["treatments"] += len(course.treatments())
            seen["events"] += len(course.events)
            seen["raised"] += len(course.facts(TaskRaised))
            seen["decided ahead"] += len(course.facts(DecidedAhead))
            seen["missed"] += len(course.facts(VisitMissed))
        except Exception:  # noqa: BLE001  whatever it is, the next course is played
            broken.append(seed)
            print(f"seed {seed} broke:", flush=True)
            traceback.print_exc(limit=-4)
        if done % 250 == 0 or done == options.count:
            counts = ", ".join(f"{count} {name}" for name, count in sorted(seen.items()))
            took = time.monotonic() - began
            print(f"{done} courses to seed {seed}, {took:.0f} s: {counts}", flush=True)
    print(f"{len(broken)} broke: {broken}" if broken else "none broke anything")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
