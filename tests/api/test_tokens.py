"""Only the issuer's current tokens are believed; every other one fails alike."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from api.edge.tokens import Tokens, Unauthenticated, read_key_set
from domain.language.errors import Unavailable
from domain.language.names import Role
from settings import ApiSettings

ISSUER, AUDIENCE = "https://issuer.test", "kairos"
NOW = int(time.time())
RSA = RSAKey.generate_key(2048, {"use": "sig", "kid": "rsa-1"}, private=True)
EC = ECKey.generate_key("P-384", {"use": "sig", "kid": "ec-1"}, private=True)
OTHER = ECKey.generate_key("P-384", {"use": "sig", "kid": "ec-1"}, private=True)
NEW = ECKey.generate_key("P-256", {"use": "sig", "kid": "ec-2"}, private=True)

SETTINGS = {
    "database_url": "postgresql+psycopg://nobody@127.0.0.1/kairos",
    "temporal_address": "127.0.0.1:7233",
    "installation_file": "clinic.yaml",
    "oidc_issuer": "https://issuer.example",
    "oidc_audience": "kairos",
    "cursor_secret": "x" * 32,
}


class Issuer:
    """Publishes keys and counts how often they are read."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.reads = 0
        self.away = False

    async def fetch(self) -> dict[str, Any]:
        """The JWK set."""
        self.reads += 1
        if self.away:
            raise Unavailable("away")
        return {"keys": [key.as_dict(private=False) for key in self.keys]}


def claims(**also: Any) -> dict[str, Any]:
    """Claims of a good token."""
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "nurse-1", "iat": NOW, "exp": NOW + 600}
    return good | {"roles": ["nurse"], "sites": ["manhattan"]} | also


def signed(key: Any = EC, alg: str = "ES384", header: Any = None, **also: Any) -> str:
    """A token signed with a key; a claim given as None is left out."""
    head = {"alg": alg, "kid": key.kid, "typ": "at+jwt"} | (header or {})
    head = {name: value for name, value in head.items() if value is not None}
    body = {name: value for name, value in claims(**also).items() if value is not None}
    return jwt.encode(head, body, key, algorithms=[alg])


def raw(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = (json.dumps(header).encode(), json.dumps(body).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def verifier(issuer: Issuer | None = None, now: Callable[[], float] = time.time) -> Tokens:
    """Tokens of an issuer with an RSA and an EC key."""
    return Tokens(ISSUER, AUDIENCE, (issuer or Issuer(RSA, EC)).fetch, now)


@pytest.mark.parametrize(
    ("key", "alg"), [(RSA, "RS256"), (RSA, "RS384"), (EC, "ES384")], ids=lambda x: str(x)[:5]
)
async def test_a_good_token_says_who_may_do_what_where(key: Any, alg: str):
    """Each allowed algorithm is verified; subject, roles and sites are read."""
    caller = await verifier().verify(signed(key, alg))
    assert (caller.subject, caller.roles, caller.sites) == (
        "nurse-1",
        (Role.NURSE,),
        frozenset({"manhattan"}),
    )


def confused() -> str:
    """An HS256 token whose secret is the published RSA key."""
    header = {"alg": "HS256", "kid": "rsa-1", "typ": "JWT"}
    unsigned = raw(header, claims()).rpartition(".")[0]
    return f"{unsigned}." + base64.urlsafe_b64encode(
        hmac.digest(RSA.as_pem(private=False), unsigned.encode(), "sha256")
    ).decode().rstrip("=")


FORGED: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "noise": lambda: "a.b.c",
    "two parts": lambda: "a.b",
    "none": lambda: raw({"alg": "none", "kid": "ec-1"}, claims()),
    "nOnE": lambda: raw({"alg": "nOnE", "kid": "ec-1"}, claims()),
    "none with a signature": lambda: raw({"alg": "none", "kid": "ec-1"}, claims(), b"x" * 96),
    "HS256 with the public key": confused,
    "PS256": lambda: signed(RSA, "PS256"),
    "RS512": lambda: signed(RSA, "RS512"),
    "RS256 header on an EC key": lambda: raw({"alg": "RS256", "kid": "ec-1"}, claims(), b"x" * 96),
    "another key of the same id": lambda: signed(OTHER),
    "key inside the token": lambda: signed(OTHER, header={"jwk": OTHER.as_dict(private=False)}),
    "key at an address of theirs": lambda: signed(OTHER, header={"jku": "https://evil.test"}),
    "certificate of theirs": lambda: signed(OTHER, header={"x5u": "https://evil.test"}),
    "no key id": lambda: signed(header={"kid": None}),
    "unknown key id": lambda: signed(header={"kid": "ec-9"}),
    "key id that is a path": lambda: signed(header={"kid": "../../dev/null"}),
    "key id that is SQL": lambda: signed(header={"kid": "' or 1=1 --"}),
    "key id that is a list": lambda: raw({"alg": "ES384", "kid": ["ec-1"]}, claims()),
    "critical header": lambda: raw({"alg": "ES384", "kid": "ec-1", "crit": ["x"]}, claims()),
    "another type": lambda: signed(header={"typ": "logout+jwt"}),
    "expired": lambda: signed(exp=NOW - 60),
    "without expiry": lambda: signed(exp=None),
    "expiry that is text": lambda: signed(exp="never"),
    "not yet valid": lambda: signed(nbf=NOW + 600),
    "issued in the future": lambda: signed(iat=NOW + 600),
    "another audience": lambda: signed(aud="another"),
    "without audience": lambda: signed(aud=None),
    "another issuer": lambda: signed(iss="https://evil.test"),
    "without issuer": lambda: signed(iss=None),
    "without subject": lambda: signed(sub=None),
    "empty subject": lambda: signed(sub=""),
    "subject with a line break": lambda: signed(sub="a\nb"),
    "subject that is a list": lambda: signed(sub=["a"]),
    "100 kB": lambda: signed(padding="x" * 100_000),
    "a changed claim": lambda: changed(signed()),
    "a deep header": lambda: raw({"alg": "ES384", "kid": "ec-1", "x": deep(200)}, claims()),
    "not ASCII": lambda: signed() + "é",
}


def changed(token: str) -> str:
    """A token whose claims were exchanged after signing."""
    head, _, signature = token.split(".")
    body = raw({}, claims(roles=["prescriber"])).split(".")[1]
    return f"{head}.{body}.{signature}"


def deep(levels: int) -> Any:
    """Nested lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("case", FORGED)
async def test_a_forged_token_is_refused(case: str):
    """Every forgery fails in the same way, which says nothing about why."""
    with pytest.raises(Unauthenticated) as refused:
        await verifier().verify(FORGED[case]())
    assert str(refused.value) == ""


async def test_the_clocks_may_differ_by_half_a_minute():
    """A token is still good 25 seconds after its expiry and before its time."""
    edges: list[dict[str, Any]] = [{"exp": NOW - 20}, {"nbf": NOW + 20}, {"iat": NOW + 20}]
    for also in edges:
        late = verifier(now=lambda: NOW)
        assert (await late.verify(signed(**also))).subject == "nurse-1"


async def test_unknown_roles_grant_nothing_and_kairos_is_nobody():
    """Only roles of people count; a token cannot be Kairos itself."""
    token = signed(roles=["kairos", "root", "nurse", 7], sites="manhattan")
    caller = await verifier().verify(token)
    assert (caller.roles, caller.sites) == ((Role.NURSE,), frozenset())


async def test_a_new_key_is_fetched_at_most_once_a_minute():
    """An unknown key id makes the set be read again, but not more often than once a minute."""
    clock = [float(NOW)]
    issuer = Issuer(EC)
    tokens = verifier(issuer, lambda: clock[0])
    await tokens.verify(signed())
    issuer.keys.append(NEW)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await tokens.verify(signed(NEW, "ES256"))
    assert issuer.reads == 1
    clock[0] += 61
    assert (await tokens.verify(signed(NEW, "ES256"))).subject == "nurse-1"
    assert issuer.reads == 2


async def test_a_withdrawn_key_stops_working():
    """A key that the issuer no longer publishes is forgotten within ten minutes."""
    clock = [float(NOW)]
    issuer = Issuer(EC, NEW)
    tokens = verifier(issuer, lambda: clock[0])
    await tokens.verify(signed(NEW, "ES256"))
    issuer.keys.remove(NEW)
    clock[0] += 601
    with pytest.raises(Unauthenticated):
        await tokens.verify(signed(NEW, "ES256", exp=NOW + 3600))


async def test_known_keys_outlive_the_issuer_being_away():
    """With the issuer away, known keys go on; without any key the API says try again."""
    clock = [float(NOW)]
    issuer = Issuer(EC)
    tokens = verifier(issuer, lambda: clock[0])
    await tokens.verify(signed())
    issuer.away = True
    clock[0] += 120
    assert (await tokens.verify(signed())).subject == "nurse-1"
    with pytest.raises(Unauthenticated):
        await tokens.verify(signed(NEW, "ES256"))
    never = Issuer(EC)
    never.away = True
    with pytest.raises(Unavailable):
        await verifier(never).verify(signed())


@pytest.mark.parametrize("text", ["", "[]", "{", '"keys"'])
async def test_a_key_set_that_is_none_gives_no_keys(tmp_path: Path, text: str):
    """A file that holds no key set never lets a token through."""
    file = tmp_path / "jwks.json"
    file.write_text(text)
    tokens = Tokens(ISSUER, AUDIENCE, lambda: read_key_set(str(file)))
    with pytest.raises((Unavailable, Unauthenticated)):
        await tokens.verify(signed())


async def test_a_symmetric_key_in_the_set_is_not_used():
    """A secret published by mistake verifies nothing."""

    async def fetch() -> dict[str, Any]:
        return {"keys": [{"kty": "oct", "kid": "ec-1", "k": "c2VjcmV0"}]}

    with pytest.raises(Unauthenticated):
        await Tokens(ISSUER, AUDIENCE, fetch).verify(signed())


async def test_one_key_that_cannot_be_read_takes_no_other_with_it():
    """A key of a curve that is not known, or a broken one, leaves the issuer's others in use."""
    odd = EC.as_dict(private=False) | {"kid": "odd", "crv": "P-0"}
    broken = RSA.as_dict(private=False) | {"kid": "broken", "n": 7}

    async def fetch() -> dict[str, Any]:
        return {"keys": [odd, EC.as_dict(private=False), broken]}

    tokens = Tokens(ISSUER, AUDIENCE, fetch)
    assert (await tokens.verify(signed())).subject == "nurse-1"
    with pytest.raises(Unauthenticated):
        await tokens.verify(signed(header={"kid": "odd"}))


async def test_a_slow_issuer_keeps_nobody_waiting_whose_key_is_known():
    """While the set is read for an unknown key id, callers with a known one are served."""
    clock = [float(NOW)]
    issuer = Issuer(EC)
    answers = asyncio.Event()

    async def slow() -> dict[str, Any]:
        if issuer.reads:
            await answers.wait()
        return await issuer.fetch()

    tokens = Tokens(ISSUER, AUDIENCE, slow, lambda: clock[0])
    await tokens.verify(signed())
    clock[0] += 61
    stranger = asyncio.create_task(tokens.verify(signed(NEW, "ES256")))
    await asyncio.sleep(0)
    async with asyncio.timeout(0.5):
        assert (await tokens.verify(signed())).subject == "nurse-1"
    assert not stranger.done()
    answers.set()
    with pytest.raises(Unauthenticated):
        await stranger


async def test_old_keys_wait_a_moment_for_a_slow_issuer(monkeypatch: pytest.MonkeyPatch):
    """When the set is due to be read again, a caller waits for it a bounded time only."""
    monkeypatch.setattr("api.edge.tokens.PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr("api.edge.tokens.READ_WITHIN_SECONDS", 0.02)
    clock = [float(NOW)]
    issuer = Issuer(EC)

    async def slow() -> dict[str, Any]:
        if issuer.reads:
            await asyncio.Event().wait()
        return await issuer.fetch()

    tokens = Tokens(ISSUER, AUDIENCE, slow, lambda: clock[0])
    await tokens.verify(signed())
    clock[0] += 601
    async with asyncio.timeout(0.5):
        assert (await tokens.verify(signed(exp=NOW + 3600))).subject == "nurse-1"
        with pytest.raises(Unauthenticated):
            await tokens.verify(signed(NEW, "ES256"))


@pytest.mark.parametrize("place", ["http://issuer.example/jwks", "ftp://issuer.example/jwks"])
def test_keys_are_not_read_where_they_can_be_forged_on_the_way(place: str):
    """Over http a man in the middle would mint any token: such a setting stops the start."""
    with pytest.raises(ValueError, match="https URL or the path of a file"):
        ApiSettings.model_validate({**SETTINGS, "oidc_jwks": place})
    for good in ("https://issuer.example/jwks", "/etc/kairos/jwks.json"):
        ApiSettings.model_validate({**SETTINGS, "oidc_jwks": good})
