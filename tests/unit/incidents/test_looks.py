"""Who is sent to look at a place."""

from __future__ import annotations

import pytest

from incidents.looks import WHY_NOBODY, Candidate, Found, choose

HERE = Candidate(1, "W001", on_duty=True, away=False, own=True)
STANDS_IN = Candidate(2, "W000", on_duty=True, away=False, own=False)
OFF = Candidate(3, "W003", on_duty=False, away=False, own=True)
ILL = Candidate(4, "W004", on_duty=False, away=True, own=True)


@pytest.mark.parametrize(
    ("known", "handled", "found"),
    [
        ([OFF, STANDS_IN, HERE], (), Found(1)),
        ([OFF, STANDS_IN, HERE], (1,), Found(2)),
        ([OFF, STANDS_IN, HERE], (1, 2), Found(3)),
        ([ILL, OFF], (), Found(3)),
        ([], (), Found(None, "nobody")),
        ([HERE], (1,), Found(None, "handled")),
        ([ILL, HERE], (1,), Found(None, "away")),
    ],
)
def test_on_duty_before_off_duty_own_before_standing_in_never_a_handler(known, handled, found):
    assert choose(known, handled) == found
    assert not found.why or found.why in WHY_NOBODY
