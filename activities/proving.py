"""What an EHR's searches are worth, found out beside the deliveries: see `shown.py` for why.

The first write of each type is searched for once it stands, so that what a search is worth is known
before an answer is lost. An empty search is held against what is known to stand there.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from domain.delivery import outcomes as o
from domain.delivery.words import Delivery
from domain.language.errors import Malformed
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.exchange.failures import EhrFailure, EhrRefused
from fhir_adapters.exchange.shown import Proofs, Way, Witness, shows, ways_for
from fhir_adapters.profile.plan import EhrPlan

OLD = timedelta(minutes=30)
"""What was written longer ago says nothing of how late a search is."""

log = structlog.get_logger("kairos.deliveries")


@dataclass(frozen=True, slots=True)
class Search:
    """What is known of an EHR's searches for a delivery's type, and what is asked of them.

    For a delivery that is looked for: `standing` is what an empty search is held against, `taken`
    the ids of what others became, `settling` how long a write may be on its way, `at` the time.
    With `asks`, the EHR is asked to show this delivery once it stands there, or `asks_for`, which
    stands longer: after so many seconds each time, until it does.
    """

    proofs: Proofs
    standing: tuple[Witness, ...] = ()
    taken: frozenset[str] = frozenset()
    settling: timedelta = o.SETTLING
    at: datetime | None = None
    asks: tuple[float, ...] = ()
    asks_for: Witness | None = None


NOTHING_KNOWN = Search(Proofs())


@dataclass(slots=True)
class Learned:
    """What an attempt showed of the EHR's searches for the delivery's type.

    `shown` are the ways by which one of ours was found, which it was, and how many seconds after it
    was written, if it was asked for since. `hidden` is what stands there and was not shown in any
    way; `unmarked` is set if one came back without our identifier.
    """

    shown: dict[Way, tuple[Witness, float | None]] = field(default_factory=dict)
    hidden: list[Witness] = field(default_factory=list)
    unmarked: bool = False

    def __bool__(self) -> bool:
        """Whether it is anything."""
        return bool(self.shown or self.hidden or self.unmarked)


def witness_of(delivery: Delivery, known: Mapping[str, str]) -> Witness:
    """Take a delivery that stands in the EHR as what its search should show."""
    return Witness(
        delivery.artefact,
        delivery.resource_type,
        delivery.ehr_id or "",
        delivery.body,
        delivery.sent_at or delivery.changed_at,
        known,
    )


async def not_found(
    client: EhrClient,
    plan: EhrPlan,
    delivery: Delivery,
    search: Search,
    ways: tuple[Way, ...],
    learned: Learned,
) -> o.Absent:
    """Say what an empty search is worth: whether the same shows what is known to stand there.

    It is behind if of what stands there something is hidden, unless it shows what left later.
    """
    for witness in search.standing:
        if not await _look(client, plan, ways, witness, learned):
            learned.hidden.append(witness)
    left = delivery.sent_at or delivery.changed_at
    later = any(each.written_at >= left for each, _ in learned.shown.values())
    shows = not search.proofs.proved.isdisjoint(ways) or bool(learned.shown)
    lag = search.proofs.lag
    if lag is None and search.at is not None:  # no later than what is shown was written
        ages = (search.at - each.written_at for each, _ in learned.shown.values())
        lag = min((age for age in ages if age <= OLD), default=None)
    proved = shows and (later or lag is not None)
    if not proved and delivery.refusal is not None and search.proofs.elsewhere is not None:
        # The EHR itself said that it did not do it, and nothing is sent again for believing that.
        proved, lag = True, search.proofs.elsewhere
    return o.Absent(
        early=False,
        proved=proved,
        behind=bool(learned.hidden) and not later,
        lag=lag,
        settling=search.settling,
    )


async def ask(
    client: EhrClient,
    plan: EhrPlan,
    delivery: Delivery,
    known: Mapping[str, str],
    search: Search,
    learned: Learned,
) -> None:
    """Have the EHR's search show something of ours, before one is looked for in earnest.

    Whatever goes wrong with it changes nothing of the write, which stands.
    """
    gone = search.proofs.withdrawn | ({Way.IDENTIFIER} if learned.unmarked else set())
    ways = ways_for(
        plan.support(delivery.resource_type), replace(search.proofs, withdrawn=frozenset(gone))
    )
    if not ways:
        return
    witness = search.asks_for or witness_of(delivery, known)
    since = asyncio.get_running_loop().time()
    try:
        for pause in search.asks:
            await asyncio.sleep(pause)
            waited = asyncio.get_running_loop().time() - since
            fresh = None if search.asks_for else waited
            if await _look(client, plan, ways, witness, learned, fresh):
                return
        learned.hidden.append(witness)
    except EhrFailure as error:
        log.info("search_not_proved", delivery_id=delivery.id, error_type=type(error).__name__)
    except Exception:
        log.exception("search_not_proved", delivery_id=delivery.id)


async def _look(
    client: EhrClient,
    plan: EhrPlan,
    ways: tuple[Way, ...],
    witness: Witness,
    learned: Learned,
    waited: float | None = None,
) -> bool:
    """Find out in which way something that stands in the EHR is shown; whether it is."""
    for way in ways:
        try:
            shown = await shows(client, plan, way, witness)
        except (EhrRefused, Malformed):
            continue
        if shown:
            newest = learned.shown.get(way)
            if newest is None or newest[0].written_at < witness.written_at:
                learned.shown[way] = (witness, waited)
            return True
    return False
