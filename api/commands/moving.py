"""Moves a rehearsal's clock on, never past something that is due before it has been done.

From one due time to the next: set the clock, have each pathway look that is due by then, wait until
they have. So a week that is skipped leaves what a week that was lived leaves.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from api.dependencies import Dependencies
from api.edge.problems import RETRY, Problem
from domain.language.errors import Unavailable
from store import pathways
from temporal.clock import MovableClock

MOVE_FOR = timedelta(seconds=5)
"""Real time for which one request moves. The caller asks again until the clock is where it should
be; whoever waits sees it move."""

FOLLOW_WITHIN = timedelta(seconds=10)
"""Real time within which pathways must have done what was due, or the clock stops and says so."""

LOOK_EVERY = timedelta(milliseconds=20)
FARTHEST = timedelta(days=400)
"""How far one move may go: beyond that its year is taken for a slip of the pen."""

AT_ONCE = 20
STEP = timedelta(minutes=1)
"""What is due within one minute is done at its end: nobody's care is timed closer than that."""


async def move_clock(deps: Dependencies, to: datetime) -> bool:
    """Move on towards `to`, by the clinic's clock; whether it is that time now.

    Raises Problem where the clock cannot be moved or `to` lies back, and where a pathway does not
    do what is due: the clock then stands before whatever comes after that.
    """
    clock = deps.movable
    if clock is None:
        raise Problem("clock-not-movable", "this installation runs on the system clock")
    if to < await clock.now():
        detail = "the clock can only be moved forward"
        raise Problem("malformed", detail)
    if to > await clock.now() + FARTHEST:
        detail = f"that is more than {FARTHEST.days} days ahead, and the clock cannot be moved back"
        raise Problem("malformed", detail)
    until = asyncio.get_running_loop().time() + MOVE_FOR.total_seconds()
    arrived = False
    while not arrived and asyncio.get_running_loop().time() < until:
        arrived = await _step(deps, clock, to)
    await _set_timers(deps)
    return arrived


async def _set_timers(deps: Dependencies) -> None:
    """Have every pathway look once more: each timer was set by how long it was before the move."""
    async with deps.database.begin() as tx:
        going = await pathways.going_on(tx)
    for first in range(0, len(going), AT_ONCE):
        await asyncio.gather(*(_look(deps, each) for each in going[first : first + AT_ONCE]))


async def _step(deps: Dependencies, clock: MovableClock, to: datetime) -> bool:
    """Move on to the next time at which something is due, and have it done."""
    async with deps.database.begin() as tx:
        due = await pathways.earliest_due(tx)
    now = await clock.now()
    stop = to if due is None else min(to, max(due + STEP, now))
    await asyncio.to_thread(clock.move_to, stop)
    await _let_follow(deps, stop)
    return stop >= to


async def _let_follow(deps: Dependencies, at: datetime) -> None:
    """Have every pathway look that is due at this time, and wait until each has."""
    behind = await _due(deps, at)
    if not behind:
        return
    await asyncio.gather(*(_look(deps, each) for each in behind))
    until = asyncio.get_running_loop().time() + FOLLOW_WITHIN.total_seconds()
    while behind := await _due(deps, at):
        if asyncio.get_running_loop().time() > until:
            detail = (
                f"automatic steps are overdue on {behind[0]}; pathways affected: {len(behind)};"
                " check that a worker is running, then move the clock again"
            )
            raise Problem("unavailable", detail, headers=RETRY)
        await asyncio.sleep(LOOK_EVERY.total_seconds())


async def _look(deps: Dependencies, pathway_id: str) -> None:
    """Wake a pathway. One whose workflow is gone is started again by the worker's sweep."""
    with suppress(Unavailable):
        await deps.gateway.look(pathway_id)


async def _due(deps: Dependencies, at: datetime) -> list[str]:
    async with deps.database.begin() as tx:
        return await pathways.due_by(tx, at)
