"""Before anything starts: each question by itself, and what is unknown is never met."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.course import FOR_ESKETAMINE
from domain.enrolment import Enrolment, begin
from domain.language.corrections import CorrectEntry
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.names import Author, ObservationName, RequestId, Role
from domain.language.observations import ReadingsTaken
from domain.language.phases import PathwayStarted
from domain.language.protocol import When
from domain.language.trials import RecordTrial, TrialOutcome, TrialRecorded
from domain.rules import gates
from domain.rules.start import Row, State, checklist
from tests.course import LOW_RISK, Course
from tests.domain.scenes import FIRST, ONE, a_course, checked_in, dose, missing, ready, rules
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

MANAGER = Author("a-care-manager", Role.CARE_MANAGER)
NO_RESPONSE = TrialOutcome.NO_RESPONSE


def rows(course: Course, phase: str = INDUCTION) -> dict[str, Row]:
    """The checklist of a phase by what each row asks."""
    found = checklist(course.protocol, course.pathway, course.now)
    return {row.observation: row for row in found if row.phase == phase}


def tried(course: Course, drug: str, weeks: int = 8, outcome: TrialOutcome = NO_RESPONSE) -> None:
    """Record an earlier drug."""
    course.do(RecordTrial(drug, "SSRI", "200 mg daily", weeks, outcome), MANAGER)


def test_at_first_everything_is_unknown_and_says_who_can_supply_it():
    """Nothing is met that nobody said: each row names a role, and none is a no."""
    course = a_course()
    found = rows(course)
    assert {row.state for row in found.values()} == {State.UNKNOWN}
    assert all(row.who for row in found.values())
    assert found["intracerebral_hemorrhage"].who == (Role.PRESCRIBER,)
    assert set(rows(course, DTMS)) >= {"metal_near_coil", "seizure_history", "tms_consent"}


def test_each_contraindication_is_a_row_of_its_own():
    """One that is present is named, with its day; the others stay what they are."""
    course = checked_in()
    course.screen(ONE, "intracerebral_hemorrhage")
    course.measure(ONE, intracerebral_hemorrhage="present")
    found = rows(course)
    assert found["intracerebral_hemorrhage"].state is State.NOT_MET
    assert found["intracerebral_hemorrhage"].stops
    assert found["intracerebral_hemorrhage"].at == course.now
    assert found["arteriovenous_malformation"].state is State.MET
    course.assess("phq9", *LOW_RISK)
    course.assess("madrs", *(3,) * 9, 0)
    course.measure(ONE, systolic_bp=120, diastolic_bp=78, ride_home="arranged")
    assert rules(dose(course)) == ["contraindications"]


def test_when_every_row_is_met_nothing_else_of_the_start_is_in_the_way():
    """The checklist and the refusal never say different things."""
    course = ready()
    assert {row.state for row in rows(course).values()} == {State.MET}
    assert dose(course) is None


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([name for name, _ in FOR_ESKETAMINE]), st.booleans(), max_size=14
    ),
    st.integers(0, 1),
)
def test_a_row_is_met_exactly_if_its_gate_lets_it_pass(known: dict[str, bool], trials: int) -> None:
    """Whatever is known: a row's state is what the gate that refuses the first session finds."""
    course = a_course()
    good = dict(FOR_ESKETAMINE)
    for name, fine in known.items():
        kind = COMBINED.vocabulary.kind(ObservationName(name))
        bad = next(each for each in reversed(kind.answers) if each != good[name])
        course.measure(None, **{name: good[name] if fine else bad})
    if trials:
        course.tried()
    look = gates.Look(course.protocol, course.pathway, course.now)
    for gate in course.protocol.phase(INDUCTION).gates_at(When.BEFORE_FIRST_SESSION):
        blocks = gates.evaluate(gate, look)
        states = {rows(course)[need.observation].state for need in gate.require}
        assert (not blocks) == (states == {State.MET})
        assert any(b.finding is None for b in blocks) == (State.UNKNOWN in states)


@pytest.mark.parametrize(
    ("tries", "state"),
    [
        ([], State.UNKNOWN),
        ([("sertraline", 8, NO_RESPONSE)], State.NOT_MET),
        ([("sertraline", 8, NO_RESPONSE), ("venlafaxine", 12, NO_RESPONSE)], State.MET),
        ([("sertraline", 8, NO_RESPONSE), ("Sertraline", 9, NO_RESPONSE)], State.NOT_MET),
        ([("sertraline", 5, NO_RESPONSE), ("venlafaxine", 12, NO_RESPONSE)], State.NOT_MET),
        (
            [("sertraline", 8, TrialOutcome.NOT_TOLERATED), ("venlafaxine", 8, NO_RESPONSE)],
            State.NOT_MET,
        ),
        (
            [
                ("sertraline", 6, TrialOutcome.RESPONSE_LOST),
                ("venlafaxine", 6, TrialOutcome.PARTIAL_RESPONSE),
            ],
            State.MET,
        ),
    ],
)
def test_resistance_is_counted_from_the_trials(
    tries: list[tuple[str, int, TrialOutcome]], state: State
):
    """Two drugs, each long enough and borne, without lasting response; none is unknown."""
    course = a_course()
    for drug, weeks, outcome in tries:
        tried(course, drug, weeks, outcome)
    assert rows(course)["adequate_trials"].state is state


def test_a_trial_is_recorded_once_and_can_be_taken_back():
    """The same again is a conflict; voided it counts no more."""
    course = a_course()
    tried(course, "sertraline")
    with pytest.raises(Conflict):
        tried(course, "sertraline")
    tried(course, "venlafaxine")
    assert rows(course)["adequate_trials"].state is State.MET
    wrong = next(event for event in course.events if isinstance(event.fact, TrialRecorded))
    course.do(CorrectEntry(wrong.id, "another patient's list"), MANAGER)
    assert rows(course)["adequate_trials"].state is State.NOT_MET


@pytest.mark.parametrize(
    ("drug", "dose_", "weeks"),
    [("  ", "50 mg", 8), ("sertraline", ".", 8), ("sertraline", "50 mg", 0), ("x", "50 mg", 1001)],
)
def test_a_trial_that_says_nothing_is_refused(drug: str, dose_: str, weeks: int):
    """Drug and dose are words, weeks a length."""
    course = a_course()
    refusal = course.attempt(RecordTrial(drug, "SSRI", dose_, weeks, NO_RESPONSE), MANAGER)
    assert isinstance(refusal, Malformed)


def test_one_of_several_answers_meets_a_row():
    """A man is not blocked by a question about pregnancy: excluded, or not applicable."""
    for answer, state in (
        ("excluded", State.MET),
        ("not applicable", State.MET),
        ("present", State.NOT_MET),
    ):
        course = a_course()
        course.measure(None, pregnancy=answer)
        row = rows(course)["pregnancy"]
        assert (row.state, row.requires) == (state, "is excluded or not applicable")


def test_a_caution_is_a_prescribers_to_weigh_and_a_contraindication_is_not():
    """Hepatic impairment may be overridden at a visit with a reason; a hemorrhage may not."""
    course = ready()
    found = rows(course)
    assert not found["hepatic_impairment"].stops
    assert found["esketamine_hypersensitivity"].stops


def enrolment(age: int | None) -> Enrolment:
    """An enrolment of somebody of this age."""
    course = a_course()
    started = next(e.fact for e in course.events if isinstance(e.fact, PathwayStarted))
    return Enrolment(RequestId("r"), MANAGER, started, FIRST, age)


@pytest.mark.parametrize("age", [0, 11, 17])
def test_a_child_is_not_enrolled_on_a_protocol_for_adults(age: int):
    """Refused before anything is reserved, with the age, what is required and how it is known."""
    with pytest.raises(Refused, match="required at least 18 years") as refused:
        begin(COMBINED, enrolment(age), a_course().now)
    assert str(age) in str(refused.value)
    assert [block.rule for block in refused.value.blocked_by] == ["adult"]


def test_an_age_that_the_ehr_has_is_the_first_row():
    """18 years and above are met from the start, by Kairos from the EHR; unknown stays unknown."""
    events = begin(COMBINED, enrolment(18), a_course().now)
    assert events[-1].by.role is Role.KAIROS
    course = a_course()
    course.record(events[-1:])
    assert rows(course)["age"].state is State.MET
    for age, there in ((None, False), (120, True), (121, False), (227, False)):
        facts = [event.fact for event in begin(COMBINED, enrolment(age), course.now)]
        assert any(isinstance(fact, ReadingsTaken) for fact in facts) is there


def test_an_old_screen_is_unknown_again():
    """A contraindication that was looked for 31 days ago is asked for anew, and says so."""
    course = a_course()
    course.screen(None)
    assert rows(course)["intracerebral_hemorrhage"].state is State.MET
    course.wait(timedelta(days=31))
    assert rows(course)["intracerebral_hemorrhage"].state is State.UNKNOWN


def test_a_missing_row_is_missing_at_the_dose():
    """Without the diagnosis the dose waits for it by name, and nothing else."""
    course = checked_in()
    course.screen(ONE, "depression_diagnosis")
    course.assess("phq9", *LOW_RISK)
    course.assess("madrs", *(3,) * 9, 0)
    course.measure(ONE, systolic_bp=120, diastolic_bp=78, ride_home="arranged")
    assert missing(dose(course)) == ["diagnosis"]
