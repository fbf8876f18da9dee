"""Settle a command where it was received, and tell the pathway's workflow what that left.

The store is what counts: once a turn is committed the command is answered, whether or not Temporal
or any worker is there. The workflow keeps time, so it must know when something is due sooner than
it thinks, and when the pathway has ended; that something is due later it finds by looking. What it
could not be told a sweep sees to, which has it look at what is overdue.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from weakref import WeakValueDictionary

import structlog
from temporalio.exceptions import ApplicationError

from domain.language.errors import Unavailable
from turns.take import Turns
from workflows.messages import Settled, Taken, Turn

WITHIN = timedelta(seconds=5)
"""How long a command may take to be settled before its outcome counts as not known."""

IN_FLIGHT = 4
"""Commands of one pathway that this process has under way at once: they wait for each other at the
pathway's row, and each that waits there holds a connection that other pathways need."""

TOLD_WITHIN = 1.0
"""Seconds for which an answer waits until the workflow knows that something is due sooner."""

TOLD_EVERY = 10
"""Events after which a workflow is told although nothing is due sooner: a store that has fewer than
it was told of was restored from a copy, and one pathway that notices is enough."""

Tell = Callable[[str, Taken], Awaitable[None]]
Look = Callable[[str], Awaitable[None]]

log = structlog.get_logger("kairos.turns")


class NotSettled(Unavailable):
    """This command cannot be settled now, for a defect of ours; others can. It stays received."""


class Settling:
    """Takes turns for commands, and passes on what they left."""

    def __init__(self, turns: Turns, tell: Tell, look: Look) -> None:
        """`tell` and `look` raise Unavailable if the workflow cannot be reached."""
        self._turns = turns
        self._tell = tell
        self._look = look
        self._turnstiles: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._news: dict[str, Taken] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._unknown: set[asyncio.Task[None]] = set()
        self._versions: dict[str, int] = {}  # that workflows were told last by this process

    async def settle(self, pathway_id: str, command_id: str) -> Settled:
        """Have a command that stands in the inbox settled; its stored outcome.

        Raises NotSettled, and Unavailable if the outcome is not known.
        """
        turnstile = self._turnstiles.setdefault(pathway_id, asyncio.Semaphore(IN_FLIGHT))
        try:
            async with asyncio.timeout(WITHIN.total_seconds()), turnstile:
                taken = await self._turns.take_turn(Turn(pathway_id, command_id))
        except ApplicationError as error:
            self._have_it_look(pathway_id)
            raise NotSettled("the command is stored, but could not be completed now") from error
        except (TimeoutError, Unavailable) as error:
            self._have_it_look(pathway_id)
            raise Unavailable("the command's outcome is not known yet") from error
        if taken.sooner or taken.ended or taken.version >= self._told(pathway_id) + TOLD_EVERY:
            telling = self._pass_on(pathway_id, taken)
            if taken.sooner:
                await asyncio.wait({telling}, timeout=TOLD_WITHIN)
        return Settled(taken.settled or "", taken.settled_at_version)

    def _told(self, pathway_id: str) -> int:
        return self._versions.get(pathway_id, -TOLD_EVERY)

    def _pass_on(self, pathway_id: str, taken: Taken) -> asyncio.Task[None]:
        """Tell the workflow, the latest news only where several come at once."""
        known = self._news.get(pathway_id)
        if known is None or taken.version >= known.version:
            self._news[pathway_id] = taken
        telling = self._telling.get(pathway_id)
        if telling is None:
            telling = asyncio.create_task(self._tell_all(pathway_id))
            self._telling[pathway_id] = telling
        return telling

    def _have_it_look(self, pathway_id: str) -> None:
        """It may have been recorded before it failed, and have made something due sooner."""
        looking = asyncio.create_task(self._try_to_reach(pathway_id))
        self._unknown.add(looking)
        looking.add_done_callback(self._unknown.discard)

    async def _try_to_reach(self, pathway_id: str) -> None:
        with suppress(Unavailable):
            await self._look(pathway_id)

    async def _tell_all(self, pathway_id: str) -> None:
        try:
            while (taken := self._news.pop(pathway_id, None)) is not None:
                await self._tell(pathway_id, taken)
                self._versions[pathway_id] = taken.version
        except Unavailable as error:  # it is found by a sweep
            log.info("workflow_not_told", pathway_id=pathway_id, reason=str(error))
        except Exception:
            log.exception("workflow_not_told", pathway_id=pathway_id)
        finally:
            del self._telling[pathway_id]

    async def close(self) -> None:
        """Wait for what is being told."""
        under_way = {*self._telling.values(), *self._unknown}
        if under_way:
            await asyncio.wait(under_way, timeout=TOLD_WITHIN)
