"""The one way in for commands: inbox first, then a turn of the pathway, under the same id.

Whatever dies on the way, a command that was received is not lost: a worker settles it. A request
that comes again with its key gets the answer of the first.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import structlog
from pydantic import ValidationError
from starlette.responses import JSONResponse

from api.commands.elsewhere import insist_fits_there
from api.commands.pinning import pinned
from api.commands.precheck import check_meant
from api.commands.request import CommandRequest
from api.dependencies import Dependencies
from api.edge.problems import RETRY, Problem, of_domain
from api.reading.charts import chart_of
from api.reading.ehr_failures import ehr_away
from api.reading.lookup import find_pathway
from api.reading.patients import note_identity, read_patient
from domain.decide import decide
from domain.language.chart import ReadChart
from domain.language.commands import Command, Wish
from domain.language.errors import Refused, Unavailable
from domain.language.names import CommandState, RequestId
from domain.language.pathway import Pathway
from domain.language.phases import ChangeProtocol, SignOrder
from domain.language.protocol import CombinedProtocol
from domain.language.refusal import error_of
from domain.language.visits import CheckIn
from store import columns, inbox
from store.database import Transaction
from store.newer import RecordedByNewer
from store.records import CommandRecord

UNREAD = ("ehr-unavailable", "ehr-unreadable", "ehr-refuses")
"""Problems of an EHR that say nothing about the patient: they keep nobody from care."""

log = structlog.get_logger("kairos.api")


async def send(request: CommandRequest, pathway_id: str, wish: Wish) -> JSONResponse:
    """Commit a wish to the inbox, have it settled, and answer with what came of it."""
    deps = request.deps
    now = await deps.clock.now()
    if isinstance(wish, CheckIn | ReadChart):
        wish = await _with_chart(request, pathway_id, wish, now)
    command = Command(RequestId(str(uuid4())), request.author, wish, request.expects)
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, request.caller, pathway_id)
        if (known := await repeated(tx, request)) is not None:
            return answer_again(known)
        if isinstance(wish, ChangeProtocol):
            wish = await pinned(tx, deps, row, wish)
            command = replace(command, wish=wish)
        with suppress(RecordedByNewer):  # then it is kept, and whoever can read it decides
            protocol, pathway = await deps.see(tx, row)
            check_meant(protocol, pathway, wish, now)
            if isinstance(wish, SignOrder):  # what is signed is what stands when it is asked for
                wish = replace(wish, version=wish.version or protocol.version)
                command = replace(command, wish=wish)
        if request.expects is not None and request.expects != row.version:
            raise stale(row.version)
        await insist_fits_there(tx, request, row, command, now)
        body = columns.command_to_json(command)
        received = request.received(command.id, row.id, row.site_id, wish.kind, body)
        if await inbox.receive(tx, received, now) is None:
            return answer_again(await came_first(tx, request))
    return await settled(deps, command.id, pathway_id)


async def _with_chart(
    request: CommandRequest, pathway_id: str, wish: CheckIn | ReadChart, now: datetime
) -> Wish:
    """Read the patient again, who may have died or been merged (422), and then the chart.

    An EHR that is away keeps nobody from care: whoever is here is checked in, the chart unread.
    """
    deps = request.deps
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, request.caller, pathway_id)
        if await repeated(tx, request) is not None:
            return wish
        with suppress(RecordedByNewer):
            _insist_may_be(*await deps.see(tx, row), request, wish, now)
    try:
        patient = await read_patient(deps, row.connection_id, row.patient_id, now.date())
        async with deps.database.begin() as tx:
            await note_identity(tx, deps, row.connection_id, patient, now)
    except Problem as problem:
        if problem.name not in UNREAD or isinstance(wish, ReadChart):
            raise
        log.warning("patient_not_read", pathway_id=row.id)
    try:
        async with deps.database.begin() as tx:
            protocol, pathway = await deps.see(tx, row)
    except RecordedByNewer:
        if isinstance(wish, ReadChart):  # which questions to ask of it, only newer code can say
            raise ehr_away() from None
        return wish  # whoever can read it decides
    reading = await chart_of(deps, row.connection_id, row.patient_id, protocol, pathway.zone, now)
    if isinstance(wish, CheckIn):
        return replace(wish, chart=reading)
    return wish if reading is None else replace(wish, reading=reading)


def _insist_may_be(
    protocol: CombinedProtocol,
    pathway: Pathway,
    request: CommandRequest,
    wish: CheckIn | ReadChart,
    now: datetime,
) -> None:
    """Refuse what is refused for what is known here before an EHR is asked, which may take long."""
    if pathway.phases:
        check_meant(protocol, pathway, wish, now)
    if pathway.phases and isinstance(wish, CheckIn):
        decide(protocol, pathway, Command(RequestId("asked"), request.author, wish), now)


async def repeated(tx: Transaction, request: CommandRequest) -> CommandRecord | None:
    """Find the request that came with this key before; 422 if it was another one."""
    known = await inbox.earlier(tx, request.caller.subject, request.key)
    if known is not None and known.fingerprint != request.fingerprint:
        detail = "this key was already used for another request; use a new key for each new request"
        raise Problem("idempotency-key-reused", detail)
    return known


async def came_first(tx: Transaction, request: CommandRequest) -> CommandRecord:
    """Find the request that took this key at the same moment as this one."""
    known = await repeated(tx, request)
    if known is None:
        raise Unavailable("two requests with the same key arrived at the same moment")
    return known


def answer_again(row: CommandRecord) -> JSONResponse:
    """Answer a repeated request as the first was answered; 409 while that is under way."""
    if row.state is CommandState.RECEIVED:
        raise Problem(
            "in-flight",
            "the first request is not finished; check the address in Location, or retry later",
            headers={**RETRY, "Location": f"/v1/commands/{row.id}"},
        )
    response = response_of(row)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def response_of(row: CommandRecord) -> JSONResponse:
    """Answer with what became of a command; raises the problem it was rejected with."""
    if row.state is CommandState.REJECTED:
        raise rejection(row)
    if row.state is CommandState.RECEIVED:
        return pending(row.id, row.pathway_id)
    assert row.version is not None  # noqa: S101  applied at some version
    started = row.kind == inbox.START
    return applied(row.id, row.pathway_id, row.version, started=started)


def applied(
    command_id: str, pathway_id: str, version: int, *, started: bool = False
) -> JSONResponse:
    """Answer that a command took effect, with the pathway's version after it."""
    pathway, command = f"/v1/pathways/{pathway_id}", f"/v1/commands/{command_id}"
    return JSONResponse(
        {"version": version, "pathway": pathway, "command": command},
        status_code=201,
        headers={"ETag": f'"{version}"', "Location": pathway if started else command},
    )


def pending(command_id: str, pathway_id: str) -> JSONResponse:
    """Answer that a command is safe here and its outcome not known yet."""
    command = f"/v1/commands/{command_id}"
    return JSONResponse(
        {
            "command": command,
            "pathway": f"/v1/pathways/{pathway_id}",
        },
        status_code=202,
        headers={**RETRY, "Location": command},
    )


async def settled(
    deps: Dependencies, command_id: str, pathway_id: str, *, started: bool = False
) -> JSONResponse:
    """Settle a received command, and answer with what is stored of it; 202 if that is open.

    Whatever happened, the command is safe: what is not settled now is tried again from the inbox.
    """
    try:
        stored = await deps.gateway.send(pathway_id, command_id)
        if stored.state == CommandState.APPLIED and stored.version is not None:
            return applied(command_id, pathway_id, stored.version, started=started)
        async with deps.database.begin() as tx:
            row = await inbox.find(tx, command_id)
    except Unavailable:
        return pending(command_id, pathway_id)
    return pending(command_id, pathway_id) if row is None else response_of(row)


def rejection(row: CommandRecord) -> Problem:
    """The problem that a command was rejected with."""
    try:
        refusal = columns.refusal_from_json(row.problem or {})
    except ValidationError:
        return of_domain(Refused("it was refused; see `next` on the pathway for what can be done"))
    if refusal.version is not None:
        return stale(refusal.version)
    return of_domain(error_of(refusal))


def stale(version: int) -> Problem:
    """The pathway is not at the version that the caller looked at."""
    detail = f"the pathway is now at version {version}; read it again before you decide"
    return Problem("stale-version", detail, headers={"ETag": f'"{version}"'})
