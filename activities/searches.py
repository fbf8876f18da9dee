"""What a worker knows of an EHR's searches: which have proved themselves, how late they are."""

from datetime import datetime, timedelta

from activities.proving import Learned, Search, witness_of
from domain.delivery.after import looks_first, pause
from domain.delivery.outcomes import SETTLING
from domain.delivery.words import Action, Delivery
from fhir_adapters.content.references import artefacts_in
from fhir_adapters.exchange.shown import Proofs, Way, Witness
from store import ledger, searches
from store.database import Transaction

ASKS = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Seconds before each time that an EHR is asked to show what it has just taken."""

STANDING = 3
"""So many that stand in the EHR are an empty search held against: one may be gone there."""

NEAR = timedelta(minutes=1)
"""So much later than its double may something be shown for its lag to be known."""

PATIENCE = 4
"""So often one that stands in the EHR is asked for before another is."""

MOST_HIDDEN = 1_000


class Searches:
    """The searches of one connection, as far as this worker has seen or read."""

    def __init__(
        self,
        connection_id: str,
        *,
        settling: timedelta = SETTLING,
        lag: timedelta | None = None,
        asks: tuple[float, ...] = ASKS,
    ) -> None:
        """With `lag` the installation file says how late a search may be, whatever was seen."""
        self._connection = connection_id
        self._settling = settling
        self._lag = lag
        self._asks = asks
        self._settled: set[str] | None = None
        self._ask_again: dict[str, tuple[datetime, int]] = {}
        self._waits: dict[str, Witness] = {}  # by type: what stands there and was not shown yet
        self._unmarked: set[str] = set()  # types that come back without our identifier
        self._hidden: dict[str, datetime] = {}  # when an artefact was last looked for in vain

    async def of(self, tx: Transaction, delivery: Delivery, now: datetime) -> Search:
        """Say what it takes to look for a delivery, or to have the EHR show it once it stands."""
        if delivery.action is not Action.CREATE or delivery.ehr_id is not None:
            return Search(Proofs(), settling=self._settling)
        if looks_first(delivery):
            return await self._to_find(tx, delivery, now)
        if not await self._is_open(tx, delivery.resource_type, now):
            return Search(Proofs(), settling=self._settling)
        return Search(
            await self._proofs(tx, delivery.resource_type),
            settling=self._settling,
            asks=self._asks,
            asks_for=self._waits.get(delivery.resource_type),
        )

    async def learn(
        self, tx: Transaction, delivery: Delivery, learned: Learned, now: datetime
    ) -> None:
        """Write down what an attempt showed."""
        kind = delivery.resource_type
        settled = await self._known(tx)
        if learned.unmarked and kind not in self._unmarked:
            self._unmarked.add(kind)
            await searches.withdrawn(tx, self._connection, kind, [Way.IDENTIFIER], now)
            settled.discard(kind)
        for way, (witness, waited) in learned.shown.items():
            lag = self._lag_of(witness, waited, now)
            await searches.proved(tx, self._connection, kind, way, now, lag)
            self._hidden.pop(witness.artefact, None)
            self._waits.pop(kind, None)
            if lag is not None:
                settled.add(kind)
        for witness in learned.hidden:
            self._waits.setdefault(kind, witness)
            self._missed(witness.artefact, now)
            _, times = self._ask_again.get(kind, (now, 0))
            self._ask_again[kind] = (now + pause(times), times + 1)
            if (times + 1) % PATIENCE == 0:  # it may be gone there: another one is asked for
                self._waits.pop(kind, None)

    def was_not_found(self, delivery: Delivery, now: datetime) -> None:
        """Keep that one was looked for in vain: if it is found after all, the search was late."""
        self._missed(delivery.artefact, now)

    def is_sent_again(self, delivery: Delivery) -> None:
        """What was not found was not there."""
        self._hidden.pop(delivery.artefact, None)

    def _lag_of(self, witness: Witness, waited: float | None, now: datetime) -> float | None:
        """How late a search was that shows something now; None if that is known too badly.

        It is between the last time that it was not shown and now.
        """
        hidden = self._hidden.get(witness.artefact)
        if hidden is None:
            return waited
        least, most = hidden - witness.written_at, now - witness.written_at
        return most.total_seconds() if most <= 2 * least + NEAR else None

    async def _is_open(self, tx: Transaction, kind: str, now: datetime) -> bool:
        again_at, _ = self._ask_again.get(kind, (now, 0))
        return kind not in await self._known(tx) and now >= again_at

    async def _proofs(self, tx: Transaction, kind: str) -> Proofs:
        found = await searches.known(tx, self._connection, kind)
        late = [each.lag_seconds for each in found if each.lag_seconds is not None]
        seen = timedelta(seconds=max(late)) if late else None
        return Proofs(
            frozenset(Way(each.way) for each in found if each.proved and not each.withdrawn),
            frozenset(Way(each.way) for each in found if each.withdrawn),
            seen if self._lag is None else self._lag,
            await searches.longest_lag(tx, self._connection),
        )

    async def _to_find(self, tx: Transaction, delivery: Delivery, now: datetime) -> Search:
        standing = await searches.standing(tx, delivery, STANDING)
        needed = {each for one in standing for each in artefacts_in(one.body)}
        known = await ledger.links(tx, self._connection, needed)
        return Search(
            await self._proofs(tx, delivery.resource_type),
            tuple(witness_of(each, known) for each in standing),
            await searches.taken(tx, delivery),
            self._settling,
            now,
        )

    async def _known(self, tx: Transaction) -> set[str]:
        if self._settled is None:
            self._settled = set(await searches.settled(tx, self._connection))
        return self._settled

    def _missed(self, artefact: str, now: datetime) -> None:
        if len(self._hidden) < MOST_HIDDEN:
            self._hidden[artefact] = now
