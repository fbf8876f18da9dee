"""Gathering a search's pages: matches once each, issues kept apart, next links only to the EHR.

`Bundle.total` is not believed for what it promises (some vendors give the page's size), only where
it says that there is more than was shown.
Must not request anything itself.
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from fhir_adapters.exchange.compare import as_instant
from fhir_adapters.profile.operation_outcome import Issue, issues_of

MOST_PAGES = 20
LONGEST_LINK = 8_000
"""Characters of a link to a next page; more than any server takes in a request line."""

_ODD_PATH = re.compile(r"\\|;|%25|%5c", re.IGNORECASE)
_PORTS = {"https": 443, "http": 80}
_A_LINK = re.compile(r"[!-~]+")


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
        self._type = resource_type
        self._found: dict[str, dict[str, Any]] = {}
        self._issues: list[Issue] = []
        self._total: int | None = None
        self._matches = 0
        self.whole = True

    def take(self, bundle: Mapping[str, Any]) -> None:
        """Add one page. A page that says it holds something and does not is not whole."""
        entries = bundle.get("entry")
        before = self._matches
        for entry in entries if isinstance(entries, list) else []:
            resource = entry.get("resource") if isinstance(entry, Mapping) else None
            if not isinstance(resource, dict):
                self.whole = False
            elif resource.get("resourceType") == "OperationOutcome":
                self._issues.extend(issues_of(resource))
            elif resource.get("resourceType") == self._type and isinstance(resource.get("id"), str):
                self._matches += 1
                self._keep(resource)
            elif resource.get("resourceType") in (self._type, None):
                self.whole = False
        if entries is not None and not isinstance(entries, list):
            self.whole = False
        total = bundle.get("total")
        self._total = total if isinstance(total, int) else self._total
        if isinstance(total, int) and total > 0 and self._matches == before and not self._found:
            self.whole = False

    def result(self, *, complete: bool) -> SearchResult:
        found, issues = tuple(self._found.values()), tuple(self._issues)
        cut = self._total is not None and self._total > self._matches
        return SearchResult(found, issues, complete and self.whole and not cut, self._total)

    def _keep(self, resource: dict[str, Any]) -> None:
        known = self._found.get(resource["id"])
        if known is None or _updated(resource) >= _updated(known):
            self._found[resource["id"]] = resource


def next_page(bundle: Mapping[str, Any], bases: tuple[str, ...]) -> str | None:
    """Give the next page's URL; None at the end, and "" if it leads away from this EHR.

    Another path of the same host is another EHR: a host serves several hospitals. `bases` has the
    address that is asked first; a link to another that the EHR calls itself by is asked there.
    """
    links = bundle.get("link")
    for link in links if isinstance(links, list) else [links]:
        relation = link.get("relation") if isinstance(link, Mapping) else None
        if isinstance(link, Mapping) and "next" in (
            relation if isinstance(relation, list) else [relation]
        ):
            return _within(_asked_here(link.get("url"), bases), bases[0])
    return None


def _asked_here(url: object, bases: tuple[str, ...]) -> object:
    for other in bases[1:]:
        if isinstance(url, str) and (url.startswith((f"{other}/", f"{other}?")) or url == other):
            return bases[0] + url.removeprefix(other)
    return url


def _within(url: object, base_url: str) -> str:
    """The address, if it is one and lies below the base; "" if not."""
    if not isinstance(url, str) or len(url) > LONGEST_LINK or not _A_LINK.fullmatch(url):
        return ""
    try:
        target = urljoin(base_url + "/", url)
        there, base = urlsplit(target), urlsplit(base_url)
        same = _origin(there) == _origin(base) and "@" not in there.netloc
    except ValueError:  # a bracket or a port that is none
        return ""
    if _ODD_PATH.search(there.path):  # each server reads these in a way of its own
        return ""
    path = posixpath.normpath(unquote(there.path) or "/")
    root = base.path.rstrip("/")
    return target if same and (path == (root or "/") or path.startswith(f"{root}/")) else ""


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    scheme = url.scheme.lower()
    return scheme, url.hostname, url.port or _PORTS.get(scheme)


def _updated(resource: Mapping[str, Any]) -> datetime:
    meta = resource.get("meta")
    said = meta.get("lastUpdated") if isinstance(meta, Mapping) else None
    try:
        at = as_instant(str(said)) or datetime.fromisoformat(str(said))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
