"""Travel times by public transport: on foot to a stop, by timetable with changes on foot, and on foot from a stop.

Rides are gone through in order of time, and whoever can be at a stop before one leaves is on it (the connection scan
of Dibbelt, Pajor, Strasser and Wagner 2018, ACM Journal of Experimental Algorithmics 23, 1.7). That is exact for the
earliest arrival. Walking is along the streets, as `geodata.travel` counts it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.kernels import kernel
from core.progress import Progress, Silent
from geodata.network import RoadNetwork, Snapped
from geodata.transit_feed import Timetable
from geodata.travel import matrix_s

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
WALK_S = 20 * 60.0
"""On foot to the first stop and from the last at most; who walks all the way has no limit."""
BETWEEN_S = 10 * 60.0
"""On foot from stop to stop at most."""
CHANGE_S = 60.0
"""To change from one ride to the next, beside the way."""
STOPS_AT_MOST, STOPS_A_PART = 20_000, 500
"""Between all of so many ways on foot are sought, part by part."""
LONGEST_S = 3 * 3600.0
"""After the departure no ride is boarded that leaves later."""


def transit_s(
    network: RoadNetwork, timetable: Timetable, origins: Snapped, destinations: Snapped, departures_s: Sequence[float],
    *, progress: Progress | None = None,
) -> Floats32:  # fmt: skip
    """Return seconds from origins to destinations, shape (origins, destinations); infinite where no way leads.

    Parameters
    ----------
    network
        Streets to walk on.
    departures_s
        When people set out, seconds since midnight; of several the median counts, waiting for the first ride included.

    Raises
    ------
    InvalidInput
        When the timetable has more stops than a city.
    """
    if len(timetable.stops) > STOPS_AT_MOST:
        raise InvalidInput(
            f"The timetable has {len(timetable.stops):,} stops; at most {STOPS_AT_MOST:,} are gone by.",
            hint="Cut it to the city and its surroundings.",
            zh=f"时刻表有 {len(timetable.stops):,} 个站点，最多 {STOPS_AT_MOST:,} 个。请裁剪到本市及周边范围。",
        )
    progress = progress or Silent()
    stops = network.snap(timetable.stops)
    access = _near(matrix_s(network, origins, stops), WALK_S)
    between = _between(network, stops, progress)
    egress = _near(matrix_s(network, stops, destinations).T, WALK_S)
    times = matrix_s(network, origins, destinations)
    departures = np.asarray(departures_s, dtype=np.float64)
    progress.step("Riding by timetable", len(times))
    starts, first, first_s = access
    for row in range(len(times)):
        reached = np.full((len(departures), times.shape[1]), np.inf)
        mine = slice(starts[row], starts[row + 1])
        _ride(
            timetable.from_stop, timetable.to_stop, timetable.trip, timetable.leaves_s, timetable.arrives_s,
            timetable.boards, timetable.alights, timetable.trips, len(timetable.stops), departures, first[mine],
            first_s[mine], *between, *egress, reached,
        )  # fmt: skip
        walked = np.broadcast_to(times[row].astype(np.float64), reached.shape)
        times[row] = np.median(np.minimum(reached, walked), axis=0)
        progress.advance()
    return times


def _between(network: RoadNetwork, stops: Snapped, progress: Progress) -> tuple[Ints, Ints, Floats]:
    """Return the stops that are walked to from each, as `_near` does, asking whether to stop between parts."""
    starts, over, over_s = [np.zeros(1, dtype=np.int64)], list[Ints](), list[Floats]()
    for first in range(0, len(stops), STOPS_A_PART):
        progress.advance(0)
        part = stops.part(slice(first, first + STOPS_A_PART))
        begins, which, far = _near(matrix_s(network, part, stops), BETWEEN_S)
        starts.append(begins[1:] + starts[-1][-1])
        over.append(which)
        over_s.append(far)
    return np.concatenate(starts), np.concatenate(over), np.concatenate(over_s)


def _near(seconds: Floats32, most: float) -> tuple[Ints, Ints, Floats]:
    """Return the columns within so many seconds of each row: where each row starts, which ones, how far."""
    rows, columns = np.nonzero(seconds <= most)
    starts = np.r_[0, np.cumsum(np.bincount(rows, minlength=len(seconds)))].astype(np.int64)
    return starts, columns.astype(np.int64), seconds[rows, columns].astype(np.float64)


@kernel
def _ride(  # noqa: C901, PLR0917  (a compiled function is one long loop)
    from_stop: Ints,
    to_stop: Ints,
    trip: Ints,
    leaves_s: Floats,
    arrives_s: Floats,
    boards: Bools,
    alights: Bools,
    trips: int,
    stops: int,
    departures_s: Floats,
    access: Ints,
    access_s: Floats,
    between: Ints,
    over: Ints,
    over_s: Floats,
    egress: Ints,
    last: Ints,
    last_s: Floats,
    reached: Floats,
) -> None:
    """Write the seconds from one place to all others for each departure.

    Parameters
    ----------
    access, access_s
        Stops that are walked to first, and how far.
    between, over, over_s
        Of each stop where its neighbours begin, which they are, how far on foot.
    egress, last, last_s
        Of each destination where its stops begin, which they are, how far on foot.
    """
    for number in range(len(departures_s)):
        start = departures_s[number]
        ready, arrived = np.full(stops, np.inf), np.full(stops, np.inf)
        on = np.zeros(trips, np.bool_)
        for k in range(len(access)):
            ready[access[k]] = start + access_s[k]
        for ride in range(np.searchsorted(leaves_s, start), len(leaves_s)):
            if leaves_s[ride] > start + LONGEST_S:
                break
            if not on[trip[ride]]:
                if not boards[ride] or ready[from_stop[ride]] > leaves_s[ride]:
                    continue
                on[trip[ride]] = True
            stop, at = to_stop[ride], arrives_s[ride]
            if not alights[ride] or at >= arrived[stop]:
                continue
            arrived[stop] = at
            ready[stop] = min(ready[stop], at + CHANGE_S)
            for k in range(between[stop], between[stop + 1]):
                ready[over[k]] = min(ready[over[k]], at + over_s[k] + CHANGE_S)
        for goal in range(reached.shape[1]):
            best = np.inf
            for k in range(egress[goal], egress[goal + 1]):
                best = min(best, arrived[last[k]] + last_s[k])
            reached[number, goal] = best - start
