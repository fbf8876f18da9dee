"""An EHR's Patient as far as Kairos needs it: to show a match, and to say who may be enrolled.

What cannot be read as a plain "yes, this is the patient's current record" is never taken for one.
No name, address or birth date leaves this module: a hash stands for the identity, and an age. Must
not be used to search for people.
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
from fhir_adapters.exchange.json_out import write_json

_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_EVERYBODYS = frozenset({"U", "L", "M", "N"})
"""Levels of confidentiality up to what is usual for a record of care."""

_LEAVES_IT = frozenset({"replaces", "refer", "seealso"})
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
    _born: str | None = field(default=None, repr=False)
    _known: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)

    def age_on(self, day: date) -> int | None:
        """Whole years on a day; None if the EHR does not have the day of birth."""
        born = _day(self._born)
        if born is None or born > day:
            return None
        before = (day.month, day.day) < (born.month, born.day)
        return day.year - born.year - before

    def was_born_on(self, day: date) -> bool | None:
        """Say whether that is the birth date; None where the EHR does not know all of it."""
        if self._born is None:
            return None
        asked = day.isoformat()
        if len(self._born) in (_YEAR, _MONTH) and asked.startswith(self._born):
            return None
        return asked == self._born

    def carries(self, system: str, value: str) -> bool:
        """Say whether the record carries exactly this identifier now, spaces at its ends aside."""
        return (system, value.strip()) in {(s, v.strip()) for s, v in self._known}

    @property
    def not_current(self) -> str | None:
        """Say why no pathway may be started on this record; None if one may."""
        if self.unreadable is not None:
            return f"the record {self.unreadable}, which may change the meaning of the whole record"
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
        known = frozenset(_identifiers(resource, today))
        born = _born(resource.get("birthDate"))
        return cls(
            id=EhrPatientId(ehr_id),
            active=resource.get("active", True) is True and "_active" not in resource,
            died=_died(resource),
            identifiers=len(known),
            replaced_by=_replaced_by(resource, bases),
            fingerprint=hashlib.sha256(write_json([sorted(known), born])).hexdigest(),
            labels=tuple(dict.fromkeys(_labels(resource))),
            unreadable=_unreadable(resource),
            _born=born,
            _known=known,
        )


def _unreadable(resource: Mapping[str, Any]) -> str | None:
    """What a reader who does not know it must not read past (FHIR R4, 2.4 and 2.36)."""
    for name in ("modifierExtension", "implicitRules"):
        if resource.get(name):
            return f"has {name}"
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


def _died(resource: Mapping[str, Any]) -> bool:
    """Say whether the EHR says so, or says something else than that the patient lives.

    Also in an element of which only an extension is known: died, at a time that nobody knows.
    """
    said = {name for name in resource if name.lstrip("_").startswith("deceased")}
    plain_no = resource.get("deceasedBoolean") is False
    return bool(said - {"deceasedBoolean"}) or ("deceasedBoolean" in said and not plain_no)


def _labels(resource: Mapping[str, Any]) -> Iterator[str]:
    meta = resource.get("meta")
    for label in _each(meta.get("security") if isinstance(meta, Mapping) else None):
        code = label.get("code") if isinstance(label, Mapping) else None
        system = label.get("system") if isinstance(label, Mapping) else None
        if system == _CONFIDENTIALITY and code in _EVERYBODYS:
            continue
        fits = isinstance(code, str) and len(code) <= 64 and code.isprintable() and code.strip()  # noqa: PLR2004
        yield code.strip() if isinstance(code, str) and fits else "a label without a code"


def _identifiers(resource: Mapping[str, Any], today: date) -> Iterator[tuple[str, str]]:
    """The identifiers that hold on a day: not old ones, not ones that ended or begin later."""
    for entry in _each(resource.get("identifier")):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("value"), str):
            continue
        if entry.get("use") == "old" or not _holds(entry.get("period"), today):
            continue
        system = entry.get("system")
        yield (system if isinstance(system, str) else "", entry["value"])


def _holds(period: object, today: date) -> bool:
    """Say whether a period is going on; a time that is not whole counts to its end."""
    if not isinstance(period, Mapping):
        return True
    start, end, now = period.get("start"), period.get("end"), today.isoformat()
    begun = not isinstance(start, str) or start[:_DAY] <= now
    over = isinstance(end, str) and end[:_DAY] < now[: len(end)]
    return begun and not over


def _each(listed: object) -> list[object]:
    """What stands in a list; a server that writes one without a list means that one."""
    if listed is None:
        return []
    return listed if isinstance(listed, list) else [listed]


def _replaced_by(resource: Mapping[str, Any], bases: Bases) -> EhrPatientId | None:
    for link in _each(resource.get("link")):
        if isinstance(link, Mapping) and link.get("type") in _LEAVES_IT:
            continue
        other = link.get("other") if isinstance(link, Mapping) else None
        reference = other.get("reference") if isinstance(other, Mapping) else None
        place = referred(reference, bases) if isinstance(reference, str) else ""
        # Wherever it leads, and however it is said: this record is not the patient's any more.
        return EhrPatientId(place.removeprefix("Patient/") or "another record")
    return None
