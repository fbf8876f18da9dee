"""Moments that many tests begin from: a signed course, a patient who is ready, a dose given."""

from datetime import date, time, timedelta
from functools import cache
from typing import Final

from domain.language.clocks import LocalTime
from domain.language.errors import Refused
from domain.language.names import PhaseDecision, VisitId
from domain.language.phases import Decide
from domain.language.treatment import RecordDose
from domain.rules.steps import Ask
from tests.course import Course
from tests.domain.simulation import INDUCTION, Refusal

FIRST: Final = LocalTime(date(2026, 11, 30), time(9))
ONE, TWO = (VisitId(f"{INDUCTION}-visit-{number}") for number in (1, 2))
FIT_TO_LEAVE: Final[dict[str, float | str]] = {
    "sedation_moaas": 5,
    "dissociation_cadss": 0,
    "spo2": 97,
    "systolic_bp": 130,
    "diastolic_bp": 82,
    "respiratory_depression": "absent",
    "clinically_stable": "confirmed",
    "ride_home": "arranged",
}


def a_course(first: LocalTime = FIRST, **more: object) -> Course:
    """Begin a course whose order is not signed yet."""
    return Course(first, **more)  # type: ignore[arg-type]


def checked_in(visit: VisitId = ONE) -> Course:
    """Begin a course and stop once the patient is here for this visit."""
    return _checked_in(visit).copied()


def ready(visit: VisitId = ONE) -> Course:
    """Begin a course and stop when nothing stands between the patient and this visit's dose."""
    return _ready(visit).copied()


def dosed(visit: VisitId = ONE) -> Course:
    """Begin a course and stop at the instant of this visit's dose."""
    return _dosed(visit).copied()


def moved_on() -> Course:
    """A course that went on to deep TMS after its first dose."""
    course = dosed()
    course.run(TWO)
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "Does not come for the spray any more."))
    course.run_rules()
    return course


@cache
def _checked_in(visit: VisitId) -> Course:
    """The same each time, and therefore played once: whoever goes on from it has a copy."""
    course = a_course()
    course.run(visit)
    while course.pathway.visits[visit].checked_in is None:
        course.follow_next()
    return course


@cache
def _ready(visit: VisitId) -> Course:
    course = checked_in(visit)
    course.run(Ask.GIVE)
    return course


@cache
def _dosed(visit: VisitId) -> Course:
    course = ready(visit)
    course.do(course.treatment(visit, course.now))
    return course


def dose(course: Course, visit: VisitId = ONE, mg: int = 56, ago: int = 0) -> Refusal | None:
    """Record a dose given so many minutes ago."""
    return course.attempt(RecordDose(visit, course.now - minutes(ago), mg, "lot-1"))


def forget() -> None:
    """Play each scene anew, as where the domain has been changed since."""
    for scene in (_checked_in, _ready, _dosed):
        scene.cache_clear()


def minutes(number: float) -> timedelta:
    """Write a length of time."""
    return timedelta(minutes=number)


def rules(refusal: Refusal | None) -> list[str]:
    """Name the rules by which something was refused."""
    assert isinstance(refusal, Refused), refusal
    return [block.rule for block in refusal.blocked_by]


def missing(refusal: Refusal | None) -> list[str]:
    """Name the rules that miss something, once nothing was found that they forbid."""
    assert isinstance(refusal, Refused), refusal
    assert all(block.finding is None for block in refusal.blocked_by)
    return [block.rule for block in refusal.blocked_by]
