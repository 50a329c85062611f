"""site: where new facilities should stand, with a proof of how good the answer is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from app.studies import answer_study
from core.errors import InvalidInput
from core.identity import system_actor
from geodata import db
from geodata.network import Mode
from geodata.territory import find_territory
from planning.model import Answer, Question
from planning.service import ask
from planning.siting import Kind

KindOption = Annotated[str, typer.Option("--kind", help="p-median (shortest ways) or mclp (most people in time).")]
Sites = Annotated[int, typer.Option("--p", help="How many new sites.")]
FacilityKind = Annotated[
    str | None, typer.Option("--facility-kind", help="Kind of facility, e.g. clinic; those there go on serving.")
]
Candidates = Annotated[int, typer.Option("--candidates", help="Buildable places compared at most.")]
LimitMin = Annotated[float, typer.Option("--limit-min", help="Minutes that count as near.")]
ModeOption = Annotated[str, typer.Option("--mode", help="How people come: walk or drive.")]
Anew = Annotated[bool, typer.Option("--anew", help="As if no facility of the kind were there.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same answer.")]
Title = Annotated[str, typer.Option("--title", help="Name of the study in the list.")]
BINDING = {
    "candidates": "Only {candidates} buildable places were found, so {p} sites cannot be chosen.",
    "people": "Nobody lives where sites could serve.",
    "reach": "No buildable place can be reached from where people live.",
}


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    app.command("site")(site)


def site(
    *,
    kind: KindOption,
    p: Sites,
    facility_kind: FacilityKind = None,
    candidates: Candidates = 500,
    limit_min: LimitMin = 15.0,
    mode: ModeOption = "walk",
    anew: Anew = False,
    seed: Seed = 0,
    title: Title = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Site new facilities where they serve people best; the study is kept and can be opened in the pages."""
    question = Question(cast("Kind", kind), p, facility_kind, cast("Mode", mode), limit_min, not anew, candidates, seed)
    actor = system_actor(label="command line")
    with progress() as shown:
        db.ensure_database(shown)
        with db.transaction(actor, purpose="ask a study") as session:
            chosen = find_territory(session, territory)
            study_id = ask(session, actor, chosen, question, title=title, queue=False)
        found = answer_study(actor, study_id, shown)
    if found.status == "infeasible":
        binding = str(found.facts["binding"])
        words = BINDING[binding].format(candidates=found.facts["candidates"], p=p)
        if as_json:
            told = {"territory": chosen.name, "study": study_id, "kind": kind, "p": p, "sites": []}
            emit(told | {"status": found.status, "binding": binding, "candidates": found.facts["candidates"]}, as_json)
        raise InvalidInput(words, hint="Ask for fewer sites, or load a map with more ground.")
    emit(_as_dict(chosen.name, study_id, question, found), as_json)


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
    }
