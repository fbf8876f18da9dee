"""One attempt to deliver: send it or look for it, read it back, and say which outcome that is.

Speaks to the EHR and to nothing else. What follows from the outcome is `domain/delivery`'s to say.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from activities.proving import NOTHING_KNOWN, Learned, Search, ask, not_found, witness_of
from domain.delivery import outcomes as o
from domain.delivery.after import looks_first
from domain.delivery.words import Action, Delivery, LastSeen
from domain.language.errors import Malformed
from fhir_adapters.content.references import resolve
from fhir_adapters.exchange.client import EhrClient, Written
from fhir_adapters.exchange.compare import ELSEWHERE
from fhir_adapters.exchange.failures import (
    Busy,
    Disputed,
    EhrRefused,
    Garbled,
    NeverSent,
    NoAnswer,
    OutcomeUnknown,
    Paused,
    Stale,
    WrongPatient,
)
from fhir_adapters.exchange.verbs import (
    Absent,
    Ambiguous,
    Comparison,
    FoundInEhr,
    Unproven,
    find,
    read_back,
    send,
)
from fhir_adapters.profile.plan import EhrPlan
from fhir_adapters.profile.verdicts import Verdict

ANSWERS_WITHIN = timedelta(seconds=8)
"""How long an EHR that left a request without an answer has to answer another. With the 30 s of
the first it stays within the time of one delivery."""

log = structlog.get_logger("kairos.deliveries")


@dataclass(frozen=True, slots=True)
class InHand:
    """A delivery as it was found in the ledger, with what it takes to deliver it.

    `known` maps the artefacts it refers to, and its own if it is there, to the EHR's `Type/id`.
    `search` says what the EHR's searches for its type are worth.
    """

    delivery: Delivery
    plan: EhrPlan
    known: Mapping[str, str]
    seen: LastSeen
    search: Search = NOTHING_KNOWN


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an attempt, and which resource the EHR says that it is, if it said so."""

    ehr_id: str | None
    outcome: o.AttemptOutcome
    learned: Learned = field(default_factory=Learned)
    words: str = field(default="", repr=False)

    @property
    def said(self) -> str:
        """What the EHR wrote, if it did not do what was asked."""
        return self.outcome.said if isinstance(self.outcome, o.RefusedByEhr) else self.words


async def attempt(client: EhrClient, in_hand: InHand) -> Tried:
    """Try a delivery once. Whatever goes wrong is an outcome too, foreseen or not."""
    learned = Learned()
    tried = replace(await _attempt(client, in_hand, learned), learned=learned)
    if in_hand.search.asks and isinstance(tried.outcome, o.Equal | o.Differs):
        delivery = replace(in_hand.delivery, ehr_id=tried.ehr_id)
        await ask(client, in_hand.plan, delivery, in_hand.known, in_hand.search, learned)
    return tried


async def _attempt(client: EhrClient, in_hand: InHand, learned: Learned) -> Tried:  # noqa: PLR0911  one return an outcome
    known_as = in_hand.delivery.ehr_id
    written: Written | o.AttemptOutcome | None
    written = None if known_as is None else Written(known_as, None)
    try:
        if written is None and looks_first(in_hand.delivery):
            written = await _look_for(client, in_hand, learned)
        elif written is None:
            written = await _send(client, in_hand)
        if not isinstance(written, Written):
            return Tried(known_as, written)
        known_as = written.ehr_id
        return Tried(known_as, await _read_back(client, in_hand, written, learned))
    except Disputed as error:
        return Tried(error.ehr_id, o.Differs(error.differences, why=str(error)))
    except NeverSent as error:
        return Tried(known_as, o.NeverLeft(str(error), ours=isinstance(error, Paused)))
    except Busy as error:
        return Tried(known_as, o.Busy(str(error), error.retry_after), words=error.said)
    except OutcomeUnknown as error:
        lost = o.Lost(ehr_answers=await _answers(client))
        return Tried(known_as, lost, words=error.said)
    except NoAnswer as error:
        return Tried(known_as, await _silent(client, error), words=error.said)
    except Exception as error:
        log.exception("attempt_broke", delivery_id=in_hand.delivery.id)
        return Tried(known_as, o.Broke(type(error).__name__))


async def _silent(client: EhrClient, error: NoAnswer) -> o.Silent:
    """Whoever answers with what cannot be believed is there, and says why it came to nothing."""
    if isinstance(error, Garbled):
        return o.Silent(ehr_answers=True, why=str(error))
    return o.Silent(ehr_answers=await _answers(client))


async def _send(client: EhrClient, in_hand: InHand) -> Written | o.AttemptOutcome:
    delivery = in_hand.delivery
    early = delivery.action is Action.UPDATE and not client.changes_unversioned
    try:
        return await send(
            client, in_hand.plan, delivery.intent, in_hand.known, delivery.patient_id, in_hand.seen
        )
    except Stale:
        return o.Stale()
    except WrongPatient:
        return o.WrongPatient()
    except EhrRefused as error:
        if error.strange and not await _answers(client):
            return o.Lost(ehr_answers=False)  # something before the EHR spoke, for all of it
        return o.RefusedByEhr(str(error), sent=True, early=early, said=error.said)
    except Malformed as error:
        return o.RefusedByEhr(str(error), sent=False, early=early)


async def _look_for(
    client: EhrClient, in_hand: InHand, learned: Learned
) -> Written | o.AttemptOutcome:
    """Find out what became of a write that may have left."""
    intent, plan, search = in_hand.delivery.intent, in_hand.plan, in_hand.search
    try:
        found = await find(client, plan, intent, in_hand.known, search.proofs, search.taken)
    except Malformed as error:
        return o.Unproven(str(error))
    match found:
        case FoundInEhr(ehr_id=ehr_id, version=version, way=way):
            if way is not None:
                found_as = replace(in_hand.delivery, ehr_id=ehr_id)
                learned.shown[way] = (witness_of(found_as, in_hand.known), None)
            return Written(ehr_id, version, existed=True)
        case Absent() if intent.action is Action.UPDATE:
            # Asked to create once, some EHRs look first and commit later: two that arrive together
            # both stand. Only a change, which names the version that it changes, is harmless.
            harmless = not client.changes_unversioned
            return o.Absent(early=harmless, settling=search.settling)
        case Absent(ways=ways):
            return await not_found(client, plan, in_hand.delivery, search, ways, learned)
        case Ambiguous(count=count):
            return o.Ambiguous(count)
        case Unproven(why=why):
            return o.Unproven(why)


async def _read_back(
    client: EhrClient, in_hand: InHand, written: Written, learned: Learned
) -> o.AttemptOutcome:
    """Read what is in the EHR and compare it with what was meant."""
    intent = in_hand.delivery.intent
    try:
        compared = await read_back(
            client,
            intent.resource_type,
            written.ehr_id,
            written.whole or resolve(intent.body, in_hand.known),
            patient=in_hand.delivery.patient_id,
            rewrites=in_hand.plan.rewrites(intent.resource_type),
            whole=written.whole is not None or intent.action is Action.CREATE,
            artefact=intent.artefact,
        )
    except EhrRefused as error:
        if error.strange:
            return o.Silent(ehr_answers=await _answers(client), why=str(error))
        return o.NotReadBack(str(error), gone=error.verdict is Verdict.NOT_FOUND)
    except Malformed as error:
        return o.NotReadBack(str(error), gone=False)
    learned.unmarked = compared.unmarked
    return _compared(compared)


def _compared(compared: Comparison) -> o.AttemptOutcome:
    if compared.wrong_patient:
        return o.WrongPatient(compared.differences, compared.version)
    if compared.elsewhere:
        return o.Differs(compared.differences, compared.version, ELSEWHERE)
    if compared.equal:
        return o.Equal(compared.version)
    return o.Differs(compared.differences, compared.version)


async def _answers(client: EhrClient) -> bool:
    """Say whether an EHR that left a request without an answer answers anything at all.

    So an outage, however long, uses up nobody's attempts, while a write or a search that the EHR
    alone never answers comes to a person. Its capabilities are what every EHR can be asked for.
    """
    try:
        async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
            await client.capability()
    except EhrRefused as error:
        return not error.strange
    except Exception:  # noqa: BLE001  whatever stood in the way, nothing was answered
        return False
    return True
