"""What is to be written to an EHR and how far that has come. The ledger's words, not its storage.

The goal is exactly one effect in the EHR whatever is lost on the way: a lost response is unknown,
not failed, and is looked for before anything is sent again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.language.names import ConnectionId, EhrPatientId, EventId, PathwayId, SiteId

ARTEFACT = "urn:kairos:artefact:"
"""Prefix of a reference to another artefact, replaced by its `Type/id` when it is delivered."""


class Action(StrEnum):
    """How an artefact is written."""

    CREATE = "create"
    UPDATE = "update"
    PERSON = "person"  # the EHR cannot take it: a person enters it by hand


class DeliveryState(StrEnum):
    """Where a delivery stands. Moves only along `MOVES`."""

    INTENT = "intent"  # committed, not a byte sent
    SENT = "sent"  # committed as about to be sent; after a crash as good as unknown
    UNKNOWN = "unknown"  # sent, and no answer came: look before sending again
    CONFIRMED = "confirmed"  # in the EHR, read back and equal
    DIVERGENT = "divergent"  # in the EHR, read back and different: a person looks
    MISFILED = "misfiled"  # in the EHR on another patient: its lane stops until a person looked
    REFUSED = "refused"  # the EHR said no: a person looks
    SUPERSEDED = "superseded"  # a person decided that it is not needed any more


MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.INTENT: frozenset(
        {
            DeliveryState.SENT,
            DeliveryState.UNKNOWN,  # the database was restored: it may have been sent since
            DeliveryState.SUPERSEDED,
        }
    ),
    DeliveryState.SENT: frozenset(
        {
            DeliveryState.INTENT,  # it provably never left, or is provably not there
            DeliveryState.SUPERSEDED,  # after a restore it waited for what nothing brings
            DeliveryState.UNKNOWN,
            DeliveryState.CONFIRMED,
            DeliveryState.DIVERGENT,
            DeliveryState.MISFILED,
            DeliveryState.REFUSED,
        }
    ),
    DeliveryState.UNKNOWN: frozenset(
        {
            DeliveryState.SUPERSEDED,  # a person found it in the EHR, or entered it there
            DeliveryState.INTENT,
            DeliveryState.CONFIRMED,
            DeliveryState.DIVERGENT,
            DeliveryState.MISFILED,
            DeliveryState.REFUSED,
        }
    ),
    DeliveryState.REFUSED: frozenset(
        {
            DeliveryState.INTENT,
            DeliveryState.UNKNOWN,  # a person has it sent again: it is looked for first
            DeliveryState.SUPERSEDED,
        }
    ),
    DeliveryState.DIVERGENT: frozenset({DeliveryState.CONFIRMED, DeliveryState.SUPERSEDED}),
    DeliveryState.MISFILED: frozenset(
        {
            DeliveryState.UNKNOWN,  # put right there: it is read again
            DeliveryState.SUPERSEDED,
        }
    ),
    DeliveryState.CONFIRMED: frozenset(),
    DeliveryState.SUPERSEDED: frozenset(),
}

OPEN = frozenset({DeliveryState.INTENT, DeliveryState.SENT, DeliveryState.UNKNOWN})
NEEDS_PERSON = frozenset({DeliveryState.REFUSED, DeliveryState.DIVERGENT, DeliveryState.MISFILED})


@dataclass(frozen=True, slots=True)
class Intent:
    """One write that an event calls for.

    `artefact` identifies the thing in the EHR: the same for its create and all its updates, and
    the value of its FHIR identifier. `body` is the whole resource for a create, and for an update
    the top-level elements that change. `needs` lists artefacts that must be in the EHR before.
    """

    artefact: str
    resource_type: str
    action: Action
    body: Mapping[str, Any]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LastSeen:
    """What Kairos last saw of an artefact in the EHR just as it had meant it.

    `version` is the EHR's; None if Kairos never saw all of it as meant, or something else since.
    """

    version: str | None = None
    elements: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An intent in the ledger, and how far it has come.

    `attempts` counts tries since a person last decided about it; one that provably never reached
    the EHR, or that the EHR put off, is none. `ehr_id` is set once the EHR said which resource it
    became, though it may not have been read back yet. `differences` are paths, never values.
    `sent_at` is when it last was about to leave, so that it may be on its way since. `refusal` is
    what the EHR answered to it if that was no, and `put_off` is set if it was "not now": either way
    it is looked for. `vouched_at` is when a person last had it sent, unless it is found.
    """

    id: int
    site_id: SiteId
    pathway_id: PathwayId
    connection_id: ConnectionId
    patient_id: EhrPatientId
    event_id: EventId
    artefact: str
    resource_type: str
    action: Action
    body: Mapping[str, Any]
    needs: tuple[str, ...]
    state: DeliveryState
    needs_person: bool
    attempts: int
    ehr_id: str | None
    ehr_version: str | None
    differences: tuple[str, ...]
    reason: str | None
    created_at: datetime
    changed_at: datetime
    sent_at: datetime | None = None
    said: str | None = field(default=None, repr=False)  # by the EHR, when it refused
    refusal: str | None = None
    put_off: bool = False
    vouched_at: datetime | None = None

    @property
    def is_vouched(self) -> bool:
        """Whether a person, since it last left, had it sent unless it is found."""
        since = self.sent_at
        return self.vouched_at is not None and (since is None or self.vouched_at > since)

    @property
    def intent(self) -> Intent:
        """The write itself."""
        return Intent(self.artefact, self.resource_type, self.action, self.body, self.needs)

    @property
    def waits_for_person(self) -> bool:
        """Whether somebody is asked to decide about it."""
        return self.needs_person or self.state in NEEDS_PERSON


@dataclass(frozen=True, slots=True)
class DeliveryDecision:
    """What the ledger is to say of a delivery from now on.

    `linked` says that other resources may refer to it as `ehr_id`. `vouched` says that a person
    has it sent, unless it is found. `wait` is how long to leave it
    alone, None for no time of its own. `ehr_away` says that the EHR is, not only this delivery:
    the whole lane waits.
    """

    state: DeliveryState
    attempts: int
    reason: str | None
    needs_person: bool = False
    ehr_id: str | None = None
    ehr_version: str | None = None
    differences: tuple[str, ...] = ()
    linked: bool = False
    wait: timedelta | None = None
    ehr_away: bool = False
    refusal: str | None = None
    put_off: bool = False
    vouched: bool = False
