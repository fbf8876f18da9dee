"""Who may say that an entry was in error, kind by kind; and what a correction makes true."""

from dataclasses import replace

import pytest

from domain.corrections import MAY_VOID
from domain.language.corrections import Astray, CorrectEntry, EntryVoided, WrongPatient
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event
from domain.language.holds import HoldPlaced, PlaceHold
from domain.language.names import Author, HoldReason, PathwayId, Role, any_of
from domain.language.observations import (
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.overrides import GateOverridden, OverrideGate
from domain.language.release import Disposition, NotTreated, ReleaseVisit, VisitReleased
from domain.language.standing import DecideAhead, DecidedAhead, DecisionEnded, EndDecision
from domain.language.treatment import DoseGiven, RecordDose, ReportDose
from domain.language.trials import TrialRecorded
from domain.language.visits import MissVisit, VisitCheckedIn, VisitMissed
from domain.rules.refusing import found
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, a_course, checked_in, dose, dosed, minutes, ready, rules
from tests.domain.simulation import measure, readings

ROLES = (Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER, Role.TMS_OPERATOR, Role.MEDICAL_DIRECTOR)
ALL = frozenset(ROLES[:4])
NURSE = Author("a-nurse", Role.NURSE)
WHY = "typed for another patient"
PRESSURE = "blood-pressure-before"


def entry(course: Course, kind: type) -> Event:
    """The last entry of a kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1]


def ahead() -> Course:
    """A pressure that was decided about ahead, and the decision ended."""
    course = ready()
    course.do(DecideAhead(PRESSURE, course.first_visit.day, "known; measured daily"), PRESCRIBER)  # type: ignore[arg-type]
    course.do(EndDecision(next(iter(course.pathway.standing)), "a new plan"), PRESCRIBER)
    return course


def held() -> Course:
    """A hold that was placed, and a pressure that was overridden."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    course.do(OverrideGate(ONE, PRESSURE, "Benefit outweighs the risk today."))  # type: ignore[arg-type]
    course.do(PlaceHold(HoldReason.OTHER, "a slip"), NURSE)
    return course


def missed() -> Course:
    """A visit that was missed."""
    course = a_course()
    course.run("check-in")
    course.do(MissVisit(ONE))
    return course


def home() -> Course:
    """A patient who was let go untreated."""
    course = checked_in()
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED))
    return course


def read(**values: float | str) -> Course:
    """A reading of these before anything was given."""
    course = checked_in()
    course.measure(ONE, **values)
    return course


def scored(*items: int) -> Course:
    """A PHQ-9 of these items."""
    course = checked_in()
    course.assess("phq9", *items)
    return course


CARE_MANAGERS_TOO = frozenset({Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER})
WATCHERS = frozenset({Role.NURSE, Role.PRESCRIBER})
ONLY = frozenset({Role.PRESCRIBER})
WHO = [
    (dosed, DoseGiven, WATCHERS),
    (checked_in, VisitCheckedIn, None),
    (missed, VisitMissed, None),
    (home, VisitReleased, frozenset(ReleaseVisit.MAY)),
    (held, HoldPlaced, ONLY | {Role.MEDICAL_DIRECTOR}),
    (held, GateOverridden, ONLY),
    (ahead, DecidedAhead, ONLY),
    (ahead, DecisionEnded, ONLY),
    (ready, TrialRecorded, None),
    (lambda: read(ride_home="arranged"), ReadingsTaken, CARE_MANAGERS_TOO),
    (lambda: read(spo2=97), ReadingsTaken, WATCHERS),
    (lambda: read(spo2=97, ride_home="arranged"), ReadingsTaken, WATCHERS),
    (lambda: read(rems_enrolment="not confirmed"), ReadingsTaken, ONLY),
    (lambda: read(rems_enrolment="confirmed"), ReadingsTaken, CARE_MANAGERS_TOO),
    (lambda: read(systolic_bp=200, diastolic_bp=90), ReadingsTaken, ONLY),
    (lambda: read(suicide_risk="high"), ReadingsTaken, ONLY),
    (lambda: scored(1, 1, 1, 1, 1, 1, 1, 1, 0), ScaleAssessed, WATCHERS | {Role.CARE_MANAGER}),
    (lambda: scored(0, 0, 0, 0, 0, 0, 0, 0, 1), ScaleAssessed, ONLY),
]


@pytest.mark.parametrize(("begin", "kind", "who"), WHO)
def test_who_may_take_back_an_entry(begin, kind: type, who: frozenset[Role] | None):
    """Those who may do it or undo it; what stops, or must be seen, a prescriber alone."""
    may = frozenset(MAY_VOID[kind]) if who is None else who
    taken = set()
    for role in ROLES:
        again = begin()
        refusal = again.attempt(CorrectEntry(entry(again, kind).id, WHY), Author("x", role))
        if refusal is None:
            taken.add(role)
        else:
            assert isinstance(refusal, Refused)
            assert [block.rule for block in refusal.blocked_by] == ["may-correct"]
    assert taken == may


def test_a_refusal_names_those_who_may():
    """In the order of the roles, as a sentence."""
    course = read(ride_home="arranged")
    wish = CorrectEntry(entry(course, ReadingsTaken).id, WHY)
    refusal = course.attempt(wish, Author("x", Role.TMS_OPERATOR))
    assert isinstance(refusal, Refused)
    who = (Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER)
    says = f"only {any_of(who)} may mark this as entered in error"
    assert (str(refusal), refusal.blocked_by) == (says, (found("may-correct", says, who),))


def test_what_is_taken_back_as_it_is_kept():
    """The entry, the reason as written, and nothing instead; at the time at which it is said."""
    course = dosed()
    wrong = entry(course, DoseGiven)
    course.wait(minutes(5))
    (event,) = course.do(CorrectEntry(wrong.id, f"  {WHY} "), PRESCRIBER)
    assert (event.at, event.fact) == (course.now, EntryVoided(wrong.id, WHY))
    refusal = course.attempt(CorrectEntry(wrong.id, WHY), NURSE)
    assert isinstance(refusal, Conflict)


def test_a_nurse_who_takes_a_dose_back_is_believed_and_a_prescriber_looks():
    """It was not given: nobody is observed for it, and nothing is given before somebody looked."""
    course = dosed()
    course.do(CorrectEntry(entry(course, DoseGiven).id, WHY), NURSE)
    void = course.facts(EntryVoided)[-1]
    assert (void.about, void.what) == ("Dose 1 (56 mg)", Astray.NEVER)
    (told,) = [t for t in course.pathway.tasks.values() if t.rule == "taken-back"]
    assert told.roles == (Role.PRESCRIBER,)
    assert told.due is not None
    assert told.says == (
        "Dose 1 (56 mg) was marked as entered in error, so the patient is not observed after it. "
        "Make sure that it was not given, then say what you found."
    )
    assert "review-first" in rules(dose(course))
    course.do(CorrectEntry(course.events[-2].id, "It was given."), NURSE)
    assert not [t for t in course.pathway.tasks.values() if t.rule == "taken-back" and not t.closed]


def test_what_keeps_a_patient_here_is_taken_back_by_a_prescriber():
    """Sedation beyond what lets them go, and the check-in of somebody at risk."""
    course = dosed()
    course.wait(minutes(1))
    course.measure(ONE, sedation_moaas=1)
    wrong = entry(course, ReadingsTaken)
    assert isinstance(course.attempt(CorrectEntry(wrong.id, WHY), NURSE), Refused)
    course = checked_in()
    came = entry(course, VisitCheckedIn)
    course.assess("phq9", 1, 1, 1, 1, 1, 1, 1, 1, 3)
    assert isinstance(course.attempt(CorrectEntry(came.id, WHY), NURSE), Refused)
    course.do(CorrectEntry(came.id, WHY), PRESCRIBER)


def test_what_was_so_instead_stands_at_its_own_time():
    """The void names the entry that stands instead, and that one is of when it was so."""
    course = dosed()
    wrong = entry(course, DoseGiven)
    course.wait(minutes(5))
    void, truth = course.do(
        CorrectEntry(wrong.id, WHY, RecordDose(ONE, wrong.at, 56, "lot-2")), NURSE
    )
    assert void.fact == EntryVoided(wrong.id, WHY, truth.id)
    assert void.at == course.now
    assert truth.at == wrong.at
    assert isinstance(wrong.fact, DoseGiven)
    assert truth.fact == replace(wrong.fact, lot="lot-2")


def test_what_was_another_patients_as_it_is_kept():
    """What it was, and whose pathway it goes to, beside the reason."""
    course = dosed()
    wrong = entry(course, DoseGiven)
    whose = WrongPatient(PathwayId("p2"), ONE)
    (event,) = course.do(CorrectEntry(wrong.id, f" {WHY}", wrong_patient=whose), NURSE)
    assert event.fact == EntryVoided(
        wrong.id, WHY, None, "Dose 1 (56 mg)", PathwayId("p2"), what=Astray.ANOTHERS
    )


@pytest.mark.parametrize("reason", ["", " ", "-"])
def test_a_correction_has_a_reason(reason: str):
    """Dots and dashes are none."""
    course = dosed()
    assert isinstance(
        course.attempt(CorrectEntry(entry(course, DoseGiven).id, reason), NURSE), Malformed
    )


def test_a_check_in_with_a_treatment_is_not_taken_back():
    """The treatment is corrected first; without one the check-in goes."""
    course = dosed()
    wish = CorrectEntry(entry(course, VisitCheckedIn).id, WHY)
    refusal = course.attempt(wish, NURSE)
    assert isinstance(refusal, Refused)
    (block,) = refusal.blocked_by
    assert block.rule == "treated-here"
    assert block.finding == (
        "a treatment is recorded at esketamine induction visit 1: correct that first"
    )
    assert set(block.who) == ALL
    course.do(CorrectEntry(entry(course, DoseGiven).id, WHY), NURSE)
    assert course.attempt(wish, NURSE) is None


def test_a_void_whose_stand_in_was_corrected_is_not_taken_back():
    """Else the first entry would count beside what stands for its stand-in."""
    course = dosed()
    wrong = entry(course, DoseGiven)
    for lot in ("lot-2", "lot-3"):
        given = entry(course, DoseGiven)
        course.do(CorrectEntry(given.id, WHY, RecordDose(ONE, wrong.at, 56, lot)), NURSE)
    first = next(event for event in course.events if isinstance(event.fact, EntryVoided))
    refusal = course.attempt(CorrectEntry(first.id, WHY), NURSE)
    assert isinstance(refusal, Refused)
    assert [block.rule for block in refusal.blocked_by] == ["corrected-since"]


def test_a_dose_of_another_visit_keeps_its_number_and_its_authority():
    """Within the phase it is the same session, and authorized once a prescriber had answered."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, intracerebral_hemorrhage="present")
    course.do(ReportDose(ONE, course.now, 56, "lot-1", "It was given."), PRESCRIBER)
    given = entry(course, DoseGiven)
    right = RecordDose(ONE, given.at, 56, "lot-2")
    course.do(CorrectEntry(given.id, WHY, right), PRESCRIBER)
    fact = course.facts(DoseGiven)[-1]
    assert (fact.session, fact.lot, fact.deviation) == (1, "lot-2", "It was given.")
    assert fact.authorized


def test_what_was_so_instead_is_judged_as_of_then():
    """A reading of a visit that was released since is put right, for it was taken before."""
    course = checked_in()
    course.measure(ONE, spo2=79)
    wrong = entry(course, ReadingsTaken)
    course.do(ReleaseVisit(ONE, Disposition.AGAINST_ADVICE, "Went."), PRESCRIBER)
    right = RecordReadings(wrong.at, (measure("spo2", 97),), ONE)
    course.do(CorrectEntry(wrong.id, WHY, right), PRESCRIBER)
    fact = course.facts(ReadingsTaken)[-1]
    assert fact.readings[0].value == 97
    assert fact.visit == ONE
    course.wait(minutes(1))
    late = RecordReadings(course.now, readings(spo2=97), ONE)
    assert isinstance(course.attempt(late), Malformed)


def test_a_score_is_put_right_by_a_score():
    """Of its own time; and a dose is none."""
    course = scored(1, 1, 1, 1, 1, 1, 1, 1, 0)
    wrong = entry(course, ScaleAssessed)
    right = RecordAssessment("phq9", wrong.at, (0,) * 9)
    course.do(CorrectEntry(wrong.id, WHY, right), NURSE)
    assert course.facts(ScaleAssessed)[-1].total == 0
    again = entry(course, ScaleAssessed)
    dose = RecordDose(ONE, course.now, 56, "l")
    refusal = course.attempt(CorrectEntry(again.id, WHY, dose), NURSE)
    assert isinstance(refusal, Malformed)
