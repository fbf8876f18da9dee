"""How a hold, a visit and an end are said in a sentence, as people in US clinics say it. Pure."""

from domain.language.clocks import local, wall
from domain.language.names import PathwayOutcome, VisitStatus, spoken
from domain.language.pathway import Hold, Pathway, Visit

MOST_WORDS = 200
"""Characters of a hold's note that stand in a sentence; the hold itself has all of them."""

STANDS = {
    VisitStatus.PROPOSED: "is proposed",
    VisitStatus.BOOKED: "is booked",
    VisitStatus.CHECKED_IN: "is checked in",
    VisitStatus.RELEASED: "is over: the patient was discharged",
    VisitStatus.MISSED: "was a no-show",
    VisitStatus.CANCELLED: "was canceled",
}
ENDED = {PathwayOutcome.COMPLETED: "is complete", PathwayOutcome.STOPPED: "was stopped"}


def begun(words: str) -> str:
    """The same at the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def reason_of(hold: Hold) -> str:
    """A hold's reason, and the beginning of what whoever placed it wrote."""
    words = " ".join(hold.note.split())
    if len(words) > MOST_WORDS:
        words = words[:MOST_WORDS].rstrip() + "…"
    return f'{spoken(hold.reason)}: "{words}"' if words else spoken(hold.reason)


def on_hold(pathway: Pathway, hold: Hold) -> str:
    """Say that treatment is on hold, why, and since when by the clinic's wall.

    Without the note, which may speak of the patient: a refusal is no place for that.
    """
    since = wall(local(hold.placed, pathway.zone), pathway.zone)
    return f"treatment is on hold ({spoken(hold.reason)}) since {since}"


def stands(visit: Visit) -> str:
    """Say where a visit stands."""
    return f"{spoken(visit.id)} {STANDS[visit.status]}"


def ended(outcome: PathwayOutcome) -> str:
    """Say how a pathway ended."""
    return f"the pathway {ENDED[outcome]}"
