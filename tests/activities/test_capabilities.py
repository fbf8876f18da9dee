"""What EHRs say that they can do is kept only if something can be planned from it."""

from typing import Any

import pytest

from activities.capabilities import probe
from domain.language.errors import Malformed, Unavailable
from fhir_adapters.ehr import Ehr, Ehrs
from fhir_adapters.profile.generic import GENERIC
from tests.activities.hurt import Lane
from tests.fhir_adapters.fhir_story import statement
from turns.plans import Plans


async def test_a_statement_that_cannot_be_planned_from_changes_nothing(lane: Lane) -> None:
    """An EHR that suddenly answers as another FHIR version is planned for by what it said last."""
    said: dict[str, Any] = statement()
    lane.ehr.before = lambda _, path: (200, {}, said) if path == "metadata" else None
    ehrs = Ehrs([Ehr("new", lane.ehr.base_url, GENERIC)])
    plans = Plans(ehrs)
    async with lane.database.begin() as tx:
        with pytest.raises(Unavailable):
            await plans.of(tx, "new")
    await probe(lane.database, ehrs["new"], lane)
    said["fhirVersion"] = "3.0.2"
    with pytest.raises(Malformed, match=r"3\.0\.2"):
        await probe(lane.database, ehrs["new"], lane)
    async with lane.database.begin() as tx:
        assert (await plans.of(tx, "new")) == ehrs.plan("new", statement())
    await ehrs.close()
