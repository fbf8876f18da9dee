"""What people ask Kairos to record or arrange: imperative, not yet true, and may be refused.

Each chapter of care has its own module here, with its wishes and the facts that come of them.
"""

from dataclasses import dataclass

from domain.language.authorizations import AuthorizationWish
from domain.language.baselines import BaselineWish
from domain.language.chart import ChartWish
from domain.language.corrections import CorrectionWish
from domain.language.holds import HoldWish
from domain.language.names import Author, RequestId
from domain.language.observations import ObservationWish
from domain.language.overrides import OverrideWish
from domain.language.phases import PhaseWish, ProtocolWish
from domain.language.release import ReleaseWish
from domain.language.standing import StandingWish
from domain.language.tasks import TaskWish
from domain.language.treatment import TreatmentWish
from domain.language.trials import TrialWish
from domain.language.visits import VisitWish

Wish = (
    PhaseWish
    | VisitWish
    | ReleaseWish
    | ObservationWish
    | TreatmentWish
    | HoldWish
    | OverrideWish
    | TaskWish
    | CorrectionWish
    | BaselineWish
    | StandingWish
    | TrialWish
    | ChartWish
    | AuthorizationWish
    | ProtocolWish
)


@dataclass(frozen=True, slots=True)
class Command:
    """A wish, who has it, and the request id by which it takes effect at most once.

    `expects` is the pathway version (events so far) the person looked at, if they said so.
    """

    id: RequestId
    by: Author
    wish: Wish
    expects: int | None = None
