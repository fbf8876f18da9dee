"""How a command is answered: it took effect, it is safe here, or what became of a delivery."""

from pydantic import BaseModel, Field

from domain.delivery.words import DeliveryState


class Applied(BaseModel):
    """A command took effect: the pathway's version after it, and where to look."""

    version: int
    pathway: str = Field(examples=["/v1/pathways/0f9f…"])
    command: str


class Accepted(BaseModel):
    """A command was received and stored; its outcome is not known yet: see its address."""

    command: str
    pathway: str


class Resolved(BaseModel):
    """What became of a delivery by a person's decision."""

    delivery: str
    state: DeliveryState
