"""A FHIR R4 client for one EHR: the five interactions that Kairos uses, and their failures.

Knows HTTP and FHIR's REST rules, not what is written or why. It must not try a write twice:
whether that may be sent again is decided with the ledger.
"""

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Self

from fhir_adapters.exchange.authorization import NO_AUTHORIZATION, Authorization
from fhir_adapters.exchange.compare import referred
from fhir_adapters.exchange.failures import (
    Busy,
    EhrRefused,
    Garbled,
    NoAnswer,
    NotLetIn,
    OutcomeUnknown,
    Stale,
    Unsafe,
)
from fhir_adapters.exchange.headers import (
    etag_of,
    id_from_body,
    id_from_location,
    is_id,
    seconds_to_wait,
    version_from_etag,
    version_of,
)
from fhir_adapters.exchange.json_out import write_json
from fhir_adapters.exchange.paging import MOST_PAGES, Gathering, SearchResult, next_page
from fhir_adapters.exchange.transport import Limits, Lost, Reply, Transport
from fhir_adapters.exchange.trust import NO_TRUST_OF_ITS_OWN, Trust
from fhir_adapters.profile.operation_outcome import Issue, classify, issues_of
from fhir_adapters.profile.said import words_of
from fhir_adapters.profile.vendor import Vendor
from fhir_adapters.profile.verdicts import Verdict
from strict_json import Unreadable, read_object

_OK, _CREATED, _REDIRECT, _BAD_REQUEST, _SERVER_ERROR = 200, 201, 300, 400, 500
_UNAUTHORIZED, _FORBIDDEN, _FAILED, _LOCKED = 401, 403, 412, 423
_TOO_MANY, _UNAVAILABLE = 429, 503
_STALE = (409, _FAILED)
_MAY_BE_DONE = frozenset({Verdict.ALREADY_DONE, Verdict.RETRY})
"""What a refused write may be although it stands: it is looked for."""

_ASK_AGAIN = frozenset({Verdict.PAGE_RESTART, Verdict.RETRY})
_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class EhrResource:
    """A resource as the EHR holds it: its raw JSON and version."""

    ehr_id: str
    version: str | None
    resource: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A write that succeeded. `existed` if what was asked for was there already.

    `whole` is the resource as it is meant to stand now, if that is known.
    """

    ehr_id: str
    version: str | None
    existed: bool = False
    whole: Mapping[str, Any] | None = None


class EhrClient:
    """One EHR, by the base URL of its FHIR API. Reuse it; close it at the end.

    Its vendor says what its answers mean.
    """

    def __init__(
        self,
        base_url: str,
        vendor: Vendor,
        *,
        other_bases: Sequence[str] = (),
        limits: Limits = _LIMITS,
        authorization: Authorization = NO_AUTHORIZATION,
        trust: Trust = NO_TRUST_OF_ITS_OWN,
        changes_unversioned: bool = False,
    ) -> None:
        """Open no connection yet. ValueError for certificates that cannot be read.

        `other_bases` are other base URLs that this EHR calls itself by; none is ever asked.
        `changes_unversioned` says that what it gives no version for may be changed all the same.
        """
        self.base_url = base_url.rstrip("/")
        self.bases = (self.base_url, *(each.rstrip("/") for each in other_bases))
        self.vendor = vendor
        self.changes_unversioned = changes_unversioned
        self._transport = Transport(self.base_url, limits, authorization, trust)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def capability(self) -> dict[str, Any]:
        return self._object(await self._get("metadata"), "read its capabilities")

    async def read(self, resource_type: str, ehr_id: str) -> EhrResource:
        """Read one resource. EhrRefused with 404 or 410 if it is not there."""
        if not is_id(ehr_id):
            raise Unsafe(f"this is not the id of a {resource_type}")
        reply = await self._get(f"{resource_type}/{ehr_id}")
        found = self._object(reply, f"read a {resource_type}")
        if id_from_body(found, resource_type) is None or found.get("id") != ehr_id:
            raise Garbled(f"the EHR returned something other than the {resource_type}")
        # A gateway may put an ETag of its own in the EHR's place: what the EHR wrote goes before.
        version = version_of(found) or version_from_etag(reply.headers.get("etag"))
        return EhrResource(ehr_id, version, found)

    async def search(
        self, resource_type: str, params: Sequence[tuple[str, str]], *, pages: int = MOST_PAGES
    ) -> SearchResult:
        """Search, following next links to the same origin; `complete` says if all was read."""
        doing = f"search {resource_type}"
        gathering = Gathering(resource_type)
        url, query = resource_type, tuple(params) or None
        for _ in range(pages):
            bundle = self._object(await self._get(url, query), doing)
            if bundle.get("resourceType") != "Bundle":
                raise Garbled("the EHR's response to a search is not a Bundle")
            gathering.take(bundle)
            following = next_page(bundle, self.bases)
            if following is None:
                return gathering.result(complete=gathering.whole)
            if not following:
                break
            url, query = following, None
        return gathering.result(complete=False)

    async def create(
        self, resource_type: str, body: Mapping[str, Any], if_none_exist: str | None = None
    ) -> Written:
        """Create a resource; `if_none_exist` is a search string, for EHRs that advertise it."""
        headers = {"If-None-Exist": if_none_exist} if if_none_exist else {}
        reply = await self._write("POST", resource_type, headers, body)
        doing = f"create a {resource_type}"
        if reply.status not in (_OK, _CREATED):
            if if_none_exist and reply.status == _FAILED:
                raise OutcomeUnknown(f"several resources match the conditional request to {doing}")
            self._raise_write(reply, doing)
        place = id_from_location(reply.headers.get("location"), resource_type)
        place = place or id_from_body(_readable(reply), resource_type)
        if place is None:
            raise OutcomeUnknown(f"the EHR answered {reply.status} but gave no {resource_type} id")
        version = place[1] or version_from_etag(reply.headers.get("etag"))
        return Written(place[0], version, existed=reply.status == _OK, whole=body)

    async def update(
        self, resource_type: str, ehr_id: str, body: Mapping[str, Any], version: str | None
    ) -> Written:
        """Put a resource back if it is still at `version`. Stale if it is not.

        Without a version it is put back whatever happened to it since it was read.
        """
        if not is_id(ehr_id):
            raise Unsafe(f"this is not the id of a {resource_type}")
        headers = {} if version is None else {"If-Match": etag_of(version)}
        reply = await self._write("PUT", f"{resource_type}/{ehr_id}", headers, body)
        if reply.status not in (_OK, _CREATED):
            self._raise_write(reply, f"update a {resource_type}", stale=_STALE)
        place = id_from_body(_readable(reply), resource_type)
        now = (place[1] if place else None) or version_from_etag(reply.headers.get("etag"))
        return Written(ehr_id, now, whole=body)

    async def _get(self, url: str, params: tuple[tuple[str, str], ...] | None = None) -> Reply:
        try:
            return await self._transport.exchange(
                "GET", url, params=params, headers={"Cache-Control": "no-cache"}
            )
        except Lost as lost:
            raise NoAnswer(f"no complete response from the EHR ({lost})") from None

    async def _write(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> Reply:
        content = write_json(body)
        try:
            return await self._transport.exchange(method, url, headers=headers, content=content)
        except Lost as lost:
            raise OutcomeUnknown(f"no complete response to a {method} ({lost})") from None

    def _object(self, reply: Reply, doing: str) -> dict[str, Any]:
        """Read the body of an answer to a read or search."""
        if reply.status != _OK:
            refused = self._refused(reply, doing)
            wait = _wait(reply)
            if reply.status == _UNAVAILABLE and wait is not None:
                raise Busy(f"the EHR is too busy to {doing}: {reply.status}", wait)
            says = f"the EHR answered {reply.status} when asked to {doing}"
            if reply.status < _REDIRECT:
                raise Garbled(f"{says}, which is not an answer to that")
            if refused.verdict in _ASK_AGAIN:
                raise NoAnswer(says).saying(refused.said)
            raise refused
        try:
            return _read(reply)
        except Unreadable as problem:
            raise Garbled(f"the EHR's response cannot be read: {problem}") from None

    def _raise_write(self, reply: Reply, doing: str, *, stale: Sequence[int] = ()) -> NoReturn:
        """Say what an answer other than success means for a write.

        A 503 may be a gateway's, after the EHR committed: whatever it asks for, it is unknown.
        """
        refused = self._refused(reply, doing)
        if reply.status in stale:
            changed = Stale(doing, reply.status, refused.issues, refused.verdict)
            raise changed.saying(refused.said)
        beside = not _REDIRECT <= reply.status < _SERVER_ERROR
        if beside or refused.verdict in _MAY_BE_DONE:
            unknown = OutcomeUnknown(f"the EHR answered {reply.status} when asked to {doing}")
            raise unknown.saying(refused.said)
        raise refused

    def _refused(self, reply: Reply, doing: str) -> EhrRefused:
        """Read a refusal. Raises Busy if the EHR did nothing now and may do it later."""
        body = _readable(reply)
        issues, said = issues_of(body), words_of(body, reply.body, reply.headers)
        verdict = classify(reply.status, issues, self.vendor)
        refused = EhrRefused(
            doing,
            reply.status,
            issues,
            verdict,
            merged=self._leads_to_another(reply, issues),
            strange=_is_strange(reply, body),
        )
        refused.saying(said)
        # RFC 6585 has 429 instead of processing the request, RFC 4918 has 423 for one that was
        # kept out by a lock, and RFC 9110 has 401 for one that was not applied.
        if reply.status == _TOO_MANY:
            busy = Busy(f"the EHR is too busy to {doing}: {reply.status}", _wait(reply))
            raise busy.saying(said)
        if reply.status == _LOCKED:
            busy = Busy(f"the record is locked in the EHR, so it did not {doing}", _wait(reply))
            raise busy.saying(said)
        let_in = refused.verdict is not Verdict.LOGIN
        if reply.status == _UNAUTHORIZED or (reply.status == _FORBIDDEN and not let_in):
            busy = NotLetIn(f"not authorized by the EHR to {doing}: {reply.status}", _wait(reply))
            raise busy.saying(said)
        return refused

    def _leads_to_another(self, reply: Reply, issues: Sequence[Issue]) -> bool:
        """Say whether a redirect is the EHR's word that a record goes on as another one.

        It names that one as its own, or says so; any other redirect is a matter of addresses.
        """
        if not _REDIRECT <= reply.status < _BAD_REQUEST:
            return False
        place = referred(reply.headers.get("location", ""), self.bases)
        asked = referred(reply.asked, self.bases)
        another = re.fullmatch(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}", place) is not None
        return bool(issues) or (another and place != asked)


def _is_strange(reply: Reply, body: Mapping[str, Any] | None) -> bool:
    """Say whether an answer is one that no FHIR server gives: a redirect, or a page for people."""
    if body is not None or not _REDIRECT <= reply.status < _SERVER_ERROR:
        return False
    page = "html" in reply.headers.get("content-type", "") or reply.body.lstrip()[:1] == b"<"
    return page or reply.status < _BAD_REQUEST


def _wait(reply: Reply) -> float | None:
    return seconds_to_wait(reply.headers.get("retry-after"), reply.headers.get("date"))


def _readable(reply: Reply) -> dict[str, Any] | None:
    try:
        return _read(reply)
    except Unreadable:
        return None


def _read(reply: Reply) -> dict[str, Any]:
    """Read a JSON object; a byte order mark before it is skipped (RFC 8259, 8.1).

    A member that is null says nothing, and FHIR has none: it is left out.
    """
    found: dict[str, Any] = _without_nulls(read_object(reply.body.removeprefix(codecs.BOM_UTF8)))
    return found


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {k: _without_nulls(inner) for k, inner in value.items() if inner is not None}
        case list():  # where one keeps the place of what stands beside it in another list
            return [_without_nulls(inner) for inner in value]
    return value
