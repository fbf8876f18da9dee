"""Verify bearer tokens: OIDC access tokens signed with a key of the issuer's JWK set.

On real time always, whatever the clinic's clock says. Keys come from the configured set only: what
a token says about where its key may be found (jku, x5u, jwk) is not looked at.
"""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from domain.language.errors import Unavailable
from domain.language.names import Role
from strict_json import Unreadable, read_object

ALGORITHMS = ["RS256", "RS384", "ES256", "ES384"]
LEEWAY_SECONDS = 30
LONGEST_TOKEN = 8192
FETCH_AGAIN_SECONDS = 60.0
"""How long an unknown key id waits for the next look at the key set."""

STALE_SECONDS = 600.0
"""After this the set is read again anyway, so that a withdrawn key stops working."""

PATIENCE_SECONDS = 1.0
"""How long a caller whose key is known waits for a slow issuer; then the known keys are used."""

READ_WITHIN_SECONDS = 10.0
"""How long the issuer may take in all."""

LARGEST_SET = 1_000_000
"""Bytes of a key set; a hundred keys take a tenth of it."""

log = structlog.get_logger("kairos.api.tokens")


class Unauthenticated(Exception):  # noqa: N818
    """The token is not one; why is nobody's business."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the token's subject, and the roles and sites it grants."""

    subject: str
    roles: tuple[Role, ...]
    sites: frozenset[str]


async def read_key_set(place: str) -> dict[str, Any]:
    """Read the JWK set from an https URL or a file. Raises Unavailable."""
    try:
        if not place.startswith("https://"):
            text = await anyio.Path(Path(place)).read_bytes()
        else:
            text = await _fetched(place)
        return read_object(text)
    except (OSError, Unreadable, httpx2.HTTPError) as error:
        raise Unavailable("the issuer's keys cannot be read") from error


async def _fetched(place: str) -> bytes:
    async with (
        httpx2.AsyncClient(timeout=5, follow_redirects=False, trust_env=False) as client,
        client.stream("GET", place) as response,
    ):
        response.raise_for_status()
        text = bytearray()
        async for part in response.aiter_bytes():
            text += part
            if len(text) > LARGEST_SET:
                raise Unavailable("the issuer's key set is too large")
    return bytes(text)


class Tokens:
    """Verifies tokens of one issuer for one audience."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        fetch: Callable[[], Awaitable[dict[str, Any]]],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`fetch` reads the JWK set; it is called when needed, at most once a minute."""
        self._issuer, self._audience = issuer, audience
        self._fetch = fetch
        self._now = now
        self._keys: KeySet | None = None
        self._reading: asyncio.Task[None] | None = None
        self._fetched = float("-inf")

    async def verify(self, token: str) -> Caller:
        """Say who calls. Unauthenticated for any flaw; Unavailable if no key was ever read."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise Unauthenticated
        header = _header(token)
        if (
            header.get("alg") not in ALGORITHMS
            or str(header.get("typ", "JWT")).lower() not in _TYPES
        ):
            raise Unauthenticated
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:
            raise Unauthenticated
        keys = await self._keys_with(kid)
        try:
            claims = jwt.decode(token, _for(header, keys), algorithms=ALGORITHMS).claims
            self._rules().validate(claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise Unauthenticated from error
        return _caller(claims)

    async def has_keys(self) -> bool:
        """Say whether a token can be verified at all; reads the keys if none are known yet."""
        if self._keys is None:
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._keys_with("")
        return self._keys is not None

    def _rules(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def _keys_with(self, kid: str) -> KeySet:
        """Give the keys; read again first if they are old, or if this one is not among them."""
        known = _has(self._keys, kid)
        age = self._now() - self._fetched
        if not (known and age <= STALE_SECONDS):
            if age > FETCH_AGAIN_SECONDS:
                self._fetched = self._now()
                self._reading = asyncio.create_task(self._read())
            if self._reading is not None:  # whoever comes meanwhile waits for the same keys
                await asyncio.wait({self._reading}, timeout=PATIENCE_SECONDS if known else None)
        if self._keys is None:
            raise Unavailable("the issuer's keys cannot be read")
        return self._keys

    async def _read(self) -> None:
        """Read the set; whatever hinders it, the keys that are known stay."""
        try:
            async with asyncio.timeout(READ_WITHIN_SECONDS):
                self._keys = _usable(await self._fetch())
        except (Unavailable, TimeoutError):
            log.warning("keys_not_read")


_TYPES = ("jwt", "at+jwt", "application/at+jwt")


def _header(token: str) -> dict[str, Any]:
    """Read the header before anything is believed, to choose the key by its id."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004  header, claims, signature
        raise Unauthenticated
    try:
        header = json.loads(urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (ValueError, RecursionError) as error:
        raise Unauthenticated from error
    if not isinstance(header, dict):
        raise Unauthenticated
    return header


def _usable(found: dict[str, Any]) -> KeySet:
    """Keep the public signing keys; a secret that got into the set verifies nothing."""
    listed = found.get("keys")
    if not isinstance(listed, list):
        raise Unavailable("the issuer's keys cannot be understood")
    wanted = [
        key
        for key in listed
        if isinstance(key, dict)
        and key.get("kty") in ("RSA", "EC")
        and key.get("use", "sig") == "sig"
        and key.get("kid")
    ]
    keys = [key for each in wanted if (key := _read_key(each)) is not None]
    if len(keys) < len(wanted):
        log.warning("keys_not_usable", count=len(wanted) - len(keys))
    if wanted and not keys:
        raise Unavailable("the issuer's keys cannot be understood")
    return KeySet(keys)


def _read_key(found: dict[str, Any]) -> Key | None:
    """Read one key. One that cannot be read must not take the others with it."""
    try:
        return import_key(found)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _for(header: Mapping[str, Any], keys: KeySet) -> KeySet:
    """The keys that this token may be signed with: one id may name keys of two types (RFC 7517)."""
    wanted = "RSA" if str(header["alg"]).startswith("RS") else "EC"
    fit = [key for key in keys if key.kid == header["kid"] and key.key_type == wanted]
    return KeySet(fit)


def _has(keys: KeySet | None, kid: str) -> bool:
    return keys is not None and any(key.kid == kid for key in keys)


def _caller(claims: dict[str, Any]) -> Caller:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_NAME:
        raise Unauthenticated
    if not subject.isprintable():
        raise Unauthenticated
    people = {role.value: role for role in Role if role is not Role.KAIROS}
    roles = tuple(people[name] for name in _names(claims.get("roles")) if name in people)
    return Caller(subject, roles, frozenset(_names(claims.get("sites"))))


_LONGEST_NAME = 255


def _names(claim: object) -> list[str]:
    """Read a claim that lists names; anything else grants nothing."""
    if not isinstance(claim, list):
        return []
    return [name for name in claim if isinstance(name, str)]
