"""Makes the page that says what Kairos knows of each EHR vendor, for whoever connects one.

Must not say more than the vendor's file does, nor fill what is not known.
"""

from collections import defaultdict
from collections.abc import Iterator

from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.vendor import Vendor
from fhir_adapters.profile.vendors import VENDORS
from fhir_adapters.profile.verdicts import Verdict


def vendors_page() -> str:
    """Say what is known of each vendor, and how sure it is."""
    lines = [
        "# EHR vendors", "",
        "What Kairos knows about an EHR beyond its CapabilityStatement, under the name that an",
        "installation file uses for it (`vendor`). It only restricts what the statement promises.",
        "What is not listed is not known; there Kairos follows the standard and the statement.", "",
    ]  # fmt: skip
    for vendor in VENDORS.values():
        lines += [f"## {vendor.name}", "", *_vendor(vendor), ""]
    return "\n".join(lines)


def _vendor(vendor: Vendor) -> Iterator[str]:
    if vendor == Vendor(vendor.name):
        yield "Nothing is assumed. It has no error codes of its own."
        return
    yield "| | |"
    yield "|---|---|"
    for about, says in (*_taken_away(vendor), *_known(vendor), *_codes(vendor)):
        yield f"| {about} | {says} |"


def _taken_away(vendor: Vendor) -> Iterator[tuple[str, str]]:
    reasons: defaultdict[tuple[str, str], set[ArtefactKind]] = defaultdict(set)
    for (kind, resource_type), why in vendor.not_taken.items():
        reasons[resource_type, why].add(kind)
    for (resource_type, why), kinds in reasons.items():
        what = "anything" if kinds == set(ArtefactKind) else ", ".join(sorted(kinds))
        yield f"Not written as {resource_type}", f"{what}: {why}"
    if vendor.identifier_lost:
        yield "Kairos's identifier may be lost", ", ".join(sorted(vendor.identifier_lost))
    for resource_type, elements in vendor.rewrites.items():
        yield f"Rewrites in {resource_type}", ", ".join(sorted(elements))


def _known(vendor: Vendor) -> Iterator[tuple[str, str]]:
    for about, known in (
        ("Update verb", vendor.update_verb),
        ("Where a new id is found", vendor.id_place),
        ("Throttle", vendor.throttle),
    ):
        if known is not None:
            yield about, f"{known.says} ({known.sure}: {known.source})"


def _codes(vendor: Vendor) -> Iterator[tuple[str, str]]:
    for verdict in Verdict:
        codes = [code for code, meaning in vendor.codes.items() if meaning is verdict]
        if codes:
            yield f"Codes that mean {verdict}", ", ".join(codes)
    if vendor.unlisted is not None:
        yield "Any other code that comes with a failure", vendor.unlisted
    if not vendor.codes:
        yield "Error codes of its own", "none"
