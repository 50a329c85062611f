"""Every key of Streamlit's session state, in one place."""

from __future__ import annotations

LANGUAGE_SWITCH = "gk_language"
INCIDENT_FILTER = "gk_incident_filter"
INCIDENT_PAGES = "gk_incident_pages"
INCIDENT_TABLE = "gk_incident_table"
UPLOAD = "gk_upload"
UPLOAD_JOB = "gk_upload_job"
UPLOAD_PLACE = "gk_upload_place"
UPLOAD_NAME = "gk_upload_name"
UPLOAD_TITLE = "gk_upload_title"
