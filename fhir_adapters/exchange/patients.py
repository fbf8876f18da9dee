"""An EHR's Patient as far as Kairos needs it: to show a match, and to say who may be enrolled.

What cannot be read as a plain "yes, this is the patient's current record" is never taken for one.
Name, birth date and identifier are for people to compare: nothing here decides by them.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from domain.language.errors import Malformed
from domain.language.names import EhrPatientId
from fhir_adapters.exchange.compare import Bases, referred
from fhir_adapters.exchange.headers import is_id
from fhir_adapters.exchange.identity import each_of, identifiers, name_of, shown
from fhir_adapters.exchange.json_out import write_json

_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_EVERYBODYS = ("U", "L", "M", "N")
"""Levels of confidentiality up to what is usual for a record of care."""

_LEAVES_IT = ("replaces", "refer", "seealso")
"""Links that leave a record its patient's (FHIR R4, LinkType); any other is taken for the worst."""

_A_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR, _MONTH, _DAY = len("1980"), len("1980-01"), len("1980-01-01")


@dataclass(frozen=True, slots=True)
class EhrPatient:
    """A patient of one EHR.

    `fingerprint` is a SHA-256 over current identifiers and birth date: equal as long as it is the
    same identity. `identifiers` counts those. `replaced_by` is set when the EHR merged this record
    into another. `labels` are security labels beyond what every record has: a test patient, say.
    `unreadable` says what keeps the record from being read on at all.
    """

    id: EhrPatientId
    active: bool
    died: bool
    identifiers: int
    replaced_by: EhrPatientId | None
    fingerprint: str
    labels: tuple[str, ...] = ()
    unreadable: str | None = None
    name: str | None = field(default=None, repr=False)
    born: str | None = field(default=None, repr=False)  # a year, a year and a month, or a day
    _known: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def age_on(self, day: date) -> int | None:
        """Whole years on a day; None if the EHR does not have the day of birth."""
        born = _day(self.born)
        if born is None or born > day:
            return None
        before = (day.month, day.day) < (born.month, born.day)
        return day.year - born.year - before

    def was_born_on(self, day: date) -> bool | None:
        """Say whether that is the birth date; None where the EHR does not know all of it."""
        if self.born is None:
            return None
        asked = day.isoformat()
        if len(self.born) in (_YEAR, _MONTH) and asked.startswith(self.born):
            return None
        return asked == self.born

    def identifier_of(self, system: str) -> str | None:
        """Its first identifier of a system that holds now, for people to compare."""
        return next((shown(v) for of, v in self._known if of == system and shown(v)), None)

    def carries(self, system: str, value: str) -> bool:
        """Say whether the record carries exactly this identifier now, spaces at its ends aside."""
        return (system, value.strip()) in {(s, v.strip()) for s, v in self._known}

    @property
    def not_current(self) -> str | None:
        """Say why no pathway may be started on this record; None if one may."""
        if self.unreadable is not None:
            return f"the record {self.unreadable}"
        if self.replaced_by is not None:
            return "the record was merged into another; use the current record"
        if self.died:
            return "the record says that the patient has died"
        return None if self.active else "the record is not active"

    @property
    def may_be_enrolled(self) -> bool:
        """Say whether a pathway may be started on this record."""
        return self.not_current is None

    @classmethod
    def from_fhir(cls, resource: Mapping[str, Any], bases: Bases, today: date) -> Self:
        """Read a Patient as of a day. Malformed, without values, if it is none."""
        ehr_id = resource.get("id")
        if resource.get("resourceType") != "Patient" or not isinstance(ehr_id, str):
            raise Malformed("the EHR's answer is not a Patient")
        if not is_id(ehr_id):
            raise Malformed("the Patient's id is not a FHIR id")
        known = tuple(identifiers(resource, today))
        born = _born(resource.get("birthDate"))
        return cls(
            id=EhrPatientId(ehr_id),
            active=_says_yes(resource.get("active")) and "_active" not in resource,
            died=_lives(resource) is False,
            identifiers=len(set(known)),
            replaced_by=_replaced_by(resource, bases),
            fingerprint=hashlib.sha256(write_json([sorted(set(known)), born])).hexdigest(),
            labels=tuple(dict.fromkeys(_labels(resource))),
            unreadable=_unreadable(resource),
            name=name_of(resource, today),
            born=born,
            _known=known,
        )


def _unreadable(resource: Mapping[str, Any]) -> str | None:
    """What a reader who does not know it must not read past (FHIR R4, 2.4 and 2.36)."""
    for name in ("modifierExtension", "implicitRules"):
        if resource.get(name):
            return f"has {name}, which may change the meaning of the whole record"
    if _lives(resource) is None:
        return "does not say plainly whether the patient lives"
    return None


def _born(birth_date: object) -> str | None:
    """A year, a year and a month, or a day; None for anything else."""
    if not isinstance(birth_date, str) or len(birth_date) not in (_YEAR, _MONTH, _DAY):
        return None
    return birth_date if _day(birth_date + "-01-01"[len(birth_date) - _YEAR :]) else None


def _day(birth_date: str | None) -> date | None:
    """A whole date; a year, or a year and a month, is no day."""
    try:
        whole = birth_date is not None and _A_DAY.fullmatch(birth_date) is not None
        return date.fromisoformat(str(birth_date)) if whole else None
    except ValueError:
        return None


def _says_yes(flag: object) -> bool:
    """Say whether a flag is plainly true; without a word, a record is taken to be active."""
    return flag is None or flag is True


def _lives(resource: Mapping[str, Any]) -> bool | None:
    """Say whether the record says that the patient lives; None if it does not say so plainly.

    It need not say anything. An extension of what is plainly false says nothing else.
    """
    said = {
        name: value
        for name, value in resource.items()
        if name.lstrip("_").startswith("deceased") and value is not None
    }
    flag, at = said.get("deceasedBoolean"), said.get("deceasedDateTime")
    if flag is False and not said.keys() - {"deceasedBoolean", "_deceasedBoolean"}:
        return True
    if flag is not False and (flag is True or isinstance(at, str)) and "deceased" not in said:
        return False
    return None if said else True


def _labels(resource: Mapping[str, Any]) -> Iterator[str]:
    meta = resource.get("meta")
    marks = meta if isinstance(meta, Mapping) else {}
    tags = (tag for tag in each_of(marks.get("tag")) if _is_a_label(tag))
    for label in (*each_of(marks.get("security")), *tags):
        code = label.get("code") if isinstance(label, Mapping) else None
        system = label.get("system") if isinstance(label, Mapping) else None
        if system == _CONFIDENTIALITY and code in _EVERYBODYS:
            continue
        fits = isinstance(code, str) and len(code) <= 64 and code.isprintable() and code.strip()  # noqa: PLR2004
        yield code.strip() if isinstance(code, str) and fits else "a label without a code"


def _is_a_label(tag: object) -> bool:
    """Say whether a tag is one of HL7's for security, which test patients carry there too."""
    return isinstance(tag, Mapping) and tag.get("code") in ("HTEST", "SUBSETTED", "REDACTED")


def _replaced_by(resource: Mapping[str, Any], bases: Bases) -> EhrPatientId | None:
    for link in each_of(resource.get("link")):
        if isinstance(link, Mapping) and link.get("type") in _LEAVES_IT:
            continue
        other = link.get("other") if isinstance(link, Mapping) else None
        reference = other.get("reference") if isinstance(other, Mapping) else None
        place = referred(reference, bases) if isinstance(reference, str) else ""
        # Wherever it leads, and however it is said: this record is not the patient's any more.
        return EhrPatientId(place.removeprefix("Patient/") or "another record")
    return None
