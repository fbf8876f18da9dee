"""Rows of the start checklist and tiers of a screener, each in full."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from domain.language.names import Author, EventId, ObservationName, Role
from domain.language.observations import Reading, RecordReadings
from domain.language.pathway import Observed
from domain.language.protocol import Otherwise
from domain.language.trials import RecordTrial
from domain.rules.start import Row, State, against, checklist
from domain.rules.tiers import brought_by, tier_of, unanswered
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIRST
from tests.domain.simulation import COMBINED, INDUCTION, readings

NURSE = Author("a-nurse", Role.NURSE)
PHASE = COMBINED.phase(INDUCTION)
GATES = {str(gate.id): gate for gate in PHASE.gates}
TIER = ObservationName("cssrs_tier")
SCREENER = COMBINED.vocabulary.tiers[TIER]
SYSTOLIC, ITEM9 = ObservationName("systolic_bp"), ObservationName("phq9_item9")


def row(course: Course, name: str) -> Row:
    """The induction's row about this observation."""
    rows = checklist(COMBINED, course.pathway, course.now)
    return next(each for each in rows if each.phase == INDUCTION and each.observation == name)


def of_gate(gate: str, name: str, **more: object) -> Row:
    """A row of a gate, with what it says besides."""
    kind, one = COMBINED.vocabulary.kind(ObservationName(name)), GATES[gate]
    known = {"phase": INDUCTION, "gate": one.id, "observation": kind.name, "title": kind.title}
    stops = one.otherwise is Otherwise.STOP
    return Row(**known, stops=stops, why=one.why, source=one.source, **more)  # type: ignore[arg-type]


def test_a_row_that_nobody_has_answered():
    """Unknown: who can say it, and that it is missing; no value, time or entry."""
    course = Course(FIRST)
    kind = COMBINED.vocabulary.kind(ObservationName("age"))
    assert row(course, "age") == of_gate(
        "adult",
        "age",
        requires="at least 18 years",
        state=State.UNKNOWN,
        who=kind.recorded_by,
        says="missing: age, recorded",
    )
    trials = row(course, "adequate_trials")
    assert (trials.who, trials.requires) == (RecordTrial.MAY, "at least 2 trials")
    assert row(course, "madrs_total").requires == "recorded"
    assert row(course, "pregnancy").requires == "is excluded or not applicable"


def test_a_row_that_is_met():
    """A number with its unit, an answer without one; nobody is asked for it any more."""
    course = Course(FIRST)
    course.do(RecordReadings(course.now, readings(age=44, pregnancy="excluded")), PRESCRIBER)
    (seen,) = course.pathway.readings[ObservationName("age")]
    more = {"state": State.MET, "who": (), "says": "", "at": seen.at, "evidence": seen.evidence}
    assert row(course, "age") == of_gate(
        "adult", "age", requires="at least 18 years", value="44 years", **more
    )
    assert row(course, "pregnancy") == of_gate(
        "cautions",
        "pregnancy",
        requires="is excluded or not applicable",
        value="excluded",
        **more,
    )


def test_a_row_that_is_not_met():
    """What was found, and who may record it anew."""
    course = Course(FIRST)
    course.do(RecordReadings(course.now, readings(age=17)), NURSE)
    (seen,) = course.pathway.readings[ObservationName("age")]
    assert row(course, "age") == of_gate(
        "adult",
        "age",
        requires="at least 18 years",
        state=State.NOT_MET,
        who=COMBINED.vocabulary.kind(ObservationName("age")).recorded_by,
        says="age 17 years, required at least 18 years (measured Sunday 2026-11-29 13:00 EST)",
        value="17 years",
        at=seen.at,
        evidence=seen.evidence,
    )


def test_what_nobody_may_override_at_enrolment():
    """An answer that a stop forbids is against; one of a gate that may be overridden is not."""
    at = datetime(2026, 11, 30, tzinfo=UTC)

    def found(name: str, value: int | None, answer: str | None) -> list[ObservationName]:
        number = None if value is None else Decimal(value)
        seen = Observed(EventId("e"), at, number, answer, None)
        return [need.observation for need in against(COMBINED, ObservationName(name), seen)]

    assert found("age", 17, None)
    assert not found("age", 18, None)
    assert set(found("intracerebral_hemorrhage", None, "present")) == {"intracerebral_hemorrhage"}
    assert not found("intracerebral_hemorrhage", None, "absent")
    assert not found("psychosis", None, "present")


def answers(**given: str) -> dict[ObservationName, str]:
    """Answers of the screener by the end of their names."""
    return {ObservationName(f"cssrs_{name}"): answer for name, answer in given.items()}


ALL_SEVEN = answers(
    wish="absent",
    thoughts="present",
    method="absent",
    intent="absent",
    plan="absent",
    behavior="absent",
    behavior_recent="absent",
)


def test_what_is_still_to_be_asked():
    """What is always asked, and what an answer calls for; each once, without those answered."""
    asked = [
        name.removeprefix("cssrs_") for name in unanswered(SCREENER, answers(thoughts="present"))
    ]
    assert asked == ["wish", "behavior", "method", "intent", "plan"]
    assert unanswered(SCREENER, ALL_SEVEN) == ()


def test_an_entry_brings_the_tier_of_its_own_answers():
    """All seven answered, one alone that is the worst, and none; no other reading brings one."""

    def brings(given: dict[ObservationName, str]) -> dict[ObservationName, Decimal]:
        entry = [Reading(name, None, answer) for name, answer in given.items()]
        return brought_by(COMBINED.vocabulary, [*entry, Reading(SYSTOLIC, Decimal(120))])

    assert brings(ALL_SEVEN) == {TIER: 1}
    assert brings(answers(plan="present")) == {TIER: 3}
    assert brings(answers(wish="present")) == brings({}) == {}


def test_a_screener_without_levels_finds_nothing():
    """Where no answer means a tier, it is none, whatever was answered."""
    assert tier_of(replace(SCREENER, levels={}), {}) == 0
