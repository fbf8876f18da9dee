"""What counts of an EHR's chart as an answer, and who may say otherwise. Pure."""

from collections.abc import Sequence

from domain.language.chart import Chart, ChartEntry, ChartRead, ChartReading
from domain.language.findings import Blocked, CheckResult, result_of
from domain.language.names import ObservationName, Role
from domain.language.observations import Reading
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.rules.refusing import found


def read(protocol: CombinedProtocol, pathway: Pathway, reading: ChartReading) -> ChartRead:
    """Say which entries count as an answer.

    Where nobody has answered, any. Where somebody has, those that say the same again, and those
    that are new and against a gate: a new contraindication stops, whatever was said before it.
    """
    known = set() if pathway.chart is None else {each.key for each in pathway.chart.entries}
    counted = tuple(
        entry.key
        for entry in reading.entries
        if _last(pathway, entry.observation) in (None, entry.answer)
        or (entry.key not in known and speaks_against(protocol, entry))
    )
    return ChartRead(reading, counted)


def _last(pathway: Pathway, name: ObservationName) -> str | None:
    answers = pathway.readings.get(name)
    return answers[-1].answer if answers else None


def speaks_against(protocol: CombinedProtocol, entry: ChartEntry) -> bool:
    """Say whether an answer of the chart is one that some gate does not let pass."""
    return any(
        need.observation == entry.observation and not need.met(None, entry.answer)
        for phase in protocol.phases
        for gate in phase.gates
        for need in gate.require
    )


def of_chart(chart: Chart | None, name: ObservationName) -> tuple[ChartEntry, ...]:
    """List the entries that answered something when the chart was read last."""
    known = () if chart is None else chart.entries
    return tuple(each for each in known if each.observation == name)


def check_may_contradict(
    protocol: CombinedProtocol, pathway: Pathway, readings: Sequence[Reading], role: Role
) -> CheckResult:
    """May this role record another answer than the chart's? A prescriber may, where one records."""
    return result_of(tuple(_contradictions(protocol, pathway, readings, role)))


def _contradictions(
    protocol: CombinedProtocol, pathway: Pathway, readings: Sequence[Reading], role: Role
) -> list[Blocked]:
    blocks = []
    for reading in readings:
        kind = protocol.vocabulary.kind(reading.observation)
        if role is Role.PRESCRIBER or Role.PRESCRIBER not in kind.recorded_by:
            continue
        for entry in of_chart(pathway.chart, reading.observation):
            if entry.answer != reading.answer:
                says = f"{kind.title} is {entry.answer} in the chart ({entry})"
                says = f"{says}; only a prescriber may record otherwise"
                blocks.append(found("chart", says))
    return blocks
