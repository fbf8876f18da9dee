"""A whole clinic with its people in it, and the means to look at it from outside.

Tests act by the API, as clients do, and look where nobody can lie to them: at the database by SQL
and at the EHR by plain FHIR. Nothing here sleeps for a fixed time; everything waits for a fact.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import httpx2
import psycopg
from temporalio.api.workflowservice.v1 import ListOpenWorkflowExecutionsRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from clinic import Clinic
from demo.agenda import LAND_AFTER, Agenda
from demo.course import PROTOCOL, ZONE, Course
from demo.recount import recount
from demo.staff import Person, Staff, hire
from demo.story import FIRST
from demo.tally import Recount
from demo.visits import AtVisit

INDUCTION = "esketamine-induction"
MRN = "urn:kairos:demo:mrn"
OPEN = ("intent", "sent", "unknown")
PATIENCE = 40.0
Json = dict[str, Any]
Fact = TypeVar("Fact")


async def until(
    look: Callable[[], Awaitable[Fact | None]], what: str, seconds: float = PATIENCE
) -> Fact:
    """Return the first answer that is not false; fail with `what` if there is none in time."""
    deadline = time.monotonic() + seconds
    while not (seen := await look()):
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        await asyncio.sleep(0.02)
    return seen


class Alone(Agenda):
    """The agenda of one story alone: time moves as soon as it waits."""

    async def until(self, instant: datetime) -> None:
        """Move time to just after an instant."""
        await self._move_to(instant + LAND_AFTER)


@dataclass
class House:
    """A running clinic, its staff, and one connection to its API."""

    clinic: Clinic
    http: httpx2.AsyncClient
    staff: Staff

    async def patient(self, **also: Any) -> str:
        """Register a new synthetic patient in the EHR, past any wire; return the id there."""
        resource = {
            "resourceType": "Patient",
            "active": True,
            "identifier": [{"system": MRN, "value": uuid4().hex[:12]}],
            "name": [{"family": "Synthetic", "given": ["Test"]}],
            "gender": "unknown",
            "birthDate": "1980-01-01",
        }
        async with httpx2.AsyncClient(trust_env=False) as ehr:
            made = await ehr.post(f"{self.clinic.addresses.ehr}/Patient", json=resource | also)
        return str(made.raise_for_status().json()["id"])

    async def in_ehr(self, query: str) -> list[Json]:
        """Search the EHR itself, past any wire."""
        async with httpx2.AsyncClient(trust_env=False) as ehr:
            found = await ehr.get(f"{self.clinic.addresses.ehr}/{query}")
        return [entry["resource"] for entry in found.raise_for_status().json().get("entry", [])]

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database directly."""
        url = self.clinic.addresses.database.replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            return await (await connection.execute(query.encode(), values)).fetchall()

    async def start_body(self, patient: str) -> Json:
        """A start on the shipped protocol, its first visit next Monday at nine."""
        today = (await self.now()).astimezone(ZONE).date()
        monday = today + timedelta(days=7 - today.weekday())
        return {
            "site": "manhattan",
            "patient": patient,
            "protocol": PROTOCOL,
            "first_visit": {"day": monday.isoformat(), "hour": "09:00"},
        }

    async def now(self) -> datetime:
        """The clinic's time."""
        if self.clinic.virtual_time is None:
            return datetime.now(ZONE)
        return await self.clinic.time.now()

    async def post(
        self, person: Person, path: str, body: Json | None = None, key: str | None = None
    ) -> httpx2.Response:
        """Ask for something once, and return whatever is answered."""
        headers = {
            "Authorization": f"Bearer {person.token}",
            "Idempotency-Key": key or uuid4().hex,
        }
        return await self.http.post(path, json=body or {}, headers=headers)

    async def insist(self, person: Person, path: str, body: Json, key: str) -> httpx2.Response:
        """Ask again with the same key, as a client must, until the outcome is known."""

        async def asked() -> httpx2.Response | None:
            try:
                answer = await self.post(person, path, body, key)
            except httpx2.TransportError:
                return None
            in_flight = answer.status_code == 409 and answer.json()["type"].endswith("in-flight")
            return None if answer.status_code in (202, 503) or in_flight else answer

        return await until(asked, f"an answer to {path}")

    async def enrolled(self, patient: str | None = None) -> str:
        """Start a pathway for a patient, who may be new; return its address."""
        body = await self.start_body(patient or await self.patient())
        return str((await self.staff.care_manager.do("/v1/pathways", body))["pathway"])

    @asynccontextmanager
    async def nobody_records(self) -> AsyncIterator[None]:
        """Within it every turn waits before it has recorded anything: a command stays received."""
        url = self.clinic.postgres.url.replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.execute("lock table event in share mode")
            yield
            await connection.rollback()

    async def received(self, key: str) -> str:
        """Wait until the inbox holds the command of this key; return its state."""
        query = "select state from command where idempotency_key = %s"

        async def looked() -> str | None:
            found = await self.rows(query, key)
            return str(found[0][0]) if found else None

        return await until(looked, "the command is in the inbox")

    async def deliveries(self, path: str) -> list[Json]:
        """Every write of a pathway, as the API shows it."""
        seen = await self.staff.operations.see(f"{path}/deliveries", limit="100")
        return list(seen["items"])

    async def delivered(self, path: str, seconds: float = PATIENCE) -> list[Json]:
        """Wait until each write of a pathway is confirmed."""
        left: list[Json] = []

        async def looked() -> list[Json]:
            seen = await self.deliveries(path)
            left[:] = [each for each in seen if each["state"] != "confirmed"]
            return [] if left else seen

        try:
            return await until(looked, "every write is confirmed", seconds)
        except AssertionError as error:
            why = [(each["resource_type"], each["state"], each["reason"]) for each in left]
            raise AssertionError(f"{error}: {why}") from None

    async def workflows(self) -> list[WorkflowHandle[Any, Any]]:
        """Every workflow that runs."""
        client = await Client.connect(self.clinic.addresses.temporal)
        listed = await client.workflow_service.list_open_workflow_executions(
            ListOpenWorkflowExecutionsRequest(namespace="default", maximum_page_size=1000)
        )
        ids = [each.execution.workflow_id for each in listed.executions]
        return [client.get_workflow_handle(each) for each in ids]

    async def at_rest(self) -> None:
        """Wait until no worker has anything in its hands, which a kill would leave half done."""

        async def idle() -> bool:
            for workflow in await self.workflows():
                try:
                    seen = (await workflow.describe()).raw_description
                except RPCError:
                    return False  # it has just ended
                if seen.pending_activities or seen.HasField("pending_workflow_task"):
                    return False
                if workflow.id.startswith("lane/"):
                    return False
            return True

        await until(idle, "every worker is idle")

    async def recounted(self) -> Recount:
        """Hold the EHR against the ledger, for the whole clinic."""
        return await recount(self.clinic.addresses.ehr, self.staff.operations)

    async def at_first_visit(self, mrn: str) -> tuple[Course, AtVisit]:
        """Take the patient of this number to the start of the first visit, everything booked."""
        agenda = Alone(self.clinic.time.move_to, stories=1)
        course = Course(self.staff, agenda, self.clinic.time.now, lambda _: None, FIRST)
        first = (await self.start_body(""))["first_visit"]
        await course.enrol(mrn, first["day"], first["hour"])
        await course.madrs()
        await course.sign_and_book(INDUCTION)
        here = await course.arrive()
        assert here is not None
        return course, here

    async def heal(self) -> None:
        """Have every process of Kairos run again."""
        names = self.clinic.run.processes()
        if "worker" not in names:
            await self.clinic.start_worker(until_ready=False)
        if "api" not in names:
            await self.clinic.start_api(until_ready=False)
        await self.clinic.ready()


@asynccontextmanager
async def house_of(clinic: Clinic) -> AsyncIterator[House]:
    """The clinic's people, hired."""
    async with httpx2.AsyncClient(
        base_url=clinic.addresses.api,
        timeout=30,
        trust_env=False,
        limits=httpx2.Limits(max_connections=60),
    ) as http:
        house = House(clinic, http, hire(clinic.issuer, http))
        await house.staff.operations.see("/v1/sites")  # the API has read the issuer's keys
        yield house
