"""Tokens verify with the key set that was written, and with nothing else."""

import json
import time

import pytest
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError
from joserfc.jwk import KeySet

from clinic import Issuer


@pytest.fixture
def issuer(tmp_path):
    """An issuer with a new key."""
    return Issuer(tmp_path)


def read(issuer: Issuer, token: str) -> jwt.Token:
    """Verify a token with what the issuer published."""
    keys = KeySet.import_key_set(json.loads(issuer.jwks.read_text()))
    return jwt.decode(token, keys, algorithms=["ES384"])


def test_a_token_verifies_with_the_written_keys(issuer: Issuer):
    """The public key set is enough to verify a token, and says who may do what, where."""
    token = read(issuer, issuer.token("nurse-1", ["nurse"], ["manhattan"], minutes=5))
    assert token.header["typ"] == "at+jwt"
    claims = token.claims
    assert (claims["sub"], claims["roles"], claims["sites"]) == (
        "nurse-1",
        ["nurse"],
        ["manhattan"],
    )
    assert (claims["iss"], claims["aud"]) == (issuer.url, issuer.audience)
    assert abs(claims["iat"] - time.time()) < 5
    assert claims["exp"] - claims["iat"] == 300


def test_every_token_has_its_own_id(issuer: Issuer):
    """Two tokens for one person differ in `jti`."""
    ids = {read(issuer, issuer.token("a", [], [])).claims["jti"] for _ in range(2)}
    assert len(ids) == 2


def test_an_expired_token_says_so(issuer: Issuer):
    """A token of the past can be made, to be refused."""
    claims = read(issuer, issuer.token("a", [], [], minutes=-1)).claims
    with pytest.raises(ExpiredTokenError):
        jwt.JWTClaimsRegistry().validate(claims)


def test_the_private_key_is_private(issuer: Issuer, tmp_path):
    """The key set names no private part, and the key's file is readable by its owner alone."""
    assert "d" not in json.loads(issuer.jwks.read_text())["keys"][0]
    assert (tmp_path / "signing-key.json").stat().st_mode & 0o777 == 0o600


def test_the_key_is_kept(issuer: Issuer, tmp_path):
    """A second issuer in the same directory signs with the same key; elsewhere with another."""
    read(issuer, Issuer(tmp_path).token("a", [], []))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with pytest.raises(InvalidKeyIdError):
        read(issuer, Issuer(elsewhere).token("a", [], []))
