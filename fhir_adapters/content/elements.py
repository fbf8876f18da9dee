"""Small FHIR data types as plain dicts, written the same way everywhere.

Must not build a resource; it names a resource's type only to refer to one. Instants have seconds
and `Z`, so that what is read back compares equal; numbers are JSON numbers without the noise of
binary floating point.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from domain.language.clocks import LocalTime, instant
from domain.language.errors import Malformed
from domain.language.names import Author, Role, SiteId, VisitId, spoken
from domain.language.pathway import Pathway
from domain.language.protocol import Protocol
from domain.language.treatment import TreatmentFact
from domain.language.vocabulary import Code
from domain.rules.fold import override_key
from fhir_adapters.content import identifiers

UCUM = "http://unitsofmeasure.org"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"


def moment(at: datetime) -> str:
    """Write an instant in UTC to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clinic_time(at: LocalTime, zone: str) -> datetime:
    """Resolve a local time, keeping the clinic's offset so that staff see their own hour."""
    return instant(at, zone).astimezone(ZoneInfo(zone))


def with_offset(at: datetime) -> str:
    """Write an instant with its own offset, to the second."""
    return at.isoformat(timespec="seconds")


def number(value: Decimal | int) -> int | float:
    """Return a JSON number of exactly this value: whole values as int."""
    exact = Decimal(value)
    if exact == exact.to_integral_value():
        return int(exact)
    short = float(exact)
    if Decimal(repr(short)) != exact:
        raise Malformed("a reading has more digits than a JSON number keeps")
    return short


def quantity(value: Decimal | int, unit: str, ucum: str) -> dict[str, Any]:
    """Build a Quantity with its UCUM unit."""
    return {"value": number(value), "unit": unit, "system": UCUM, "code": ucum}


def coding(code: Code) -> dict[str, Any]:
    """Build a Coding; without a display where the code system's own words were not read."""
    display = {"display": code.display} if code.display else {}
    return {"system": code.system, "code": code.code, **display}


def concept(text: str, *codes: Code) -> dict[str, Any]:
    """Build a CodeableConcept: its words, and codes only where their meaning was verified."""
    found: dict[str, Any] = {"coding": [coding(code) for code in codes]} if codes else {}
    return {**found, "text": text}


def profile(name: str) -> dict[str, Any]:
    """Claim a US Core 6.1.0 profile."""
    return {"profile": [US_CORE + name]}


def patient(ehr_id: str) -> dict[str, Any]:
    return {"reference": f"Patient/{ehr_id}"}


def person(author: Author) -> dict[str, Any]:
    """Refer to an author: a person by their token's subject, the software as a device."""
    if author.role is Role.KAIROS:
        return kairos()
    return _logical("Practitioner", identifiers.PERSON, author.id)


def kairos() -> dict[str, Any]:
    return {**_logical("Device", identifiers.DEVICE, "kairos"), "display": "Kairos"}


def place(site: SiteId) -> dict[str, Any]:
    """Refer to the site as a place."""
    return _logical("Location", identifiers.SITE, site)


def organization(site: SiteId) -> dict[str, Any]:
    """Refer to the site as an organization."""
    return _logical("Organization", identifiers.SITE, site)


def named(kind: str, artefact: str) -> dict[str, Any]:
    """Refer to something of ours by its identifier, so that nothing has to wait for it."""
    return {"type": kind, "identifier": identifiers.identifier(artefact)}


def _logical(kind: str, system: str, value: str) -> dict[str, Any]:
    return {"type": kind, "identifier": {"system": system, "value": value}}


def under_overrides(pathway: Pathway, visit: VisitId, rules: Protocol) -> str:
    """Name the gates that a prescriber let pass at a visit, behind what was given there."""
    gates = (gate.id for gate in rules.gates)
    passed = [spoken(gate) for gate in gates if override_key(visit, gate) in pathway.overrides]
    return f"; overridden by a prescriber: {', '.join(passed)}" if passed else ""


def off_the_rules(fact: TreatmentFact) -> str:
    """Say on whose decisions a treatment rested, and how it went against a rule if it did."""
    under = f"; under standing decisions: {'; '.join(fact.under)}" if fact.under else ""
    if not fact.deviation:
        return under
    how = (
        "given against a rule"
        if fact.authorized
        else "NOT AUTHORIZED, given although a rule said stop"
    )
    return f"{under}; {how}: {fact.deviation} ({'; '.join(fact.findings)})"
