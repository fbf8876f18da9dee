"""Payers' authorizations: for which treatment, how much of it, and from when until when.

Some payers authorize one treatment only as long as the other is not given beside it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Literal

from domain.language.names import Role, Roles, Treatment


class AuthorizedUnit(StrEnum):
    """What a payer counts."""

    SESSION = "session"
    DAY = "day"  # of treatment, whatever the number of sessions on it
    DEVICE = "device"
    MILLIGRAM = "mg"  # HCPCS J0013, 1 mg each


@dataclass(frozen=True, slots=True)
class RecordAuthorization:
    """Record what a payer authorized, under its number; `starts` and `ends` are local days."""

    MAY: ClassVar[Roles] = (Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER)

    treatment: Treatment
    number: str
    starts: date
    ends: date
    units: int
    unit: AuthorizedUnit
    codes: tuple[str, ...]  # the billing codes that it names
    excludes: tuple[Treatment, ...] = ()
    kind: Literal["record-authorization"] = "record-authorization"


@dataclass(frozen=True, slots=True)
class AuthorizationRecorded:
    """A payer authorized a treatment: so many units, between two local days, both included."""

    treatment: Treatment
    number: str
    starts: date
    ends: date
    units: int
    unit: AuthorizedUnit
    codes: tuple[str, ...]
    excludes: tuple[Treatment, ...] = ()
    kind: Literal["authorization-recorded"] = "authorization-recorded"

    def is_same(self, treatment: Treatment, number: str) -> bool:
        """Say whether it is the letter of this number, however that was typed."""
        return self.treatment is treatment and _plain(self.number) == _plain(number)


def _plain(number: str) -> str:
    return "".join(letter for letter in number.casefold() if letter.isalnum())


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization, and when it was recorded here."""

    says: AuthorizationRecorded
    recorded: datetime


AuthorizationWish = RecordAuthorization
AuthorizationFact = AuthorizationRecorded
