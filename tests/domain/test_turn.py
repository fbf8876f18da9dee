"""One turn of a pathway: accepted or refused as data, and what follows comes to rest."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import turn
from domain.decide import correction, decide
from domain.enrolment import Enrolment
from domain.language.clocks import LocalTime
from domain.language.commands import Command, Wish
from domain.language.corrections import CorrectEntry, WrongPatient
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.findings import Blocked
from domain.language.names import (
    Author,
    ConnectionId,
    EhrPatientId,
    EventId,
    PathwayId,
    RequestId,
    Role,
    RuleId,
    SiteId,
)
from domain.language.pathway import Pathway
from domain.language.phases import PathwayStarted, PhaseEntered, SignOrder
from domain.language.refusal import Refusal, error_of, refusal_of
from domain.language.treatment import DoseGiven
from tests.course import PRESCRIBER
from tests.domain.scenes import FIRST, a_course, dosed
from tests.domain.simulation import COMBINED, INDUCTION, NEW_YORK

MANAGER = Author("a-care-manager", Role.CARE_MANAGER)
EMPTY = Pathway(PathwayId("p1"))


def command(wish: Wish, by: Author = PRESCRIBER, expects: int | None = None) -> Command:
    """A wish as it arrives."""
    return Command(RequestId("r1"), by, wish, expects)


def enrolment(first: LocalTime = FIRST) -> Enrolment:
    """A patient who is to start."""
    started = PathwayStarted(
        EhrPatientId("ehr-1"),
        ConnectionId("ehr"),
        SiteId("site"),
        NEW_YORK,
        COMBINED.id,
        COMBINED.version,
        COMBINED.sha256,
    )
    return Enrolment(RequestId("r0"), MANAGER, started, first)


def test_an_enrolment_starts_the_pathway():
    """What is enrolled becomes the start and the first phase, said by whoever enrolled."""
    now = a_course().now
    events = turn.settle(COMBINED, EMPTY, 0, enrolment(), now)
    assert isinstance(events, tuple)
    assert [type(event.fact) for event in events] == [PathwayStarted, PhaseEntered]
    assert {(event.by, event.at) for event in events} == {(MANAGER, now)}


def test_a_command_becomes_the_facts_that_the_domain_decides():
    """An accepted command settles as what `decide` makes of it."""
    course = a_course()
    signed = command(SignOrder(INDUCTION))
    events = turn.settle(COMBINED, course.pathway, 3, signed, course.now)
    assert events == decide(COMBINED, course.pathway, signed, course.now)
    assert events


@pytest.mark.parametrize(("expects", "taken"), [(None, True), (3, True), (2, False), (4, False)])
def test_a_command_for_another_version_is_a_conflict(expects: int | None, *, taken: bool):
    """Whoever saw another version than the one that stands is told which stands."""
    course = a_course()
    wish = command(SignOrder(INDUCTION), expects=expects)
    answer = turn.settle(COMBINED, course.pathway, 3, wish, course.now)
    if taken:
        assert isinstance(answer, tuple)
        return
    says = f"the pathway is now at version 3, not {expects}"
    assert answer == Refusal("Conflict", says, version=3)


def test_a_correction_is_settled_over_the_whole_history():
    """It needs the history, and becomes what `correction` makes of it."""
    course = dosed()
    wrong = next(event for event in course.events if isinstance(event.fact, DoseGiven))
    wish = command(CorrectEntry(wrong.id, "another patient's slip"))
    assert turn.needs_history(wish, course.now)
    assert not turn.needs_history(command(SignOrder(INDUCTION)), course.now)
    assert not turn.needs_history(enrolment(), course.now)
    events = turn.settle(COMBINED, course.pathway, 9, wish, course.now, course.events)
    assert events == correction(COMBINED, course.pathway, course.events, wish, course.now, {})
    assert events


def test_a_refusal_is_an_answer_and_no_error():
    """What is refused settles as data that says who may."""
    course = a_course()
    answer = turn.settle(
        COMBINED, course.pathway, 3, command(SignOrder(INDUCTION), MANAGER), course.now
    )
    assert isinstance(answer, Refusal)
    assert (answer.kind, [block.rule for block in answer.blocked_by]) == ("Refused", ["ordered-by"])


BLOCKED = Blocked(RuleId("hold"), (Role.PRESCRIBER,), finding="a hold is open")


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (Refused("may not treat", (BLOCKED,)), Refusal("Refused", "may not treat", (BLOCKED,))),
        (Conflict("lifted already"), Refusal("Conflict", "lifted already")),
        (Conflict("at version 3", 3), Refusal("Conflict", "at version 3", version=3)),
        (Malformed("no such visit"), Refusal("Malformed", "no such visit")),
    ],
)
def test_an_error_that_was_kept_is_the_same_error_again(error, kept):
    """Its kind, its words, what blocks and the version survive being kept as data."""
    assert refusal_of(error) == kept
    again = error_of(kept)
    assert type(again) is type(error)
    assert refusal_of(again) == kept


def test_nothing_goes_onward_of_what_is_no_correction_or_is_unknown_here():
    """Another pathway is asked only about an entry that is on this one."""
    course = dosed()
    whose = WrongPatient(PathwayId("p2"))
    unknown = command(CorrectEntry(EventId("nothing"), "another patient's", wrong_patient=whose))
    assert turn.onward(COMBINED, enrolment(), course.events) is None
    assert turn.onward(COMBINED, command(SignOrder(INDUCTION)), course.events) is None
    assert turn.onward(COMBINED, unknown, course.events) is None


def test_nothing_follows_on_a_pathway_that_is_not_started():
    """Before its start there is nothing to do and no time at which to look again."""
    assert turn.follow(COMBINED, EMPTY, a_course().now) == turn.Following((), None)


def test_what_follows_comes_to_rest_and_says_when_to_look_again():
    """After the start Kairos opens its tasks, and it looks again within a day."""
    course = a_course()
    course.pathway = replace(course.pathway, tasks={})
    following = turn.follow(COMBINED, course.pathway, course.now)
    assert following.events
    assert following.due is not None
    assert course.now < following.due <= course.now + timedelta(hours=24)
    course.record(following.events)
    assert turn.follow(COMBINED, course.pathway, course.now).events == ()


def test_what_never_comes_to_rest_is_a_defect(monkeypatch: pytest.MonkeyPatch):
    """Rules that call for more of themselves for ever stop the turn and fill no store."""
    course = a_course()
    course.pathway = replace(course.pathway, tasks={})
    monkeypatch.setattr(turn, "fold", lambda pathway, _events, _words: pathway)
    with pytest.raises(RuntimeError, match="without end"):
        turn.follow(COMBINED, course.pathway, course.now)


def test_corrections_are_decided_over_the_history_and_nothing_else_is():
    """Either question asked of the other kind of wish is a defect of whoever asks."""
    course = dosed()
    wrong = next(event for event in course.events if isinstance(event.fact, DoseGiven))
    with pytest.raises(TypeError, match="more than the state"):
        decide(COMBINED, course.pathway, command(CorrectEntry(wrong.id, "why")), course.now)
    with pytest.raises(TypeError, match="not a correction"):
        correction(COMBINED, course.pathway, [], command(SignOrder(INDUCTION)), course.now, {})
