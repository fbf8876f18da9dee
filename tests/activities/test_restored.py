"""After the database was restored: what a backup calls unsent is looked for, whatever the EHR."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from domain.delivery.words import DeliveryState
from store import restores
from store.ehr_tables import DeliveryRow, LinkRow
from tests.activities.conftest import LaneTo
from tests.activities.hurt import Lane, change, reading
from tests.fhir_adapters.fhir_story import statement


async def _restore_a_backup_from_before_everything(lane: Lane) -> None:
    """The ledger as it was when nothing had been sent, on a database that notices it."""
    async with lane.database.begin() as tx:
        await tx.execute(delete(LinkRow))
        await tx.execute(
            update(DeliveryRow).values(
                state=DeliveryState.INTENT, attempts=0, ehr_id=None, ehr_version=None, reason=None
            )
        )
        await restores.distrust(tx, lane.at)


@pytest.mark.parametrize("conditional", [True, False])
async def test_what_was_sent_after_the_backup_is_found_and_not_sent_again(
    lane_to: LaneTo, *, conditional: bool
):
    """A create that stands in the EHR is confirmed, and no second resource made."""
    lane = await lane_to(statement(conditional=conditional))
    await lane.intend("e1", reading())
    await lane.deliver()
    await _restore_a_backup_from_before_everything(lane)
    await lane.deliver(2)
    assert (await lane.row()).state == DeliveryState.CONFIRMED
    assert len(lane.ehr.of("Observation")) == 1


async def test_a_change_that_stands_already_is_not_written_again(lane: Lane):
    """The change is confirmed as it is; that the create looks otherwise now is a person's."""
    pulse = reading()
    await lane.intend("e1", pulse)
    await lane.intend("e2", change(pulse, status="amended"))
    await lane.deliver(2)
    written = list(lane.ehr.writes)
    assert written == ["POST Observation", "PUT Observation/1"]
    await _restore_a_backup_from_before_everything(lane)
    await lane.deliver(4)
    states = [row.state for row in await lane.rows()]
    assert states == [DeliveryState.DIVERGENT, DeliveryState.CONFIRMED]
    assert lane.ehr.writes == written


async def test_what_was_never_sent_is_sent_once_it_is_proved_absent(lane: Lane):
    """Looked for, not there when the time to surface is over, then written: once."""
    await lane.intend("e1", reading())
    await _restore_a_backup_from_before_everything(lane)
    await lane.deliver(apart=1)
    assert lane.ehr.writes == []
    lane.at += timedelta(minutes=2)
    await lane.deliver(3)
    assert (await lane.row()).state == DeliveryState.CONFIRMED
    assert lane.ehr.writes == ["POST Observation"]


async def test_what_is_meant_later_than_a_lost_write_could_surface_waits_no_more(lane: Lane):
    """It is looked for, because it may have been sent before the restore; then it goes at once."""
    async with lane.database.begin() as tx:
        await restores.distrust(tx, lane.at)
    restored_at, lane.at = lane.at, lane.at + timedelta(minutes=2)
    await lane.intend("e1", reading(), restored_at=restored_at)
    await lane.deliver(2, apart=1)
    assert (await lane.row()).state == DeliveryState.CONFIRMED
    assert lane.ehr.calls[0].startswith("GET Observation")
