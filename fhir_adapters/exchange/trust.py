"""Whose certificates an EHR may show, and which one Kairos shows it."""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trust:
    """What the installation file says: a hospital's own authorities, a certificate of ours.

    `authorities` is a PEM file; without it those that the system trusts are trusted, with it only
    these. `certificate` and `key` are PEM files shown to an EHR that asks who connects.
    """

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """How connections are secured. ValueError, naming the file, for one that cannot be read."""
        try:
            made = ssl.create_default_context(cafile=self.authorities)
        except (OSError, ssl.SSLError) as error:
            why = f"{self.authorities} holds no certificate authorities: {_why(error)}"
            raise ValueError(why) from None
        if self.certificate is not None:
            try:
                made.load_cert_chain(self.certificate, self.key)
            except (OSError, ssl.SSLError) as error:
                why = f"{self.certificate} and its key cannot be used: {_why(error)}"
                raise ValueError(why) from None
        return made


NO_TRUST_OF_ITS_OWN = Trust()


def _why(error: OSError) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return str(reason or type(error).__name__)
