"""What a wall shows: numbers, the worst places and where open incidents lie; read-only, as far as the actor sees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

WEEKS = 8
"""What is usual is told from so many of the same weekday before."""
POINTS_MOST = 4_000
EMERGENCIES_MOST = 6
WORST = 6
STREET_DEG = 0.004
"""Half a box, some hundreds of metres, in which the street of an emergency without an address is looked for."""
_LATE = "i.due_at < :moment AND (i.postponed_until IS NULL OR i.postponed_until <= :moment)"
_OPEN = "i.territory_id = :territory AND i.status NOT IN ('closed', 'void')"

_STAGES = text(f"""
    SELECT i.status, count(*), count(*) FILTER (WHERE {_LATE}),
           count(*) FILTER (WHERE NOT coalesce({_LATE}, false) AND i.postponed_until IS NULL
                            AND i.due_at < :moment + interval '2 hours')
    FROM incident AS i WHERE {_OPEN} GROUP BY i.status
""")  # noqa: S608  (constants of ours)  # nosec B608
_CLOSED = text("""
    SELECT count(*) FROM incident WHERE territory_id = :territory AND status = 'closed' AND closed_at >= :since
""")
_DAYS = text("""
    SELECT (CAST(:today AS date) - (reported_at AT TIME ZONE :zone)::date) / 7 AS weeks,
           extract(hour FROM reported_at AT TIME ZONE :zone)::int AS hour, count(*),
           count(*) FILTER (WHERE (reported_at AT TIME ZONE :zone)::time <= CAST(:clock AS time))
    FROM incident
    WHERE territory_id = :territory AND status <> 'void' AND reported_at >= :first AND reported_at <= :moment
      AND (CAST(:today AS date) - (reported_at AT TIME ZONE :zone)::date) % 7 = 0
    GROUP BY 1, 2
""")
_GRIDS = text(f"""
    SELECT g.code, a.name, a.name_zh, worst.late, worst.open
    FROM (SELECT i.grid_id, count(*) AS open, count(*) FILTER (WHERE {_LATE}) AS late
          FROM incident AS i WHERE {_OPEN} GROUP BY i.grid_id) AS worst
    JOIN unit_grid AS g ON g.id = worst.grid_id LEFT JOIN area AS a ON a.id = g.community_id
    ORDER BY worst.late DESC, worst.open DESC, g.code LIMIT :worst
""")  # noqa: S608  (constants of ours)  # nosec B608
_UNITS = text(f"""
    SELECT u.name, u.name_zh, count(*) FILTER (WHERE {_LATE}) AS late, count(*) AS open
    FROM incident AS i JOIN unit AS u ON u.id = i.unit_id WHERE {_OPEN}
    GROUP BY u.id ORDER BY late DESC, open DESC, u.name LIMIT :worst
""")  # noqa: S608  (constants of ours)  # nosec B608
_EMERGENCIES = text(f"""
    SELECT i.number, c.name_en, c.name_zh, i.place, street.name, street.name_zh, a.name, a.name_zh, i.status,
           i.reported_at, coalesce({_LATE}, false)
    FROM incident AS i JOIN incident_class AS c ON c.id = i.class_id
    LEFT JOIN unit_grid AS g ON g.id = i.grid_id LEFT JOIN area AS a ON a.id = g.community_id
    LEFT JOIN LATERAL (
        SELECT coalesce(r.name, r.ref) AS name, coalesce(r.name_zh, r.name, r.ref) AS name_zh FROM road AS r
        WHERE r.territory_id = :territory AND coalesce(r.name, r.ref) IS NOT NULL
          AND r.geom && ST_Expand(i.geom, {STREET_DEG}) ORDER BY r.geom <-> i.geom LIMIT 1
    ) AS street ON i.place = ''
    WHERE {_OPEN} AND i.emergency ORDER BY i.reported_at DESC LIMIT :emergencies
""")  # noqa: S608  (constants of ours)  # nosec B608
_POINTS = text(f"""
    SELECT round(ST_X(p))::int, round(-ST_Y(p))::int,
           CASE WHEN i.emergency THEN 3 WHEN {_LATE} THEN 2
                WHEN i.due_at < :moment + interval '2 hours' AND i.postponed_until IS NULL THEN 1 ELSE 0 END AS kind
    FROM incident AS i, LATERAL (SELECT ST_Transform(i.geom, CAST(:srid AS int)) AS p) AS place
    WHERE {_OPEN} ORDER BY kind DESC, i.id DESC LIMIT :points
""")  # noqa: S608  (constants of ours)  # nosec B608
_BUSY = text("""
    SELECT count(DISTINCT worker_id) FROM task
    WHERE territory_id = :territory AND state IN ('accepted', 'started') AND worker_id IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class Worst:
    """A grid or unit with what is late and open there."""

    name: str
    name_zh: str | None
    late: int
    open: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class Emergency:
    """An open emergency; its place is an address or else the nearest street, and the community; never a person."""

    number: str
    title_en: str
    title_zh: str
    place: str
    street: str | None
    street_zh: str | None
    community: str | None
    community_zh: str | None
    status: str
    reported_at: dt.datetime
    late: bool


@dataclass(frozen=True, slots=True)
class WallFacts:
    """All that a wall shows of incidents at a moment.

    Attributes
    ----------
    today
        Reports by local hour, 24 numbers; hours to come are 0.
    usual
        The same of the days before, newest first; the same weekday.
    usual_now
        How many had been reported by this time on each of those days.
    points
        x, y in metres of the territory's own system, y downwards, and 0 in time, 1 due soon, 2 late, 3 emergency.
    """

    moment: dt.datetime
    stages: Mapping[str, int]
    late: int
    due_soon: int
    closed_today: int
    today: tuple[int, ...]
    usual: tuple[tuple[int, ...], ...]
    usual_now: tuple[int, ...]
    grids: tuple[Worst, ...]
    units: tuple[Worst, ...]
    emergencies: tuple[Emergency, ...]
    points: tuple[tuple[int, int, int], ...] = field(repr=False)
    busy: int = 0

    @property
    def open(self) -> int:
        """Return how many incidents are open."""
        return sum(self.stages.values())


def wall_facts(session: Session, territory_id: int, zone: str, srid: int, moment: dt.datetime) -> WallFacts:
    """Return what a wall shows; the day is that of the zone."""
    local = moment.astimezone(_zone(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    given = {
        "territory": territory_id,
        "moment": moment,
        "zone": zone,
        "srid": srid,
        "since": midnight,
        "today": local.date(),
        "clock": local.time().replace(tzinfo=None),
        "first": midnight - dt.timedelta(days=7 * WEEKS, hours=2),
        "worst": WORST,
        "emergencies": EMERGENCIES_MOST,
        "points": POINTS_MOST,
    }
    stages = session.execute(_STAGES, given).all()
    hours, by_now = _days(session.execute(_DAYS, given).all())
    return WallFacts(
        moment=moment,
        stages={row[0]: row[1] for row in stages},
        late=sum(row[2] for row in stages),
        due_soon=sum(row[3] for row in stages),
        closed_today=session.execute(_CLOSED, given).scalar_one(),
        today=tuple(hours[0]),
        usual=tuple(tuple(each) for each in hours[1:]),
        usual_now=tuple(by_now[1:]),
        grids=tuple(Worst(r[1] or r[0], r[2], r[3], r[4], r[0]) for r in session.execute(_GRIDS, given) if r[4]),
        units=tuple(Worst(*row) for row in session.execute(_UNITS, given)),
        emergencies=tuple(Emergency(*row) for row in session.execute(_EMERGENCIES, given)),
        points=tuple((row[0], row[1], row[2]) for row in session.execute(_POINTS, given)),
        busy=session.execute(_BUSY, given).scalar_one(),
    )


def _days(rows: Sequence[Sequence[int]]) -> tuple[list[list[int]], list[int]]:
    """Return reports by hour and by this time, today first, then the weeks before that had any at all."""
    hours = [[0] * 24 for _ in range(WEEKS + 1)]
    by_now = [0] * (WEEKS + 1)
    for weeks, hour, many, so_far in rows:
        if 0 <= weeks <= WEEKS:
            hours[weeks][hour] += many
            by_now[weeks] += so_far
    known = [k for k in range(WEEKS + 1) if k == 0 or any(hours[k])]
    return [hours[k] for k in known], [by_now[k] for k in known]


def _zone(name: str) -> dt.tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
