"""What whoever watches the demo sees while it runs."""

import io
from datetime import UTC, datetime

from rich.console import Console

from demo.screen import Screen
from demo.watching import Happened

AT = datetime(2027, 3, 15, 13, 5, tzinfo=UTC)
DOSE = Happened("patient 1", "esketamine-induction", "visit 3: held, [152] mmHg", AT)


def test_a_plain_line_has_date_deliveries_patient_phase_and_what_happened():
    """Without a terminal each line has all of it, in clinic time, and no control character."""
    written = io.StringIO()
    screen = Screen(Console(file=written, force_terminal=False, soft_wrap=True))
    screen.pending(7)
    with screen.telling():
        screen.happened(DOSE)
    assert written.getvalue() == (
        "Mon 15 Mar 2027 09:05   7 pending  patient 1  esketamine-induction  "
        "visit 3: held, [152] mmHg\n"
    )


def test_the_last_line_of_a_terminal_is_alive():
    """At a terminal the last line shows each patient's phase and how many deliveries wait."""
    written = io.StringIO()
    console = Console(
        file=written, force_terminal=True, force_interactive=True, highlight=False, width=120
    )
    screen = Screen(console)
    with screen.telling():
        screen.happened(DOSE)
        screen.pending(4)
        during = screen.live
    after = screen.live
    assert during == (
        "Mon 15 Mar 2027 09:05  4 deliveries pending  patient 1 in esketamine-induction"
    )
    assert after is None
    assert "visit 3: held" in written.getvalue()
