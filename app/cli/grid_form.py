"""grid check --street-form: the form of the streets of each cell of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import shapely

from app.cli.grid_files import read_cells, write_cells
from app.cli.grid_lines import read_city_lines
from core.errors import InvalidInput
from geodata.crs import metric_srid_of, project
from grids.forming import MEASURES, WITHIN_M
from grids.street_form import street_form


def street_form_of_file(cells: Path, streets: Path | None, out: Path) -> dict[str, Any]:
    """Write the cells of a file with the form of their streets, and return what the middle cell has.

    Columns: street_m, density_km_km2, junctions, circuity, entropy; see `grids.street_form.street_form`.
    """
    if streets is None:
        raise InvalidInput("The form of streets needs streets.", hint="Give --streets FILE.")
    frame = read_cells(cells)
    middle = shapely.box(*frame.total_bounds).centroid
    srid = metric_srid_of(middle.x, middle.y)
    lines = read_city_lines(streets).to_metres(srid).streets
    found = street_form(project(frame.geometry.to_numpy(), srid), lines, within_m=WITHIN_M)
    for column in found.columns:
        frame[column] = found[column].to_numpy()
    write_cells(frame, out)
    told = {each: float(np.nanmedian(found[each])) for each in MEASURES if found[each].notna().any()}
    return {"street_form": {**told, "file": str(out)}}
