"""Public transport: the earliest arrival of every possible journey, and feeds as they come."""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from core.errors import InvalidInput
from core.progress import Cancelled, Silent
from geodata import transit, transit_feed
from geodata.network import build_network
from geodata.transit import BETWEEN_S, CHANGE_S, WALK_S, transit_s
from geodata.transit_feed import read_timetable
from geodata.travel import matrix_s
from tests.road_graphs import SRID, lonlat, roads

DAY = dt.date(2026, 11, 25)
CALENDAR = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
WEEK = CALENDAR + "week,1,1,1,1,1,0,0,20260101,20261231\n"
SIDE, STEP_M = 5, 700.0
FREQUENCIES = "trip_id,start_time,end_time,headway_secs\n"
TWO_STOPS = [("a", 1, "s0", "08:00:00", "08:00:00"), ("a", 2, "s1", "08:05:00", "08:05:00")]


def clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"


def feed(folder: Path, places: np.ndarray, times: list[tuple], name: str = "feed.zip", **more: str) -> Path:
    """A feed of stops and rows (trip, order, stop, arrival, departure)."""
    tables = {
        "stops": "stop_id,stop_lat,stop_lon\n" + "".join(f"s{n},{y},{x}\n" for n, (x, y) in enumerate(places.tolist())),
        "trips": "route_id,service_id,trip_id\n" + "".join(f"r,week,{trip}\n" for trip in {row[0] for row in times}),
        "stop_times": "trip_id,stop_sequence,stop_id,arrival_time,departure_time\n"
        + "".join(",".join(map(str, row)) + "\n" for row in times),
        "calendar": WEEK,
    } | more
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for table, content in tables.items():
            archive.writestr(f"{table}.txt", content)
    return path


@pytest.fixture(scope="module")
def streets():
    stretches = []
    for x, y in itertools.product(range(SIDE), range(SIDE)):
        for right, up in ((1, 0), (0, 1)):
            if x + right < SIDE and y + up < SIDE:
                ends = [(x * STEP_M, y * STEP_M), ((x + right) * STEP_M, (y + up) * STEP_M)]
                stretches.append((x * SIDE + y, (x + right) * SIDE + y + up, ends, 0))
    return build_network(roads(stretches), "walk", SRID)


def all_journeys(network, table, origin, destinations, start: float) -> np.ndarray:
    """Earliest arrivals by Dijkstra over (stop, on foot) and (ride), every edge written out."""
    stops = network.snap(table.stops)
    first, last = matrix_s(network, origin, stops)[0], matrix_s(network, stops, destinations)
    between = matrix_s(network, stops, stops)
    best = np.full(len(destinations), np.inf)
    seen: set[int] = set()
    queue = [(start + float(way), ("at", stop)) for stop, way in enumerate(first) if way <= WALK_S]
    heapq.heapify(queue)
    while queue:
        now, (what, which) = heapq.heappop(queue)
        if what == "at":
            rides = np.flatnonzero((table.from_stop == which) & (table.leaves_s >= now) & table.boards)
            queue += [(float(table.leaves_s[ride]), ("on", int(ride))) for ride in rides]
            heapq.heapify(queue)
            continue
        if which in seen:
            continue
        seen.add(which)
        stop, arrives = table.to_stop[which], float(table.arrives_s[which])
        onward = np.flatnonzero((table.trip == table.trip[which]) & (table.from_stop == stop))
        for ride in onward[table.leaves_s[onward] >= arrives]:
            heapq.heappush(queue, (float(table.leaves_s[ride]), ("on", int(ride))))
        if table.alights[which]:
            near = last[stop] <= WALK_S
            best[near] = np.minimum(best[near], arrives + last[stop][near])
            for other in np.flatnonzero(between[stop] <= BETWEEN_S):
                over = 0.0 if other == stop else float(between[stop, other])
                heapq.heappush(queue, (arrives + over + CHANGE_S, ("at", int(other))))
    return np.minimum(best - start, matrix_s(network, origin, destinations)[0])


@pytest.mark.parametrize("seed", range(4))
def test_no_journey_arrives_earlier(streets, tmp_path, monkeypatch, seed):
    monkeypatch.setattr(transit, "LONGEST_S", 1e9)
    rng = np.random.default_rng(seed)
    width = (SIDE - 1) * STEP_M
    stops = lonlat(*rng.random((9, 2)) * width)
    times = []
    for trip in range(25):
        at = 8 * 3600 + int(rng.integers(0, 5400))
        for order, stop in enumerate(rng.permutation(9)[: int(rng.integers(2, 6))]):
            leaves = at + int(rng.integers(0, 60))
            times.append((f"t{trip}", order, f"s{stop}", clock(at), clock(leaves)))
            at = leaves + int(rng.integers(60, 400))
    table = read_timetable([feed(tmp_path, stops, times)], DAY)
    places = streets.snap(lonlat(*rng.random((6, 2)) * width))
    for start in (7.9 * 3600, 8.5 * 3600):
        found = transit_s(streets, table, places, places, [start])
        for row in range(6):
            mine = type(places)(places.stretch[[row]], places.along[[row]], places.access_s[[row]])
            assert found[row] == pytest.approx(all_journeys(streets, table, mine, places, start), abs=0.5)
    walked = matrix_s(streets, places, places)
    assert (transit_s(streets, table, places, places, [8 * 3600.0]) <= walked + 1e-3).all()
    if seed == 0:
        assert (transit_s(streets, table, places, places, [8 * 3600.0]) < walked - 1).any()


def test_of_several_departures_the_median_counts(streets, tmp_path):
    ends = lonlat((0, 0), (4 * STEP_M, 4 * STEP_M))
    times = [
        row
        for hour in (8, 9)
        for row in ((f"t{hour}", 1, "s0", clock(hour * 3600), ""), (f"t{hour}", 2, "s1", "", clock(hour * 3600 + 300)))
    ]
    table = read_timetable([feed(tmp_path, ends, times)], DAY)
    at = streets.snap(ends)
    each = [float(transit_s(streets, table, at, at, [8 * 3600.0 + more])[0, 1]) for more in (-1200, -600, 2400)]
    assert each == pytest.approx([1500, 900, 1500], abs=1)
    assert float(transit_s(streets, table, at, at, [8 * 3600.0 + more for more in (-1200, -600, 2400)])[0, 1]) == 1500


def test_left_out_times_frequencies_exceptions_and_last_night(tmp_path):
    stops = lonlat((0, 0), (500, 0), (1500, 0))
    one = [("a", 1, "s0", "08:00:00", "08:00:00"), ("a", 2, "s1", "", ""), ("a", 3, "s2", "08:10:00", "08:10:00")]
    table = read_timetable([feed(tmp_path, stops, one)], DAY)
    assert (table.leaves_s - 8 * 3600).tolist() == [0, 300]
    assert "1 of 3 stop times are left out" in table.notes[0]
    often = "trip_id,start_time,end_time,headway_secs\na,07:00:00,08:00:00,600\n"
    assert read_timetable([feed(tmp_path, stops, one, frequencies=often)], DAY).trips == 6
    free = "service_id,date,exception_type\nweek,20261125,2\n"
    with pytest.raises(InvalidInput, match=r"Nothing runs on 2026-11-25") as told:
        read_timetable([feed(tmp_path, stops, one, calendar_dates=free)], DAY)
    assert "2026-01-01 to 2026-12-31" in (told.value.hint or "")
    night = [("n", 1, "s0", "24:20:00", "24:20:00"), ("n", 2, "s1", "24:30:00", "24:30:00")]
    early = read_timetable([feed(tmp_path, stops, night)], DAY)
    assert early.leaves_s.tolist() == [1200, 86_400 + 1200]
    assert early.trips == 2


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ({"stops": "stop_id,stop_lat\nx,1\n"}, r"stops.txt has no column stop_lon"),
        ({"stops": "stop_id,stop_lat,stop_lon\ns0,1,1\ns0,2,2\n"}, r"a stop_id stands twice"),
        ({"stop_times": ""}, r"stop_times.txt cannot be read"),
        ({"trips": "trip_id,service_id\n"}, r"Nothing runs"),
    ],
)
def test_a_broken_feed_is_refused_in_words(tmp_path, spoil, says):
    path = feed(tmp_path, lonlat((0, 0)), [("a", 1, "s0", "08:00:00", "08:00:00")], **spoil)
    with pytest.raises(InvalidInput, match=says):
        read_timetable([path], DAY)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"calendar_dates": "date\n" + "0" * 20_000_000}, r"calendar_dates.txt unpacks to 20,000,005 bytes"),
        ({"calendar_dates": "service_id,date\nweek,20261125\n"}, r"calendar_dates.txt has no column exception_type"),
        ({"frequencies": "trip_id,headway_secs\na,1\n"}, r"frequencies.txt has no column start_time, end_time"),
        ({"frequencies": FREQUENCIES + "a,00:00:00,999:59:59,1\n"}, r"holds more than 10 rides of a day"),
    ],
)
def test_a_feed_that_grows_too_large_is_refused_before_it_does(tmp_path, monkeypatch, more, says):
    monkeypatch.setattr(transit_feed, "RIDES_AT_MOST", 10)
    path = tmp_path / "feed.zip"
    feed(tmp_path, lonlat((0, 0), (500, 0)), TWO_STOPS, **more)
    if "calendar_dates" in more:
        with zipfile.ZipFile(path) as archive:
            tables = {each: archive.read(each) for each in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in tables.items():
                archive.writestr(name, content)
    with pytest.raises(InvalidInput, match=says):
        read_timetable([path], DAY)


def test_a_timetable_of_a_country_is_refused_before_its_stops_are_walked_between(streets, tmp_path, monkeypatch):
    monkeypatch.setattr(transit, "STOPS_AT_MOST", 1)
    ends = lonlat((0, 0), (500, 0))
    table, at = read_timetable([feed(tmp_path, ends, TWO_STOPS)], DAY), streets.snap(ends)
    with pytest.raises(InvalidInput, match="The timetable has 2 stops; at most 1"):
        transit_s(streets, table, at, at, [8 * 3600.0])


def test_rows_of_a_table_have_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(transit_feed, "ROWS_AT_MOST", 1)
    with pytest.raises(InvalidInput, match=r"stops.txt has more than 1 rows"):
        read_timetable([feed(tmp_path, lonlat((0, 0), (500, 0)), TWO_STOPS)], DAY)


def test_what_frequencies_say_wrongly_is_left_out(tmp_path):
    odd = "a,soon,08:00:00,600\na,07:00:00,,600\na,07:00:00,08:00:00,0.0001\na,07:00:00,08:00:00,inf\nb,x,y,z\n"
    said = FREQUENCIES + odd + "a,07:00:00,07:25:00,600\n"
    table = read_timetable(
        [feed(tmp_path, lonlat((0, 0), (500, 0)), TWO_STOPS, frequencies=said, calendar_dates="")], DAY
    )
    assert table.leaves_s.tolist() == [7 * 3600, 7 * 3600 + 600, 7 * 3600 + 1200]
    assert (table.trips, (table.arrives_s - table.leaves_s).tolist()) == (3, [300] * 3)


class StopsAt(Silent):
    """Wants the work to end when it is asked for the n-th time."""

    def __init__(self, asked: int) -> None:
        self.left = asked

    def advance(self, items: int = 1) -> None:  # noqa: ARG002  (as every listener)
        self.left -= 1
        if self.left < 0:
            raise Cancelled("stop")


def test_reading_a_timetable_is_stopped_piece_by_piece_and_pieces_read_the_same(streets, tmp_path, monkeypatch):
    times = [(f"t{n}", at, f"s{at}", f"08:{n:02}:00", f"08:{n:02}:30") for n in range(40) for at in (0, 1)]
    path = feed(tmp_path, lonlat((0, 0), (500, 0)), times)
    whole = read_timetable([path], DAY)
    monkeypatch.setattr(transit_feed, "PIECE", 64)
    monkeypatch.setattr(transit_feed, "PIECE_ROWS", 7)
    counted = StopsAt(10**6)
    parts = read_timetable([path], DAY, progress=counted)
    assert parts.leaves_s.tolist() == whole.leaves_s.tolist()
    assert parts.trip.tolist() == whole.trip.tolist()
    asked = 10**6 - counted.left
    assert asked > 40
    for at in (0, asked // 2, asked - 1):
        with pytest.raises(Cancelled):
            read_timetable([path], DAY, progress=StopsAt(at))
    at = streets.snap(lonlat((0, 0), (500, 0)))
    with pytest.raises(Cancelled):
        transit_s(streets, whole, at, at, [8 * 3600.0], progress=StopsAt(0))


def test_a_broken_stream_is_no_feed(tmp_path):
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("calendar.txt", WEEK * 50)
    content = bytearray(path.read_bytes())
    content[42:60] = b"\xff" * 18  # the head of a stream has 42 bytes here
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"feed.zip is no GTFS feed"):
        read_timetable([path], DAY)


def test_a_file_that_is_no_feed(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(InvalidInput, match="x.zip is no GTFS feed"):
        read_timetable([tmp_path / "x.zip"], DAY)
    with pytest.raises(InvalidInput, match="There is no file"):
        read_timetable([tmp_path / "y.zip"], DAY)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["matrix", *arguments, "--json"])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, " ".join(shown.err.split())


def test_a_matrix_by_public_transport_from_files(tmp_path, capsys):
    lines = [f'"LINESTRING({x} 50.0, {x + 0.01} 50.0)",residential' for x in (8.0, 8.01, 8.02, 8.03)]
    (tmp_path / "streets.csv").write_text("wkt,highway\n" + "\n".join(lines))
    (tmp_path / "places.csv").write_text("id,lon,lat\na,8.0,50.0\nb,8.04,50.0\n")
    times = [("t", 1, "s0", "08:05:00", "08:05:00"), ("t", 2, "s1", "08:09:00", "08:09:00")]
    path = feed(tmp_path, np.array([[8.001, 50.0], [8.039, 50.0]]), times)
    files = ["--streets", str(tmp_path / "streets.csv"), "--origins", str(tmp_path / "places.csv")]
    files += ["--destinations", str(tmp_path / "places.csv"), "--out", str(tmp_path / "od.npz")]
    ride = ["--mode", "transit", "--gtfs", str(path), "--date", "2026-11-25", "--departure", "08:00"]
    code, out, _ = run(capsys, *files, *ride)
    told = json.loads(out)
    assert (code, told["mode"], told["trips"], told["departures"]) == (0, "transit", 1, ["08:00"])
    od_s = np.load(tmp_path / "od.npz")["od_s"]
    assert od_s[0, 1] == pytest.approx(540 + 57, abs=3)  # 9 minutes after eight, and 72 m on foot
    assert od_s[1, 0] > 2000
    for wrong, says in (
        (["--mode", "transit"], "No timetable is given"),
        (["--mode", "transit", "--gtfs", str(path)], "not said for which day"),
        ([*ride[:-1], "25:00"], "'25:00' is no time of day"),
        (["--mode", "walk", "--gtfs", str(path)], "A timetable has no say when people walk"),
        (["--mode", "fly"], "Take one of: walk, cycle, drive, transit"),
    ):
        code, _, said = run(capsys, *files, *wrong)
        assert (code, says in said) == (2, True), said
