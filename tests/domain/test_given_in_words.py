"""What is said of a treatment that cannot be, or may not be, word for word; and its last values."""

from dataclasses import replace

from domain.chapters.treatment import Strength, check_may_give_dose, check_may_stimulate
from domain.language.errors import Malformed, Refused
from domain.language.findings import blocks_of
from domain.language.names import Author, Role, VisitId
from domain.language.protocol import DoseRule
from domain.language.treatment import RecordDose, RecordStimulation, ReportDose, ReportStimulation
from domain.rules.refusing import found
from tests.course import PRESCRIBER, SESSION, Course
from tests.domain.scenes import FIRST, ONE, minutes, ready
from tests.domain.schedules import alone
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
OPERATOR = Author("a-tms-operator", Role.TMS_OPERATOR)
ALONE = alone(COMBINED.phase(DTMS))
TMS = VisitId(f"{DTMS}-visit-1")


def prepared() -> Course:
    """A patient ready for the first stimulation of deep TMS by itself, for 21 minutes."""
    course = Course(FIRST, ALONE)
    course.run("give")
    course.wait(SESSION + minutes(1))
    return course


def test_a_dose_that_cannot_be():
    """A lot is read from the device; an ordinary dose is no incident."""
    course = ready()
    without = course.attempt(RecordDose(ONE, course.now, 56, " "), NURSE)
    assert isinstance(without, Malformed)
    says = "the lot number is required; read it from the device"
    assert str(without) == says
    ordinary = course.attempt(ReportDose(ONE, course.now, 56, "l", "It was given."), NURSE)
    assert isinstance(ordinary, Malformed)
    assert str(ordinary) == "no rule was broken: record the treatment instead of reporting it"


def test_a_dose_that_may_not_be():
    """The refusal says what may not be done, and what is in the way."""
    course = ready()
    refusal = course.attempt(RecordDose(ONE, course.now, 28, "l"), NURSE)
    assert isinstance(refusal, Refused)
    assert str(refusal) == "may not give the dose: 28 mg; the first dose of esketamine is 56 mg"


def test_a_stimulation_that_cannot_be():
    """Its end after its beginning; pulses, intensity and output within what there is."""
    course = prepared()
    at = course.now - SESSION
    wish = RecordStimulation(TMS, at, at + SESSION, 1980, 120, 66)
    backward = course.attempt(replace(wish, ended_at=at), OPERATOR)
    assert str(backward) == "ended_at must be later than started_at"
    nothing = course.attempt(replace(wish, pulses=0), OPERATOR)
    says = "intensity and pulses must be above 0, stimulator output 1 to 100 percent"
    assert str(nothing) == says


def test_a_stimulation_that_may_not_be_and_is_kept_when_it_was():
    """One pulse at full output was given all the same: a prescriber answers for it."""
    course = prepared()
    at = course.now - SESSION
    refusal = course.attempt(RecordStimulation(TMS, at, course.now, 1, 120, 100), OPERATOR)
    assert isinstance(refusal, Refused)
    assert str(refusal).startswith(
        "may not stimulate: the order is 1980 pulses, not 1; output 100 %"
    )
    report = ReportStimulation(TMS, at, course.now, 1, 120, 100, "It was given.")
    (event,) = course.do(report, PRESCRIBER)
    assert (getattr(event.fact, "pulses", 0), getattr(event.fact, "output_percent", 0)) == (1, 100)
    assert getattr(event.fact, "authorized", None) is True
    course = prepared()
    (event,) = course.do(replace(report, started_at=at), OPERATOR)
    assert getattr(event.fact, "authorized", None) is False


def test_no_stimulation_belongs_to_the_induction():
    """It is a slip, which stops."""
    course = ready()
    strength = Strength(120, 1980, 66)
    result = check_may_stimulate(COMBINED, course.pathway, ONE, course.now, strength)
    wanted = found("treatment", f"{COMBINED.phase(INDUCTION).title} has no stimulation", stops=True)
    assert wanted in blocks_of(result)


def test_a_phase_may_begin_with_any_of_its_doses():
    """Where its protocol names no first dose, each that follows may be the first."""
    first, *others = COMBINED.phases
    assert isinstance(first.dose, DoseRule)
    for first_mg, taken in ((0, (56, 84)), (56, (56,)), (1, (1,))):
        phase = replace(first, dose=replace(first.dose, first_mg=first_mg))
        protocol = replace(COMBINED, phases=(phase, *others))
        course = ready()
        for mg in (1, 56, 84):
            result = check_may_give_dose(protocol, course.pathway, ONE, mg, course.now)
            doses = [block for block in blocks_of(result) if block.rule == "dose"]
            assert (doses == []) is (mg in taken)
