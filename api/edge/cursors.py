"""Opaque cursors: where the next page of one list begins, signed so that nobody makes one up.

A cursor grants nothing: whose pages may be read is asked again with every request.
"""

from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

from api.edge.problems import Problem

Place = list[str | int]
_LONGEST = 1024


class Cursors:
    """Makes and reads cursors; all processes of an installation with the same secret agree."""

    def __init__(self, secret: str) -> None:
        """Sign with a secret that the processes share and that is used for nothing else."""
        self._secret = secret

    def make(self, of_list: str, place: Place) -> str:
        """Write down a place in a list; `of_list` names the list and its filters."""
        return self._signed(of_list).dumps(place)

    def read(self, of_list: str, cursor: str | None) -> Place | None:
        """Read a place back; None for no cursor. Problem if it is not one of this list."""
        if cursor is None:
            return None
        wrong = Problem("bad-cursor", "take `next` from the page before, with the same filters")
        if len(cursor) > _LONGEST or not cursor.isascii():
            raise wrong
        try:
            place: Place = self._signed(of_list).loads(cursor)
        except BadData:
            raise wrong from None
        return place

    def _signed(self, of_list: str) -> URLSafeSerializer:
        """Make a serializer whose key is of this list alone."""
        how = {"key_derivation": "hmac", "digest_method": sha256}
        return URLSafeSerializer(self._secret, f"kairos cursor of {of_list}", signer_kwargs=how)
