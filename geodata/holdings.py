"""What a territory holds of all that it needs to work: read for the list of the first set-up, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

NONE_TO_BRING = "none to bring"
"""Source of the load that says that a territory has no old incidents."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Counts of one territory at one moment.

    Attributes
    ----------
    has_boundary
        False while the territory lies nowhere.
    communities_given
        The communities came from boundaries (of OpenStreetMap or of a file), not from the outline alone.
    cells, cells_with_people
        Unit grids in force, and those of which the number of people is known.
    responsibility_grids, without_worker
        Responsibility grids in force, and those that no active worker is bound to.
    units
        Units valid today by kind.
    classes, owned_classes
        Active classes of the shipped scheme, and those that some unit owns somewhere today.
    workers, workers_without_grid, workers_without_shift
        Active workers.
    limits, calendar_days_ahead
        Time limits valid today; holidays and make-up workdays from today on in the territory's calendar.
    has_calendar
        A calendar of the territory's time zone is there.
    incidents
        Incidents of any state.
    loads
        Number of loads by kind.
    no_old_incidents
        Somebody has said that there are none to bring in.
    accounts
        Active accounts by role, demo accounts apart.
    invited
        Accounts of these whose password was never set.
    """

    has_boundary: bool = False
    roads: int = 0
    buildings: int = 0
    communities: int = 0
    communities_given: bool = False
    cells: int = 0
    cells_with_people: int = 0
    responsibility_grids: int = 0
    without_worker: int = 0
    units: Mapping[str, int] = field(default_factory=dict)
    classes: int = 0
    owned_classes: int = 0
    workers: int = 0
    workers_without_grid: int = 0
    workers_without_shift: int = 0
    limits: int = 0
    has_calendar: bool = False
    calendar_days_ahead: int = 0
    incidents: int = 0
    loads: Mapping[str, int] = field(default_factory=dict)
    no_old_incidents: bool = False
    accounts: Mapping[str, int] = field(default_factory=dict)
    demo_accounts: int = 0
    invited: int = 0


_TODAY = "{0}.valid_from <= current_date AND ({0}.valid_to IS NULL OR {0}.valid_to >= current_date)"
_COUNTS = f"""
    SELECT NOT ST_IsEmpty(t.boundary) AS has_boundary,
        (SELECT count(*) FROM road WHERE territory_id = t.id) AS roads,
        (SELECT count(*) FROM building WHERE territory_id = t.id) AS buildings,
        (SELECT count(*) FROM area WHERE territory_id = t.id AND level = 'community') AS communities,
        EXISTS (SELECT FROM area WHERE territory_id = t.id AND level = 'community' AND source <> 'territory')
            AS communities_given,
        cells.n AS cells, cells.known AS cells_with_people,
        (SELECT count(*) FROM responsibility_grid AS r WHERE territory_id = t.id AND boundary IS NOT NULL)
            AS responsibility_grids,
        (SELECT count(*) FROM responsibility_grid AS r WHERE territory_id = t.id AND boundary IS NOT NULL
            AND NOT EXISTS (SELECT FROM worker AS w WHERE w.responsibility_grid_id = r.id AND w.active))
            AS without_worker,
        (SELECT count(*) FROM incident_class WHERE active AND scheme = :scheme AND scheme_version = :version)
            AS classes,
        (SELECT count(DISTINCT c.id) FROM incident_class AS c JOIN class_owner AS o ON o.class_id = c.id
            WHERE c.active AND c.scheme = :scheme AND c.scheme_version = :version AND o.territory_id = t.id
              AND {_TODAY.format("o")}) AS owned_classes,
        w.n AS workers, w.gridless AS workers_without_grid, w.shiftless AS workers_without_shift,
        (SELECT count(*) FROM time_limit AS l WHERE l.scheme = :scheme AND l.scheme_version = :version
            AND {_TODAY.format("l")}) AS limits,
        EXISTS (SELECT FROM calendar WHERE code = :calendar) AS has_calendar,
        (SELECT count(*) FROM calendar_day AS d JOIN calendar AS c ON c.id = d.calendar_id
            WHERE c.code = :calendar AND d.day >= current_date) AS calendar_days_ahead,
        (SELECT coalesce(sum(open + closed + void), 0)::integer FROM incident_day WHERE territory_id = t.id)
            AS incidents,
        EXISTS (SELECT FROM load WHERE territory_id = t.id AND kind = 'incidents' AND source_name = :none)
            AS no_old_incidents
    FROM territory AS t,
        LATERAL (SELECT count(*) AS n, count(people) AS known FROM unit_grid
                 WHERE territory_id = t.id AND ended_on IS NULL) AS cells,
        LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE responsibility_grid_id IS NULL) AS gridless,
                        count(*) FILTER (WHERE NOT EXISTS (
                            SELECT FROM worker_pattern AS p WHERE p.worker_id = worker.id
                            AND (p.valid_to IS NULL OR p.valid_to >= current_date))) AS shiftless
                 FROM worker WHERE territory_id = t.id AND active) AS w
    WHERE t.id = :territory
"""  # noqa: S608  (all parts stand here)
_UNITS = f"""
    SELECT kind, count(*) FROM unit AS u WHERE u.territory_id = :territory AND {_TODAY.format("u")}
    GROUP BY kind ORDER BY kind
"""  # noqa: S608  (all parts stand here)
_ACCOUNTS = """
    SELECT r.role, u.is_demo, u.password_hash LIKE '$argon2%' AS opens, count(*)
    FROM user_role AS r JOIN app_user AS u ON u.id = r.user_id
    WHERE r.territory_id = :territory AND u.active AND r.acting_for IS NULL
      AND r.valid_from <= now() AND (r.valid_until IS NULL OR r.valid_until > now())
    GROUP BY 1, 2, 3 ORDER BY 1
"""
_LOADS = "SELECT kind, count(*) FROM load WHERE territory_id = :territory GROUP BY kind ORDER BY kind"


def read_holdings(
    session: Session, territory_id: int, *, scheme: str, scheme_version: str, calendar: str
) -> Holdings | None:
    """Return what a territory holds, as far as the actor may count; None when there is no such territory.

    Parameters
    ----------
    scheme, scheme_version
        The classes that count.
    calendar
        Code of the calendar that offices of the territory keep.
    """
    given = {"territory": territory_id}
    row = session.execute(
        text(_COUNTS),
        {**given, "scheme": scheme, "version": scheme_version, "calendar": calendar, "none": NONE_TO_BRING},
    ).one_or_none()
    if row is None:
        return None
    accounts: dict[str, int] = {}
    demo = invited = 0
    for role, is_demo, opens, number in session.execute(text(_ACCOUNTS), given):
        if is_demo:
            demo += number
            continue
        accounts[role] = accounts.get(role, 0) + number
        invited += 0 if opens else number
    return Holdings(
        **row._mapping,  # noqa: SLF001  (its documented name)
        units=_pairs(session, _UNITS, territory_id),
        loads=_pairs(session, _LOADS, territory_id),
        accounts=accounts,
        demo_accounts=demo,
        invited=invited,
    )


def _pairs(session: Session, query: str, territory_id: int) -> dict[str, int]:
    return {str(kind): int(number) for kind, number in session.execute(text(query), {"territory": territory_id})}
