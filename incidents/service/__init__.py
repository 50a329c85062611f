"""Use cases of incidents; each asks `require` first, works on the session given and never commits."""

from incidents.service.acting import allowed_acts, assign_task, came_along, facts_of, move, refused_act
from incidents.service.catalogue import assign_owners, owners, read_catalogue, seed_catalogue, take_numbers
from incidents.service.forgetting import forget_commands, forget_evidence, forget_originals, forget_reporters
from incidents.service.importing import import_file
from incidents.service.looks import why_nobody as why_nobody_looks
from incidents.service.reading import (
    count_incidents,
    find_incident,
    grid_incidents_summary,
    incident_detail,
    late_incidents,
    list_incidents,
    my_tasks,
    not_begun,
    today_counts,
    waiting_extensions,
    waiting_to_close,
)
from incidents.service.reporting import preview, report

__all__ = [
    "allowed_acts",
    "assign_owners",
    "assign_task",
    "came_along",
    "count_incidents",
    "facts_of",
    "find_incident",
    "forget_commands",
    "forget_evidence",
    "forget_originals",
    "forget_reporters",
    "grid_incidents_summary",
    "import_file",
    "incident_detail",
    "late_incidents",
    "list_incidents",
    "move",
    "my_tasks",
    "not_begun",
    "owners",
    "preview",
    "read_catalogue",
    "refused_act",
    "report",
    "seed_catalogue",
    "take_numbers",
    "today_counts",
    "waiting_extensions",
    "waiting_to_close",
    "why_nobody_looks",
]
