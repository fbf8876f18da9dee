"""An order, a lifted hold and a decision made in error are taken back like anything else."""

from datetime import time

import pytest

from domain.language.clocks import LocalTime
from domain.language.corrections import ActQuestioned, CorrectEntry, EntryVoided
from domain.language.errors import Conflict, Refused
from domain.language.events import Event
from domain.language.holds import HoldLifted, LiftHold, PlaceHold
from domain.language.names import (
    KAIROS,
    Author,
    EventId,
    HoldReason,
    PathwayOutcome,
    PhaseDecision,
    Role,
    RuleId,
    VisitId,
)
from domain.language.phases import (
    Decide,
    DecisionMade,
    FirstVisitHastened,
    OrderSigned,
    PhaseEntered,
    SignOrder,
)
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, TWO, a_course, dose, dosed, moved_on, ready, rules
from tests.domain.simulation import DTMS, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
RULE = RuleId("high")
WHY = "It was meant for another patient."


def entry(course: Course, kind: type) -> Event:
    """The last entry of this kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1]


def back(course: Course, kind: type, by: Author = PRESCRIBER) -> None:
    """Take the last entry of this kind back."""
    course.do(CorrectEntry(entry(course, kind).id, WHY), by)
    course.run_rules()


def open_asks(course: Course) -> set[str]:
    """What is asked of people now."""
    return {key.partition("/")[0] for key, task in course.pathway.tasks.items() if not task.closed}


def stopped() -> Course:
    """A course that was stopped after its first dose."""
    course = dosed()
    course.run(TWO)
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "The patient's wish."))
    course.run_rules()
    return course


def test_an_order_taken_back_is_no_order():
    """The next dose waits for another signature, and that order is another one by its number."""
    course = ready()
    back(course, OrderSigned)
    assert "order-signed" in rules(dose(course))
    assert Ask.SIGN_ORDER in open_asks(course)
    course.do(SignOrder(INDUCTION))
    assert entry(course, OrderSigned).fact == OrderSigned(INDUCTION, 2)
    assert dose(course) is None


def test_what_was_given_under_it_is_asked_about():
    """A dose given under an order in error stands, and a prescriber is told why it was wrong."""
    course = dosed()
    back(course, OrderSigned)
    (question,) = [q for q in course.facts(ActQuestioned) if "dose 1" in q.about]
    assert any("signed order" in says for says in question.findings)
    assert Ask.REVIEW_QUESTIONED in open_asks(course)


def test_only_those_who_may_order_take_an_order_back():
    """A nurse cannot leave a patient without an order."""
    course = ready()
    refusal = course.attempt(CorrectEntry(entry(course, OrderSigned).id, WHY), NURSE)
    assert rules(refusal) == ["may-correct"]


def test_an_order_stands_again_unless_another_was_signed():
    """Taking the taking back back restores it, once; beside a new order it is refused."""
    course = ready()
    back(course, OrderSigned)
    void = entry(course, EntryVoided).id
    course.do(SignOrder(INDUCTION))
    assert rules(course.attempt(CorrectEntry(void, WHY), PRESCRIBER)) == ["corrected-since"]
    back(course, OrderSigned)
    course.do(CorrectEntry(void, WHY), PRESCRIBER)
    assert course.pathway.phases[INDUCTION].signed is not None
    assert course.pathway.phases[INDUCTION].order == 1
    assert dose(course) is None


def test_numbers_of_orders_never_come_twice():
    """Signed, taken back, restored, taken back and signed again: each order has its own number."""
    course = ready()
    for _ in range(3):
        back(course, OrderSigned)
        course.do(SignOrder(INDUCTION))
    numbers = [fact.number for fact in course.facts(OrderSigned)]
    assert numbers == [1, 2, 3, 4]


def test_a_hold_lifted_in_error_stands_again():
    """Nothing is given, and what was given since is asked about by name."""
    course = ready()
    course.do(PlaceHold(HoldReason.MEDICAL_REVIEW, "chest pain"))
    (hold,) = course.pathway.open_holds()
    course.do(LiftHold(hold, "Looked at: nothing stands against treatment."))
    assert dose(course) is None
    back(course, HoldLifted)
    assert course.pathway.open_holds() == (hold,)
    assert Ask.LIFT_HOLD in open_asks(course)
    (question,) = [q for q in course.facts(ActQuestioned) if "dose 1" in q.about]
    assert any("hold" in says for says in question.findings)
    course.do(LiftHold(hold, "Looked at again, and nothing stands against treatment."))
    assert course.pathway.open_holds() == ()


def test_only_those_who_may_lift_a_hold_take_its_lifting_back():
    """A nurse places another hold instead."""
    course = ready()
    course.do(PlaceHold(HoldReason.MEDICAL_REVIEW, "chest pain"))
    course.do(LiftHold(course.pathway.open_holds()[0], "Looked at: nothing found."))
    refusal = course.attempt(CorrectEntry(entry(course, HoldLifted).id, WHY), NURSE)
    assert rules(refusal) == ["may-correct"]


def test_a_decision_that_moved_the_pathway_on_is_taken_back_with_what_it_brought():
    """The pathway is in its phase as before; visits of the next phase are off, its own planned."""
    course = moved_on()
    assert course.pathway.phase == DTMS
    back(course, DecisionMade)
    assert course.pathway.phase == INDUCTION
    ahead = {v.phase for v in course.pathway.visits.values() if v.status in ("proposed", "booked")}
    assert ahead == {INDUCTION}
    course.run(Ask.GIVE)
    assert course.attempt(course.treatment(here(course)[0], course.now)) is None


def here(course: Course) -> list[VisitId]:
    """Visits at which the patient is."""
    return [v.id for v in course.pathway.visits.values() if v.status == "checked-in"]


def test_moving_on_again_after_that_goes_on_as_if_nothing_had_been():
    """The phase is entered once more, and its visits are planned under names of their own."""
    course = moved_on()
    back(course, DecisionMade)
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "Now it is meant."))
    course.run_rules()
    assert course.pathway.phase == DTMS
    course.run(Ask.GIVE)
    assert here(course)


@pytest.mark.parametrize("since", ["order", "visit", "session", "phase"])
def test_what_was_done_in_the_next_phase_comes_first(since: str):
    """A signed order, a visit, a session or a further phase stands: the refusal says what first."""
    course = moved_on()
    made = entry(course, DecisionMade)
    if since != "order":
        course.run(Ask.GIVE)
    else:
        course.run(Ask.SIGN_ORDER)
        course.do(SignOrder(DTMS))
    if since == "session":
        course.follow_next()
    if since == "phase":
        course.run(Ask.RELEASE)
        course.follow_next()
        course.do(Decide(DTMS, PhaseDecision.MOVE_ON, "Enough."))
    refusal = course.attempt(CorrectEntry(made.id, WHY), PRESCRIBER)
    assert rules(refusal) == ["phase"]
    assert "first" in str(refusal)


def test_an_end_decided_in_error_is_taken_back():
    """The pathway goes on: it is open, its visits are planned, and the next dose can be given."""
    course = stopped()
    back(course, DecisionMade)
    assert course.pathway.outcome is None
    course.run(Ask.GIVE)
    assert len(course.treatments()) == 1
    assert course.attempt(course.treatment(here(course)[0], course.now)) is None


def test_a_decision_taken_back_is_decided_anew():
    """Taking the taking back back would move the pathway behind everybody's back: refused."""
    for course in (moved_on(), stopped()):
        back(course, DecisionMade)
        void = next(e for e in course.events if isinstance(e.fact, EntryVoided))
        refusal = course.attempt(CorrectEntry(void.id, WHY), PRESCRIBER)
        assert rules(refusal) == ["corrected-since"]


def test_what_a_decision_brought_is_not_taken_back_by_itself():
    """The phase that was entered goes with its decision, and the refusal says so."""
    course = moved_on()
    refusal = course.attempt(CorrectEntry(entry(course, PhaseEntered).id, WHY), PRESCRIBER)
    assert not isinstance(refusal, Refused | Conflict)
    assert refusal is not None


def test_an_order_of_a_phase_that_was_never_entered_stays_taken_back():
    """Its order and then the decision taken back: the order cannot stand again alone."""
    course = moved_on()
    course.run(Ask.SIGN_ORDER)
    course.do(SignOrder(DTMS))
    back(course, OrderSigned)
    void = entry(course, EntryVoided).id
    back(course, DecisionMade)
    assert rules(course.attempt(CorrectEntry(void, WHY), PRESCRIBER)) == ["corrected-since"]


@pytest.mark.long
def test_a_course_with_everything_taken_back_once_still_ends():
    """Order, decision and end each taken back once: the course goes on to its end."""
    course = a_course()
    course.run(ONE)
    back(course, OrderSigned)
    course.run(TWO)
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "As discussed."))
    back(course, DecisionMade)
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "The patient's wish."))
    back(course, DecisionMade)
    course.run()
    assert course.pathway.outcome is PathwayOutcome.COMPLETED


def test_a_phase_hastened_and_then_never_entered_is_as_it_was():
    """A first visit brought forward in a phase that was entered in error brings nothing back."""
    course = moved_on()
    sooner = LocalTime(course.pathway.phases[DTMS].first_visit.day, time(8))
    hastened = Event(
        EventId("hastened"), course.now, KAIROS, FirstVisitHastened(DTMS, sooner, RULE)
    )
    course.record([hastened])
    assert course.pathway.phases[DTMS].first_visit == sooner
    back(course, DecisionMade)
    assert DTMS not in course.pathway.phases


def test_what_a_later_decision_rests_on_comes_last():
    """A decision about the next phase is taken back before the one that entered it."""
    course = moved_on()
    made = entry(course, DecisionMade)
    review = Event(
        EventId("review/0"),
        course.now,
        PRESCRIBER,
        DecisionMade(DTMS, PhaseDecision.CONTINUE, "Goes well.", ()),
    )
    course.record([review])
    refusal = course.attempt(CorrectEntry(made.id, WHY), PRESCRIBER)
    assert "a decision about accelerated deep TMS has since been made" in str(refusal)
