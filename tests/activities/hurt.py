"""An EHR in memory that hurts on purpose, and a lane that delivers to it with the real activity.

A stand-in for what no server can be told to do: commit and then say that it refused, lose what it
was sent, file it on another patient. The database, the activity and the client are real.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from activities.deliveries import Deliveries
from activities.drain import Drain
from domain.delivery.resolve import Choice, resolve
from domain.delivery.words import Action, Intent
from domain.language.names import Author, ConnectionId, EhrPatientId, PathwayId, Role, SiteId
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from fhir_adapters.content import identifiers
from fhir_adapters.content.references import refer
from fhir_adapters.content.shape import WRITTEN_TYPES
from fhir_adapters.ehr import Ehrs
from fhir_adapters.exchange.shown import Way
from store import capabilities, ledger, pathways, queue, searches
from store.database import Database
from store.ehr_tables import DeliveryRow
from temporal.clock import Clock
from turns.plans import Plans

START = datetime(2027, 3, 1, 14, tzinfo=UTC)
PATIENT = "patient-1"
OPERATOR = Author("operations-1", Role.OPERATIONS)
Answer = tuple[int, Mapping[str, str], Any]
Hurt = Callable[[str, str], Answer | None]
"""Asked with method and path; what it gives is answered in place of the truth."""


@dataclass
class HurtEhr:
    """Holds resources by `Type/id`. `keep` is what it makes of one that it is sent.

    Its searches, and what it looks for when it is asked to create once, show what was written after
    a `lag`. It may give no versions.
    """

    base_url: str = ""
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)  # methods and paths
    before: Hurt = lambda _method, _path: None  # asked first: what it answers was not done
    after: Hurt = lambda _method, _path: None  # asked when it is done: what it answers is a lie
    keep: Callable[[dict[str, Any]], dict[str, Any]] = lambda resource: resource
    shows: Callable[[dict[str, Any]], bool] = lambda _resource: True  # to a search
    says: Mapping[str, Any] = field(default_factory=dict)  # of what it can do
    now: Callable[[], datetime] = lambda: START
    lag: timedelta = timedelta()
    written: dict[str, datetime] = field(default_factory=dict)
    versions: bool = True

    @property
    def writes(self) -> list[str]:
        """The writes that it was asked for."""
        return [call for call in self.calls if not call.startswith("GET")]

    def of(self, resource_type: str) -> list[dict[str, Any]]:
        """What it holds of a type."""
        return [each for each in self.held.values() if each["resourceType"] == resource_type]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request. The status 0 is no answer at all."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, url, _ = head[0].split(" ")
        named = (line.partition(": ") for line in head[1:] if line)
        headers = {name.lower(): value for name, _, value in named}
        length = int(headers.get("content-length", "0"))
        body = json.loads(await reader.readexactly(length)) if length else None
        path = urlsplit(url).path.removeprefix("/fhir/")
        self.calls.append(f"{method} {path}")
        answer = self.before(method, path)
        if answer is None:
            done = self._do(method, path, parse_qs(urlsplit(url).query), headers, body)
            answer = self.after(method, path) or done
        status, says, told = answer
        if status:
            page = told.encode() if isinstance(told, str) else json.dumps(told).encode()
            content = b"" if told is None else page
            lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(content)}"]
            lines += ["Connection: close", *(f"{name}: {value}" for name, value in says.items())]
            writer.write("\r\n".join([*lines, "", ""]).encode() + content)
            await writer.drain()
        writer.close()

    def _do(
        self, method: str, path: str, query: Any, headers: Mapping[str, str], body: Any
    ) -> Answer:
        resource_type, _, ehr_id = path.partition("/")
        if path == "metadata":
            return 200, {}, self.says
        if method == "POST":
            return self._create(resource_type, headers.get("if-none-exist"), body)
        if method == "PUT":
            return self._update(path, headers.get("if-match"), body)
        if ehr_id:
            return (200, {}, self.held[path]) if path in self.held else (404, {}, None)
        hits = [each for each in self._shown(resource_type) if _hit(each, query)]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(hits)}
        return 200, {}, bundle | {"entry": [{"resource": hit} for hit in hits]}

    def _create(self, resource_type: str, condition: str | None, body: dict[str, Any]) -> Answer:
        there = self._shown(resource_type)
        if condition and (hits := [hit for hit in there if _hit(hit, parse_qs(condition))]):
            return 200, {"Location": f"{self.base_url}/{resource_type}/{hits[0]['id']}"}, None
        ehr_id = str(len(self.held) + 1)
        version = {"meta": {"versionId": "1"}} if self.versions else {}
        self.held[f"{resource_type}/{ehr_id}"] = self.keep({**body, "id": ehr_id, **version})
        self.written[f"{resource_type}/{ehr_id}"] = self.now()
        place = f"{self.base_url}/{resource_type}/{ehr_id}"
        return 201, {"Location": f"{place}/_history/1" if self.versions else place}, None

    def _update(self, path: str, match: str | None, body: dict[str, Any]) -> Answer:
        if not self.versions:
            self.held[path] = self.keep(body)
            return 200, {}, None
        version = self.held[path]["meta"]["versionId"]
        if match != f'W/"{version}"':
            return 412, {}, None
        self.change(path, **self.keep(body))
        return 200, {}, None

    def _shown(self, resource_type: str) -> list[dict[str, Any]]:
        """What a search may find of a type now."""
        return [
            each
            for each in self.of(resource_type)
            if self.shows(each) and self._age(f"{resource_type}/{each['id']}") >= self.lag
        ]

    def _age(self, path: str) -> timedelta:
        """How long something is there; what a test put there was always there."""
        return self.now() - self.written.get(path, datetime.min.replace(tzinfo=UTC))

    def change(self, path: str, **elements: Any) -> None:
        """Replace a resource as staff would: with these elements (None takes one away)."""
        old = self.held[path]
        new = {**old, **elements, "id": old["id"]}
        if self.versions:
            new["meta"] = {"versionId": str(int(old["meta"]["versionId"]) + 1)}
        self.held[path] = {key: value for key, value in new.items() if value is not None}


def _hit(resource: dict[str, Any], query: Mapping[str, list[str]]) -> bool:
    if "identifier" in query:
        wanted = query["identifier"][0].rpartition("|")[2]
        return any(each.get("value") == wanted for each in resource.get("identifier", []))
    if "target" in query:
        return any(each["reference"].endswith(query["target"][0]) for each in resource["target"])
    return True


@dataclass
class Lane(Clock):
    """One patient's lane: what is intended, delivered, and what the ledger then says."""

    database: Database
    ehr: HurtEhr
    drain: Drain
    ehrs: Ehrs
    at: datetime = START
    ahead: timedelta = timedelta()
    """How far the clinic's clock was moved on."""

    async def now(self) -> datetime:
        """The clinic's time."""
        return self.at + self.ahead

    async def pace(self) -> datetime:
        """The machines' time."""
        return self.at

    async def intend(
        self,
        event: str,
        *intents: Intent,
        patient: str = PATIENT,
        restored_at: datetime | None = None,
    ) -> None:
        """Commit what an event calls for, of this patient or another."""
        async with self.database.begin() as tx:
            row = replace(await pathways.lock(tx, "p1"), patient_id=patient)
            await ledger.intend(tx, row, event, intents, self.at, restored_at)

    def another(self, holder: str = "another", at_once: int = 1) -> Drain:
        """A second worker on the same lanes."""
        return a_drain(self.database, self.ehrs, self, holder, at_once)

    async def deliver(self, times: int = 1, *, apart: int = 90) -> None:
        """Deliver as often as that, so many seconds of clinical time apart."""
        for _ in range(times):
            await self.drain.until_idle()
            self.at += timedelta(seconds=apart)

    async def decide(self, delivery: int, choice: Choice) -> None:
        """A person decides about a delivery."""
        async with self.database.begin() as tx:
            await queue.ring(tx, "ehr", PATIENT, self.at)
            known = await ledger.get(tx, delivery)
            await ledger.record_decision(tx, known, resolve(known, choice, OPERATOR), self.at)

    async def rows(self) -> list[DeliveryRow]:
        """The ledger, in its order."""
        async with self.database.begin() as tx:
            return list((await tx.execute(select(DeliveryRow).order_by(DeliveryRow.id))).scalars())

    async def row(self) -> DeliveryRow:
        """The ledger's last delivery."""
        return (await self.rows())[-1]


def a_drain(database: Database, ehrs: Ehrs, clock: Clock, holder: str, at_once: int) -> Drain:
    """What a worker drains the lanes with."""
    deliveries = Deliveries(database, ehrs["ehr"], Plans(ehrs), clock, holder, asks=(0.0,))
    return Drain(database, ehrs["ehr"], deliveries, clock, holder, at_once)


async def a_lane(
    database: Database,
    protocol: CombinedProtocol,
    ehr: HurtEhr,
    ehrs: Ehrs,
    statement: Mapping[str, Any],
    *,
    proved: bool = True,
) -> Lane:
    """Make a pathway for the patient, on an EHR that has said this of itself.

    If `proved`, each of its searches has shown something of ours before, and at once.
    """
    pathway = Pathway(PathwayId("p1"), EhrPatientId(PATIENT), ConnectionId("ehr"), SiteId("here"))
    async with database.begin() as tx:
        await pathways.reserve(tx, pathway, protocol, "fingerprint", START)
        await capabilities.save(tx, "ehr", dict(statement), START)
        for kind in sorted(WRITTEN_TYPES) if proved else ():
            for way in Way:
                await searches.proved(tx, "ehr", kind, way, START, 0)
    lane = Lane(database, ehr, None, ehrs)  # type: ignore[arg-type]
    ehr.now = lambda: lane.at
    ehr.says = statement
    lane.drain = a_drain(database, ehrs, lane, "a-test", 1)
    await lane.drain.until_idle()  # as a worker that has run for a while
    ehr.calls.clear()
    return lane


def reading(artefact: str = "a", *needs: str, patient: str = PATIENT, **also: Any) -> Intent:
    """An Observation to be created."""
    body: dict[str, Any] = {
        "resourceType": "Observation",
        "identifier": [identifiers.identifier(artefact)],
        "status": "final",
        "code": {"text": "Pulse"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2027-03-01T14:00:00Z",
        "performer": [{"type": "Practitioner", "identifier": {"value": "nurse-1"}}],
        "valueQuantity": {"value": 71},
    }
    return Intent(artefact, "Observation", Action.CREATE, body | also, needs)


def visit() -> Intent:
    """An Appointment to be created."""
    body: dict[str, Any] = {
        "resourceType": "Appointment",
        "identifier": [identifiers.identifier("v")],
        "status": "proposed",
        "start": "2027-03-02T14:00:00Z",
        "end": "2027-03-02T15:00:00Z",
        "participant": [{"actor": {"reference": f"Patient/{PATIENT}"}, "status": "tentative"}],
    }
    return Intent("v", "Appointment", Action.CREATE, body)


def provenance(of: Intent) -> Intent:
    """A Provenance of another artefact, with our identifier where R4 lets it stand."""
    body: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": [refer(of.artefact)],
        "recorded": "2027-03-01T14:00:00Z",
        "agent": [{"who": {"display": "nurse-1"}}],
        "entity": [{"role": "source", "what": {"identifier": identifiers.identifier("pv")}}],
    }
    return Intent("pv", "Provenance", Action.CREATE, body, (of.artefact,))


def change(of: Intent, **elements: Any) -> Intent:
    """A change of what another intent created."""
    return Intent(of.artefact, of.resource_type, Action.UPDATE, elements)


def once(method: str, status: int, *, code: str | None = None, **headers: str) -> Hurt:
    """Answer the first such request of a type with this status, and a vendor's code if given."""
    left = [1]

    def hurt(asked: str, path: str) -> Answer | None:
        if asked != method or not left or path == "metadata":
            return None
        left.clear()
        return (
            status,
            {name.replace("_", "-"): value for name, value in headers.items()},
            (outcome(code) if code else None),
        )

    return hurt


def always(method: str, status: int, *, code: str | None = None, kind: str = "processing") -> Hurt:
    """Answer every such request with this status."""
    body = outcome(code, kind) if code or kind != "processing" else None
    return lambda asked, _: (status, {}, body) if asked == method else None


def outcome(code: str | None, kind: str = "processing", severity: str = "fatal") -> dict[str, Any]:
    """An OperationOutcome with one issue."""
    issue: dict[str, Any] = {"severity": severity, "code": kind}
    if code is not None:
        issue["details"] = {"coding": [{"code": code}]}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
