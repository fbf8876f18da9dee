"""An EHR's Patient as far as Kairos needs it: to show a match and to notice when it changes.

No name, address or birth date leaves this module: a hash stands for the identity, and an age. Must
not be used to search for people.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from domain.language.errors import Malformed
from domain.language.names import EhrPatientId
from fhir_adapters.exchange.compare import referred
from fhir_adapters.exchange.headers import is_id
from fhir_adapters.exchange.json_out import write_json


@dataclass(frozen=True, slots=True)
class EhrPatient:
    """A patient of one EHR.

    `fingerprint` is a SHA-256 over identifiers and birth date: equal as long as it is the same
    identity. `replaced_by` is set when the EHR merged this record into another.
    """

    id: EhrPatientId
    active: bool
    identifiers: int
    replaced_by: EhrPatientId | None
    fingerprint: str
    _born: date | None = field(default=None, repr=False)

    def age_on(self, day: date) -> int | None:
        """Whole years on a day; None if the EHR does not have the day of birth."""
        if self._born is None or self._born > day:
            return None
        before = (day.month, day.day) < (self._born.month, self._born.day)
        return day.year - self._born.year - before

    @property
    def may_be_enrolled(self) -> bool:
        """Say whether a pathway may be started on this record."""
        return self.active and self.replaced_by is None

    @classmethod
    def from_fhir(cls, resource: Mapping[str, Any], base_url: str) -> Self:
        """Read a Patient. Malformed, without values, if it is none."""
        ehr_id = resource.get("id")
        if resource.get("resourceType") != "Patient" or not isinstance(ehr_id, str):
            raise Malformed("the EHR's answer is not a Patient")
        if not is_id(ehr_id):
            raise Malformed("the Patient's id is not a FHIR id")
        known = _identifiers(resource)
        birth_date = resource.get("birthDate")
        seed = write_json([known, birth_date if isinstance(birth_date, str) else None])
        return cls(
            id=EhrPatientId(ehr_id),
            active=resource.get("active") is not False and not _deceased(resource),
            identifiers=len(known),
            replaced_by=_replaced_by(resource, base_url),
            fingerprint=hashlib.sha256(seed).hexdigest(),
            _born=_day(birth_date),
        )


def _day(birth_date: object) -> date | None:
    """A whole date; a year, or a year and a month, is no day."""
    try:
        whole = isinstance(birth_date, str) and len(birth_date) == len("1980-01-01")
        return date.fromisoformat(str(birth_date)) if whole else None
    except ValueError:
        return None


def _deceased(resource: Mapping[str, Any]) -> bool:
    """Say whether the EHR says so, or says something else than that the patient lives."""
    lives = resource.get("deceasedBoolean") in (None, False)
    return not lives or "deceasedDateTime" in resource


def _identifiers(resource: Mapping[str, Any]) -> list[list[str]]:
    listed = resource.get("identifier")
    found = {
        (str(entry.get("system", "")), str(entry["value"]))
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, Mapping) and isinstance(entry.get("value"), str)
    }
    return [list(pair) for pair in sorted(found)]


def _replaced_by(resource: Mapping[str, Any], base_url: str) -> EhrPatientId | None:
    links = resource.get("link")
    for link in links if isinstance(links, list) else []:
        if not isinstance(link, Mapping) or link.get("type") != "replaced-by":
            continue
        other = link.get("other")
        reference = other.get("reference") if isinstance(other, Mapping) else None
        place = referred(reference, base_url) if isinstance(reference, str) else ""
        # Wherever it leads, and however it is said: this record is not the patient's any more.
        return EhrPatientId(place.removeprefix("Patient/") or "another record")
    return None
