"""How a rule of the pathway itself says no. Gates say it for protocols (`gates.py`)."""

from domain.language.errors import Malformed, Refused
from domain.language.findings import Blocked, CheckResult, Missing, blocks_of, result_of
from domain.language.names import Role, Roles, RuleId
from domain.language.pathway import Pathway
from domain.rules.in_words import ended

PRESCRIBER: Roles = (Role.PRESCRIBER,)
FEWEST_WORDS = 3  # of an account of what was found and decided


def found(rule: str, finding: str, who: Roles = PRESCRIBER, *, stops: bool = False) -> Blocked:
    """A finding of the pathway's own rules, which nobody may override here."""
    return Blocked(RuleId(rule), who, finding=finding, stops=stops)


def check_open(pathway: Pathway) -> CheckResult:
    """Is the pathway still going on? Nothing is recorded on one that has ended."""
    if pathway.outcome is None:
        return result_of(())
    return result_of((found("pathway-open", ended(pathway.outcome), ()),))


def insist(result: CheckResult, doing: str, hint: str = "") -> None:
    """Raise Refused unless passed; held and missing say so differently."""
    blocks = blocks_of(result)
    if not blocks:
        return
    yet = " yet" if isinstance(result, Missing) else ""
    sentences = "; ".join(block.sentence() for block in blocks)
    raise Refused(f"may not {doing}{yet}: {sentences}{hint}", blocks)


def insist_reason(reason: str, wanted: str = "a reason is required, in words") -> None:
    """Raise Malformed unless somebody wrote a word; dots and dashes are no reason."""
    if not any(letter.isalnum() for letter in reason):
        raise Malformed(wanted)


def insist_account(words: str, wanted: str) -> None:
    """Raise Malformed unless somebody wrote a sentence: "ok" and "seen" are clicks."""
    written = [word for word in words.split() if any(letter.isalnum() for letter in word)]
    if len(written) < FEWEST_WORDS:
        raise Malformed(wanted)
