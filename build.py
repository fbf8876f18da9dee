"""Names this build by what it decides with and by what it replays, from the sources themselves.

`RULES` changes with any line of the domain, and of how its state and lists are written down: stored
projections made by others are folded anew, and each event says which rules decided it. `SHAPE`
changes with any line of what Temporal replays: a run stays with workers of its shape. Neither has a
number that somebody could forget to raise.
"""

from hashlib import sha256
from pathlib import Path


def fingerprint(*names: str) -> str:
    """The first 12 hexadecimal digits of the sha256 of the sources of packages and modules."""
    digest = sha256()
    for name, file in (found for each in names for found in _sources(each)):
        digest.update(name.encode() + b"\0")
        digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _sources(name: str) -> list[tuple[str, Path]]:
    """The files of a package, by their place in it, or the one of a module."""
    path = Path(__file__).parent.joinpath(*name.split("."))
    if path.with_suffix(".py").exists():
        return [(name, path.with_suffix(".py"))]
    if not path.is_dir():
        raise ModuleNotFoundError(name)
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*.py")}
    return sorted(files.items())


RULES = fingerprint("domain", "store.columns", "store.listed", "turns.shown")
SHAPE = fingerprint("workflows")
