"""The API, its turns and a clock that is set, in one process: months of care in a minute.

Everything is real (routes, tokens, rules, database, the EHR that patients are read from) but for
Temporal: a pathway's turn is taken at once, where its workflow would have it taken, and when time
is moved, whatever is due on the way is done at its time. What is to be written to the EHR stays in
the ledger, for the worker to write.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx2

from api.app import create_app
from api.dependencies import Dependencies
from api.edge.cursors import Cursors
from api.edge.tokens import Tokens, read_key_set
from fhir_adapters.ehr import Ehrs
from protocols.loader import load_protocols
from settings import ApiSettings, load_installation
from store import pathways
from store.database import Database
from store.schema import newest
from temporal.clock import Clock
from turns.plans import Plans
from turns.take import Turns
from workflows.messages import PathwayInput, Settled, Taken, Turn

JUST_AFTER = timedelta(milliseconds=1)


class SetClock(Clock):
    """Says what it was set to."""

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    async def now(self) -> datetime:
        return self.at

    async def pace(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Backstage:
    """The way to the pathways, as the API sees it, and the clock."""

    clock: SetClock
    turns: Turns
    due: dict[str, datetime] = field(default_factory=dict)

    async def start_pathway(self, start: PathwayInput) -> bool:
        """Nothing runs yet: `send` takes the first turn."""
        return start.pathway_id not in self.due

    async def send(self, pathway_id: str, command_id: str) -> Settled:
        """Take a turn for the command."""
        taken = await self._turn(pathway_id, command_id)
        return Settled(taken.settled or "", taken.settled_at_version)

    async def look(self, pathway_id: str) -> None:
        """Take a turn for what is due."""
        await self._turn(pathway_id, None)

    async def check(self) -> None:
        """There is nothing to be away."""

    async def without_worker(self) -> list[str]:
        """There are no runs."""
        return []

    async def move_to(self, instant: datetime) -> None:
        """Set the clock on, with everything done that is due on the way, at its time."""
        while self.due and (first := min(self.due, key=self.due.__getitem__)):
            if self.due[first] > instant:
                break
            self.clock.at = max(self.clock.at, (self.due[first] + JUST_AFTER).astimezone(UTC))
            await self.look(first)
        self.clock.at = max(self.clock.at, instant.astimezone(UTC))

    async def _turn(self, pathway_id: str, command_id: str | None) -> Taken:
        taken = await self.turns.take_turn(Turn(pathway_id, command_id))
        self.due.pop(pathway_id, None)
        if taken.outcome is None and taken.due is not None:
            self.due[pathway_id] = taken.due
        return taken


@dataclass
class House:
    """What whoever fills a clinic works with."""

    backstage: Backstage
    database: Database
    http: httpx2.AsyncClient

    async def open_pathways(self) -> list[tuple[str, int]]:
        """Every pathway that goes on, with its version."""
        async with self.database.begin() as tx:
            ids = [found for found, _ in await pathways.unfinished(tx, "", 10_000)]
            rows = [await pathways.find(tx, each) for each in ids]
        return [(row.id, row.version) for row in rows if row is not None]


@asynccontextmanager
async def open_house(settings: ApiSettings, begins: datetime) -> AsyncIterator[House]:
    """Open the API in this process, its clock set to when the story begins."""
    installation = load_installation(settings.installation_file)
    settings.check_rehearsal(installation)
    async with AsyncExitStack() as closing:
        database = Database(settings.database_url.get_secret_value())
        closing.push_async_callback(database.close)
        ehrs = Ehrs.of(installation.connections)
        closing.push_async_callback(ehrs.close)
        clock = SetClock(begins)
        backstage = Backstage(clock, Turns(database, Plans(ehrs), clock))
        fetch = partial(read_key_set, settings.oidc_jwks)
        deps = Dependencies(
            installation=installation,
            protocols=load_protocols(settings.protocols_dir),
            database=database,
            gateway=backstage,
            clock=clock,
            ehr=ehrs.__getitem__,
            tokens=Tokens(settings.oidc_issuer, settings.oidc_audience, fetch),
            cursors=Cursors(settings.cursor_secret.get_secret_value()),
            schema=newest(),
        )
        transport = httpx2.ASGITransport(app=create_app(deps))
        http = httpx2.AsyncClient(transport=transport, base_url="http://kairos")
        closing.push_async_callback(http.aclose)
        yield House(backstage, database, http)
