"""Who may do what, and at which site: the one place where both are enforced.

The middleware knows who calls; each route declares its roles with `May`; a thing of another site
does not exist for the caller. `check_every_route` stops the process if a route forgot.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.edge.problems import Problem
from api.edge.tokens import Caller
from domain.language.names import Role, any_of
from settings import Connection, Installation, Site

ANYONE = tuple(role for role in Role if role is not Role.KAIROS)


class May:
    """A dependency: the caller, who has one of these roles."""

    def __init__(self, *roles: Role) -> None:
        """Name the roles that may use the route."""
        self.roles = roles

    async def __call__(self, request: Request) -> Caller:
        """Give the caller; 403 if none of their roles may."""
        caller = caller_of(request)
        acting_role(caller, self.roles)
        return caller


def caller_of(request: Request) -> Caller:
    caller = request.scope["state"]["caller"]
    if not isinstance(caller, Caller):
        raise Problem("unauthenticated", "send a bearer token")
    return caller


def acting_role(caller: Caller, allowed: Iterable[Role], chosen: str | None = None) -> Role:
    """Give the role that the caller chose, or else their first that may; 403 if it may not."""
    roles = tuple(allowed)
    if chosen is not None and chosen not in caller.roles:
        raise Problem("forbidden", "Acting-Role names a role that your token does not grant")
    for role in caller.roles:
        if role in roles and chosen in (None, role):
            return role
    raise Problem("forbidden", f"this is for {any_of(roles)}")


def site_list(caller: Caller, only: str | None = None) -> list[str]:
    """List the caller's sites, or the one asked for if it is theirs."""
    return sorted(site for site in caller.sites if only is None or site == only)


def nothing_there() -> Problem:
    """The one answer for what does not exist and for what another site has."""
    return Problem("not-found", "check the address; what other sites have is not shown")


class OfSite(Protocol):
    """What belongs to a site."""

    @property
    def site_id(self) -> str:
        """The site's id."""
        ...


Owned = TypeVar("Owned", bound=OfSite)


def insist_visible(caller: Caller, found: Owned | None) -> Owned:
    """Give what was found; 404 if nothing was, or if it is not at one of the caller's sites."""
    if found is None or found.site_id not in caller.sites:
        raise nothing_there()
    return found


def site_of(installation: Installation, caller: Caller, site: str) -> Site:
    """Give a site of this installation; 404 unless it is one of the caller's."""
    found = installation.site(site)
    if found is None or site not in caller.sites:
        raise nothing_there()
    return found


def connections_of(installation: Installation, caller: Caller) -> dict[str, Connection]:
    """Map the ids of the EHRs of the caller's sites to them; others do not exist."""
    mine = {site.ehr for site in installation.sites if site.id in caller.sites}
    return {each.id: each for each in installation.connections if each.id in mine}


def is_id(text: str) -> bool:
    """Say whether a text can be the id of a pathway or a command at all."""
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None


def guards_of(dependant: Dependant) -> list[May]:
    """List the guards that a route declares."""
    found = [dependant.call] if isinstance(dependant.call, May) else []
    return [*found, *(guard for each in dependant.dependencies for guard in guards_of(each))]


def check_every_route(routes: Iterable[APIRoute]) -> None:
    """Stop at start if a route under /v1 says nothing about who may use it."""
    for route in routes:
        if not guards_of(route.dependant):
            message = f"{route.path} does not say who may use it"
            raise RuntimeError(message)


AnyCaller = Annotated[Caller, Depends(May(*ANYONE))]
