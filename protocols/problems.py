"""What is wrong with a folder of protocols, all of it at once, each with its file and line.

For the clinician or engineer who edits the files; it must not hold patient data or tracebacks.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.language.errors import Malformed


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to put right: where it stands, what is wrong and what would be right."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Print as `file:line: message`, which editors can jump to."""
        return f"{self.file}:{self.line}: {self.message}"


class ProtocolProblems(Malformed):
    """The protocols cannot be used. `problems` are in the order of file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Sort the problems; two that say the same are one."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Page:
    """One file while it is read: its name, and the list that every file's problems go into."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        """Share `problems` with the other files of the folder."""
        self.file = file
        self._problems = problems
        self.sound = True

    def say(self, line: int, message: str) -> None:
        """Note a problem and go on, so that the rest is heard as well."""
        self.sound = False
        self._problems.append(Problem(self.file, line, message))
