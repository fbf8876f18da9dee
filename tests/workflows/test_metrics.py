"""What the Temporal SDK counts is offered to Prometheus, where a setting says."""

import httpx2

from clinic.ports import LOOPBACK, Port
from domain.language.protocol import CombinedProtocol
from store.database import Database
from temporal import gateway
from tests.standing import StandingEhr
from tests.world import a_world


async def test_the_sdks_metrics_are_offered_as_prometheus_names_them(
    database: Database, protocol: CombinedProtocol, standing_ehr: StandingEhr
) -> None:
    """A counter ends in `_total` and a time in `_seconds`, as Temporal's documented alerts ask."""
    port = Port()
    address = f"{LOOPBACK}:{port.number}"
    async with a_world(database, protocol, standing_ehr) as world:
        temporal = world.client.service_client.config.target_host
        client = await gateway.connect(temporal, "default", address)
        assert not await gateway.is_running(client, "nobody")
        async with httpx2.AsyncClient() as http:
            offered = (await http.get(f"http://{address}/metrics")).text
    asked = 'operation="DescribeWorkflowExecution"'
    names = {line.partition("{")[0] for line in offered.splitlines() if asked in line}
    assert "temporal_request_total" in names
    assert "temporal_request_latency_seconds_count" in names
    port.close()
