"""Payers' authorizations: recorded one by one, each number once."""

import re

from domain.language.authorizations import (
    AuthorizationFact,
    AuthorizationRecorded,
    AuthorizationWish,
    AuthorizedUnit,
)
from domain.language.errors import Conflict, Malformed
from domain.language.names import Treatment, spoken
from domain.language.pathway import Pathway

MOST_UNITS = 10_000
OF_A_DRUG = (AuthorizedUnit.DEVICE, AuthorizedUnit.MILLIGRAM)
_CODE = re.compile(r"[A-Z0-9]{5}")  # CPT and HCPCS: five letters and digits


def check_meant(wish: AuthorizationWish) -> None:
    """Raise Malformed unless a payer can have said so."""
    if not any(letter.isalnum() for letter in wish.number):
        raise Malformed("number is required: the payer's authorization number")
    if wish.ends < wish.starts:
        raise Malformed("ends is before starts; both days are included")
    if not 1 <= wish.units <= MOST_UNITS:
        raise Malformed(f"units must be 1 to {MOST_UNITS}: how much the payer pays for")
    if wish.unit in OF_A_DRUG and wish.treatment is not Treatment.ESKETAMINE:
        raise Malformed(f"count {spoken(wish.treatment)} by session or day, not by {wish.unit}")
    wrong = [code for code in wish.codes if not _CODE.fullmatch(code)]
    if wrong or not wish.codes:
        raise Malformed("codes must be the CPT or HCPCS codes of the authorization, such as 90868")
    if wish.treatment in wish.excludes:
        raise Malformed(f"excludes lists {spoken(wish.treatment)} itself; list the other treatment")


def decide(pathway: Pathway, wish: AuthorizationWish) -> tuple[AuthorizationFact, ...]:
    """Say what was authorized. Conflict if that number is recorded for this treatment already."""
    number = wish.number.strip()
    for known in pathway.authorizations.values():
        if known.says.is_same(wish.treatment, number):
            message = "this number is already recorded; correct that entry if it is wrong"
            raise Conflict(message)
    made = AuthorizationRecorded(
        wish.treatment,
        number,
        wish.starts,
        wish.ends,
        wish.units,
        wish.unit,
        wish.codes,
        tuple(dict.fromkeys(wish.excludes)),
    )
    return (made,)
