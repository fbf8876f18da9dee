"""A commit whose answer is lost: what it took is let go of, and what it may have sent waits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from domain.delivery.words import DeliveryState
from domain.language.errors import Unavailable
from store.database import Database, Transaction
from tests.activities.conftest import LaneTo
from tests.activities.hurt import Lane, once, reading
from tests.fhir_adapters.fhir_story import statement

CONFIRMED = DeliveryState.CONFIRMED


class LosesAnAnswer(Database):
    """Commits, and at the so-manyth transaction in which a lane was taken does not say so."""

    def __init__(self, url: str, nth: int) -> None:
        super().__init__(url)
        self.left = nth

    @asynccontextmanager
    async def begin(self, within: float | None = None) -> AsyncIterator[Transaction]:
        """A transaction; Unavailable after its commit, once."""
        took = False
        async with super().begin(within) as tx:
            asked = tx.execute

            async def execute(statement: Any, *more: Any, **named: Any) -> Any:
                nonlocal took
                took = took or "update lane set holder = :holder" in str(statement)
                return await asked(statement, *more, **named)

            tx.execute = execute  # type: ignore[method-assign]
            yield tx
        if took:
            self.left -= 1
            if self.left == 0:
                raise Unavailable("the answer to the commit was lost")


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
async def test_no_lane_stays_in_the_hands_of_a_worker_that_forgot_it(lane: Lane, nth: int):
    """At the take, or where another lane is taken on the way: all of them arrive, once each."""
    for number in range(6):
        patient = f"patient-{number}"
        await lane.intend(f"e{number}", reading(f"a{number}", patient=patient), patient=patient)
    worker = lane.another("a-worker", at_once=1)
    database = LosesAnAnswer(lane.database.url, nth)
    worker._deliveries._database = database
    with suppress(Unavailable):
        await worker.until_idle()
    for _ in range(6):
        lane.at += timedelta(minutes=2)
        await worker.until_idle()
    await database.close()
    assert database.left <= 0
    assert {row.state for row in await lane.rows()} == {CONFIRMED}
    assert len(lane.ehr.held) == 6


async def test_a_lost_create_waits_until_it_would_be_seen_although_it_is_created_once(
    lane_to: LaneTo,
):
    """Some EHRs look for the condition first and commit later: two that meet would both stand."""
    lane = await lane_to(statement(conditional=True))
    lane.ehr.before = once("POST", 0)
    await lane.intend("e1", reading("a"))
    await lane.deliver(4, apart=5)
    assert len(lane.ehr.writes) == 1
    assert "still appears" in str((await lane.row()).reason)
    await lane.deliver(3, apart=90)
    assert ((await lane.row()).state, len(lane.ehr.held)) == (CONFIRMED, 1)
