"""Earlier treatments: recorded one by one, each drug and course once."""

from domain.language.errors import Conflict, Malformed
from domain.language.pathway import Pathway
from domain.language.trials import TrialFact, TrialRecorded, TrialWish

LONGEST_WEEKS = 1000


def check_meant(wish: TrialWish) -> None:
    """Raise Malformed unless it can have been."""
    if not 1 <= wish.weeks <= LONGEST_WEEKS:
        raise Malformed(f"weeks must be 1 to {LONGEST_WEEKS}: how long the drug was taken")
    for what, said in (("drug", wish.drug), ("drug_class", wish.drug_class), ("dose", wish.dose)):
        if not any(letter.isalnum() for letter in said):
            raise Malformed(f"{what} is required, in words")


def decide(pathway: Pathway, wish: TrialWish) -> tuple[TrialFact, ...]:
    """Say what was tried. Conflict if just that is recorded already."""
    made = TrialRecorded(
        wish.drug.strip(), wish.drug_class.strip(), wish.dose.strip(), wish.weeks, wish.outcome
    )
    if made in pathway.trials.values():
        raise Conflict("this trial is already recorded, with the same dose, weeks and outcome")
    return (made,)
