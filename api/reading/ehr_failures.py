"""What people are told when an EHR does not give what was asked of it.

Only an EHR that does not answer is said to be away. One that refuses, that has merged or closed a
record, or that says what cannot be believed, will do so again: each is its own problem, and says
who can mend it. Messages carry statuses and codes, never what the EHR wrote of somebody.
"""

from api.edge.problems import RETRY, Problem
from domain.language.errors import Malformed, Unavailable
from fhir_adapters.exchange.failures import EhrFailure, EhrRefused, Garbled, NotLetIn

GONE = (404, 410)

CANNOT_BE_READ = (EhrFailure, Unavailable, Malformed)
"""All that reading something of an EHR may raise."""


def problem_of(error: Exception, connection: str, *, of_a_record: bool = False) -> Problem:
    """Say what came of asking an EHR, `of_a_record` for one by its id, and what would be right."""
    if of_a_record and isinstance(error, EhrRefused) and error.merged:
        detail = "the record was merged into another; search again and use the current one"
        return Problem("patient-not-current", detail)
    if isinstance(error, EhrRefused) and error.strange:
        detail = (
            f"{connection} answered {error.status} and no FHIR: perhaps the EHR is being"
            " restarted, or its address is wrong; an integrator can check `base_url`; nothing was"
            " written"
        )
        return Problem("ehr-unreadable", detail)
    if isinstance(error, EhrRefused | NotLetIn):
        who = "the EHR's administrator can allow it; nothing was written"
        return Problem("ehr-refuses", f"{connection}: {error}; {who}")
    if isinstance(error, Garbled | Malformed):
        who = "a retry may fail in the same way until the EHR's administrator has fixed it"
        detail = f"{connection}: {error}; {who}; nothing was written"
        return Problem("ehr-unreadable", detail)
    return ehr_away(f"{connection}: {error}")


def ehr_away(why: str = "the EHR is not responding") -> Problem:
    """The EHR does not answer now."""
    detail = f"{why}; nothing was written; retry the same request when it is back"
    return Problem("ehr-unavailable", detail, headers=RETRY)
