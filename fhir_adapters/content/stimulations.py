"""A deep TMS session that was given, as a US Core Procedure with its start and end.

Pulses, intensity and stimulator output stand in the note: no code was verified for any of them,
and one resource is written whole or not at all. CPT 90868 (a subsequent session) is added only
where it fits; the first session of a course and one after a new motor threshold have other codes,
which the clinic's billing chooses.
"""

from typing import Any

from domain.language.names import PhaseId, spoken
from domain.language.protocol import MOTOR_THRESHOLD
from domain.language.release import VisitReleased
from domain.language.treatment import StimulationGiven
from domain.language.vocabulary import Code
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.drafts import Draft, Scene, created
from fhir_adapters.profile.artefacts import ArtefactKind

SUBSEQUENT_SESSION = Code("http://www.ama-assn.org/go/cpt", "90868", "")
"""Subsequent delivery and management, per session. CPT's own words are not free to repeat."""


def give(scene: Scene, fact: StimulationGiven) -> Draft:
    phase = scene.after.visits[fact.visit].phase
    rules = scene.protocol.phase(phase)
    codes = (SUBSEQUENT_SESSION,) if _subsequent(scene, phase) else ()
    details = (
        f"Session {fact.session}; {fact.pulses} pulses at {fact.intensity_percent_mt} percent of "
        f"motor threshold, {fact.output_percent} percent of maximum stimulator output"
    )
    if rules.stimulation is not None:
        details += f"; {rules.stimulation.coil} coil, {rules.stimulation.target}"
    details += elements.under_overrides(scene.after, fact.visit, rules)
    details += elements.off_the_rules(fact)
    short = rules.stimulation is not None and fact.pulses < rules.stimulation.pulses
    ended = elements.moment(fact.ended)
    body: dict[str, Any] = {
        "meta": elements.profile("us-core-procedure"),
        "status": "stopped" if short else "completed",
        "code": elements.concept("Deep transcranial magnetic stimulation session", *codes),
        "subject": scene.patient,
        "performedPeriod": {"start": scene.at, "end": ended},
        "performer": [{"actor": scene.author}],
        "note": [{"text": details}],
    }
    body |= _under_order(scene, phase)
    artefact = identifiers.treatment(scene.after.id, scene.event.id)
    says = f"Deep TMS session given {scene.when} to {ended}. {details}."
    return created(ArtefactKind.STIMULATION, artefact, body, says)


def not_given(scene: Scene, fact: VisitReleased) -> Draft:
    """Write that no session was given at a visit, and why."""
    phase = scene.after.visits[fact.visit].phase
    why = spoken(str(fact.not_treated))
    body: dict[str, Any] = {
        "meta": elements.profile("us-core-procedure"),
        "status": "not-done",
        "statusReason": elements.concept(why),
        "code": elements.concept("Deep transcranial magnetic stimulation session"),
        "subject": scene.patient,
        "performedDateTime": scene.at,
        "performer": [{"actor": scene.author}],
    }
    body |= _under_order(scene, phase)
    artefact = identifiers.treatment(scene.after.id, scene.event.id)
    says = f"Deep TMS session not given: {why}."
    return created(ArtefactKind.STIMULATION, artefact, body, says)


def _under_order(scene: Scene, phase: PhaseId) -> dict[str, Any]:
    """Name the order that a session belongs to, as this EHR holds it."""
    order = scene.link(
        ArtefactKind.COURSE_ORDER, identifiers.order(scene.after, phase), "ServiceRequest"
    )
    return {} if order is None else {"basedOn": [order]}


def _subsequent(scene: Scene, phase: PhaseId) -> bool:
    """Say whether this session followed another with no new motor threshold between."""
    now = scene.event.at
    earlier = [s.started for s in scene.before.sessions_in(phase) if s.started < now]
    measured = [found.at for found in scene.before.readings.get(MOTOR_THRESHOLD, ())]
    return bool(earlier) and not any(max(earlier) < at <= now for at in measured)
