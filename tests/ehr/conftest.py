"""A real FHIR server, and a wire before it that can be hurt."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from demo.parts import Ehr, RunDirectory, Wire
from fhir_adapters.client import EhrClient
from fhir_adapters.plan import EhrPlan, plan_for


@pytest.fixture(scope="session")
def wire() -> Iterator[Wire]:
    """The EHR (SEKMET) for all tests of this folder, known by its wire's address."""
    run = RunDirectory("ehr-tests")
    made = Wire()
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
async def client(wire: Wire) -> AsyncIterator[EhrClient]:
    """A client of the EHR, through the wire."""
    async with EhrClient(wire.base_url) as made:
        yield made


@pytest.fixture
async def plan(client: EhrClient) -> EhrPlan:
    """The plan for the EHR as it describes itself now."""
    return plan_for(await client.capability())


@pytest.fixture
async def patient(client: EhrClient) -> str:
    """A new synthetic patient's id."""
    body: dict[str, Any] = {"resourceType": "Patient", "active": True, "birthDate": "1980-01-02"}
    return (await client.create("Patient", body)).ehr_id
