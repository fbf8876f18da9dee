"""A stand-in for the organisation's OpenID provider: signs access tokens for people of the demo.

Tokens are on real time, like everything that is about security, also when the clinic's clock is
months ahead. Writes the public key set where the API reads it; the private key is readable by its
owner only. Must never be used with a real provider's name.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "https://issuer.kairos.invalid"
AUDIENCE = "kairos-api"
_ALGORITHM = "ES384"


class Issuer:
    """An ES384 key in a directory, and the tokens it signs."""

    def __init__(self, directory: Path) -> None:
        """Use the key in `directory`, or make one there."""
        self.url = ISSUER
        self.audience = AUDIENCE
        self.jwks = directory / "jwks.json"
        private = directory / "signing-key.json"
        try:
            self._key = ECKey.import_key(json.loads(private.read_text()))
        except FileNotFoundError:
            self._key = ECKey.generate_key(
                "P-384", {"use": "sig", "alg": _ALGORITHM}, private=True, auto_kid=True
            )
            opened = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8") as file:
                json.dump(self._key.as_dict(private=True), file)
        self.jwks.write_text(json.dumps({"keys": [self._key.as_dict(private=False)]}))

    def token(
        self, subject: str, roles: Sequence[str], sites: Sequence[str], minutes: float = 60
    ) -> str:
        """An access token (RFC 9068) for one person; a negative `minutes` has already expired."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": self.audience,
            "sub": subject,
            "client_id": "kairos-demo",
            "iat": now,
            "exp": now + int(minutes * 60),
            "jti": uuid4().hex,
            "roles": list(roles),
            "sites": list(sites),
        }
        header = {"alg": _ALGORITHM, "typ": "at+jwt", "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM])
