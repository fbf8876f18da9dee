"""What an installation is made of: protocols and sites, and the patients of a site's EHR."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.commands.words import Day
from api.edge.access import AnyCaller, May, nothing_there, site_of
from api.edge.tokens import Caller
from api.reading import work_views as w
from api.reading.pages import Page
from api.reading.patients import PatientsFound, find_patients
from api.routes.declaring import ASKING, READING, With
from domain.language.clocks import local_day
from domain.language.errors import Malformed
from domain.language.protocol import CombinedProtocol
from domain.permissions import MAY_START

router = APIRouter(tags=["reference"])


def protocol_view(protocol: CombinedProtocol) -> w.ProtocolView:
    return w.ProtocolView(
        id=protocol.id,
        version=protocol.version,
        title=protocol.title,
        status=protocol.status,
        illustrative=protocol.illustrative,
        sha256=protocol.sha256,
        phases=[phase.id for phase in protocol.phases],
    )


@router.get("/protocols", summary="List protocols", responses=READING)
async def list_protocols(deps: With, _caller: AnyCaller) -> Page[w.ProtocolView]:
    """List the pathway protocols of this installation in every version."""
    return Page(items=[protocol_view(protocol) for protocol in deps.protocols.all()])


@router.get("/protocols/{protocol}", summary="A protocol", responses=READING)
async def get_protocol(
    protocol: str,
    deps: With,
    _caller: AnyCaller,
    version: Annotated[int | None, Query(ge=1)] = None,
) -> w.ProtocolView:
    """Show a protocol: that version, or the newest approved one."""
    try:
        return protocol_view(deps.protocols.combined(protocol, version))
    except Malformed:
        raise nothing_there() from None


@router.get("/sites", summary="List the caller's sites", responses=READING)
async def list_sites(deps: With, caller: AnyCaller) -> Page[w.SiteView]:
    """List the sites that the caller's token grants."""
    mine = [site for site in deps.installation.sites if site.id in caller.sites]
    return Page(
        items=[
            w.SiteView(
                id=site.id,
                name=site.name,
                zone=site.zone,
                offers=sorted(site.offers),
                connection=site.ehr,
            )
            for site in mine
        ]
    )


@router.get("/sites/{site}/patients", summary="Find a patient in the EHR", responses=ASKING)
async def search_patients(
    site: Annotated[str, Path()],
    deps: With,
    caller: Annotated[Caller, Depends(May(*MAY_START))],
    identifier: Annotated[str, Query(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,64}$")],
    birth_date: Annotated[Day | None, Query(description="to confirm the match")] = None,
) -> PatientsFound:
    """Find patients in the site's EHR by their identifier there; compare the names."""
    known = site_of(deps.installation, caller, site)
    today = local_day(await deps.clock.now(), known.zone)
    return await find_patients(deps, known.ehr, identifier, birth_date, today)
