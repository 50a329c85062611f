"""How much memory reading, checking and packing a CSV takes, by its size, and one real load of several million rows.

    .venv/bin/python tests/bench/bench_gate_memory.py [--sizes 0.5,1,2] [--load 0.25] [--quick]

Each size runs in a process of its own: the file is made, read to its end, every row checked and packed as binary COPY
takes it, and thrown away; said are the most memory the process held, and CPU seconds. The real load goes into PostGIS.
What getrusage says is not asked: a process begins with the most that the one which started it held.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

say = functools.partial(print, flush=True)
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
WEST, SOUTH, EAST, NORTH = -1.32, 50.66, -1.26, 50.70
PIECE = 200_000


def write_csv(path: Path, size: int) -> int:
    """Write rows until the file has a size, and return how many."""
    import numpy as np
    import pandas as pd

    draw, rows = np.random.default_rng(58), 0
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            number = np.arange(rows, rows + PIECE)
            pd.DataFrame({
                "id": [f"L{n:09d}" for n in number],
                "kind": draw.choice(["lamp", "manhole", "bench", "bin"], PIECE),
                "power": draw.integers(10, 400, PIECE),
                "built": pd.Timestamp("2001-01-01") + pd.to_timedelta(draw.integers(0, 9000, PIECE), unit="D"),
                "place": [f"Street {n % 5000}, near number {n % 97}" for n in number],
                "lon": draw.uniform(WEST, EAST, PIECE).round(6),
                "lat": draw.uniform(SOUTH, NORTH, PIECE).round(6),
            }).to_csv(file, index=False, header=not rows, date_format="%Y-%m-%d")  # fmt: skip
            rows += PIECE
    return rows


def measured(path: Path) -> None:
    """Read, check and pack one file; print what it took as JSON. Runs in a process of its own."""
    import numpy as np
    import shapely

    from geodata.exchange import Spec
    from geodata.exchange_check import Checker
    from geodata.exchange_guess import guess_fields
    from geodata.exchange_open import opened
    from geodata.exchange_pack import pack
    from geodata.exchange_place import Ground, guess_places

    begun, rows, good = time.process_time(), 0, 0
    nothing = np.empty(0, dtype=object)
    ground = Ground("bench", shapely.box(WEST - 0.01, SOUTH - 0.01, EAST + 0.01, NORTH + 0.01), 27700, "UTC", nothing)
    with opened(path) as source:
        first = next(iter(source.chunks()))
        fields, _ = guess_fields(first.columns, has_shapes=False, zone="UTC")
        spec, _ = guess_places(Spec(tuple(fields), key=("id",)), first, "EPSG:4326", ground, path.name)
        checker, moment = Checker(spec, ground, path.name), int(dt.datetime.now(dt.UTC).timestamp() * 1e6)
        for chunk in source.chunks():
            checked = checker.check(chunk)
            packed = pack(
                checked.values, checked.shapes, spec.key, chunk.row_numbers, np.zeros(len(chunk), dtype=np.int64),
                data_set_id=1, batch_id=1, moment_us=moment,
            )  # fmt: skip
            rows, good = rows + len(packed.hashes), good + int(checked.good.sum())
    say(json.dumps({"rows": rows, "good": good, "mb": most_mb(), "cpu_s": round(time.process_time() - begun, 1)}))


def most_mb() -> int:
    """Return the most memory this process held since it began, in MiB."""
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(told["VmHWM"].split()[0]) >> 10


def in_a_process(*arguments: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def loaded(folder: Path) -> None:
    """Bring the rows of a file into PostGIS."""
    from tests.bench import bench_gate

    os.environ["GRIDKEEPER_STATE_DIR"] = str(folder)
    from geodata import db

    try:
        db.ensure_database()
        bench_gate.make_territory_around(
            "bench", (WEST - 0.001, SOUTH - 0.001, EAST + 0.001, NORTH + 0.001), 100
        )  # fmt: skip
        seconds, done = bench_gate.ours(folder / "rows.csv")
        say(json.dumps({"rows": done.loaded, "placed": done.placed, "mb": most_mb(), "seconds": round(seconds, 1)}))
    finally:
        db.engine().dispose()
        db.cluster().down()


def main() -> None:
    """Measure each size, then the real load; the files go away as soon as they were read."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--sizes", default="0.5,1,2", help="GB, with commas.")
    asked.add_argument("--load", type=float, default=0.25, help="Of the real load, GB; 0 for none.")
    asked.add_argument("--quick", action="store_true", help="Small sizes: 0.05 and 0.1 GB, 0.01 GB loaded.")
    asked.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.one:
        measured(given.one)
        return
    if given.into:
        loaded(given.into)
        return
    quick = given.quick or bool(os.environ.get("BENCH_SHORT"))
    sizes = [0.05, 0.1] if quick else [float(each) for each in given.sizes.split(",") if each]
    load = 0.01 if quick else given.load
    folder = Path(tempfile.mkdtemp(prefix="gk-bench-memory-"))
    folder.chmod(0o755)
    path = folder / "rows.csv"
    try:
        say("| file | rows | most memory | CPU s |\n|--:|--:|--:|--:|")
        for size in sizes:
            write_csv(path, int(size * 1e9))
            found = in_a_process("--one", str(path))
            size_gb = path.stat().st_size / 1e9
            say(f"| {size_gb:.2f} GB | {found['rows']:,} | {found['mb']:,} MB | {found['cpu_s']:,} |")
            path.unlink()
        if load:
            write_csv(path, int(load * 1e9))
            found = in_a_process("--into", str(folder))
            say(
                f"\nA real load of {path.stat().st_size / 1e9:.2f} GB: {found['rows']:,} rows, {found['placed']:,}"
                f" placed, {found['seconds']:,} s, most memory of the process {found['mb']:,} MB."
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
