"""A query parameter that a route does not know is refused by name, and so is one given twice.

One that was left out without a word would answer another question than the one asked: a list for
one patient would show the whole site.
"""

import re
from collections.abc import Iterable
from typing import Annotated

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import StringConstraints

from api.edge.problems import ErrorView, Problem

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
# An id of dots alone would name another address.
EhrId = Annotated[str, StringConstraints(pattern=r"^\.*[A-Za-z0-9-][A-Za-z0-9.-]*$", max_length=64)]

_A_NAME = re.compile(r"[a-z][A-Za-z0-9_]{0,40}")


async def only_known_parameters(request: Request) -> None:
    """A dependency of every route. Raises Problem."""
    route = request.scope["route"]
    given = [name for name, _ in request.query_params.multi_items()]
    if not given or not isinstance(route, APIRoute):
        return
    known = _known(route)
    wrong = [
        ErrorView(parameter=f"query {_shown(name)}", detail=_says(name, known))
        for name in dict.fromkeys(given)
        if name not in known or given.count(name) > 1
    ]
    if wrong:
        raise Problem(
            "invalid",
            "`errors` lists each field or parameter that is not valid and what is expected",
            errors=wrong,
        )


def not_known(given: Iterable[str], known: Iterable[str]) -> str:
    """Say which names are not known here, and which are."""
    names = ", ".join(dict.fromkeys(map(_shown, given)))
    return f"{names} is not known here; known names: {', '.join(sorted(known)) or 'none'}"


def _says(name: str, known: tuple[str, ...]) -> str:
    if name in known:
        return "is given more than once; give it once"
    return not_known((name,), known)


def _shown(name: object) -> str:
    """The name, if it can be one of ours: what else was sent is not repeated."""
    return (
        name if isinstance(name, str) and _A_NAME.fullmatch(name) else "something that is no name"
    )


def _known(route: APIRoute) -> tuple[str, ...]:
    return tuple(sorted(_names(route.dependant)))


def _names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_names(each) for each in dependant.dependencies))
