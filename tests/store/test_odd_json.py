"""JSON of an EHR is stored as it was read: numbers with a point among it."""

from datetime import UTC, datetime
from decimal import Decimal

from store import capabilities
from store.database import Database

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)


async def test_a_capability_statement_with_a_decimal_is_kept(database: Database) -> None:
    """A server may say 0.25 in an extension; it is no reason to ask it again every second."""
    said = {"resourceType": "CapabilityStatement", "extension": [{"valueDecimal": Decimal("0.25")}]}
    async with database.begin() as tx:
        await capabilities.save(tx, "ehr", said, NOW)
    async with database.begin() as tx:
        found = await capabilities.find(tx, "ehr")
    assert found is not None
    assert found.statement["extension"] == [{"valueDecimal": 0.25}]
