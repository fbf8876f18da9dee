"""A pathway under its row's lock: what happens on it is recorded here, and nowhere else."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import text

from build import RULES
from domain.delivery.urgency import is_urgent
from domain.delivery.words import Intent
from domain.language.events import Event
from domain.language.names import KAIROS, Author, PathwayStatus
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.worklist import ListedScore, ListedTask, ListedVisit
from store import columns, ledger, listed, pathways, queue
from store.database import Transaction
from store.records import Next, PathwayRecord

_EVENT = text(
    "insert into event (pathway_id, seq, event_id, kind, at, author_id, author_role, recorded_at,"
    " rules, fact) values (:pathway, :seq, :id, :kind, :at, :author, :role, :recorded_at, :rules,"
    " cast(:fact as jsonb))"
)
_AUDIT = text(
    "insert into audit (site_id, pathway_id, action, actor_id, actor_role, subject, request_id, at)"
    " values (:site, :pathway, :action, :actor, :role, :subject, :request, :at)"
)
_PATHWAY = text(
    "update pathway set status = :status, phase = :phase, version = :version, rules = :rules,"
    " protocol_sha256 = :protocol, due_at = :due_at, changed_at = :changed_at,"
    " restarted_at = :restarted_at,"
    " urgency = :urgency, next_says = :next_says, next_who = :next_who, next_due = :next_due,"
    " listed = :listed, task_due = :task_due, scores = cast(:scores as jsonb),"
    " scored_at = :scored_at,"
    " projection = coalesce(cast(:projection as jsonb), projection) where id = :id"
)


class Recording:
    """One pathway, alone until the transaction ends.

    What is added is written in a few statements when `on` is left, and not if by an error.
    """

    def __init__(
        self, tx: Transaction, stored: PathwayRecord, restored_at: datetime | None
    ) -> None:
        self._tx = tx
        self.restored_at = restored_at
        """When the database was last noticed to be another."""
        self._before = stored
        self.stored = stored
        """The pathway as it is with what was recorded so far."""
        self._events: list[Event] = []
        self._event_rows: list[dict[str, object]] = []
        self._audits: list[dict[str, object]] = []
        self._intents: list[tuple[str, Sequence[Intent]]] = []
        self._rings_at: datetime | None = None
        self._urgent = False
        self._tasks: list[dict[str, object]] | None = None
        self._visits: Sequence[ListedVisit] | None = None

    @classmethod
    @asynccontextmanager
    async def on(cls, tx: Transaction, pathway_id: str) -> "AsyncIterator[Recording]":
        """Take a pathway that exists, and write what was recorded at the end."""
        recording = cls(tx, *await pathways.lock_with_restore(tx, pathway_id))
        yield recording
        await recording._write()

    async def pathway(self, protocol: CombinedProtocol) -> Pathway:
        """The pathway as the rules of this build see it."""
        return await pathways.folded(self._tx, self.stored, protocol)

    async def history(self) -> list[Event]:
        """All that was recorded, in its order, with what was appended so far."""
        return [*await pathways.history(self._tx, self.stored.id), *self._events]

    def append(
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
        row: dict[str, object] = {
            "pathway": self.stored.id,
            "seq": self.stored.version + 1,
            "id": event.id,
            "kind": event.fact.kind,
            "at": event.at,
            "author": event.by.id,
            "role": event.by.role,
            "recorded_at": at,
            "rules": RULES,
            "fact": json.dumps(columns.fact_to_json(event.fact)),
        }
        self._event_rows.append(row)
        self._events.append(event)
        self.stored = replace(self.stored, version=self.stored.version + 1)
        self._audit(event.fact.kind, event.by, event.id, request_id, at)
        if intents:
            self._intents.append((event.id, intents))
            self.ring(pace, urgent=any(is_urgent(each.resource_type) for each in intents))

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        """What is appended within is kept or undone by itself, whatever else is recorded."""
        await self._write_rows()
        stored = self.stored
        try:
            async with self._tx.begin_nested():
                yield
                await self._write_rows()
        except Exception:
            self.stored = stored
            self._clear()
            raise

    def ring(self, pace: datetime, *, urgent: bool = False) -> None:
        """Ring for the pathway's lane when all is written: something may go, or go on, now."""
        self._rings_at = pace
        self._urgent = self._urgent or urgent

    def project(self, pathway: Pathway, due: datetime | None, at: datetime) -> None:
        """Keep the pathway as it is after what was appended, and when to look at it again."""
        status, phase = self.stored.status, self.stored.phase
        if pathway.phases:  # before that nothing has begun
            status, phase = PathwayStatus.OPEN, pathway.phase
        if pathway.outcome is not None:
            status = PathwayStatus.FINISHED
        same = self.stored.version == self._before.version
        self.stored = replace(
            self.stored,
            status=status,
            phase=phase,
            projection=columns.pathway_to_json(pathway),
            rules=RULES,
            due_at=due,
            changed_at=self.stored.changed_at if same else at,
        )

    def show(
        self,
        following: Next | None,
        tasks: Sequence[ListedTask],
        urgency: int,
        scores: Sequence[ListedScore] = (),
        *,
        anew: bool = False,
    ) -> None:
        """Have the lists show what comes next, the scores, and these open tasks.

        The tasks only if they do not show them already, or if all is to be shown `anew`.
        """
        rows = listed.task_rows(tasks)
        found = listed.digest(rows)
        if anew or found != self.stored.listed:
            self._tasks = rows
        first = min((each.task.due for each in tasks if each.task.due), default=None)
        self.stored = replace(
            self.stored,
            urgency=urgency,
            next=following,
            listed=found,
            task_due=first,
            scores=[listed.score_row(each) for each in scores],
            scored_at=max((each.last.at for each in scores), default=None),
        )

    def show_visits(self, visits: Sequence[ListedVisit]) -> None:
        """Have the lists show these visits."""
        self._visits = visits

    def repin(self, name: str) -> None:
        """Have the pathway go on under the protocol that is kept under that name."""
        self.stored = replace(self.stored, protocol_sha256=name)

    def release(self) -> None:
        """Let the patient go of a pathway whose start was refused: it never begins."""
        self.stored = replace(self.stored, status=PathwayStatus.FINISHED)

    def restarted(self, at: datetime) -> None:
        """Note that the pathway's workflow was gone, and was started again from here."""
        self.stored = replace(self.stored, restarted_at=at)
        self.note("workflow-restarted", f"version {self.stored.version}", at)

    def note(self, action: str, subject: str, at: datetime) -> None:
        """Write down what became of the record itself, for investigation."""
        self._audit(action, KAIROS, subject, None, at)

    def _audit(
        self, action: str, by: Author, subject: str, request_id: str | None, at: datetime
    ) -> None:
        row: dict[str, object] = {
            "site": self.stored.site_id,
            "pathway": self.stored.id,
            "action": action,
            "actor": by.id,
            "role": by.role,
            "subject": subject,
            "request": request_id,
            "at": at,
        }
        self._audits.append(row)

    async def _write(self) -> None:
        await self._write_rows()
        if self.stored != self._before:
            await self._tx.execute(_PATHWAY, self._row())
        if self._tasks is not None:
            await listed.write_tasks(self._tx, self.stored, self._tasks)
        if self._visits is not None:
            await listed.write_visits(self._tx, self.stored, self._visits)
        if self._rings_at is not None:  # last: who has the lane's lock waits for no delivery
            lane = (self.stored.connection_id, self.stored.patient_id)
            await queue.ring(self._tx, *lane, self._rings_at, urgent=self._urgent)

    async def _write_rows(self) -> None:
        """Write down what was appended since this was done last."""
        if self._event_rows:
            await self._tx.execute(_EVENT, self._event_rows)
        if self._audits:
            await self._tx.execute(_AUDIT, self._audits)
        if self._intents and self._rings_at is not None:
            pace, restored = self._rings_at, self.restored_at
            await ledger.intend_all(self._tx, self.stored, self._intents, pace, restored)
        self._clear()

    def _clear(self) -> None:
        self._events, self._event_rows, self._audits, self._intents = [], [], [], []

    def _row(self) -> dict[str, object]:
        stored = self.stored
        same = stored.projection == self._before.projection
        return {
            "id": stored.id,
            "status": stored.status,
            "phase": stored.phase,
            "version": stored.version,
            "rules": stored.rules,
            "protocol": stored.protocol_sha256,
            "due_at": stored.due_at,
            "changed_at": stored.changed_at,
            "restarted_at": stored.restarted_at,
            "urgency": stored.urgency,
            "next_says": stored.next.says if stored.next else None,
            "next_who": stored.next.who if stored.next else None,
            "next_due": stored.next.due if stored.next else None,
            "listed": stored.listed,
            "task_due": stored.task_due,
            "scores": json.dumps(stored.scores) if stored.scores else None,
            "scored_at": stored.scored_at,
            "projection": None if same else json.dumps(stored.projection),
        }
