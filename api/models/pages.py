"""Pages of lists: the items, and the cursor of the next page if there is one."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page. Send `next` back as `cursor` for the one after, with the same filters."""

    items: list[Item]
    next: str | None = Field(default=None, description="null on the last page")
