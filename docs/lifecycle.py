"""Writes docs/lifecycle.md from the table of transitions; run by ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

from incidents.lifecycle import CHOICE_REASONS, REASONS, lifecycle_table

TARGET = Path(__file__).with_name("lifecycle.md")
HEAD = """# The life of an incident

Written by `make docs` from `incidents/lifecycle.py`; do not edit. An act that is not in this table is refused in words.
Every act takes the row's lock, compares the version that the actor saw, is applied once for its command id, and stands
in the record under its name. The system (jobs, command line) may do every act, but closes nothing that it gave out.

"""


def lifecycle() -> str:
    """Return the page as Markdown."""
    parts = [HEAD, lifecycle_table(), "\n## Reasons\n\n| Act | Reason | Meaning | 含义 |\n|---|---|---|---|\n"]
    reasons = {**REASONS, "assign, reassign (may be left out)": CHOICE_REASONS}
    parts += [f"| {act} | {key} | {en} | {zh} |\n" for act, known in reasons.items() for key, (en, zh) in known.items()]
    return "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(lifecycle())
    sys.stdout.write(f"{TARGET} written\n")
