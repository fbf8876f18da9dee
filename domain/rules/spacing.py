"""Calendar days between two visits or treatments of a patient: what is too close is found."""

from collections.abc import Iterator
from datetime import date

from domain.language.findings import Blocked
from domain.language.names import PhaseId, counted
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.rules.refusing import found


def too_close(
    protocol: CombinedProtocol,
    phase: PhaseId,
    day: date,
    other_phase: PhaseId,
    other_day: date,
    what: str,
) -> Iterator[Blocked]:
    """Calendar distance to another visit or session of the pathway, which `what` names.

    Twice on one day is a stop: it would be twice the dose.
    """
    apart = abs((day - other_day).days)
    if other_phase == phase:
        least, rule = protocol.phase(phase).schedule.at_least_apart, "at-least-apart"
    else:
        order = [each.id for each in protocol.phases]
        both = ((day, order.index(phase)), (other_day, order.index(other_phase)))
        later = order[max(both)[1]]  # on one day the phase that follows the other
        least, rule = protocol.days_before(later), "between-phases"
        if not protocol.same_day:
            least = max(least, 1)
    if apart < least:
        says = f"{counted(apart, 'day')} from {what} on {other_day}, at least {least} required"
        yield found(rule, says, stops=apart == 0)


def too_soon(protocol: CombinedProtocol, pathway: Pathway, day: date) -> Iterator[Blocked]:
    """Calendar distance to the last treatment of an earlier pathway of the patient."""
    if pathway.treated_on is None:
        return
    apart = (day - pathway.treated_on).days
    least = protocol.days_after_earlier
    if apart < least:
        days = counted(apart, "day")
        finding = f"{days} from treatment in an earlier pathway, at least {least} required"
        yield found("earlier-pathway", finding)
