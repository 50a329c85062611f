"""Use cases of incidents; each asks `require` first, works on the session given and never commits."""

from incidents.service.catalogue import assign_owners, owners, read_catalogue, seed_catalogue, take_numbers
from incidents.service.importing import import_file
from incidents.service.reading import (
    count_incidents,
    find_incident,
    grid_incidents_summary,
    incident_detail,
    late_incidents,
    list_incidents,
    today_counts,
)

__all__ = [
    "assign_owners",
    "count_incidents",
    "find_incident",
    "grid_incidents_summary",
    "import_file",
    "incident_detail",
    "late_incidents",
    "list_incidents",
    "owners",
    "read_catalogue",
    "seed_catalogue",
    "take_numbers",
    "today_counts",
]
