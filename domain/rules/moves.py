"""What was entered for the wrong patient: taken back here, and recorded for whose it was. Pure.

The other half is a command of the same author on the other pathway, with an id that follows from
this one's, so that it is sent once however often this half is looked at. What happened is kept
there too, whatever the rules say of it.
"""

from datetime import datetime
from hashlib import sha256

from domain.language.clocks import local, wall
from domain.language.commands import Command, Wish
from domain.language.corrections import CorrectEntry
from domain.language.errors import Malformed
from domain.language.events import Event
from domain.language.holds import PlaceHold
from domain.language.names import HoldReason, PathwayId, RequestId, VisitId, spoken
from domain.language.observations import (
    Measurement,
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.language.treatment import DoseGiven, ReportDose, ReportStimulation, StimulationGiven


def check_meant(pathway: Pathway, wish: CorrectEntry) -> None:
    """Raise Malformed for what cannot be meant of a wrong patient."""
    whose = wish.wrong_patient
    if whose is None:
        return
    if wish.instead is not None:
        raise Malformed("give one only: the correct entry, or the patient it belongs to")
    if whose.pathway == pathway.id:
        raise Malformed("this is the same patient's pathway; name the other's", unknown="pathway")


def said(protocol: CombinedProtocol, original: Event) -> str:
    """Name what was entered for the wrong patient. Malformed for what is nobody else's."""
    match original.fact:
        case DoseGiven(session=number, mg=mg):
            return f"Dose {number} ({mg} mg)"
        case StimulationGiven(session=number):
            return f"Stimulation {number}"
        case ScaleAssessed(scale=scale):
            return f"A score of {protocol.vocabulary.scales[scale].title}"
        case ReadingsTaken(readings=readings):
            titles = (protocol.vocabulary.kind(each.observation).title for each in readings)
            return "A reading of " + ", ".join(titles)
        case fact:
            says = f"an entry of this kind ({spoken(fact.kind)}) cannot be moved"
            raise Malformed(f"{says}: mark it in error here and enter it there")


def onward(
    protocol: CombinedProtocol, command: Command, original: Event
) -> tuple[PathwayId, Command] | None:
    """Give the command that records it where it belongs; None where that is not here."""
    wish = command.wish
    if not isinstance(wish, CorrectEntry) or wish.wrong_patient is None:
        return None
    there = wish.wrong_patient.pathway
    if there is None:
        return None
    told = f"First entered for another patient, in error: {wish.reason.strip()}"
    recorded = _recorded(protocol, original, wish.wrong_patient.visit, told)
    return there, Command(_its_half(command.id), command.by, recorded)


def kept_anyway(
    protocol: CombinedProtocol, pathway: Pathway, command: Command, why: str
) -> Command:
    """Give the hold that keeps what was entered elsewhere and could not be recorded where it goes.

    It was taken back there already: whoever looks here records it by hand, or says that it is not
    theirs either.
    """
    at = _when(command.wish)
    when = "" if at is None else f" of {wall(local(at, pathway.zone), pathway.zone)}"
    note = (
        f"{_told(protocol, command.wish)}{when} was entered for another patient but is this one's. "
        f"It could not be recorded here: {why}. Record it by hand, then lift this hold."
    )
    wish = PlaceHold(HoldReason.UNRECORDED_ENTRY, note)
    return Command(command.id, command.by, wish)


def _when(wish: Wish) -> datetime | None:
    match wish:
        case RecordReadings(measured_at=at) | RecordAssessment(assessed_at=at):
            return at
        case ReportDose(first_device_at=at) | ReportStimulation(started_at=at):
            return at
        case _:
            return None


def _told(protocol: CombinedProtocol, wish: Wish) -> str:
    """What was observed or given, with its figures."""
    match wish:
        case RecordReadings(readings=measured):
            said = (
                f"{protocol.vocabulary.kind(each.observation).title} "
                f"{each.answer if each.value is None else f'{each.value} {each.unit}'}"
                for each in measured
            )
            return "A reading (" + ", ".join(said) + ")"
        case RecordAssessment(scale=scale, items=items):
            answers = ", ".join(map(str, items))
            return f"A score of {protocol.vocabulary.scales[scale].title} (items {answers})"
        case ReportDose(mg=mg, lot=lot):
            return f"A dose ({mg} mg, lot {lot})"
        case ReportStimulation() as given:
            return (
                f"A stimulation ({given.pulses} pulses, {given.intensity_percent_mt} % of motor "
                f"threshold, {given.output_percent} % output)"
            )
        case wish:
            return spoken(wish.kind).capitalize()


def _its_half(request: RequestId) -> RequestId:
    """The id of the other half, in the form of every command's id, always the same one."""
    digits = sha256(f"{request}/there".encode()).hexdigest()
    ends = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
    return RequestId("-".join(digits[start:end] for start, end in ends))


def _recorded(
    protocol: CombinedProtocol, original: Event, visit: VisitId | None, told: str
) -> Wish:
    at: datetime = original.at
    match original.fact:
        case ScaleAssessed(scale=scale, items=items):
            return RecordAssessment(scale, at, items)
        case ReadingsTaken(readings=readings):
            known = protocol.vocabulary
            measured = (
                Measurement(each.observation, each.value, known.kind(each.observation).unit)
                if each.answer is None
                else Measurement(each.observation, answer=each.answer)
                for each in readings
            )
            return RecordReadings(at, tuple(measured), visit)
        case DoseGiven() as fact:
            return ReportDose(_visit(visit), at, fact.mg, fact.lot, told, moved=True)
        case StimulationGiven() as fact:
            return ReportStimulation(
                _visit(visit),
                at,
                fact.ended,
                fact.pulses,
                fact.intensity_percent_mt,
                fact.output_percent,
                told,
                moved=True,
            )
        case fact:
            raise Malformed(f"an entry of this kind ({spoken(fact.kind)}) must be entered by hand")


def _visit(visit: VisitId | None) -> VisitId:
    if visit is None:
        raise Malformed("name the visit of the other pathway at which it was given")
    return visit
