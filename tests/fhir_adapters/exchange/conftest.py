"""A real FHIR server, and a wire before it that can be hurt."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest

from clinic import Ehr, FaultProxy, RunDirectory
from domain.delivery.words import Intent
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import EhrPlan, plan_for
from tests.fhir_adapters.exchange.prepared import Server
from tests.fhir_adapters.fhir_story import whole_story, written


@pytest.fixture(scope="session")
def wire() -> Iterator[FaultProxy]:
    """The EHR (SEKMET) for all tests of this folder, known by its wire's address."""
    run = RunDirectory("ehr-tests")
    made = FaultProxy()
    server = Ehr(run, run.subdirectory("ehr"), known_as=made.base_url)
    made.upstream_port = server.port
    try:
        asyncio.run(server.start())
        made.upstream_port = server.port
        yield made
    finally:
        made.close()
        asyncio.run(server.stop())
        run.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A tiny server on loopback that says what a test prepares."""
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/fhir"
    yield made
    listening.close()


@pytest.fixture
async def client(wire: FaultProxy) -> AsyncIterator[EhrClient]:
    """A client of the EHR, through the wire."""
    async with EhrClient(wire.base_url, GENERIC) as made:
        yield made


@pytest.fixture
async def plan(client: EhrClient) -> EhrPlan:
    """The plan for the EHR as it describes itself now."""
    return plan_for(await client.capability(), GENERIC)


@pytest.fixture
async def patient(client: EhrClient) -> str:
    """A new synthetic patient's id."""
    body: dict[str, Any] = {"resourceType": "Patient", "active": True, "birthDate": "1980-01-02"}
    return (await client.create("Patient", body)).ehr_id


@pytest.fixture
def pathway() -> str:
    """An own pathway id for each test, for all share one EHR."""
    return f"pw-{uuid4().hex}"


@pytest.fixture
def story(protocol, plan: EhrPlan, patient: str, pathway: str) -> list[Intent]:
    """Every intent of a pathway on which everything happens."""
    return written(whole_story(protocol, patient, pathway), protocol, plan)


@pytest.fixture
def episode(story: list[Intent]) -> Intent:
    """A first intent that needs nothing."""
    return next(intent for intent in story if intent.resource_type == "EpisodeOfCare")
