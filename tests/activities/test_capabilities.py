"""What EHRs say that they can do is kept only if something can be planned from it."""

from datetime import timedelta
from typing import Any

import pytest

from activities.capabilities import LESS_AFTER, probe
from domain.language.errors import Malformed, Unavailable
from fhir_adapters.ehr import Ehr, Ehrs
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import plan_for
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


async def _planned(lane: Lane, ehrs: Ehrs) -> object:
    async with lane.database.begin() as tx:
        return await Plans(ehrs).of(tx, "ehr")


async def test_an_ehr_that_lists_less_is_not_believed_at_once(lane: Lane) -> None:
    """A server that has just started lists little: the plan stays, and which kinds is said."""
    less = statement(types=("Observation", "Patient"), conditional=False)
    whole = await _planned(lane, lane.ehrs)
    lane.ehr.says = less
    with pytest.raises(Malformed, match=r"lists less than before \(episode, "):
        await probe(lane.database, lane.ehrs["ehr"], lane)
    assert await _planned(lane, lane.ehrs) == whole
    lane.at += LESS_AFTER - timedelta(seconds=1)
    with pytest.raises(Malformed, match="hold"):
        await probe(lane.database, lane.ehrs["ehr"], lane)
    lane.at += timedelta(seconds=1)
    await probe(lane.database, lane.ehrs["ehr"], lane)
    assert await _planned(lane, lane.ehrs) == lane.ehrs.plan("ehr", less)


async def test_an_ehr_that_lists_all_again_begins_its_time_anew(lane: Lane) -> None:
    """Less for a moment, then all, then less an hour later: that is a first time again."""
    whole, less = lane.ehr.says, statement(types=("Observation",), conditional=False)
    for said in (less, whole, less):
        lane.ehr.says = said
        if said is whole:
            await probe(lane.database, lane.ehrs["ehr"], lane)
        else:
            with pytest.raises(Malformed):
                await probe(lane.database, lane.ehrs["ehr"], lane)
        lane.at += timedelta(hours=1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"search": ("patient",)}, "searches for"),
        ({"interactions": ("read", "create", "search-type")}, "changes of"),
        ({"types": ("Observation", "Communication")}, "hold"),
    ],
)
def test_what_is_less_is_named(change: dict[str, Any], says: str) -> None:
    """A type, changes of it, or a way to search for it; more is nothing less."""
    before, after = plan_for(statement(), GENERIC), plan_for(statement(**change), GENERIC)
    assert any(says in each for each in after.less_than(before))
    assert before.less_than(after) == () == before.less_than(before)
