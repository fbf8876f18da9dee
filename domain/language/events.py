"""What happened on a pathway: past tense, authored, immutable. State is the fold of these.

Each chapter of care has its own module here. A fact names its `kind`, so that stored and
transmitted facts are told apart without guessing. Instants are UTC. Adding a field needs a default;
renaming or removing one needs an upcaster.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.language.authorizations import AuthorizationFact
from domain.language.baselines import BaselineFact
from domain.language.chart import ChartFact
from domain.language.corrections import CorrectionFact
from domain.language.holds import HoldFact
from domain.language.names import Author, EventId
from domain.language.observations import ObservationFact
from domain.language.overrides import OverrideFact
from domain.language.phases import PhaseFact
from domain.language.release import ReleaseFact
from domain.language.standing import StandingFact
from domain.language.tasks import TaskFact
from domain.language.treatment import TreatmentFact
from domain.language.trials import TrialFact
from domain.language.visits import VisitFact

Fact = (
    PhaseFact
    | VisitFact
    | ReleaseFact
    | ObservationFact
    | TreatmentFact
    | HoldFact
    | OverrideFact
    | TaskFact
    | CorrectionFact
    | BaselineFact
    | StandingFact
    | TrialFact
    | ChartFact
    | AuthorizationFact
)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact, when it happened (UTC) and who says so. The id is the same however often it comes."""

    id: EventId
    at: datetime
    by: Author
    fact: Fact
