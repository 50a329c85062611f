"""Sealing the record as it grows, and putting its heads where others can keep them."""

from __future__ import annotations

from core.identity import system_actor
from geodata import db, sealing

EVERY_MINUTE = "* * * * *"


def seal_record() -> int:
    """Seal the rows that wait and publish the heads; return the batches made."""
    made = 0
    while True:
        with db.transaction(system_actor(label="sealing")) as session:
            batch = sealing.seal(session)
        if batch is None:
            return made
        sealing.publish(batch)
        made += 1
