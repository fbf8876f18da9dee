"""Names this build by what it decides with and by what it replays, from the sources themselves.

`RULES` changes with any line of the domain: stored projections made by others are folded anew, and
each event says which rules decided it. `SHAPE` changes with any line of what Temporal replays: a
run stays with workers of its shape. Neither has a number that somebody could forget to raise.
"""

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path


def fingerprint(package: str) -> str:
    """The first 12 hexadecimal digits of the sha256 of a package's sources."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    folder = Path(spec.submodule_search_locations[0])
    digest = sha256()
    for file in sorted(folder.rglob("*.py"), key=lambda each: each.relative_to(folder).as_posix()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


RULES = fingerprint("domain")
SHAPE = fingerprint("workflows")
