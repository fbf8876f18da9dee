"""The start checklist as it is shown: what must be known, and what payers authorized."""

from collections.abc import Mapping, Sequence

from api.reading import pathway_views as v
from api.reading import rendering
from domain.language.names import Author, Treatment
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.rules.authorized import Covers, of_treatment
from domain.rules.start import Row, State


def _authorization(covers: Covers) -> v.AuthorizationView:
    says = covers.authorization.says
    return v.AuthorizationView(
        entry=covers.entry,
        treatment=says.treatment,
        number=says.number,
        starts=says.starts,
        ends=says.ends,
        units=says.units,
        left=covers.left,
        unit=says.unit,
        codes=list(says.codes),
        excludes=list(says.excludes),
        recorded=covers.authorization.recorded,
    )


def checklist_view(
    rows: Sequence[Row],
    protocol: CombinedProtocol,
    authors: Mapping[str, Author],
    pathway: Pathway,
) -> v.ChecklistView:
    """Show a checklist; `authors` are those of the entries that it rests on."""
    chart = pathway.chart
    open_phases = {row.phase for row in rows if row.state is not State.MET}
    return v.ChecklistView(
        ready=[phase.id for phase in protocol.phases if phase.id not in open_phases],
        rows=[
            v.CheckRow(
                phase=row.phase,
                gate=row.gate,
                observation=row.observation,
                title=row.title,
                requires=row.requires,
                state=row.state,
                stops=row.stops,
                who=list(row.who),
                says=row.says,
                value=row.value,
                at=row.at,
                by=None if row.evidence is None else rendering.whose(authors.get(row.evidence)),
                entry=row.evidence,
                why=row.why,
                source=row.source,
                chart=list(row.chart),
            )
            for row in rows
        ],
        authorizations=[
            _authorization(each)
            for treatment in Treatment
            for each in of_treatment(protocol, pathway, treatment)
        ],
        chart_read=None if chart is None else chart.read,
        chart_unread=[] if chart is None else list(chart.unread),
    )
