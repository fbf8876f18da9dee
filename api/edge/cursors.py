"""Opaque cursors: where the next page of one list begins, signed so that nobody makes one up.

A cursor grants nothing: whose pages may be read is asked again with every request.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from api.edge.problems import Problem

Place = list[str | int]
_SIGNATURE_BYTES = 16
_LONGEST = 1024


class Cursors:
    """Makes and reads cursors; all processes of an installation with the same secret agree."""

    def __init__(self, secret: str) -> None:
        """Derive the signing key from a secret that the processes share."""
        self._key = hmac.digest(secret.encode(), b"kairos cursors 1", "sha256")

    def make(self, of_list: str, place: Place) -> str:
        """Write down a place in a list; `of_list` names the list and its filters."""
        content = json.dumps(place, separators=(",", ":")).encode()
        return urlsafe_b64encode(self._sign(of_list, content) + content).decode().rstrip("=")

    def read(self, of_list: str, cursor: str | None) -> Place | None:
        """Read a place back; None for no cursor. Problem if it is not one of this list."""
        if cursor is None:
            return None
        wrong = Problem("bad-cursor", "take `next` from the page before, with the same filters")
        if len(cursor) > _LONGEST or not cursor.isascii():
            raise wrong
        try:
            signed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            raise wrong from None
        signature, content = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(of_list, content)):
            raise wrong
        place: Place = json.loads(content)
        return place

    def _sign(self, of_list: str, content: bytes) -> bytes:
        name = sha256(of_list.encode()).digest()
        return hmac.digest(self._key, name + content, "sha256")[:_SIGNATURE_BYTES]
