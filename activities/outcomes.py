"""What the ledger is told of a delivery that was taken from it: how far it came, and who is asked.

Must not speak to an EHR. An attempt that another has overtaken changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.delivery.words import DeliveryState, Intent, Standing
from domain.language.errors import Conflict
from domain.language.names import EhrPatientId
from fhir_adapters.exchange.client import Written
from fhir_adapters.exchange.failures import Disputed, WrongPatient
from fhir_adapters.exchange.verbs import Comparison
from fhir_adapters.profile.plan import EhrPlan
from store import ledger
from store.database import Database

SETTLING = timedelta(seconds=60)
"""How long a write whose answer was lost may still surface in an EHR that cannot be asked to
create conditionally. Only after that does an empty search prove that it never arrived."""

MOST_ATTEMPTS = 12
"""Attempts of one delivery after which a person is asked, and as many more if that person has it
sent again; an EHR that is away does not count."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery taken from the ledger, with the state it was found in.

    `known` maps the artefacts it refers to, and its own if it is there, to the EHR's `Type/id`.
    `ehr_id` is set if the EHR said that it did it, but it was not read back since.
    """

    id: int
    attempt: int
    was: DeliveryState
    at: datetime
    changed: datetime
    plan: EhrPlan
    intent: Intent
    known: Mapping[str, str]
    patient: EhrPatientId
    ehr_id: str | None
    standing: Standing

    @property
    def settled(self) -> bool:
        """Say whether a lost write would have surfaced by now."""
        return self.at - self.changed >= SETTLING


class Outcomes:
    """Commits what became of deliveries."""

    def __init__(self, database: Database) -> None:
        """Keep the database."""
        self._database = database

    async def again(self, taken: Taken, reason: str) -> None:
        """Put a delivery back to be sent, or ask a person after too many attempts."""
        if taken.attempt % MOST_ATTEMPTS == 0:
            reason = f"{reason}; {taken.attempt} attempts"
            await self.settle(taken, DeliveryState.REFUSED, reason, person=True)
            return
        await self.settle(taken, DeliveryState.INTENT, reason)

    async def disputed(self, taken: Taken, error: Disputed) -> None:
        """Settle a change that was not sent, since someone else had changed the same."""
        seen = Comparison(
            equal=False,
            differences=error.differences,
            rewritten=(),
            wrong_patient=False,
            version=None,
        )
        await self.in_ehr(taken, error.ehr_id, seen, str(error))

    async def in_ehr(
        self,
        taken: Taken,
        ehr_id: str,
        compared: Comparison,
        why: str = "the EHR holds something else than was meant",
    ) -> None:
        """Settle a delivery that stands in the EHR, equal or not.

        What stands on another patient is no place that anything may refer to.
        """
        state, reason = DeliveryState.CONFIRMED, None
        if compared.wrong_patient:
            state, reason = DeliveryState.MISFILED, str(WrongPatient())
        elif not compared.equal:
            state = DeliveryState.DIVERGENT
            reason = why
        async with self._database.begin() as tx:
            row = await ledger.get(tx, taken.id)
            if row.attempts != taken.attempt:
                return
            try:
                if not compared.wrong_patient:
                    await ledger.link(tx, row, ehr_id)
            except Conflict as error:
                ledger.ask(row, str(error), taken.at)
                return
            ledger.move(row, state, taken.at, reason)
            row.ehr_id, row.ehr_version = ehr_id, compared.version
            row.differences = list(compared.differences)
            row.needs_person = state is not DeliveryState.CONFIRMED

    async def wait(self, taken: Taken, stands: Written | None, reason: str) -> None:
        """Leave a delivery as it was, for the EHR did nothing; but what stands there stands."""
        if stands is None:
            await self.settle(taken, taken.was, reason, counts=False)
        else:
            unknown = DeliveryState.UNKNOWN
            await self.settle(taken, unknown, reason, counts=False, ehr_id=stands.ehr_id)

    async def settle(
        self,
        taken: Taken,
        to: DeliveryState,
        reason: str,
        *,
        person: bool = False,
        counts: bool = True,
        ehr_id: str | None = None,
    ) -> None:
        """Commit how far a delivery came, unless another attempt has taken it since."""
        async with self._database.begin() as tx:
            row = await ledger.get(tx, taken.id)
            if row.attempts != taken.attempt:
                return
            if row.state != to:
                ledger.move(row, to, taken.at, reason)
            row.reason, row.needs_person = reason, person
            row.ehr_id = ehr_id or row.ehr_id
            row.attempts -= not counts
