"""The one catalogue of what people can do on a pathway, chapter by chapter.

Routes, their description and the page of permissions are made from it.
"""

from typing import Any

from api.commands.catalogue import (
    authorizations,
    baselines,
    chart,
    corrections,
    holds,
    observations,
    overrides,
    phases,
    release,
    standing,
    tasks,
    treatment,
    trials,
    visits,
)
from api.commands.catalogue.entry import Entry

CHAPTERS = (
    phases,
    visits,
    release,
    holds,
    overrides,
    standing,
    tasks,
    observations,
    trials,
    authorizations,
    chart,
    treatment,
    corrections,
    baselines,
)
CATALOGUE: tuple[Entry[Any], ...] = tuple(entry for each in CHAPTERS for entry in each.ENTRIES)
