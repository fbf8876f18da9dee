"""A route for each command of the catalogue: taken apart here, and passed on.

Whether a wish is granted is the domain's to say.
"""

from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from api.commands.catalogue import CATALOGUE
from api.commands.catalogue.entry import Entry
from api.commands.request import CommandRequest, MayWish
from api.commands.submit import send
from api.commands.words import Body
from api.routes.declaring import COMMANDING, example

router = APIRouter(prefix="/pathways/{pathway}")


def _add(entry: Entry[Any]) -> None:
    async def ask(
        pathway: str, request: CommandRequest, body: Body | None = None, **about: str
    ) -> JSONResponse:
        said = entry.body() if body is None else body
        return await send(request, pathway, entry.make(said, "".join(about.values())))

    # FastAPI reads a route's parameters, and so describes them, from its signature.
    ask.__signature__ = _signature(entry)  # type: ignore[attr-defined]
    router.add_api_route(
        entry.path,
        ask,
        methods=["POST"],
        name=entry.kind.replace("-", "_"),
        summary=entry.summary,
        description=entry.says,
        tags=[entry.tag],
        **COMMANDING,
    )


def _signature(entry: Entry[Any]) -> Signature:
    body: Any = entry.body | None if entry.may_be_empty else entry.body
    takes: dict[str, Any] = {
        "pathway": str,
        **({entry.about: str} if entry.about else {}),
        "body": Annotated[body, example(entry.body)],
        "request": Annotated[CommandRequest, Depends(MayWish(entry.wish))],
    }
    may_be_left_out = {"body": None} if entry.may_be_empty else {}
    return Signature([
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=may_be_left_out.get(name, Parameter.empty),
        )
        for name, annotation in takes.items()
    ])  # fmt: skip


for _entry in CATALOGUE:
    _add(_entry)
