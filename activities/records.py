"""Store what happened on a pathway: events, projection, audit and delivery intents, all at once.

Must not reach an EHR: it commits what is to be written there, and wakes the lane that writes it.
"""

from temporalio import activity
from temporalio.client import Client

from activities.capabilities import Plans
from domain.rules.fold import apply
from fhir_adapters.content.intents import intents_for
from store import codec, inbox, ledger, pathways
from store.database import Database
from temporal.gateway import wake_lane
from workflows.messages import RecordInput


class Records:
    """The activity, with what it needs: database, plans of what EHRs take, and Temporal."""

    def __init__(self, database: Database, plans: Plans, client: Client) -> None:
        """Keep the tools."""
        self._database = database
        self._plans = plans
        self._client = client
        self._protocols = pathways.PinnedProtocols()

    @activity.defn(name="record_events")
    async def record_events(self, batch: RecordInput) -> int:
        """Store the events that are not stored yet; return the pathway's version.

        A second run of the same batch stores nothing and wakes the lane again. A batch that does
        not join on to what is stored is a defect: it is not stored, and fails until looked at.
        """
        async with self._database.begin() as tx:
            row = await pathways.lock(tx, batch.pathway_id)
            stored = row.version - batch.after_version
            if stored < 0:
                message = f"events after {batch.after_version} do not join on to {row.version}"
                raise RuntimeError(message)
            protocol = await self._protocols.of(tx, row.id)
            pathway = codec.pathway_from_json(row.projection)
            plan = await self._plans.of(tx, row.connection_id)
            fresh = batch.events[stored:]
            # A second run of a stored batch may be here because the first died before waking.
            wake = not fresh
            for recorded in fresh:
                event, before = recorded.event, pathway
                pathway = apply(pathway, event, protocol.vocabulary)
                pathways.append(tx, row, event, recorded.request, batch.now)
                intents = intents_for(event, before, pathway, protocol, plan, batch.now)
                await ledger.intend(tx, row, event.id, intents, batch.now)
                wake = wake or bool(intents)
            if fresh:
                pathways.project(row, pathway, batch.now)
            for request in {r.request for r in fresh if r.request is not None}:
                await inbox.applied(tx, request, row.version, batch.now)
            version, connection, patient = row.version, row.connection_id, row.patient_id
        if wake:
            await wake_lane(self._client, connection, patient)
        return version
