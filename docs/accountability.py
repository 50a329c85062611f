"""Writes docs/accountability.md from the rules of accountability; run by ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

from incidents.service.identity import PURPOSES
from insight.accountability import RULES, Rule

TARGET = Path(__file__).with_name("accountability.md")
HEAD = """# Accountability

Written by `make docs` from `insight/accountability.py`; do not edit. Rules look through the record every five minutes
and open a review for what they find. A finding is a question, not a verdict: it names the rule, what it is about, the
accounts concerned and the rows of the record behind it. Nobody is scored and there is no list of persons.

```
gridkeeper review run [--anew]     # looks through what is new, or the whole record again: the same findings
gridkeeper review list [--state open] [--rule backdated] --json
gridkeeper review show 12 --as auditor --json
gridkeeper review decide 12 dismissed --reason "The paper form bears the time." --as auditor
```

## Who sees and who decides

Supervisors and auditors see all findings of their territory; whom a finding concerns sees it from Today and writes an
explanation in his own words before anything is decided. A decision (confirmed or dismissed) has a reason, is made once
and recorded. **Nobody decides on himself**, and the database refuses it whatever program asks, also by another account
of the same person (linked by worker, person or telephone number). Not even the system decides or rewrites a finding.
Explanations and reasons may name people, so they are sealed like personal fields; their keys are destroyed five years
after the decision (`GRIDKEEPER_KEEP_REVIEWS_DAYS`), and the finding stays.

Thresholds are data: a supervisor or auditor proposes another one with a reason, another person approves, and it holds
for acts from then on. What was judged before stays as it was judged.

## The rules

"""
TAIL = """
## How a finding stays one finding

A finding has a key (the incident and the row; the account and the local day; the class and the day; the change). It is
a function of all acts of its case, judged by the thresholds of the moment of each act, and what needs time to be judged
(a reading without a following act, a limit before a breach) is judged when that time has passed. So looking through the
record in portions and looking through all of it anew come to the same, which tests hold. What is new is found by the
batches of the seal, as in `insight.store`, so a row that was committed late is not lost.

Acts of the platform itself and rows of bulk loads are held against nobody. Acts that were generated for a demo city are
labelled so.

## Who reported

A reporter's name and telephone number are read in one way only: `gk_reporter(incident, purpose)` in the database, which
writes the row of the record before it tells. The columns are closed to the application's login in every role, the
system's too. Purposes: {purposes}. The centres and the auditor may; a worker while he has a live task
on the incident; nobody else.

## What it cannot see

- What never reached the platform, and who sat at the keyboard where two share a password.
- Two accounts of one person that no worker, person or telephone number ties together.
- What was merely looked at: of readings, only those of a reporter's identity and exports are recorded. Rows that a
  browser saves or copies from the screen are no export to the platform. Commands on the machine run as the system.
- Off duty is judged by the roster as it stands now; on call is a shift entered as such, and without a roster nothing is
  said. Limits for any class are not looked at by the rule about breaches.
- The record holds sealed personal fields as ciphertext; who has the database, the master secret and the code can open
  them without `gk_reporter`.
"""


def accountability() -> str:
    """Return the page as Markdown."""
    rows = ["| Rule | 规则 | What it asks | Starts with | Weight | Source |\n|---|---|---|---|---|---|\n"]
    weights = {1: "grave", 2: "middling", 3: "light"}
    rows += [
        f"| {rule.title[0]} (`{rule.key}`) | {rule.title[1]} | {rule.question[0]} | {_starts(rule)}"
        f" | {weights[rule.severity]} | {rule.source[0]} |\n"
        for rule in RULES
    ]
    return "".join([HEAD, *rows, TAIL.replace("{purposes}", ", ".join(PURPOSES))])


def _starts(rule: Rule) -> str:
    pairs = ((rule.count_words[0], rule.count), (rule.minutes_words[0], rule.minutes))
    return "; ".join(f"{words}: {value:,}" for words, value in pairs if value is not None) or "–"


if __name__ == "__main__":
    TARGET.write_text(accountability())
    sys.stdout.write(f"{TARGET} written\n")
