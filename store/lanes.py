"""Lanes: what of a patient's deliveries to one EHR is not settled, in the order it was meant.

Which is next and what waits for ever is the domain's to say; here it is looked up and written
down. Reads no body but that of the delivery taken, and no more rows than it takes to find it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import text

from domain.delivery.urgency import is_urgent
from domain.delivery.waiting import Bringer, InLane, may_go, missing_from, next_of, questions
from domain.delivery.words import OPEN, Action, DeliveryDecision, DeliveryState
from store.database import Transaction

MOST_IN_A_ROW = 20
"""Deliveries of one lane after which another may go: a long backlog holds up nobody else's."""

FIRST_LOOK = 100
"""Deliveries of a lane that are looked at first. More are read only if none of these may go."""


@dataclass(slots=True)
class LaneView:
    """A lane as it was looked at, and as it is with what its holder has done since.

    `aside` says until when which deliveries are left alone. `whole` says that there were no more.
    """

    rows: list[InLane]
    in_ehr: set[str]
    aside: dict[int, datetime]
    urgent: frozenset[int]
    whole: bool

    def next(self, now: datetime) -> int | None:
        """Name the delivery that may go now; None if there is none among these."""
        aside = {number for number, until in self.aside.items() if until > now}
        return next_of(self.rows, self.in_ehr, aside)

    def again_at(self, now: datetime) -> datetime | None:
        """Say when one that is left alone may go; None if none is."""
        open_ = {each.id for each in self.rows if each.state in OPEN and not each.needs_person}
        waits = [at for number, at in self.aside.items() if number in open_ and at > now]
        return min(waits, default=None)

    def is_urgent(self, now: datetime) -> bool:
        """Say whether one of the next that may go is to go before what others wait for."""
        aside = {number for number, until in self.aside.items() if until > now}
        going = may_go(self.rows, self.in_ehr, aside, MOST_IN_A_ROW)
        return any(number in self.urgent for number in going)

    def decided(self, number: int, decision: DeliveryDecision, until: datetime | None) -> None:
        """Note what was decided about one of these."""
        known = next(each for each in self.rows if each.id == number)
        place = self.rows.index(known)
        if decision.linked:
            self.in_ehr.add(known.artefact)
        if decision.state in _NOT_DONE:
            self.rows[place] = replace(
                known,
                state=decision.state,
                needs_person=decision.needs_person,
                reason=decision.reason,
            )
        else:
            del self.rows[place]
        self.aside.pop(number, None)
        if until is not None:
            self.aside[number] = until


_NOT_DONE = (*OPEN, DeliveryState.REFUSED, DeliveryState.MISFILED)

# Each link is looked up by itself. A planner without statistics (a new database, one that was
# restored) takes a comparison with several for most of the connection's links, and reads them all.
_VIEW = text(
    "select d.id, d.artefact, d.action, d.state, d.needs, d.needs_person, d.reason, d.not_before,"
    " d.resource_type, array(select (select l.artefact from ehr_link l"
    " where l.connection_id = d.connection_id and l.artefact = name)"
    " from jsonb_array_elements_text(d.needs || to_jsonb(d.artefact)) as name) as there"
    " from delivery d where d.connection_id = :connection and d.patient_id = :patient"
    " and d.state in ('intent', 'sent', 'unknown', 'refused', 'misfiled')"
    " order by d.id limit :most"
)
_MISFILED = text(
    "select d.id, d.artefact from delivery d"
    " where d.connection_id = :connection and d.patient_id = :patient and d.state = 'misfiled'"
    " limit 1"
)


async def view(
    tx: Transaction, connection_id: str, patient_id: str, most: int | None = FIRST_LOOK
) -> LaneView:
    """Look at a lane's first deliveries that are not done, and note who is to be asked."""
    lane = {"connection": connection_id, "patient": patient_id}
    found = (await tx.execute(_VIEW, {**lane, "most": most})).all()
    rows, in_ehr, aside, urgent = [], set[str](), {}, set[int]()
    for row in found:
        needs = tuple(row.needs)
        action, state = Action(row.action), DeliveryState(row.state)
        rows.append(
            InLane(row.id, row.artefact, action, state, needs, row.needs_person, row.reason)
        )
        in_ehr.update(name for name in row.there if name is not None)
        if row.not_before is not None:
            aside[row.id] = row.not_before
        if is_urgent(row.resource_type):
            urgent.add(row.id)
    whole = most is None or len(found) < most
    if not whole and (one := (await tx.execute(_MISFILED, lane)).first()) is not None:
        rows.append(
            InLane(
                one.id, one.artefact, Action.CREATE, DeliveryState.MISFILED, (), needs_person=True
            )
        )
    seen = LaneView(rows, in_ehr, aside, frozenset(urgent), whole)
    await _ask(tx, connection_id, seen)
    return seen


async def ask_what_waits(tx: Transaction, connection_id: str, patient_id: str) -> None:
    """Ask a person about each delivery that waits for what no delivery will bring.

    Once it is known which resource of the EHR it waits for, nobody is asked any more.
    """
    await view(tx, connection_id, patient_id, None)


_ASK = text(
    "update delivery set needs_person = :person, reason = :reason where id = (select id"
    " from delivery where id = :number and state = 'intent' for update skip locked)"
)


async def _ask(tx: Transaction, connection_id: str, seen: LaneView) -> None:
    """Note who is to be asked from now on, or not any more."""
    missing = missing_from(seen.rows, seen.in_ehr)
    asked = questions(seen.rows, missing, await _bringers(tx, connection_id, missing))
    why = {question.id: question.reason for question in asked}
    for number, reason in why.items():
        await tx.execute(_ASK, {"number": number, "person": reason is not None, "reason": reason})
    if why:
        seen.rows = [_with_a_person(e, why[e.id]) if e.id in why else e for e in seen.rows]


def _with_a_person(each: InLane, reason: str | None) -> InLane:
    return replace(each, needs_person=reason is not None, reason=reason)


_BRINGERS = text(
    "select id, artefact, action, state from delivery"
    " where connection_id = :connection and artefact = any(:missing) and action <> 'update'"
    " order by id"
)


async def _bringers(
    tx: Transaction, connection_id: str, missing: Collection[str]
) -> Sequence[Bringer]:
    if not missing:
        return ()
    values = {"connection": connection_id, "missing": list(missing)}
    rows = (await tx.execute(_BRINGERS, values)).all()
    return [
        Bringer(number, artefact, Action(action), DeliveryState(state))
        for number, artefact, action, state in rows
    ]
