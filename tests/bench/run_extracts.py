"""Load every extract of ../shared/data/osm into a territory of its own; writes docs/figures/osm_extracts.md.

Each goes through the command line in a process of its own, into a database made for the purpose.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from figures import FIGURES

ROOT = Path(__file__).resolve().parents[2]
REPORT = FIGURES / "osm_extracts.md"
SHARED = ROOT.parent / "shared" / "data" / "osm"
COLUMNS = (
    *("extract", "s", "roads", "km", "facilities", "buildings", "people", "land cover", "boundaries", "communities"),
    *("mended", "territory", "left out"),
)
OPTIONS = {"isle_of_wight_2020": ["--bbox=-1.60,50.57,-1.06,50.78", "--people", "140000"]}


def load(path: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Load one extract and return what the command says."""
    name = path.name.split(".")[0]
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "load",
        "osm",
        str(path),
        "--territory",
        name.replace("_", "-"),
        "--json",
    ]
    done = subprocess.run(
        [*command, *OPTIONS.get(name, [])], capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )
    if done.returncode:
        sys.exit(f"{path.name}: {done.stderr.strip().splitlines()[-1]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def dropped(counts: dict[str, int]) -> str:
    """Return what was left out, by reason."""
    reasons: dict[str, list[str]] = {}
    for key, count in counts.items():
        reason, _, kind = key.partition("_")
        reasons.setdefault(reason, []).append(f"{count:,} {kind.replace('_', ' ')}")
    return "; ".join(f"{reason}: {', '.join(kinds)}" for reason, kinds in sorted(reasons.items())) or "–"


def row_of(name: str, counts: dict[str, Any]) -> str:
    """Return the row of an extract in the table."""
    numbers = (
        "roads",
        "road_km",
        "facilities",
        "buildings",
        "people",
        "land_cover",
        "boundaries",
        "communities",
        "repaired",
    )
    cells = [name, f"{counts['seconds']:.1f}", *(f"{counts[key]:,.0f}" for key in numbers), counts["boundary"]]
    return "| " + " | ".join([*cells, dropped(counts["dropped"])]) + " |"


def main() -> None:
    """Load all and write the table."""
    extracts = sorted(SHARED.glob("*.osm*"))
    if not extracts:
        sys.exit(f"There is no extract in {SHARED}.")
    rows = []
    with tempfile.TemporaryDirectory(prefix="gk-extracts-") as state:
        Path(state).chmod(0o755)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GRIDKEEPER_")}
        environment |= {"GRIDKEEPER_STATE_DIR": state, "PYTHONPATH": str(ROOT)}
        try:
            for path in extracts:
                rows.append(row_of(path.name, load(path, environment)))
                sys.stdout.write(rows[-1] + "\n")
        finally:
            subprocess.run(
                [sys.executable, "-m", "app.cli", "down"], check=False, cwd=ROOT, env=environment, capture_output=True
            )
    head = "\n".join(["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)])
    text = f"""# Every extract at hand, loaded

`gridkeeper load osm FILE --territory NAME` on each file of `../shared/data/osm`, each into a territory of its own;
made by `python tests/bench/run_extracts.py`. Seconds are wall time on two cores shared with other work, from opening
the file to the last row written. People are an estimate from floor area (the Isle of Wight is scaled to 140,000);
where the extract holds few buildings the command says so and asks for residents as a table.

{head}
{chr(10).join(rows)}

Roads are stretches between junctions. *cut*: ways of which the extract holds a part; *incomplete*: objects whose
members or nodes are not in the file; *outside*: beyond the territory; *duplicate*: mapped twice on the same grounds.
Map data © OpenStreetMap contributors, ODbL 1.0.
"""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(text)


if __name__ == "__main__":
    main()
