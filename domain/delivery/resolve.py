"""What a person may decide about a delivery, and what follows.

Only what waits for a person is a person's to decide; the rest is under way. No choice has anything
sent that may be in the EHR: it is looked for first.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, assert_never

from domain.delivery.words import Action, Delivery, DeliveryDecision, DeliveryState
from domain.language.errors import Conflict, Refused
from domain.language.names import Author, Role, any_of

MAY_RESOLVE = (Role.OPERATIONS, Role.INTEGRATOR)


@dataclass(frozen=True, slots=True)
class Retry:
    """Have it tried again: looked for first if it was ever sent."""

    kind: ClassVar[str] = "retry"
    reason: str


@dataclass(frozen=True, slots=True)
class Accept:
    """Take what the EHR made of it."""

    kind: ClassVar[str] = "accept"
    reason: str


@dataclass(frozen=True, slots=True)
class Supersede:
    """It is not needed any more, or a person entered it in the EHR by hand."""

    kind: ClassVar[str] = "supersede"
    reason: str


@dataclass(frozen=True, slots=True)
class SupersedeAs:
    """As `Supersede`, naming the resource that it is in the EHR, so that others can refer to it."""

    kind: ClassVar[str] = "supersede-as"
    reason: str
    ehr_id: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """The person looked in the EHR, and it is not there: it is sent unless Kairos finds it."""

    kind: ClassVar[str] = "not-there"
    reason: str


@dataclass(frozen=True, slots=True)
class ThisOne:
    """The person found it in the EHR: it is read there, and compared with what was meant."""

    kind: ClassVar[str] = "this-one"
    reason: str
    ehr_id: str


Choice = Retry | Accept | Supersede | SupersedeAs | NotThere | ThisOne
Kind = (
    type[Retry]
    | type[Accept]
    | type[Supersede]
    | type[SupersedeAs]
    | type[NotThere]
    | type[ThisOne]
)


def possible(delivery: Delivery) -> tuple[Kind, ...]:
    """List what a person may decide about a delivery now; nothing if it waits for nobody."""
    if delivery.state is DeliveryState.SUPERSEDED:
        return (SupersedeAs,)
    if not delivery.waits_for_person or delivery.state is DeliveryState.CONFIRMED:
        return ()
    return (*_before_it_is_dropped(delivery), Supersede, SupersedeAs)


def _before_it_is_dropped(delivery: Delivery) -> tuple[Kind, ...]:
    match delivery.state:
        case DeliveryState.UNKNOWN if delivery.action is Action.CREATE and not delivery.ehr_id:
            return (Retry, NotThere, ThisOne)
        case DeliveryState.REFUSED | DeliveryState.UNKNOWN | DeliveryState.MISFILED:
            return () if delivery.action is Action.PERSON else (Retry,)
        case DeliveryState.DIVERGENT:
            return (Accept,)
    return ()


def resolve(delivery: Delivery, choice: Choice, person: Author) -> DeliveryDecision:
    """Decide what follows from a person's choice.

    Refused for a role that may not; Conflict, saying what would be right, for a choice that does
    not fit the delivery as it is now.
    """
    if person.role not in MAY_RESOLVE:
        raise Refused(f"only {any_of(MAY_RESOLVE)} may decide about a delivery")
    if type(choice) not in possible(delivery):
        raise Conflict(f"delivery {delivery.id} {_why_not(delivery, choice)}")
    match choice:
        case Retry():
            again = _decided(delivery, _tried_again(delivery), choice, attempts=0)
            return replace(again, vouched=delivery.state is DeliveryState.REFUSED)
        case NotThere():
            sent = _decided(delivery, DeliveryState.UNKNOWN, choice, attempts=0)
            return replace(sent, vouched=True)
        case ThisOne(ehr_id=ehr_id):
            read = _decided(delivery, DeliveryState.UNKNOWN, choice, attempts=0, ehr_id=ehr_id)
            return replace(read, linked=False)
        case Accept():
            return _decided(delivery, DeliveryState.CONFIRMED, choice)
        case Supersede():
            return _decided(delivery, DeliveryState.SUPERSEDED, choice)
        case SupersedeAs(ehr_id=ehr_id):
            return _decided(delivery, DeliveryState.SUPERSEDED, choice, ehr_id=ehr_id)
    assert_never(choice)


def _tried_again(delivery: Delivery) -> DeliveryState:
    """Look first for what was ever sent: whoever refused it may have done it all the same."""
    refused_unsent = (
        delivery.state is DeliveryState.REFUSED
        and delivery.attempts == 0
        and delivery.ehr_id is None
    )
    return DeliveryState.INTENT if refused_unsent else DeliveryState.UNKNOWN


def _decided(
    delivery: Delivery,
    state: DeliveryState,
    choice: Choice,
    *,
    attempts: int | None = None,
    ehr_id: str | None = None,
) -> DeliveryDecision:
    return DeliveryDecision(
        state=state,
        attempts=delivery.attempts if attempts is None else attempts,
        reason=choice.reason,
        ehr_id=ehr_id or delivery.ehr_id,
        ehr_version=delivery.ehr_version,
        differences=delivery.differences,
        linked=ehr_id is not None,
    )


def _why_not(delivery: Delivery, choice: Choice) -> str:
    """Say why a choice does not fit, and what would."""
    if delivery.state is DeliveryState.SUPERSEDED:
        return "is already superseded; only its resource in the EHR can still be named"
    if not delivery.waits_for_person:
        return f"is {delivery.state}; no decision is needed"
    match choice:
        case Accept():
            return f"is {delivery.state}: there is nothing in the EHR to accept"
        case Retry() if delivery.action is Action.PERSON:
            return "must be entered by hand; supersede it once it is in the EHR"
        case Retry() if delivery.state in (DeliveryState.INTENT, DeliveryState.SENT):
            return f"cannot be sent yet: {delivery.reason}"
        case Retry() | NotThere() | ThisOne() | Supersede() | SupersedeAs():
            return f"is {delivery.state}; accept what the EHR holds, or supersede it"
    assert_never(choice)
