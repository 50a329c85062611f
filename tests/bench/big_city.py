"""A synthetic city for benches of the map: a million incidents, 100,000 cells, 50,000 stretches of road.

Everything is drawn from a seed inside the database, triggers off, as the superuser of a throw-away cluster; the daily
summary is counted from the incidents by the same sums as the triggers keep. Nothing of it is a real place.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import shapely

SIDE = 316
"""Cells along each side: 99,856 of them, a hundred metres wide."""
INCIDENTS = 1_000_000
DAYS = 365
WEST, NORTH = 121.30, 31.38
STEP_LON, STEP_LAT = 0.00105, 0.0009
NAME = "big-city"

NODES = """
CREATE TEMP TABLE node AS
SELECT i, j, ST_SetSRID(ST_MakePoint(
    %(west)s + %(dx)s * (i + CASE WHEN i IN (0, %(side)s) THEN 0 ELSE 0.36 * (random() - 0.5) END),
    %(north)s - %(dy)s * (j + CASE WHEN j IN (0, %(side)s) THEN 0 ELSE 0.36 * (random() - 0.5) END)), 4326) AS geom
FROM generate_series(0, %(side)s) AS i, generate_series(0, %(side)s) AS j;
CREATE UNIQUE INDEX ON node (i, j);
"""
AREAS = """
DELETE FROM area WHERE territory_id = %(territory)s;
WITH part AS (SELECT a, b FROM generate_series(0, 19) AS a, generate_series(0, 19) AS b),
district AS (
    INSERT INTO area (territory_id, level, code, name, name_zh, boundary)
    SELECT %(territory)s, 'district', lpad(n::text, 6, '0'), 'District ' || n, '第' || n || '区', 'MULTIPOLYGON EMPTY'
    FROM generate_series(1, 4) AS n RETURNING id, code::int AS n),
street AS (
    INSERT INTO area (territory_id, level, parent_id, code, name, name_zh, boundary)
    SELECT %(territory)s, 'street', district.id, lpad((n * 10 + k)::text, 3, '0'), 'Street ' || n || '-' || k,
           '街道' || n || '-' || k, 'MULTIPOLYGON EMPTY'
    FROM district, generate_series(0, 3) AS k RETURNING id, name)
INSERT INTO area (territory_id, level, parent_id, code, name, name_zh, boundary)
SELECT %(territory)s, 'community', street.id, lpad((a * 20 + b)::text, 3, '0'),
       'Community ' || a || '-' || b, '社区' || a || '-' || b, 'MULTIPOLYGON EMPTY'
FROM part JOIN street
    ON street.name = 'Street ' || (1 + (a / 10) * 2 + b / 10) || '-' || (((a / 5) %% 2) * 2 + (b / 5) %% 2);
CREATE TEMP TABLE community AS SELECT id, split_part(split_part(name, ' ', 2), '-', 1)::int AS a,
    split_part(name, '-', 2)::int AS b, parent_id FROM area
    WHERE territory_id = %(territory)s AND level = 'community';
INSERT INTO responsibility_grid (territory_id, code, name, name_zh)
SELECT %(territory)s, 'R' || lpad((a * 40 + b)::text, 4, '0'), 'Grid ' || a || '-' || b, '责任网格' || a || '-' || b
FROM generate_series(0, 39) AS a, generate_series(0, 39) AS b;
CREATE TEMP TABLE duty AS SELECT id, split_part(split_part(name, ' ', 2), '-', 1)::int AS a,
    split_part(name, '-', 2)::int AS b FROM responsibility_grid WHERE territory_id = %(territory)s;
"""
CELLS = """
INSERT INTO unit_grid (territory_id, community_id, responsibility_grid_id, scheme, code, sequence, kind, size_m,
                       area_m2, people, started_on, geom)
SELECT %(territory)s, community.id, duty.id, 'local', 'B' || lpad((n00.i * %(side)s + n00.j)::text, 6, '0'),
       1 + (n00.i %% 16) * 16 + n00.j %% 16, 'block', NULL, 10000 + 800 * random(),
       round((300 * exp(-((n00.i - 160)^2 + (n00.j - 150)^2) / 9000.0) * (0.3 + random()) + 8 * random())::numeric),
       current_date - %(days)s, ST_MakePolygon(ST_MakeLine(ARRAY[n00.geom, n01.geom, n11.geom, n10.geom, n00.geom]))
FROM node AS n00
JOIN node AS n10 ON n10.i = n00.i + 1 AND n10.j = n00.j
JOIN node AS n01 ON n01.i = n00.i AND n01.j = n00.j + 1
JOIN node AS n11 ON n11.i = n00.i + 1 AND n11.j = n00.j + 1
JOIN community ON community.a = n00.i * 20 / %(side)s AND community.b = n00.j * 20 / %(side)s
JOIN duty ON duty.a = n00.i * 40 / %(side)s AND duty.b = n00.j * 40 / %(side)s;
UPDATE responsibility_grid AS r SET boundary = u.geom FROM (
    SELECT responsibility_grid_id AS id, ST_Multi(ST_Union(geom)) AS geom FROM unit_grid
    WHERE territory_id = %(territory)s GROUP BY 1) AS u WHERE u.id = r.id;
UPDATE area AS a SET boundary = u.geom FROM (
    SELECT community_id AS id, ST_Multi(ST_Union(geom)) AS geom FROM unit_grid
    WHERE territory_id = %(territory)s GROUP BY 1) AS u WHERE u.id = a.id;
UPDATE area AS a SET boundary = u.geom FROM (
    SELECT parent_id AS id, ST_Multi(ST_Union(boundary)) AS geom FROM area WHERE territory_id = %(territory)s
    AND level = 'community' GROUP BY 1) AS u WHERE u.id = a.id;
UPDATE area AS a SET boundary = u.geom FROM (
    SELECT parent_id AS id, ST_Multi(ST_Union(boundary)) AS geom FROM area WHERE territory_id = %(territory)s
    AND level = 'street' GROUP BY 1) AS u WHERE u.id = a.id;
UPDATE territory SET boundary = (SELECT ST_Multi(ST_Union(boundary)) FROM area WHERE territory_id = %(territory)s
    AND level = 'district') WHERE id = %(territory)s;
"""
ROADS = """
INSERT INTO road (territory_id, source, source_ref, piece, from_node, to_node, road_class, name, name_zh, limit_kmh,
                  speed_kmh, oneway, drivable, walkable, length_m, geom)
SELECT %(territory)s, 'synthetic', s.way || s.line, s.piece, s.line, s.piece,
       CASE WHEN s.line %% 64 = 0 THEN 'trunk' WHEN s.line %% 32 = 0 THEN 'primary'
            WHEN s.line %% 16 = 0 THEN 'secondary' WHEN s.line %% 8 = 0 THEN 'tertiary' ELSE 'residential' END,
       CASE s.way WHEN 'h' THEN 'East' ELSE 'North' END || ' Road ' || s.line,
       CASE s.way WHEN 'h' THEN '东' ELSE '北' END || s.line || '路',
       CASE WHEN s.line %% 8 = 0 THEN 50 END, CASE WHEN s.line %% 8 = 0 THEN 50 ELSE 30 END, 0, true, true, 200, s.geom
FROM (
    SELECT 'v' AS way, a.i AS line, a.j / 2 AS piece, ST_MakeLine(ARRAY[a.geom, m.geom, b.geom]) AS geom
    FROM node AS a JOIN node AS m ON m.i = a.i AND m.j = a.j + 1 JOIN node AS b ON b.i = a.i AND b.j = a.j + 2
    WHERE a.i %% 2 = 0 AND a.j %% 2 = 0
    UNION ALL
    SELECT 'h', a.j, a.i / 2, ST_MakeLine(ARRAY[a.geom, m.geom, b.geom])
    FROM node AS a JOIN node AS m ON m.j = a.j AND m.i = a.i + 1 JOIN node AS b ON b.j = a.j AND b.i = a.i + 2
    WHERE a.i %% 2 = 0 AND a.j %% 2 = 0
) AS s;
"""
GROUND = """
INSERT INTO land_cover (territory_id, source, source_ref, kind, geom)
SELECT %(territory)s, 'synthetic', 'w' || id,
       CASE WHEN row_number() OVER (ORDER BY id) %% 4 = 0 THEN 'wood' ELSE 'green' END, ST_Buffer(geom, -0.00008)
FROM (SELECT id, geom, row_number() OVER (ORDER BY hashint4(id)) AS n FROM unit_grid
      WHERE territory_id = %(territory)s) AS g
WHERE n <= 1500;
INSERT INTO land_cover (territory_id, source, source_ref, kind, geom)
SELECT %(territory)s, 'synthetic', 'river', 'water', ST_Buffer(ST_MakeLine(ARRAY(
    SELECT ST_SetSRID(ST_MakePoint(%(west)s + %(dx)s * (170 + 40 * sin(t / 30.0)), %(north)s - %(dy)s * t), 4326)
    FROM generate_series(0, %(side)s, 4) AS t)), 0.0025);
INSERT INTO building (territory_id, source, source_ref, use, levels, footprint_m2, people, geom)
SELECT %(territory)s, 'synthetic', 'b' || g.id || '-' || k, 'residential', 6, 600, 30,
       ST_Multi(ST_Envelope(ST_Buffer(
           ST_Translate(ST_Centroid(g.geom), (k - 0.5) * 0.0004, (random() - 0.5) * 0.0003), 0.00013)))
FROM (SELECT id, geom, row_number() OVER (ORDER BY hashint4(id)) AS n FROM unit_grid
      WHERE territory_id = %(territory)s) AS g,
     generate_series(0, 1) AS k WHERE n > 1500;
INSERT INTO place_name (territory_id, source, source_ref, kind, name, name_zh, geom)
SELECT %(territory)s, 'synthetic', 'p' || id, CASE WHEN level = 'street' THEN 'suburb' ELSE 'town' END, name, name_zh,
       ST_PointOnSurface(boundary) FROM area
WHERE territory_id = %(territory)s AND level IN ('district', 'street');
INSERT INTO facility (territory_id, source, source_ref, kind, name, name_zh, attributes, geom)
SELECT %(territory)s, 'synthetic', 'f' || id,
       (ARRAY['clinic', 'school', 'fire_station', 'library', 'shop'])[1 + id %% 5],
       'Place ' || id, '设施' || id, '{}', ST_Centroid(geom) FROM unit_grid
WHERE territory_id = %(territory)s AND id %% 12 = 0;
"""
INCIDENT = """
CREATE TEMP TABLE pick AS
SELECT row_number() OVER (ORDER BY id) AS n, id, community_id, ST_Centroid(geom) AS geom,
       sum(people + 5) OVER (ORDER BY id) AS upto FROM unit_grid WHERE territory_id = %(territory)s;
CREATE TEMP TABLE kind AS SELECT row_number() OVER (ORDER BY id) - 1 AS n, id, category FROM incident_class
    WHERE kind = 'event' AND scheme = 'gk';
CREATE TEMP TABLE drawn AS
SELECT k, (random() * (SELECT max(upto) FROM pick)) AS r, now() - random() ^ 0.9 * %(days)s * interval '1 day' AS at,
       floor(random() * (SELECT count(*) FROM kind))::int AS class, random() AS fate, random() AS dx, random() AS dy
FROM generate_series(1, %(incidents)s) AS k;
CREATE UNIQUE INDEX ON pick (upto) INCLUDE (id, community_id, geom);
ANALYZE pick;
ANALYZE kind;
INSERT INTO incident (territory_id, number, source, class_id, category, status, priority, reported_at, filed_at,
                      closed_at, due_at, grid_id, community_id, simulated, geom)
SELECT %(territory)s, 'S' || d.k, 'hotline', kind.id, kind.category,
       CASE WHEN f.open THEN (ARRAY['filed', 'dispatched', 'handling'])[1 + d.k %% 3]
            WHEN d.fate > 0.99 THEN 'void' ELSE 'closed' END,
       1 + d.k %% 4, d.at, d.at,
       CASE WHEN NOT f.open AND d.fate <= 0.99 THEN least(now(), d.at + d.fate * interval '5 days') END,
       d.at + interval '4 days', pick.id, pick.community_id, true,
       ST_Translate(pick.geom, (d.dx - 0.5) * 0.0007, (d.dy - 0.5) * 0.0006)
FROM drawn AS d JOIN kind ON kind.n = d.class
CROSS JOIN LATERAL (SELECT d.fate < CASE WHEN d.at > now() - interval '10 days' THEN 0.6 ELSE 0.03 END AS open) AS f
CROSS JOIN LATERAL (SELECT id, community_id, geom FROM pick WHERE upto >= d.r ORDER BY upto LIMIT 1) AS pick;
"""
BINS = ", ".join(f"count(*) FILTER (WHERE bin = {one})::int" for one in range(19))
SUMMARY = f"""
INSERT INTO incident_day (territory_id, day, grid_id, category, open, closed, void, closed_within)
SELECT territory_id, day, grid_id, category, count(*) FILTER (WHERE status NOT IN ('closed', 'void')),
       count(*) FILTER (WHERE status = 'closed'), count(*) FILTER (WHERE status = 'void'), ARRAY[{BINS}]
FROM (SELECT i.territory_id, (i.reported_at AT TIME ZONE t.timezone)::date AS day, i.grid_id, i.category, i.status,
             CASE WHEN i.status = 'closed' THEN gk_close_bin(i.reported_at, i.closed_at) END AS bin
      FROM incident AS i JOIN territory AS t ON t.id = i.territory_id WHERE i.territory_id = %(territory)s) AS one
GROUP BY territory_id, day, grid_id, category;
"""


def make_big_city(
    admin: psycopg.Connection[Any], territory_id: int, *, side: int = SIDE, incidents: int = INCIDENTS
) -> None:
    """Fill a territory that exists, with its catalogue; triggers are off meanwhile."""
    given = {
        "territory": territory_id,
        "west": WEST,
        "north": NORTH,
        "dx": STEP_LON,
        "dy": STEP_LAT,
        "side": side,
        "days": DAYS,
        "incidents": incidents,
    }
    for name, script in (
        ("nodes", NODES),
        ("areas", AREAS),
        ("cells", CELLS),
        ("roads", ROADS),
        ("ground", GROUND),
        ("incidents", INCIDENT),
        ("summary", SUMMARY),
    ):
        began = time.perf_counter()
        psycopg.ClientCursor(admin).execute(script, given)
        sys.stderr.write(f"  {name}: {time.perf_counter() - began:.1f} s\n")
    admin.commit()


def box() -> shapely.Polygon:
    """Return the city's rough outline, to make its territory by."""
    return shapely.box(WEST, NORTH - SIDE * STEP_LAT, WEST + SIDE * STEP_LON, NORTH)


def load(folder: Path, *, side: int = SIDE, incidents: int = INCIDENTS) -> int:
    """Make the city beside the small demo city, whose accounts work in it; return its territory."""
    from core.identity import system_actor
    from core.settings import settings
    from geodata import db
    from geodata.embedded import ADMIN
    from geodata.territory import make_territory
    from incidents.service import seed_catalogue
    from tests.demo_city import load_tiny_town

    load_tiny_town(folder)
    with db.transaction(system_actor()) as session:
        made = make_territory(
            session, system_actor(), NAME, boundary=box(), title_en="Big City", title_zh="大城",
            timezone="Asia/Shanghai", opens=(WEST + side * STEP_LON / 2, NORTH - side * STEP_LAT / 2, 11), is_demo=True,
        )  # fmt: skip
        db.as_actor(session, system_actor(made.id))
        seed_catalogue(session, system_actor(made.id), made)
    with psycopg.connect(db.cluster().conninfo(ADMIN)) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("SELECT setseed(0.42)")
        make_big_city(admin, made.id, side=side, incidents=incidents)
        admin.execute(
            "UPDATE user_role SET territory_id = %s, area_ids = CASE WHEN area_ids = '{}' THEN area_ids ELSE"
            " ARRAY(SELECT id FROM area WHERE territory_id = %s AND level = 'community' ORDER BY id LIMIT 8) END",
            [made.id, made.id],
        )
        admin.commit()
        admin.autocommit = True
        admin.execute("VACUUM (ANALYZE) unit_grid, incident, incident_day, road, building, land_cover, area")
    assert settings().state_dir
    return made.id
