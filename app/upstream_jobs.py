"""Bringing a file of the hotline in as background work; importing this registers the kind of job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app import uploads
from core.identity import Actor
from core.progress import Progress
from geodata import jobs
from geodata.db import transaction
from geodata.territory import list_territories
from incidents.service import upstream

KIND = "upstream_import"


@jobs.kind(KIND)
def _import(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    path = Path(arguments["path"])
    try:
        with (
            uploads.called(path, str(arguments["name"])),
            transaction(actor, purpose="import 12345") as session,
        ):
            territory = next(each for each in list_territories(session) if each.id == actor.territory_id)
            done = upstream.import_upstream(
                session, actor, territory, path, name=str(arguments["name"]), progress=progress
            )
    finally:
        path.unlink(missing_ok=True)
    return {**done.as_dict(), "name": arguments["name"]}
