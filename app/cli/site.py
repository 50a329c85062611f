"""site: where new facilities should stand, with a proof of how good the answer is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from app.cli.site_ways import PEOPLE, expected, with_demand, with_matrix, write_lists
from app.cli.study import checked_report, write_report
from app.i18n import LOCALES
from app.studies import answer_study
from app.study_files import checked_out, own_places, places, polygons, write_study
from core.errors import InvalidInput
from core.identity import system_actor
from geodata import db
from geodata.network import Mode
from geodata.territory import find_territory
from planning.kinds import INFO, KINDS, Kind
from planning.model import Answer, Question
from planning.service import ask, study_detail
from planning.terms import Terms

KindOption = Annotated[str, typer.Option("--kind", help=f"One of {', '.join(KINDS)}.")]
Sites = Annotated[
    int | None, typer.Option("--p", help="How many new sites; lscp and fixed-charge take as many as needed.")
]
FacilityKind = Annotated[
    str | None,
    typer.Option("--facility", "--facility-kind", help="Kind of facility, e.g. clinic; those there serve on."),
]
Candidates = Annotated[
    str, typer.Option("--candidates", help="Buildable places compared at most, or a file of points (cost, capacity).")
]
LimitMin = Annotated[float, typer.Option("--minutes", "--limit-min", help="Minutes that count as near.")]
ModeOption = Annotated[str, typer.Option("--mode", help="How people come: walk or drive.")]
Demand = Annotated[
    str, typer.Option("--demand", help="Layer of demand, by name or number; the people of all buildings: people.")
]
Points = Annotated[
    int | None,
    typer.Option("--points", help="Points the people are gathered at: 2500 unless said, 50000 at most."),
]
MatrixOption = Annotated[
    str | None,
    typer.Option("--matrix", help="Travel times of your own: a file about --candidates FILE, or the name of one kept."),
]
MatrixPlaces = Annotated[
    Path | None, typer.Option("--matrix-places", help="Folder to write the places of a matrix into; nothing is sited.")
]
Anew = Annotated[bool, typer.Option("--anew", help="As if no facility of the kind were there.")]
Closable = Annotated[bool, typer.Option("--closable", help="Those there may be closed and built elsewhere.")]
Forbid = Annotated[list[str] | None, typer.Option("--forbid", help="LON,LAT where nothing may be built; repeat.")]
Fix = Annotated[list[str] | None, typer.Option("--fix", help="LON,LAT that is built in any case; repeat.")]
Also = Annotated[list[str] | None, typer.Option("--also", help="LON,LAT that could be built on too; repeat.")]
ByHand = Annotated[list[str] | None, typer.Option("--by-hand", help="LON,LAT of a plan to be weighed; repeat.")]
Hour = Annotated[
    int | None,
    typer.Option("--hour", min=0, max=23, help="Cars go as measured on weekdays at this hour; else as roads allow."),
]
Zones = Annotated[Path | None, typer.Option("--zones", help="File of polygons where nothing may be built.")]
Spacing = Annotated[
    float | None, typer.Option("--spacing", help="Metres between sites, and from those there, at least.")
]
Capacity = Annotated[float | None, typer.Option("--capacity", help="People a site has room for.")]
SiteCost = Annotated[float | None, typer.Option("--site-cost", help="Cost of a site, in any money.")]
HourCost = Annotated[float | None, typer.Option("--hour-cost", help="Cost of an hour of one person on the way.")]
Budget = Annotated[float | None, typer.Option("--budget", help="What all new sites may cost together.")]
FloorOption = Annotated[
    float | None, typer.Option("--floor", help="Per cent of each community's people to be within the minutes.")
]
TimeLimit = Annotated[float | None, typer.Option("--time-limit", help="Seconds of computing for choice and proof.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same answer.")]
Title = Annotated[str, typer.Option("--title", help="Name of the study in the list.")]
Out = Annotated[Path | None, typer.Option("--out", help="GeoPackage (or GeoJSON) of sites and grounds to write.")]
Report = Annotated[Path | None, typer.Option("--report", help="Report for the council to write: .pdf or .html.")]
Language = Annotated[str, typer.Option("--language", help=f"Of the report: {' or '.join(LOCALES)}.")]
BINDING = {
    "candidates": "Only {candidates} buildable places were found, so {p} sites cannot be chosen.",
    "people": "Nobody lives where sites could serve.",
    "reach": "{people} people cannot be reached as asked, whatever is chosen; the last of them need {needs} min.",
    "sites": "No {p} places reach everybody within {minutes} min; {least} are needed.",
    "capacity": "There is room for {room} people, and {demand} to be served.",
    "budget": "No choice keeps to the budget.",
    "spacing": "No {p} places lie so far from each other.",
    "floor": "No choice gives every community its share.",
    "fixed": "The plan leaves out a site that is to be built in any case.",
    "together": "No choice keeps to budget, spacing and share together.",
    "time": "No choice was found in time.",
}


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    app.command("site")(site)


def site(
    *,
    kind: KindOption,
    p: Sites = None,
    facility_kind: FacilityKind = None,
    candidates: Candidates = "500",
    limit_min: LimitMin = 15.0,
    mode: ModeOption = "walk",
    demand: Demand = PEOPLE,
    points: Points = None,
    hour: Hour = None,
    matrix: MatrixOption = None,
    matrix_places: MatrixPlaces = None,
    anew: Anew = False,
    closable: Closable = False,
    forbid: Forbid = None,
    fix: Fix = None,
    also: Also = None,
    by_hand: ByHand = None,
    zones: Zones = None,
    spacing: Spacing = None,
    capacity: Capacity = None,
    site_cost: SiteCost = None,
    hour_cost: HourCost = None,
    budget: Budget = None,
    floor: FloorOption = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    title: Title = "",
    out: Out = None,
    report: Report = None,
    language: Language = "en",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Site new facilities where they serve people best; the study is kept and can be opened in the pages."""
    if p is None and kind in KINDS and INFO[kind].needs_p and not by_hand:
        raise InvalidInput("It is not said how many sites are wanted. Missing option '--p'.", hint="Give --p.")
    counted = candidates.lstrip("-").isdecimal()
    own = () if counted else own_places(Path(candidates))
    count = int(candidates) if counted else max(len(own), 1)
    terms = Terms(
        closable=closable, forbidden=places("--forbid", forbid), fixed=places("--fix", fix),
        also=places("--also", also), by_hand=places("--by-hand", by_hand), places=own,
        zones=() if zones is None else polygons(zones), spacing_m=spacing, capacity=capacity, site_cost=site_cost,
        hour_cost=hour_cost, budget=budget, floor=None if floor is None else floor / 100, seconds=time_limit,
        points=points, hour=hour,
    )  # fmt: skip
    wanted = len(by_hand or ()) if p is None else p
    question = Question(
        cast("Kind", kind), wanted, facility_kind, cast("Mode", mode), limit_min, not anew, count, seed, terms
    )
    target = None if out is None else checked_out(out)
    if report is not None:
        checked_report(report, language)
    actor = system_actor(label="command line")
    with progress() as shown:
        db.ensure_database(shown)
        with db.transaction(actor, purpose="ask a study") as session:
            chosen = find_territory(session, territory)
            question = with_demand(session, actor, chosen, question, demand)
            if matrix_places is not None:
                emit(write_lists(expected(session, actor, chosen, question), matrix_places), as_json)
                return
            if matrix is not None:
                question = with_matrix(session, actor, chosen, question, matrix)
            study_id = ask(session, actor, chosen, question, title=title, queue=False)
        found = answer_study(actor, study_id, shown)
    if found.status == "infeasible":
        _refuse(chosen.name, study_id, question, found, as_json=as_json)
    if target is not None:
        with db.transaction(actor) as session:
            write_study(study_detail(session, actor, study_id), target)
    if report is not None:
        write_report(study_id, report, language)
    emit(_as_dict(chosen.name, study_id, question, found), as_json)


def _refuse(territory: str, study_id: int, question: Question, found: Answer, *, as_json: bool) -> NoReturn:
    binding, facts = str(found.facts["binding"]), found.facts
    about = facts.get("who") or {}
    needs = about.get("needs_s")
    numbers = {
        "candidates": facts["candidates"],
        "p": question.p,
        "minutes": f"{question.limit_min:g}",
        "people": f"{about.get('people', 0):,.0f}",
        "needs": "–" if needs is None else f"{needs / 60:.1f}",
        "least": facts.get("least_sites") or "more",
        "room": f"{facts.get('room', 0):,.0f}",
        "demand": f"{facts.get('demand', 0):,.0f}",
    }
    if as_json:
        told = {"territory": territory, "study": study_id, "kind": question.kind, "p": question.p, "sites": []}
        more = {"binding": binding, "candidates": facts["candidates"], "who": about}
        emit(told | {"status": found.status} | more, as_json)
    raise InvalidInput(BINDING[binding].format(**numbers), hint="Ask for less, or load a map with more ground.")


def _as_dict(territory: str, study_id: int, question: Question, found: Answer) -> dict[str, Any]:
    facts = found.facts
    sites = [
        {
            "number": each.number,
            "lon": round(each.lon, 6),
            "lat": round(each.lat, 6),
            "people": round(each.people, 1),
            "within": round(each.within, 1),
            "mean_s": each.mean_s,
            "farthest_s": each.farthest_s,
        }
        for each in found.sites
    ]
    counted = ("people", "buildings", "existing", "candidates", "plots", "demand_points", "mean_shift_m", "unreachable")
    return {
        "territory": territory,
        "study": study_id,
        "kind": question.kind,
        "p": question.p,
        "facility_kind": question.facility_kind,
        "mode": question.mode,
        "limit_min": question.limit_min,
        "status": found.status,
        "objective": found.objective,
        "bound": found.bound,
        "gap": found.gap,
        "unserved": found.unserved,
        "seconds": round(sum(facts["seconds"].values()), 2),
        "sites": sites,
        **{name: facts[name] for name in counted},
        "mean_min_now": None if facts["mean_s_now"] is None else facts["mean_s_now"] / 60,
        "mean_min_then": None if facts["mean_s_then"] is None else facts["mean_s_then"] / 60,
        "within_now": facts["within_now"],
        "within_then": facts["within_then"],
        "unit": INFO[question.kind].unit,
        "best": facts.get("machine"),
        "closed": facts.get("closed", []),
        "every_building": facts.get("every"),
        "by_blocks": facts["by_blocks"],
        "demand": question.terms.demand_name,
        "matrix": question.terms.matrix_name,
        "matrix_sha256": question.terms.matrix_sha256,
    }
