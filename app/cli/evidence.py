"""incident evidence add, note, blur, list, show: photos and notes of incidents for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.incident import As, Which, acting, incident_id_of
from core.errors import InvalidInput
from incidents.evidence import MOST_BYTES, named_squares
from incidents.evidence_model import EvidenceInfo
from incidents.evidence_rules import PHOTOS
from incidents.service import evidence

Piece = Annotated[int, typer.Argument(metavar="EVIDENCE", min=1, max=2**63 - 1, help="Id, as list tells it.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Photos and notes of an incident.", no_args_is_help=True)
    for name, command in (("add", add), ("note", note), ("blur", blur), ("list", list_), ("show", show)):
        group.command(name)(command)
    groups["incident"].add_typer(group, name="evidence")


def add(
    incident: Which,
    file: Annotated[Path, typer.Argument(help="JPEG, PNG or WebP.")],
    *,
    kind: Annotated[str, typer.Option(help="One of: " + ", ".join(PHOTOS))] = "other",
    squares: Annotated[str, typer.Option("--blur", help="Squares to blur besides what is found: C4, D5-E6.")] = "",
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Add a photo: it is drawn anew without place, time and camera; faces and plates that are found are blurred."""
    prepared = evidence.prepare(_read(file))
    boxes = named_squares(squares, prepared.photo.width, prepared.photo.height)
    with acting(territory, as_) as here:
        found = incident_id_of(here, incident)
        told = _told(evidence.add_photo(here.session, here.actor, found, kind, prepared, by_hand=boxes))
    emit(told, as_json)


def note(
    incident: Which,
    text: Annotated[str, typer.Argument(help="Where exactly, and what was done; kept sealed.")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Add a note on the place."""
    with acting(territory, as_) as here:
        told = _told(evidence.add_note(here.session, here.actor, incident_id_of(here, incident), text))
    emit(told, as_json)


def blur(
    piece: Piece,
    squares: Annotated[str, typer.Argument(help="C4, D5-E6 (columns A-L, rows 1-9).")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Blur more of a photo, for good."""
    with acting(territory, as_) as here:
        info = evidence.one_of(here.session, here.actor, piece)
        boxes = named_squares(squares, info.width or 0, info.height or 0)
        told = _told(evidence.blur_more(here.session, here.actor, piece, boxes))
    emit(told, as_json)


def list_(
    incident: Which,
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List the evidence of an incident, and what its class demands."""
    with acting(territory, as_) as here:
        incident_id = incident_id_of(here, incident)
        infos = evidence.evidence_of(here.session, here.actor, incident_id)
        demanded = evidence.demanded_evidence(here.session, here.actor, incident_id)
    if as_json:
        emit({"demanded": list(demanded), "evidence": [_told(info) for info in infos]}, as_json)
        return
    for info in infos:
        size = f"{info.width} x {info.height}, {info.blurred} blurred" if info.is_photo else "note"
        typer.echo(f"{info.id:>8}  {info.kind:<7} {info.at:%Y-%m-%d %H:%M}  {size}  {info.taken_as}")
    typer.echo(f"{len(infos)}; the class demands: {', '.join(demanded) or 'nothing'}")


def show(
    piece: Piece,
    *,
    out: Annotated[Path | None, typer.Option(help="Write the photo to this file; it must not be there yet.")] = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Tell about one piece of evidence, and write the copy of the photo that the actor may see."""
    with acting(territory, as_) as here:
        info = evidence.one_of(here.session, here.actor, piece)
        told = _told(info)
        picture = evidence.picture(here.session, here.actor, piece) if info.is_photo and out else None
    if picture is not None and out is not None:
        try:
            with out.open("xb") as file:
                file.write(picture.jpeg)
        except OSError as error:
            raise InvalidInput(f"{out} cannot be written: {error.strerror}.", hint="Give another name.") from error
        told |= {"file": str(out), "copy": "original" if picture.original else "blurred"}
    emit(told, as_json)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error


def _told(info: EvidenceInfo) -> dict[str, Any]:
    return {
        "id": info.id,
        "incident_id": info.incident_id,
        "kind": info.kind,
        "at": info.at.isoformat(),
        "taken_as": info.taken_as,
        "round": info.round,
        "sha256": info.sha256,
        "width": info.width,
        "height": info.height,
        "blurred": info.blurred,
        "version": info.version,
        "note": info.note,
    }
