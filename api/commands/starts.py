"""Start a pathway: everything that can be wrong is found before anything is written.

The inbox row and the patient's reservation are one transaction, so of any number of starts at once
one succeeds, and a refused start leaves nothing behind.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import uuid4

from starlette.responses import JSONResponse

from api.commands.bodies import StartPathway
from api.commands.request import CommandRequest
from api.commands.submit import answer_again, came_first, repeated, settled
from api.edge.access import site_of
from api.edge.problems import Problem
from api.reading.capability import learn
from api.reading.charts import chart_of
from api.reading.patients import insist_seen, note_identity, read_patient
from domain.enrolment import Enrolment, begin
from domain.language.clocks import local_day
from domain.language.errors import Conflict, Malformed, Unavailable
from domain.language.names import ConnectionId, EhrPatientId, PathwayId, RequestId, SiteId
from domain.language.pathway import Pathway
from domain.language.phases import PathwayStarted
from domain.language.protocol import CombinedProtocol, Status
from fhir_adapters.exchange.patients import EhrPatient
from protocols.book import ProtocolBook
from settings import Site
from store import capabilities, columns, inbox, pathways
from workflows.messages import PathwayInput

FARTHEST = timedelta(days=180)
"""How far ahead a first visit may lie; beyond that its year is taken for a slip of the pen."""


async def start(request: CommandRequest, wanted: StartPathway) -> JSONResponse:
    """Enrol a patient on a protocol, and answer with the pathway."""
    deps = request.deps
    site = site_of(deps.installation, request.caller, wanted.site)
    async with deps.database.begin() as tx:
        if (known := await repeated(tx, request)) is not None:
            return answer_again(known)
        capability = await capabilities.find(tx, site.ehr)
    protocol = _protocol(deps.protocols, wanted.protocol, wanted.version)
    _check_offers(site, protocol)
    if capability is None:
        await learn(deps, site.ehr)
    now = await deps.clock.now()
    async with deps.database.begin() as tx:
        ended = await pathways.ended_for(tx, site.ehr, wanted.patient)
        earlier = [(await deps.see(tx, each))[1] for each in ended]
    treated_on = _last_treated(earlier)
    enrolment = _enrolment(request, site, wanted, protocol, treated_on, now)
    patient = await read_patient(deps, site.ehr, wanted.patient, local_day(now, site.zone))
    insist_seen(patient, wanted.labels)
    chart = await chart_of(deps, site.ehr, wanted.patient, protocol, site.zone, now)
    age = patient.age_on(enrolment.first_visit.day)
    enrolment = replace(enrolment, age=age, chart=chart)
    begin(protocol, enrolment, now)  # before the patient is reserved: an age may forbid it
    return await _begin(request, site, protocol, enrolment, patient, now)


def _protocol(book: ProtocolBook, name: str, version: int | None) -> CombinedProtocol:
    """Find the protocol, which must be approved."""
    try:
        found = book.combined(name, version)
    except Malformed:
        known = ", ".join(f"{each.id} version {each.version}" for each in book.approved())
        raise Problem("unknown-protocol", f"approved protocols: {known or 'none'}") from None
    if found.status is not Status.APPROVED:
        detail = f"{found.title} (version {found.version}) is {found.status}; it must be approved"
        raise Problem("protocol-not-approved", detail)
    return found


def _check_offers(site: Site, protocol: CombinedProtocol) -> None:
    lacking = sorted({phase.treatment for phase in protocol.phases} - site.offers)
    if lacking:
        detail = f"{site.name} does not offer {', '.join(lacking)}, which this protocol needs"
        raise Problem("site-lacks-treatment", detail)


def _enrolment(
    request: CommandRequest,
    site: Site,
    wanted: StartPathway,
    protocol: CombinedProtocol,
    treated_on: date | None,
    now: datetime,
) -> Enrolment:
    """Say what is asked for. Malformed for a first visit that is no time, or not possible."""
    started = PathwayStarted(
        EhrPatientId(wanted.patient),
        ConnectionId(site.ehr),
        SiteId(site.id),
        site.zone,
        protocol.id,
        protocol.version,
        protocol.sha256,
        treated_on,
        wanted.referred_on,
        tuple(wanted.labels),
    )
    first_visit = wanted.first_visit.local()
    enrolment = Enrolment(RequestId(str(uuid4())), request.author, started, first_visit)
    begin(protocol, enrolment, now)
    today = local_day(now, site.zone)
    if first_visit.day < today:
        raise Malformed(f"first_visit is in the past; today is {today} at {site.name}")
    if wanted.referred_on is not None and wanted.referred_on > today:
        raise Malformed(f"referred_on is in the future; today is {today} at {site.name}")
    if first_visit.day > today + FARTHEST:
        raise Malformed(f"first_visit is more than {FARTHEST.days} days ahead; check the year")
    if treated_on is not None and (soonest := _soonest(protocol, treated_on)) > first_visit.day:
        message = f"after treatment on an earlier pathway, first_visit must be {soonest} or later"
        raise Malformed(message)
    return enrolment


def _last_treated(earlier: list[Pathway]) -> date | None:
    """The last treatment day of pathways that have ended, at their clinics."""
    days = [local_day(s.started, each.zone) for each in earlier for s in each.sessions.values()]
    return max(days, default=None)


def _soonest(protocol: CombinedProtocol, treated_on: date) -> date:
    return treated_on + timedelta(days=protocol.days_after_earlier)


async def _begin(
    request: CommandRequest,
    site: Site,
    protocol: CombinedProtocol,
    enrolment: Enrolment,
    patient: EhrPatient,
    now: datetime,
) -> JSONResponse:
    """Reserve the patient and commit the request in one go, then start the workflow."""
    deps, pathway_id = request.deps, PathwayId(str(uuid4()))
    body = columns.command_to_json(enrolment)
    received = request.received(enrolment.id, pathway_id, site.id, inbox.START, body)
    reserved = Pathway(
        pathway_id, EhrPatientId(patient.id), ConnectionId(site.ehr), SiteId(site.id), site.zone
    )
    try:
        async with deps.database.begin() as tx:
            if await inbox.receive(tx, received, now) is None:
                return answer_again(await came_first(tx, request))
            await pathways.reserve(tx, reserved, protocol, patient.fingerprint, now)
            await note_identity(tx, deps, site.ehr, patient, now)
    except Conflict:
        raise await _open_already(request, site, patient.id) from None
    answer = await settled(deps, enrolment.id, pathway_id, started=True)
    with suppress(Unavailable):  # then a sweep starts it: nothing is due on the day it begins
        await deps.gateway.start_pathway(PathwayInput(pathway_id, deps.roll_over_at))
    return answer


async def _open_already(request: CommandRequest, site: Site, patient_id: str) -> Problem:
    """Name the pathway that is open, if it is one that the caller may see."""
    async with request.deps.database.begin() as tx:
        row = await pathways.open_for(tx, site.ehr, patient_id)
    if row is None or row.site_id not in request.caller.sites:
        detail = "this patient has an open pathway at another site of the EHR; it must end first"
        return Problem("pathway-open", detail)
    address = f"/v1/pathways/{row.id}"
    return Problem(
        "pathway-open", f"{address} is open; it must end first", also={"pathway": address}
    )
