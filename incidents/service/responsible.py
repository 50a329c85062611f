"""Who may be made responsible for an incident: a unit of the territory that has not ended."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from incidents.store import acts


def check_unit(session: Session, territory_id: int | None, unit_id: int) -> int:
    """Return ``unit_id`` when work can be given to this unit.

    Raises
    ------
    NotFound
        When the territory has no such unit.
    InvalidInput
        When its last day has passed.
    """
    found = acts.unit(session, territory_id, unit_id)
    if found is None:
        raise NotFound("There is no such unit in this territory.", zh="本辖区没有该单位。")
    if found.ended_on is not None:
        raise InvalidInput(
            f"The unit {found.code} ended on {found.ended_on:%d %b %Y}.",
            hint="Choose another unit, or have the duty list mended.",
            zh=f"单位 {found.code} 已于 {found.ended_on:%Y-%m-%d} 停用，请选择其他单位，或更新权责清单。",
        )
    return unit_id
