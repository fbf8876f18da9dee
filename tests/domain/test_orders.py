"""Who may sign an order is the protocol's to say, and the same people are asked and admitted."""

from dataclasses import replace

import pytest

from domain.decide import decide
from domain.language.commands import Command, Wish
from domain.language.errors import Refused
from domain.language.names import Author, RequestId, Role
from domain.language.phases import Decide, OrderSigned, SignOrder
from domain.language.protocol import CombinedProtocol, Protocol
from domain.language.release import ReleaseVisit
from domain.language.treatment import RecordDose, RecordStimulation
from domain.permissions import roles_for
from domain.planner import steps
from domain.rules.steps import Ask, AskPerson
from tests.course import Course
from tests.domain.scenes import a_course, rules
from tests.domain.simulation import COMBINED, INDUCTION

NURSE, PRESCRIBER = (Author(f"a-{role}", role) for role in (Role.NURSE, Role.PRESCRIBER))


def ordered_by(*roles: Role) -> CombinedProtocol:
    """Make a pathway whose first phase is ordered by these roles."""
    first, *others = COMBINED.phases
    return replace(COMBINED, phases=(replace(first, ordered_by=roles), *others))


def asked(course: Course) -> tuple[Role, ...]:
    """Name those who are asked to sign."""
    found = steps(course.protocol, course.pathway, course.now)
    (step,) = (s for s in found if isinstance(s, AskPerson) and s.ask is Ask.SIGN_ORDER)
    return step.roles


@pytest.mark.parametrize("role", SignOrder.MAY)
@pytest.mark.parametrize("others", [(), (Role.PRESCRIBER,)])
def test_who_is_asked_may_sign_and_nobody_else(role: Role, others: tuple[Role, ...]):
    """Of all who might order treatment, exactly those whom the phase names get their order."""
    course = a_course(protocol=ordered_by(role, *others))
    assert asked(course) == (role, *others)
    for each in SignOrder.MAY:
        command = Command(RequestId("r"), Author("somebody", each), SignOrder(INDUCTION))
        if each in asked(course):
            (event,) = decide(course.protocol, course.pathway, command, course.now)
            assert event.fact == OrderSigned(INDUCTION)
        else:
            with pytest.raises(Refused) as refusal:
                decide(course.protocol, course.pathway, command, course.now)
            assert rules(refusal.value) == ["ordered-by"]


def test_who_may_not_sign_is_told_who_may():
    """A prescriber who signs what a nurse orders here reads so, and who can do it instead."""
    course = a_course(protocol=ordered_by(Role.NURSE))
    with pytest.raises(Refused, match="is ordered by a nurse, not by a prescriber") as refusal:
        course.do(SignOrder(INDUCTION), PRESCRIBER)
    (block,) = refusal.value.blocked_by
    assert block.who == (Role.NURSE,)
    course.do(SignOrder(INDUCTION), NURSE)


@pytest.mark.parametrize("phase", COMBINED.phases, ids=lambda phase: phase.id)
def test_who_is_asked_to_give_and_to_release_is_let_in(phase: Protocol):
    """Those whom a treatment has give a session and let the patient go may record just that."""
    record = RecordStimulation if phase.dose is None else RecordDose
    assert set(phase.modality.given_by) == set(record.MAY)
    assert set(phase.modality.released_by) <= set(ReleaseVisit.MAY)


@pytest.mark.parametrize(
    ("wish", "protocols", "roles"),
    [
        (SignOrder, [COMBINED], {Role.PRESCRIBER}),
        (SignOrder, [COMBINED, ordered_by(Role.NURSE)], {Role.NURSE, Role.PRESCRIBER}),
        (SignOrder, [], set()),
        (Decide, [ordered_by(Role.NURSE)], {Role.PRESCRIBER}),
    ],
)
def test_the_door_is_open_to_those_who_may_somewhere(
    wish: type[Wish], protocols: list[CombinedProtocol], roles: set[Role]
):
    """Whoever may sign some phase of some protocol may try; other wishes ask no protocol."""
    assert set(roles_for(wish, protocols)) == roles
