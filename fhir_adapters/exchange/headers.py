"""Reading the headers of an EHR's answer: where the id, the version and the waiting time stand.

Pure. Must not trust what it reads: an id that does not look like one is none.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_ID = r"[A-Za-z0-9\-.]{1,64}"
_LONGEST_WAIT = 86400.0
_VERSION = re.compile(r"[!#-\[\]-~]{1,200}")
"""What may stand in an ETag (RFC 9110, 8.8.3) in every client's and server's reading."""


def id_from_location(location: str | None, resource_type: str) -> tuple[str, str | None] | None:
    """Take id and version from `…/Type/id` or `…/Type/id/_history/version`."""
    if location is None:
        return None
    path = re.split(r"[?#]", location.strip(), maxsplit=1)[0].rstrip("/")
    found = re.search(rf"(?:^|/){resource_type}/({_ID})(?:/_history/({_ID}))?$", path)
    return (found[1], found[2]) if found else None


def id_from_body(body: Any, resource_type: str) -> tuple[str, str | None] | None:
    """Take id and version from a returned resource."""
    if not isinstance(body, dict) or body.get("resourceType") != resource_type:
        return None
    ehr_id = body.get("id")
    if not isinstance(ehr_id, str) or not re.fullmatch(_ID, ehr_id):
        return None
    return ehr_id, version_of(body)


def version_of(resource: dict[str, Any]) -> str | None:
    """Take `meta.versionId`."""
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else None


def version_from_etag(etag: str | None) -> str | None:
    """Take the version out of `W/"3"` or `"3"`; versions need not be numbers."""
    found = re.fullmatch(r'(?:W/)?"([^"]*)"', etag.strip()) if etag else None
    return found[1] if found and _VERSION.fullmatch(found[1]) else None


def etag_of(version: str) -> str:
    """Write a version as FHIR wants it in If-Match."""
    return f'W/"{version}"'


def is_id(text: str) -> bool:
    """Say whether this may be a resource's id."""
    return re.fullmatch(_ID, text) is not None


def seconds_to_wait(retry_after: str | None, date: str | None) -> float | None:
    """Read Retry-After, in seconds or as an HTTP date. At most a day; None if it says nothing.

    A date is measured from the answer's own Date, so that no clock of ours comes into it.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(float(text), _LONGEST_WAIT)
    until, now = _http_date(text), _http_date(date)
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT)


def _http_date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
        found.utctimetuple()
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
