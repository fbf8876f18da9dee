"""Reads what every signed file begins with: its id, version, status, approvers and sources."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from domain.language.protocol import Approver, Status
from protocols.quantities import NotUnderstood
from protocols.reading import Section

NOTHING = "nothing"
"""What `illustrative` says in a protocol whose figures are all meant for care."""

_KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Head:
    """The first keys of a protocol or pathway file."""

    id: str
    version: int
    title: str
    status: Status
    approved_by: tuple[Approver, ...]
    illustrative: str
    sources: Mapping[str, str]


def read_head(top: Section, kind: str) -> Head:
    """Read the head of a file; `kind` is the key that holds its id."""
    name = top.text(kind)
    if top.sound(kind) and not _KEBAB.fullmatch(name):
        top.wrong(kind, f'"{name}" must be small letters, digits and single hyphens')
    status = top.choice("status", Status)
    approvers = tuple(_approver(section) for section in top.sections("approved_by"))
    if top.sound("status", "approved_by"):
        if status is not Status.DRAFT and not approvers:
            top.wrong("approved_by", f"{status}, but nobody is named: give name, role and date")
        if status is Status.DRAFT and approvers:
            top.wrong("approved_by", "a draft is approved by nobody: write [] until it is approved")
    illustrative = top.text("illustrative")
    sources = top.section("sources")
    return Head(
        id=name,
        version=top.count("version"),
        title=top.text("title"),
        status=status,
        approved_by=approvers,
        illustrative="" if illustrative == NOTHING else illustrative,
        sources={key: sources.text(key) for key in sources.block.entries},
    )


def kebab(section: Section, name: str) -> None:
    """Check that the name of a block is an id."""
    if not _KEBAB.fullmatch(name):
        section.here(f'the id "{name}" must be small letters, digits and single hyphens')


def _approver(section: Section) -> Approver:
    return Approver(
        section.text("name"), section.text("role"), section.read("date", _day, date.min)
    )


def _day(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    message = f'"{text}" is not a date such as 2026-11-24'
    raise NotUnderstood(message)
