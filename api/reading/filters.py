"""What the lists can be asked for, and what is wrong where an answer could be another patient's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from api.dependencies import Dependencies
from api.edge.access import connections_of, is_id, site_list
from api.edge.parameters import EhrId, Slug
from api.edge.problems import ErrorView, Problem
from api.edge.tokens import Caller
from api.reading.lines import Counted, Line
from api.reading.pages import Cursor, Item, Limit, Page, page_of
from domain.rules.steps import Urgency
from store import lists
from store.lists import Listed

UrgencyName = Annotated[str | None, Query(pattern="^(safety|visit|routine)$")]
OfPatient = Annotated[EhrId | None, Query(description="the patient's id in the EHR")]
OfConnection = Annotated[str | None, Query(description="the EHR that `patient` belongs to")]
OfPhase = Annotated[Slug | None, Query(description="a phase of the protocol, by its id")]
ByRule = Annotated[Slug | None, Query(description="a rule, by its id")]
Overdue = Annotated[bool | None, Query(description="whether it is overdue")]


@dataclass(frozen=True, slots=True)
class Common:
    """What every list takes: a site, a patient of an EHR, and where the page begins."""

    site: str | None
    connection: str | None
    patient: str | None
    limit: int
    cursor: str | None


async def common(
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
    sites = _sites(caller, asked.site)
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
        count, behind = await lists.totals(tx, of, sites, wanted, now)
    views: list[tuple[list[str | int], Item | None]] = []
    for place, line in found:
        try:
            views.append((list(place), shown(line, now)))
        except ValueError:  # a newer Kairos wrote a word that this one does not know
            views.append((list(place), None))
    whole = page_of(deps.cursors, of_list, views, asked.limit)
    items = [item for item in whole.items if item is not None]
    behind += len(whole.items) - len(items)
    page = Page(items=items, next=whole.next)
    return Counted(items=page.items, next=page.next, count=count, behind=behind, now=now)


def urgency_named(name: str | None) -> int | None:
    """The urgency that a request names."""
    return None if name is None else int(Urgency[name.upper()])


def pathway_named(pathway: str | None) -> str | None:
    """The pathway that a request names. Raises Problem for what cannot be one."""
    if pathway is not None and not is_id(pathway):
        raise wrong("pathway", "is not the id of a pathway")
    return pathway


def wrong(parameter: str, detail: str) -> Problem:
    """The problem of one parameter that does not fit."""
    error = ErrorView(parameter=f"query {parameter}", detail=detail)
    return Problem(
        "invalid",
        "`errors` lists each field or parameter that is not valid and what is expected",
        errors=[error],
    )


def _sites(caller: Caller, site: str | None) -> list[str]:
    """The caller's sites, or the one of them that is meant: a slip is no empty list."""
    if site is not None and site not in caller.sites:
        yours = ", ".join(sorted(caller.sites)) or "none"
        raise wrong("site", f"is not one of your sites; yours are: {yours}")
    return site_list(caller, site)


def _connection(
    deps: Dependencies, caller: Caller, asked: Common, sites: Sequence[str]
) -> str | None:
    """The EHR that is meant: a patient's id is one EHR's, and another's at another."""
    mine = connections_of(deps.installation, caller)
    if asked.connection is not None and asked.connection not in mine:
        raise wrong("connection", "is not an EHR of your sites; /v1/connections lists them")
    if asked.patient is None or asked.connection is not None:
        return asked.connection
    meant = {site.ehr for site in deps.installation.sites if site.id in sites}
    if len(meant) > 1:
        says = "needs `connection` or `site` too, because your sites use several EHRs"
        raise wrong("patient", says)
    if not meant:
        raise wrong("patient", "cannot be looked up, because your token grants no site")
    return next(iter(meant))
