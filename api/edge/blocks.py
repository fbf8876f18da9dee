"""How what stands in the way is shown, in problems and in a pathway's `next` alike."""

from datetime import datetime

from pydantic import BaseModel, Field

from domain.language.findings import Blocked
from domain.language.names import Role


class Block(BaseModel):
    """One reason for a block: the rule, what was found or is missing, and who can clear it."""

    rule: str
    finding: str | None = Field(default=None, description="what was found that a rule forbids")
    missing: str | None = Field(default=None, description="what must be known and is not")
    who: list[Role] = Field(description="roles that can clear it; empty if only time can")
    overridable: bool = Field(description="whether a prescriber may override it with a reason")
    passes: datetime | None = Field(
        default=None, description="when it clears by itself; nobody has to do anything"
    )
    opens: datetime | None = Field(
        default=None, description="from when what is missing can be recorded; somebody still has to"
    )
    closes: datetime | None = Field(
        default=None, description="by when what is missing must be recorded"
    )
    why: str = ""
    source: str = Field(default="", description="the source that the protocol gives for the rule")


def block_of(blocked: Blocked) -> Block:
    return Block(
        rule=blocked.rule,
        finding=blocked.finding,
        missing=blocked.missing,
        who=list(blocked.who),
        overridable=blocked.overridable,
        passes=blocked.passes,
        opens=blocked.opens,
        closes=blocked.closes,
        why=blocked.why,
        source=blocked.source,
    )
