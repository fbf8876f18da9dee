"""A pathway under its row's lock: what happens on it is recorded here, and nowhere else."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from build import RULES
from domain.delivery.words import Intent
from domain.language.events import Event
from domain.language.names import KAIROS, Author, PathwayStatus
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from store import columns, ledger, pathways, restores
from store.database import Transaction
from store.records import PathwayRecord, pathway_record
from store.tables import AuditRow, EventRow, PathwayRow


class Recording:
    """One pathway, alone until the transaction ends; all that is added is committed with it."""

    def __init__(self, tx: Transaction, row: PathwayRow) -> None:
        self._tx = tx
        self._row = row

    @classmethod
    async def on(cls, tx: Transaction, pathway_id: str) -> "Recording":
        """Take a pathway that exists."""
        return cls(tx, await pathways.locked_row(tx, pathway_id))

    @property
    def stored(self) -> PathwayRecord:
        """The pathway as it is with what was recorded so far."""
        return pathway_record(self._row)

    async def pathway(self, protocol: CombinedProtocol) -> Pathway:
        """The pathway as the rules of this build see it."""
        return await pathways.folded(self._tx, pathway_record(self._row), protocol)

    async def history(self) -> list[Event]:
        """All that was recorded, in its order, with what was appended so far."""
        await self._tx.flush()
        return await pathways.history(self._tx, self._row.id)

    async def append(
        self,
        event: Event,
        intents: Sequence[Intent],
        request_id: str | None,
        at: datetime,
        pace: datetime,
    ) -> None:
        """Record one event: its place in the history, its audit row, and what it writes to EHRs.

        `at` by the clinic's clock; `pace` by the one that writes to EHRs are paced by.
        """
        row = self._row
        row.version += 1
        self._tx.add(
            EventRow(
                pathway_id=row.id,
                seq=row.version,
                event_id=event.id,
                kind=event.fact.kind,
                at=event.at,
                author_id=event.by.id,
                author_role=event.by.role,
                recorded_at=at,
                rules=RULES,
                event=columns.event_to_json(event),
            )
        )
        self._audit(event.fact.kind, event.by, event.id, request_id, at)
        if intents:
            restored = await restores.restored_at(self._tx)
            await ledger.intend(self._tx, self.stored, event.id, intents, pace, restored)

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        """What is appended within is kept or undone by itself, whatever else is recorded."""
        try:
            async with self._tx.begin_nested():
                yield
        except Exception:
            await self._tx.refresh(self._row)
            raise

    def project(self, pathway: Pathway, due: datetime | None, at: datetime) -> None:
        """Keep the pathway as it is after what was appended, and when to look at it again."""
        row = self._row
        if pathway.phases:  # before that nothing has begun
            row.status = PathwayStatus.OPEN
            row.phase = pathway.phase
        if pathway.outcome is not None:
            row.status = PathwayStatus.FINISHED
        row.projection = columns.pathway_to_json(pathway)
        row.rules = RULES
        row.due_at = due
        row.changed_at = at

    def repin(self, name: str) -> None:
        """Have the pathway go on under the protocol that is kept under that name."""
        self._row.protocol_sha256 = name

    def release(self) -> None:
        """Let the patient go of a pathway whose start was refused: it never begins."""
        self._row.status = PathwayStatus.FINISHED

    def restarted(self, at: datetime) -> None:
        """Note that the pathway's workflow was gone, and was started again from here."""
        self._row.restarted_at = at
        self.note("workflow-restarted", f"version {self._row.version}", at)

    def note(self, action: str, subject: str, at: datetime) -> None:
        """Write down what became of the record itself, for investigation."""
        self._audit(action, KAIROS, subject, None, at)

    def _audit(
        self, action: str, by: Author, subject: str, request_id: str | None, at: datetime
    ) -> None:
        self._tx.add(
            AuditRow(
                site_id=self._row.site_id,
                pathway_id=self._row.id,
                action=action,
                actor_id=by.id,
                actor_role=by.role,
                subject=subject,
                request_id=request_id,
                at=at,
            )
        )
