"""Gathering a search's pages: matches once each, issues kept apart, next links only to the EHR.

`Bundle.total` is not believed (some vendors give the page's size) except against an empty page.
Must not request anything itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from fhir_adapters.profile.operation_outcome import Issue, issues_of

MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search brought. `complete` is False when there was more than was read."""

    resources: tuple[dict[str, Any], ...]
    issues: tuple[Issue, ...]
    complete: bool
    total: int | None = None  # as the last page gives it, which is not always that


class Gathering:
    """Matches of one type so far, by id; of two copies the newer stays."""

    def __init__(self, resource_type: str) -> None:
        """Begin with nothing."""
        self._type = resource_type
        self._found: dict[str, dict[str, Any]] = {}
        self._issues: list[Issue] = []
        self._total: int | None = None
        self.whole = True

    def take(self, bundle: Mapping[str, Any]) -> None:
        """Add one page. A page that says it holds something and does not is not whole."""
        entries = bundle.get("entry")
        matches = 0
        for entry in entries if isinstance(entries, list) else []:
            resource = entry.get("resource") if isinstance(entry, Mapping) else None
            if not isinstance(resource, dict):
                self.whole = False
            elif resource.get("resourceType") == "OperationOutcome":
                self._issues.extend(issues_of(resource))
            elif resource.get("resourceType") == self._type and isinstance(resource.get("id"), str):
                matches += 1
                self._keep(resource)
            elif resource.get("resourceType") in (self._type, None):
                self.whole = False
        if entries is not None and not isinstance(entries, list):
            self.whole = False
        total = bundle.get("total")
        self._total = total if isinstance(total, int) else self._total
        if isinstance(total, int) and total > 0 and matches == 0 and not self._found:
            self.whole = False

    def result(self, *, complete: bool) -> SearchResult:
        """Say what was found."""
        found, issues = tuple(self._found.values()), tuple(self._issues)
        return SearchResult(found, issues, complete and self.whole, self._total)

    def _keep(self, resource: dict[str, Any]) -> None:
        known = self._found.get(resource["id"])
        if known is None or _updated(resource) >= _updated(known):
            self._found[resource["id"]] = resource


def next_page(bundle: Mapping[str, Any], base_url: str) -> str | None:
    """Give the next page's URL; None at the end, and "" if it leads away from the EHR."""
    links = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping) and link.get("relation") == "next":
            target = urljoin(base_url + "/", str(link.get("url", "")))
            return target if _origin(target) == _origin(base_url) else ""
    return None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _updated(resource: Mapping[str, Any]) -> str:
    meta = resource.get("meta")
    return str(meta.get("lastUpdated", "")) if isinstance(meta, Mapping) else ""
