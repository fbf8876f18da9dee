"""Pages of lists: the items, and the cursor of the next page if there is one."""

from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from api.edge.cursors import Cursors, Place

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=200, description="items per page")]
Cursor = Annotated[str | None, Query(description="`next` from the previous page")]


class Page(BaseModel, Generic[Item]):
    """One page. Send `next` back as `cursor` for the one after, with the same filters."""

    items: list[Item]
    next: str | None = Field(default=None, description="null on the last page")


def page_of(
    cursors: Cursors, of_list: str, items: Sequence[tuple[Place, Item]], limit: int
) -> Page[Item]:
    """Make a page from items with their places, of which one more than the limit was asked for."""
    following = None
    if len(items) > limit:
        following = cursors.make(of_list, items[limit - 1][0])
    return Page(items=[item for _, item in items[:limit]], next=following)
