"""What the lists can be asked for, and what is wrong where an answer could be another patient's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from api.dependencies import Dependencies
from api.edge.access import connections_of, is_id, site_list
from api.edge.problems import ErrorView, Problem
from api.edge.tokens import Caller
from api.reading.lines import Counted, Line
from api.reading.pages import Cursor, Item, Limit, page_of
from domain.rules.steps import Urgency
from store import lists
from store.lists import Listed

UrgencyName = Annotated[str | None, Query(pattern="^(safety|visit|routine)$")]
OfPatient = Annotated[
    str | None, Query(description="the patient's id in the EHR", min_length=1, max_length=128)
]
OfConnection = Annotated[str | None, Query(description="the EHR whose id `patient` is")]
OfPhase = Annotated[str | None, Query(description="a phase of the protocol, by its id")]
Overdue = Annotated[bool | None, Query(description="whether its time has passed")]


@dataclass(frozen=True, slots=True)
class Common:
    """What every list takes: a site, a patient of an EHR, and where the page begins."""

    site: str | None
    connection: str | None
    patient: str | None
    limit: int
    cursor: str | None


def common(
    *,
    site: Annotated[str | None, Query()] = None,
    connection: OfConnection = None,
    patient: OfPatient = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Common:
    """Read what every list takes."""
    return Common(site, connection, patient, limit, cursor)


Asked = Annotated[Common, Depends(common)]


async def listed(
    of: Listed,
    deps: Dependencies,
    caller: Caller,
    asked: Common,
    own: Mapping[str, object],
    shown: Callable[[Line, datetime], Item],
) -> Counted[Item]:
    """Answer a list: the page, how many lines there are, and whether some may be behind."""
    sites = site_list(caller, asked.site)
    wanted = {
        "connection": _connection(deps, caller, asked, sites),
        "patient": asked.patient,
        **own,
    }
    wanted = {name: value for name, value in wanted.items() if value is not None}
    of_list = "|".join([of.table, str(asked.site), *(f"{n}={wanted[n]}" for n in sorted(wanted))])
    after = deps.cursors.read(of_list, asked.cursor)
    now = await deps.clock.now()
    async with deps.database.begin() as tx:
        found = await lists.page(tx, of, sites, wanted, after, asked.limit + 1, now)
        count = await lists.count(tx, of, sites, wanted, now)
        behind = await lists.behind(tx, sites)
    views = [(list(place), shown(line, now)) for place, line in found]
    page = page_of(deps.cursors, of_list, views, asked.limit)
    return Counted(items=page.items, next=page.next, count=count, behind=behind, now=now)


def urgency_named(name: str | None) -> int | None:
    """The urgency that a request names."""
    return None if name is None else int(Urgency[name.upper()])


def pathway_named(pathway: str | None) -> str | None:
    """The pathway that a request names. Raises Problem for what cannot be one."""
    if pathway is not None and not is_id(pathway):
        wrong = ErrorView(parameter="query pathway", detail="is not the id of a pathway")
        raise Problem("invalid", "name a pathway by its id", errors=[wrong])
    return pathway


def _connection(
    deps: Dependencies, caller: Caller, asked: Common, sites: Sequence[str]
) -> str | None:
    """The EHR that is meant: a patient's id is one EHR's, and another's at another."""
    mine = connections_of(deps.installation, caller)
    if asked.connection is not None and asked.connection not in mine:
        wrong = ErrorView(parameter="query connection", detail="is not an EHR of your sites")
        raise Problem("invalid", "name an EHR that /v1/connections lists", errors=[wrong])
    if asked.patient is None or asked.connection is not None:
        return asked.connection
    meant = {site.ehr for site in deps.installation.sites if site.id in sites}
    if len(meant) > 1:
        says = "is one EHR's id, and your sites have several EHRs: give `connection` or `site` too"
        wrong = ErrorView(parameter="query patient", detail=says)
        raise Problem("invalid", "say whose patient is meant", errors=[wrong])
    return next(iter(meant), None)
