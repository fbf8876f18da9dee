"""What is to be written to an EHR and how far that has come. The ledger's words, not its storage.

The goal is exactly one effect in the EHR whatever is lost on the way: a lost response is unknown,
not failed, and is looked for before anything is sent again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

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
        {DeliveryState.SENT, DeliveryState.REFUSED, DeliveryState.SUPERSEDED}
    ),
    DeliveryState.SENT: frozenset(
        {
            DeliveryState.INTENT,  # it provably never left, or is provably not there
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
class Standing:
    """What Kairos last saw of an artefact in the EHR just as it had meant it.

    `version` is the EHR's; None if Kairos never saw all of it as meant, or something else since.
    """

    version: str | None = None
    elements: Mapping[str, Any] = field(default_factory=dict)
