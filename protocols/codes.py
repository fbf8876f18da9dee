"""Codes as the vocabulary writes them: only with a note of where their meaning was read.

The form and check digit catch a slip of the pen; they do not verify a meaning.
"""

import re

from domain.language.vocabulary import Code
from protocols.quantities import NotUnderstood
from protocols.reading import Section

LOCAL = "urn:kairos:codesystem:observation"
SYSTEMS = {
    "LOINC": "http://loinc.org",
    "RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ICD-10-CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "SNOMED CT": "http://snomed.info/sct",
}
_FORMS = {
    "LOINC": re.compile(r"[0-9]{1,5}-[0-9]"),
    "RxNorm": re.compile(r"[1-9][0-9]{0,7}"),
    "SNOMED CT": re.compile(r"[1-9][0-9]{5,17}"),
    "ICD-10-CM": re.compile(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?"),
}
UCUM = ("a", "mm[Hg]", "%", "{score}", "min", "/min", "mg")


def read_code(section: Section, key: str, local: str, title: str) -> Code | None:
    """Read a required code: `local`, `none`, or a published one with its verification."""
    if section.is_block(key):
        return published(section.section(key))
    word = section.read(key, _local_or_none, "none")
    return Code(LOCAL, local.replace("_", "-"), title) if word == "local" else None


def published(section: Section) -> Code:
    """Read a published code; `verified` says where its meaning was read."""
    system = section.read("system", read_system, "")
    code = section.text("code")
    display = section.text("display")
    section.text("verified")
    if section.sound("system", "code") and (problem := mistyped(system, code)):
        section.wrong("code", problem)
    return Code(SYSTEMS.get(system, ""), code, display)


def mistyped(system: str, code: str) -> str | None:
    """Say what is wrong with the form of a code, if anything is."""
    if not _FORMS[system].fullmatch(code):
        return f'"{code}" does not have the form of a code of {system}'
    if system == "LOINC" and not check_digit_fits(code):
        return f'"{code}" is mistyped: its LOINC check digit does not fit'
    return None


def check_digit_fits(code: str) -> bool:
    """Check a LOINC code's last digit, which is the Luhn digit of those before the hyphen."""
    number, _, digit = code.partition("-")
    total = 0
    for place, character in enumerate(reversed(number)):
        value = int(character) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004  the digits' sum
    return (10 - total % 10) % 10 == int(digit)


def read_system(text: str) -> str:
    """One of the code systems, as people call it."""
    if text not in SYSTEMS:
        message = f'"{text}" is not one of: {", ".join(SYSTEMS)}'
        raise NotUnderstood(message)
    return text


def _local_or_none(text: str) -> str:
    if text not in ("local", "none"):
        message = f'"{text}" must be local, none, or a block of system, code, display and verified'
        raise NotUnderstood(message)
    return text
