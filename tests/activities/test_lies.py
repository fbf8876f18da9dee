"""An EHR that lies or is slow: what it holds is counted in its own store."""

import pytest

from tests.activities.conftest import LaneTo
from tests.activities.lying import INNER, KEYS, Cell, play

CELLS = [
    *(Cell(key, lost=lost) for key in KEYS for lost in (1, 2, 4, 9)),
    *(Cell(key, lag=lag) for key in KEYS for lag in (45, 75, 300, 3600)),
    *(Cell(key, late=late) for key in KEYS for late in (401, 403, 409, 412, 423, 429, 503)),
    *(Cell(key, versions=False) for key in KEYS),
    *(Cell(key, inner=True) for key in KEYS),
    *(Cell("identifier", lost=lost, lag=300) for lost in (4, 9)),
    *(Cell("identifier", lag=300, late=late) for late in (403, 429)),
    *(Cell("identifier, and strips it", lag=75, late=late) for late in (409, 429)),
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
async def test_nothing_stands_twice(lane_to: LaneTo, cell: Cell):
    """Each write stands once, or a person is asked and says where it is; none is called refused."""
    lane = await lane_to(
        cell.said, proved=False, changes_unversioned=not cell.versions, other_bases=(INNER,)
    )
    told = await play(lane, cell, 1)
    assert (told.twice, told.wrong) == ([], [])
