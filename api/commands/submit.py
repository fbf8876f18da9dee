"""The one door for commands: inbox first, then the pathway's workflow, with the same id.

Whatever dies on the way, a command that was received is not lost: the relay sends it on. A request
that comes again with its key gets the answer of the first.
"""

import asyncio
import re
import time
from datetime import datetime
from uuid import uuid4

from pydantic import ValidationError
from starlette.responses import JSONResponse

from api.commands.precheck import check_meant
from api.commands.request import Asked
from api.dependencies import Parts
from api.edge.problems import RETRY, Problem, of_domain
from api.reading.lookup import find_pathway
from domain.language.commands import Command, Wish
from domain.language.errors import Conflict, Malformed, Refused, Unavailable
from domain.language.names import RequestId
from store import inbox
from store.database import Transaction
from store.records import CommandRecord
from temporal.parcel import pack_command, pack_refusal, unpack_refusal
from workflows.messages import Refusal

SETTLED_WITHIN = 5.0
"""Seconds that a caller waits for the record of a command before getting a 202."""

LOOK_EVERY = 0.015
SLOWEST_LOOK = 0.03


async def send(asked: Asked, pathway_id: str, wish: Wish) -> JSONResponse:
    """Commit a wish to the inbox, send it to its pathway, and answer with what came of it."""
    parts = asked.parts
    now = await parts.clock.now()
    command = Command(RequestId(str(uuid4())), asked.author, wish, asked.expects)
    async with parts.database.begin() as tx:
        row = await find_pathway(tx, asked.caller, pathway_id)
        if (known := await repeated(tx, asked)) is not None:
            return answer_again(known)
        check_meant(row, await parts.pinned.of(tx, row.id), wish, now)
        if asked.expects is not None and asked.expects != row.version:
            raise stale(row.version)
        received = inbox.Received(
            id=command.id,
            pathway_id=row.id,
            site_id=row.site_id,
            kind=wish.kind,
            author_id=asked.caller.subject,
            idempotency_key=asked.key,
            fingerprint=asked.fingerprint,
            body=pack_command(command),
        )
        if await inbox.receive(tx, received, now) is None:
            return answer_again(await _same_moment(tx, asked))
    try:
        await parts.door.send(pathway_id, command)
    except (Refused, Conflict, Malformed) as error:
        raise await _rejected(asked, command, error, now) from error
    except Unavailable:
        return pending(command.id, pathway_id)
    return await settled(parts, command.id, pathway_id)


async def repeated(tx: Transaction, asked: Asked) -> CommandRecord | None:
    """Find the request that came with this key before; 422 if it was another one."""
    known = await inbox.earlier(tx, asked.caller.subject, asked.key)
    if known is not None and known.fingerprint != asked.fingerprint:
        detail = "the key came with another request before; use a new key for a new request"
        raise Problem("idempotency-key-reused", detail)
    return known


async def _same_moment(tx: Transaction, asked: Asked) -> CommandRecord:
    known = await repeated(tx, asked)
    if known is None:
        raise Unavailable("the same request came twice at one moment")
    return known


def answer_again(row: CommandRecord) -> JSONResponse:
    """Answer a repeated request as the first was answered; 409 while that is under way."""
    if row.state == "received":
        raise Problem(
            "in-flight",
            "the first is not settled yet; ask its status address, or send it again later",
            headers={**RETRY, "Location": f"/v1/commands/{row.id}"},
        )
    response = outcome(row)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def outcome(row: CommandRecord) -> JSONResponse:
    """Answer with what became of a command; raises the problem it was rejected with."""
    if row.state == "rejected":
        raise rejection(row)
    if row.state == "received":
        return pending(row.id, row.pathway_id)
    pathway, command = f"/v1/pathways/{row.pathway_id}", f"/v1/commands/{row.id}"
    return JSONResponse(
        {"version": row.version, "pathway": pathway, "command": command},
        status_code=201,
        headers={
            "ETag": f'"{row.version}"',
            "Location": pathway if row.kind == "start-pathway" else command,
        },
    )


def pending(command_id: str, pathway_id: str) -> JSONResponse:
    """Answer that a command is safe here and its outcome not known yet."""
    command = f"/v1/commands/{command_id}"
    return JSONResponse(
        {"command": command, "pathway": f"/v1/pathways/{pathway_id}"},
        status_code=202,
        headers={**RETRY, "Location": command},
    )


async def settled(parts: Parts, command_id: str, pathway_id: str) -> JSONResponse:
    """Wait until the record of a command is committed, a few seconds at most."""
    ends, pause = time.monotonic() + SETTLED_WITHIN, LOOK_EVERY
    while time.monotonic() < ends:
        try:
            async with parts.database.begin() as tx:
                row = await inbox.find(tx, command_id)
        except Unavailable:
            break
        if row is not None and row.state != "received":
            return outcome(row)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, SLOWEST_LOOK)
    return pending(command_id, pathway_id)


async def _rejected(
    asked: Asked, command: Command, error: Refused | Conflict | Malformed, at: datetime
) -> Problem:
    """Settle a refused command; if the database is away just now, the relay will."""
    blocked_by = error.blocked_by if isinstance(error, Refused) else ()
    refusal = Refusal(type(error).__name__, str(error), blocked_by)
    try:
        async with asked.parts.database.begin() as tx:
            await inbox.rejected(tx, command.id, pack_refusal(refusal), at)
    except Unavailable:
        pass
    return problem_of_refusal(refusal)


def rejection(row: CommandRecord) -> Problem:
    """The problem that a command was rejected with."""
    try:
        return problem_of_refusal(unpack_refusal(row.problem or {}))
    except ValidationError:
        return of_domain(Refused("it was refused when it was sent on; look at what is next"))


_STALE = re.compile(r"the pathway is at version (\d+), not \d+")


def problem_of_refusal(refusal: Refusal) -> Problem:
    """Map why a pathway refused to its problem."""
    match refusal.kind:
        case "Refused":
            return of_domain(Refused(refusal.message, refusal.blocked_by))
        case "Malformed":
            return of_domain(Malformed(refusal.message))
    moved_on = _STALE.fullmatch(refusal.message)
    return stale(int(moved_on[1])) if moved_on else of_domain(Conflict(refusal.message))


def stale(version: int) -> Problem:
    """The pathway is not at the version that the caller looked at."""
    detail = f"the pathway is at version {version}; look at it again before you decide"
    return Problem("stale-version", detail, headers={"ETag": f'"{version}"'})
