"""Where a patient went after a visit, and why nothing was given if nothing was."""

import pytest

from domain.language.errors import Malformed
from domain.language.names import PathwayOutcome, Role
from domain.language.release import RELEASED, Disposition, NotTreated, ReleaseVisit, VisitReleased
from domain.planner import steps
from domain.rules.steps import Ask
from tests.domain.scenes import FIT_TO_LEAVE, ONE, checked_in, dosed, minutes, missing, rules

ELSEWHERE = [went for went in Disposition if went not in RELEASED]


def test_nobody_goes_home_undosed_without_a_word():
    """With nothing recorded the release asks whether a dose was given; a reason answers it."""
    course = checked_in()
    assert missing(course.attempt(ReleaseVisit(ONE))) == ["not-treated"]
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED))
    assert course.facts(VisitReleased)[-1].not_treated is NotTreated.DECLINED


def test_a_reason_for_not_treating_somebody_who_was_is_a_slip():
    """With a dose recorded nobody says why there was none."""
    course = dosed()
    for went in Disposition:
        wish = ReleaseVisit(ONE, went, "why", not_treated=NotTreated.OTHER)
        assert isinstance(course.attempt(wish), Malformed)


@pytest.mark.parametrize("went", ELSEWHERE)
def test_whoever_does_not_simply_go_home_is_recorded_in_words(went: Disposition):
    """Ambulance, admission, death and leaving against advice each stand as what they were."""
    course = dosed()
    course.wait(minutes(20))
    for nothing in ("", " ", "-"):
        assert isinstance(course.attempt(ReleaseVisit(ONE, went, nothing)), Malformed)
    course.do(ReleaseVisit(ONE, went, "Chest pain at 09:20; ambulance called."))
    (left,) = course.facts(VisitReleased)
    assert (left.disposition, bool(left.against_advice)) == (
        went,
        went is Disposition.AGAINST_ADVICE,
    )
    assert any("time observed" in finding for finding in left.findings)
    course.run_rules()
    (task,) = [k for k in course.pathway.tasks if k.startswith(Ask.REVIEW_DEVIATION)]
    assert course.pathway.tasks[task].due is not None


@pytest.mark.parametrize("went", RELEASED)
def test_home_waits_for_every_check(went: Disposition):
    """With an escort or without one, two hours and the readings come first."""
    course = dosed()
    assert "fit-to-leave" in rules(course.attempt(ReleaseVisit(ONE, went)))
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(81))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.do(ReleaseVisit(ONE, went))
    assert course.pathway.visits[ONE].went is went


def test_after_a_death_there_is_one_thing_to_do():
    """Nobody is asked to book, check in or go on; once it is stopped no visit is left open."""
    course = dosed()
    course.wait(minutes(20))
    course.do(ReleaseVisit(ONE, Disposition.DIED, "Resuscitated for 40 minutes without success."))
    course.run_rules()
    found = [s for s in steps(course.protocol, course.pathway, course.now) if s.rule == "died"]
    assert [(s.ask, s.roles) for s in found] == [(Ask.DECIDE, (Role.PRESCRIBER,))]  # type: ignore[union-attr]
    others = {s.ask for s in steps(course.protocol, course.pathway, course.now) if s not in found}  # type: ignore[union-attr]
    assert others <= {Ask.REVIEW_DEVIATION, Ask.REVIEW_RISK}
    course.run()
    assert course.pathway.outcome is PathwayOutcome.STOPPED
    assert not {v.status for v in course.pathway.visits.values()} & {"proposed", "booked"}
