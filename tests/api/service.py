"""The API in the test's own process, with stand-ins for Temporal, the EHR and the clock."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx2
from fastapi import FastAPI

from api.app import create_app
from api.commands.bodies import ResolveDelivery, StartPathway
from api.commands.catalogue import CATALOGUE
from api.commands.words import Body
from api.dependencies import Dependencies
from api.edge.cursors import Cursors
from api.edge.tokens import Tokens, read_key_set
from api.routes.versions import MovePathways
from clinic.environment import installation_yaml
from clinic.issuer import Issuer
from demo.course import EARLIER
from domain.language.errors import Unavailable
from domain.language.names import Role
from domain.language.protocol import CombinedProtocol, Status
from domain.language.vocabulary import Vocabulary
from fhir_adapters.ehr import Ehrs
from fhir_adapters.exchange.client import EhrResource
from fhir_adapters.exchange.failures import EhrRefused, NoAnswer
from fhir_adapters.exchange.paging import SearchResult
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import EhrPlan, plan_for
from fhir_adapters.profile.verdicts import Verdict
from protocols.book import ProtocolBook
from settings import load_installation
from store import schema
from store.database import Database
from temporal.clock import Clock
from turns.plans import Plans
from turns.take import Turns
from workflows.messages import PathwayInput, Settled, Turn

PATIENT = "patient-1"
MONDAY = datetime(2027, 3, 1, 13, 0, tzinfo=UTC)
START = {
    "site": "manhattan",
    "patient": PATIENT,
    "protocol": "esketamine-then-dtms",
    "first_visit": {"day": "2027-03-01", "hour": "09:00"},
}


class StoppedClock(Clock):
    """Time stands where the test puts it."""

    def __init__(self) -> None:
        self.at = MONDAY

    async def now(self) -> datetime:
        """The time that was set."""
        return self.at


class InProcessGateway:
    """Takes a pathway's turns in the test's own process, where a workflow would have them taken."""

    def __init__(self, database: Database, clock: StoppedClock) -> None:
        self.away = False
        self.stranded: list[str] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.starts: list[str] = []
        self._turns = Turns(database, Plans(Ehrs([])), clock)

    async def start_pathway(self, start: PathwayInput) -> bool:
        """Remember who was started."""
        if self.away:
            raise Unavailable("Temporal is away")
        self.starts.append(start.pathway_id)
        return True

    async def send(self, pathway_id: str, command_id: str) -> Settled:
        """Take a turn for the command."""
        self.asked.set()
        await self.gate.wait()
        if self.away:
            raise Unavailable("Temporal is away")
        taken = await self._turns.take_turn(Turn(pathway_id, command_id))
        return Settled(taken.settled or "", taken.settled_at_version)

    async def look(self, pathway_id: str) -> None:
        """Take a turn without a command."""
        if self.away:
            raise Unavailable("Temporal is away")
        await self._turns.take_turn(Turn(pathway_id, None))

    async def check(self) -> None:
        """Answer unless away."""
        if self.away:
            raise Unavailable("Temporal is away")

    async def without_worker(self) -> list[str]:
        """What the test says."""
        return self.stranded


class StandInEhr:
    """Holds what the test puts in it, and is its own client."""

    bases = ("https://ehr.invalid/fhir",)

    def __init__(self) -> None:
        self.away = False
        self.patients: dict[str, dict[str, Any]] = {PATIENT: patient(PATIENT)}
        self.others: dict[str, dict[str, Any]] = {}  # by `Type/id`

    @property
    def client(self) -> Self:
        """Whom the API talks to."""
        return self

    def plan(self, statement: Mapping[str, Any]) -> EhrPlan:
        """As for a server of no vendor."""
        return plan_for(statement, GENERIC)

    async def statement(self) -> dict[str, Any]:
        """What it says that it can do, if that can be planned from."""
        said = await self.capability()
        self.plan(said)
        return said

    async def capability(self) -> dict[str, Any]:
        """A server that takes Observations only."""
        self._answer()
        interactions = [{"code": "create"}, {"code": "read"}]
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "rest": [
                {
                    "mode": "server",
                    "resource": [{"type": "Observation", "interaction": interactions}],
                }
            ],
        }

    async def read(self, resource_type: str, ehr_id: str) -> EhrResource:
        """A patient or another resource, or what an EHR says when there is none."""
        self._answer()
        if f"{resource_type}/{ehr_id}" in self.others:
            return EhrResource(ehr_id, "1", self.others[f"{resource_type}/{ehr_id}"])
        if ehr_id not in self.patients:
            raise EhrRefused(f"read a {resource_type}", 404, (), Verdict.NOT_FOUND)
        return EhrResource(ehr_id, "1", self.patients[ehr_id])

    async def search(
        self, resource_type: str, params: Sequence[tuple[str, str]], *, pages: int = 1
    ) -> SearchResult:
        """Find a patient by identifier, or what stands in a patient's chart."""
        self._answer()
        asked = dict(params)
        if "patient" in asked or resource_type != "Patient":
            there = [r for r in self.others.values() if r["resourceType"] == resource_type]
            return SearchResult(tuple(there), (), complete=True)
        assert (resource_type, pages) == ("Patient", 1)
        _, token = params[0]
        found = [p for p in self.patients.values() if token in _tokens(p)]
        return SearchResult(tuple(found), (), complete=True)

    def _answer(self) -> None:
        if self.away:
            raise NoAnswer("no whole answer came from the EHR")


def patient(ehr_id: str, **also: Any) -> dict[str, Any]:
    """A synthetic patient."""
    return {
        "resourceType": "Patient",
        "id": ehr_id,
        "active": True,
        "name": [{"family": "Canary-Featherstone", "given": ["Ottoline"]}],
        "birthDate": "1961-07-19",
        "identifier": [{"system": "urn:kairos:demo:mrn", "value": f"MRN-{ehr_id}"}],
        **also,
    }


def _tokens(resource: dict[str, Any]) -> set[str]:
    return {f"{each['system']}|{each['value']}" for each in resource["identifier"]}


class Staff:
    """One person at the API."""

    def __init__(self, http: httpx2.AsyncClient, token: str) -> None:
        self._http = http
        self._token = token

    async def get(self, path: str, **params: Any) -> httpx2.Response:
        """Read."""
        headers = {"Authorization": f"Bearer {self._token}"}
        return await self._http.get(path, headers=headers, params=params)

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        match: str | None = None,
        also: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Ask for something, with a new key unless one is given."""
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Idempotency-Key": key or str(uuid4()),
            **(also or {}),
        }
        if match is not None:
            headers["If-Match"] = match
        return await self._http.post(path, headers=headers, json={} if body is None else body)

    async def send(self, method: str, path: str, body: Any) -> httpx2.Response:
        """Ask for something by any method."""
        if method == "post":
            return await self.post(path, body)
        headers = {"Authorization": f"Bearer {self._token}"}
        return await self._http.request(method, path, headers=headers, json=body)


class Application:
    """What every test's clinic has in common: one application, and who issues its tokens.

    Making the routes takes longer than most tests do, and they hold nothing.
    """

    def __init__(self, directory: Path) -> None:
        self.issuer = Issuer(directory)
        self.tokens = Tokens(
            self.issuer.url, self.issuer.audience, partial(read_key_set, str(self.issuer.jwks))
        )
        self.installation_file = directory / "installation.yaml"
        self.installation_file.write_text(installation_yaml("https://ehr.invalid/fhir"))
        self._app: FastAPI | None = None

    def app(self, deps: Dependencies) -> FastAPI:
        """The application, with these dependencies from now on."""
        if self._app is None:
            self._app = create_app(deps)
        self._app.state.dependencies = deps
        return self._app


class Service:
    """The application and those who use it."""

    def __init__(
        self, database: Database, protocol: CombinedProtocol, application: Application
    ) -> None:
        self.database = database
        self.clock = StoppedClock()
        self.gateway = InProcessGateway(database, self.clock)
        self.ehr = StandInEhr()
        self.issuer = application.issuer
        self.protocol = protocol
        self.app = application.app(deps(self, application))
        transport = httpx2.ASGITransport(app=self.app)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://api")

    def staff(self, *roles: str, sites: Sequence[str] = ("manhattan",), name: str = "") -> Staff:
        """Somebody with these roles."""
        return Staff(self.http, self.issuer.token(name or f"{roles[0]}-1", roles, sites))

    @property
    def manager(self) -> Staff:
        """A care manager."""
        return self.staff("care-manager")

    @property
    def prescriber(self) -> Staff:
        """A prescriber."""
        return self.staff("prescriber")

    @property
    def nurse(self) -> Staff:
        """A nurse."""
        return self.staff("nurse")

    async def probe(self) -> None:
        """Have the integrator ask the EHR what it can do."""
        answer = await self.staff("integrator").post("/v1/connections/demo-ehr/probe")
        assert answer.status_code == 201, answer.text

    async def started(self, **also: Any) -> str:
        """Start a pathway and return its address."""
        answer = await self.manager.post("/v1/pathways", START | also)
        assert answer.status_code == 201, answer.text
        address: str = answer.json()["pathway"]
        return address

    async def checked_in(self) -> tuple[str, str]:
        """A pathway with its order signed and the patient here for the first visit."""
        address = await self.started()
        signing = await self.prescriber.post(
            f"{address}/orders", {"phase": self.protocol.phases[0].id}
        )
        assert signing.status_code == 201, signing.text
        visit = (await self.nurse.get(f"{address}/visits")).json()["items"][0]["id"]
        for step in ("booking", "check-in"):
            answer = await self.nurse.post(f"{address}/visits/{visit}/{step}")
            assert answer.status_code == 201, answer.text
        return address, visit

    async def close(self) -> None:
        """Close the client."""
        await self.http.aclose()


def deps(service: Service, application: Application) -> Dependencies:
    """The application's deps, with the test's stand-ins."""
    draft = replace(service.protocol, id="a-draft", status=Status.DRAFT)
    return Dependencies(
        installation=load_installation(application.installation_file),
        protocols=book(service.protocol, draft),
        database=service.database,
        gateway=service.gateway,
        clock=service.clock,
        ehr=lambda _: service.ehr,
        tokens=application.tokens,
        cursors=Cursors("a secret of the tests"),
        schema=schema.newest(),
    )


def book(*protocols: CombinedProtocol) -> ProtocolBook:
    """A book of these protocols."""
    vocabulary: Vocabulary = protocols[0].vocabulary
    return ProtocolBook(vocabulary, protocols[0].phases, protocols)


async def tried(service: Service, address: str) -> None:
    """Record two drugs that were tried before, without lasting response."""
    for drug, kind, dose, weeks, outcome in EARLIER:
        body = {"drug": drug, "drug_class": kind, "dose": dose, "weeks": weeks, "outcome": outcome}
        answer = await service.manager.post(f"{address}/trials", body)
        assert answer.status_code == 201, answer.text


async def authorized(service: Service, address: str, **also: Any) -> None:
    """Record that the payer authorized esketamine, from today for a year."""
    day = service.clock.at.date()
    body = {
        "treatment": "esketamine",
        "number": "PA-1",
        "starts": day.isoformat(),
        "ends": (day + timedelta(days=365)).isoformat(),
        "units": 60,
        "unit": "session",
        "codes": ["G2083"],
        **also,
    }
    answer = await service.manager.post(f"{address}/authorizations", body)
    assert answer.status_code == 201, answer.text


BODIES: tuple[type[Body], ...] = (
    *dict.fromkeys(entry.body for entry in CATALOGUE),
    StartPathway,
    ResolveDelivery,
    MovePathways,
)
"""The body of every POST."""

EVERY_ROLE = tuple(role.value for role in Role if role is not Role.KAIROS)
