"""Where the map of a draft opens."""

from __future__ import annotations

from app import draw_map

TOWN = (-1.30, 50.69, -1.28, 50.70)


def test_cells_drawn_anew_on_the_same_ground_leave_the_map_where_it_is() -> None:
    assert draw_map.alike(TOWN, (TOWN[0] + 1e-9, *TOWN[1:]))
    assert not draw_map.alike(TOWN, (TOWN[0] + 1e-3, *TOWN[1:]))
    assert draw_map.zoom_of(TOWN, 740, 560) == 15
