"""The command line: the same main jobs as the pages, for scripts and for set-up."""

from __future__ import annotations

import importlib
import sys

import typer

from core import log
from core.errors import GridkeeperError
from core.settings import settings

GROUPS = {
    "load": "Bring data in.",
    "quarantine": "Rows that broke a rule: list, export, mend, bring in again.",
    "link": "What an address means here; rows of two data sets that may be one place.",
    "territory": "Territories.",
    "grid": "Management grids.",
    "jobs": "Background work.",
    "incident": "Incidents: from the report to the close.",
    "dispatch": "The standing plan: who goes where, why, closed streets and what things cost.",
    "traffic": "How fast cars go, from files of readings.",
    "basemap": "Maps of the city's own under the layers: by address or from a file.",
    "component": "The register of components.",
    "upstream": "The hotline 12345: reports in, answers out, both compared.",
    "catalogue": "What data there are: list, show, export.",
    "unit": "Units and the duty list.",
    "worker": "Grid workers and their absences.",
    "roster": "Who works when.",
    "record": "The record: seal, export, verify, prove.",
    "review": "Accountability: findings of the rules on the record.",
    "appeal": "Objections of departments to what is counted.",
    "rules": "Classes, limits and calendars: propose and approve.",
    "user": "Accounts.",
    "retention": "What is kept how long.",
    "study": "Studies: reports for the council, and data.",
    "layer": "Layers of planning: people by year and group, candidates, protected zones, slope.",
    "norms": "How near a facility should be, and how much of it people should have.",
}
MODULES = (
    "server",
    "territory",
    "load_osm",
    "load_file",
    "load_from",
    "load_demo",
    "quarantine",
    "link",
    "grid",
    "grid_change",
    "grid_codes",
    "user",
    "access",
    "incident",
    "incident_show",
    "evidence",
    "site",
    "study",
    "matrix",
    "site_matrix",
    "reach",
    "norms",
    "suitability",
    "evaluate",
    "appeal",
    "retention",
    "doctor",
    "backup",
    "set_up",
    "catalogue",
    "data_rules",
    "unit",
    "component",
    "upstream",
    "worker",
    "duty",
    "rules",
    "record",
    "record_list",
    "review",
    "roster",
    "plan",
    "dispatch",
    "dispatch_acts",
    "traffic",
    "traffic_past",
    "basemap",
    "simulate",
)
UNKNOWN_ERROR_EXIT = 70
STOPPED_EXIT = 130


def build() -> typer.Typer:
    """Return the whole command line."""
    app = typer.Typer(help="Gridkeeper: a city governed by grids.", no_args_is_help=True, add_completion=False)
    groups = {name: typer.Typer(help=text, no_args_is_help=True) for name, text in GROUPS.items()}
    for name in MODULES:
        importlib.import_module(f"app.cli.{name}").register(app, groups)
    for name, group in groups.items():
        app.add_typer(group, name=name)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run a command; bad input ends with exit code 2 and a sentence, never with a stack trace."""
    try:
        log.configure(settings().log_level)
        code = build()(args=arguments, prog_name="gridkeeper", standalone_mode=False)
    except GridkeeperError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except typer.TyperException as error:
        show = getattr(error, "show", None)
        _ = show() if show else print(f"error: {error}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 2))
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED_EXIT
    except Exception as error:  # noqa: BLE001  (the guard of the command line)
        logger = log.get("gridkeeper.cli")
        path = settings().state_dir / "log" / "errors.log"
        log.errors_to_file(logger, path)
        print(
            f"error: something unexpected happened; see {log.unknown_error(logger, error)} in {path}", file=sys.stderr
        )
        sys.exit(UNKNOWN_ERROR_EXIT)
    # Typer turns an interrupt and an early end into the code it returns.
    if code == STOPPED_EXIT:
        print("stopped; nothing half-done was kept", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)
