"""Writes docs/lifecycle.md from the table of transitions; run by ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

from incidents.lifecycle import CHOICE_REASONS, REASONS, TASK_STEPS, TRANSITIONS, lifecycle_table
from incidents.lifecycle_words import ROLE_WORDS

TARGET = Path(__file__).with_name("lifecycle.md")
HEAD = """# The life of an incident

Written by `make docs` from `incidents/lifecycle.py`; do not edit. An act that is not in this table is refused in words.
Every act takes the row's lock, compares the version that the actor saw, is applied once for its command id, and stands
in the record under its name. The system (jobs, command line) may do every act, but closes nothing that it gave out.

The database holds the same law in its table `transition` and refuses, whatever program asks: a status or the state of a
task that the role may not change to; work on a task of somebody else; a check while somebody is at work; closing by who
gave it out; verifying, sending back or closing by who ever handled it, in whatever role; a deadline that moves without
granted time; granting by who asked. Only the system is free of it: it brings in what happened elsewhere. A test
compares the two tables; a change of the law is a migration of its own.

A duplicate stands outside of the table: it follows the first report. Its status is always that one's, written by the
database; nobody is sent to it, it has no deadline, and every act on it is refused. Dispatchers and supervisors link
what is reported, filed or sent out and not begun; a supervisor unlinks, with a reason. A duplicate of a duplicate goes
to the first report, so that there is one level and no cycle.

What ends with its first report is ended by the same hand, so the hands count together: who ever sent a duplicate out
does not close the first report, who handled a duplicate neither verifies nor sends back, and a worker settles nothing
on the spot that somebody else reported too. Unlinked, a duplicate has the deadline and the filing that it had by
itself; one that never was filed itself is reported again and looked at on site where a new report would be. A service
that the first report was handed to, or waits to be, is not called again for a duplicate; any other one is.

"""
TASKS = """
## Tasks

Who does a task owns it: a worker by name, a handler through his unit. The units of a joint handling have a task each;
the one that leads finishes last. Who finished a handle task is kept with it for ever.

| Task | From | To | Who |
|---|---|---|---|
"""


def lifecycle() -> str:
    """Return the page as Markdown."""
    parts = [
        HEAD,
        _diagram(),
        "\n## Acts\n\n",
        lifecycle_table(),
        TASKS,
        *_tasks(),
        "\n## Reasons\n\n| Act | Reason | Meaning | 含义 |\n|---|---|---|---|\n",
    ]
    reasons = {**REASONS, "assign, reassign (may be left out)": CHOICE_REASONS}
    parts += [f"| {act} | {key} | {en} | {zh} |\n" for act, known in reasons.items() for key, (en, zh) in known.items()]
    return "".join(parts)


def _diagram() -> str:
    """Return the acts that change the status as a Mermaid diagram; side moves that change none are in the table."""
    labels: dict[tuple[str, str], list[str]] = {}
    for step in TRANSITIONS:
        if step.source != step.target:
            between = labels.setdefault((step.source or "[*]", step.target), [])
            between.extend([step.act] if step.act not in between else [])
    lines = [f"    {source} --> {target}: {', '.join(acts)}\n" for (source, target), acts in labels.items()]
    return "".join(["```mermaid\nstateDiagram-v2\n", *lines, "```\n"])


def _tasks() -> list[str]:
    return [
        f"| {step.kind} | {step.source or '–'} | {step.target}"
        f" | {', '.join(sorted(ROLE_WORDS[role][0] for role in step.roles))} |\n"
        for step in TASK_STEPS
    ]


if __name__ == "__main__":
    TARGET.write_text(lifecycle())
    sys.stdout.write(f"{TARGET} written\n")
