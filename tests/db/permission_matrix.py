"""Who may do what to which table, and one row of each to try it on; a new table has to be entered."""

from __future__ import annotations

import datetime as dt

from core.identity import Role

LETTERS = {
    "S": Role.SYSTEM,
    "V": Role.SUPERVISOR,
    "D": Role.DISPATCHER,
    "A": Role.AUDITOR,
    "M": Role.GRID_MANAGER,
    "W": Role.GRID_WORKER,
    "H": Role.HANDLER,
    "P": Role.PLANNER,
    "T": Role.ADMINISTRATOR,
    "N": None,
}
"""N is a connection that says no role."""
ALL = "SVDAMWHPTN"
OPERATIONS = ("see", "add", "change", "delete")
LOADED = (ALL, "SVT", "SVT", "SVT")
GRIDS = (ALL, "SV", "SV", "SV")
READ_ONLY = (ALL, "", "", "")
QUEUE = (ALL, ALL, ALL, ALL)
MATRIX: dict[str, tuple[str, str, str, str]] = {
    "territory": (ALL, "SVT", "SVT", "S"),
    **dict.fromkeys(("area", "facility", "road", "building", "land_cover", "place_name", "load"), LOADED),
    "railway": LOADED,
    **dict.fromkeys(("calendar", "calendar_day", "incident_class", "time_limit"), (ALL, "S", "S", "S")),
    "rule_change": ("SVDAMWHPT", "S", "S", "S"),
    "class_owner": LOADED,
    **dict.fromkeys(("unit_grid", "responsibility_grid"), GRIDS),
    "grid_change": (ALL.replace("N", ""), "SVMP", "SVMP", ""),
    "grid_change_cell": (ALL.replace("N", ""), "SVMP", "SVMP", "SVMP"),
    "grid_parent": (ALL.replace("N", ""), "SV", "", ""),
    "grid_border": (ALL, "SV", "", ""),
    "grid_change_border": (ALL.replace("N", ""), "SVMP", "", "SVMP"),
    "grid_binding": READ_ONLY,
    "grid_note": (ALL.replace("N", ""), "SVDMW", "SVDMW", ""),
    "incident_home": ("SVDAMWH", "SV", "", ""),
    "incident_ground": ("SVDAMWH", "SV", "SV", "SV"),
    "incident_fact_past": ("SVDAMH", "S", "", "S"),
    "code_scheme": (ALL.replace("N", ""), "SV", "", ""),
    "official_code": (ALL.replace("N", ""), "SV", "SV", ""),
    "code_link": (ALL.replace("N", ""), "SV", "", "SV"),
    "unit": (ALL, "ST", "ST", "ST"),
    "worker": (ALL, "SVMHT", "SVMHT", "ST"),
    "incident": ("SVDAMWH", "SVDMW", "SVDMWH", "S"),
    "incident_personal": ("SVDMWH", "SVDMW", "S", "S"),
    "component": (ALL.replace("N", ""), "SVMH", "SVMH", "S"),
    "task": ("SVDAMWH", "SVDMWH", "SVDMWH", "S"),
    **dict.fromkeys(("evidence", "evidence_blur", "evidence_image"), ("SVDAMWH", "SVDMWH", "", "S")),
    "incident_day": ("SVDAMWHPT", "", "", ""),
    "incident_number": ("", "", "", ""),
    "incident_fact": ("SVDAMH", "S", "", "S"),
    "citizen_word": ("SVDAMWH", "SVW", "", "S"),
    "appeal": ("SVDAH", "SH", "SV", "S"),
    "evaluation_rule": ("SVDAMWHPT", "SV", "SV", "S"),
    "fact_fold": ("SVDAMWHPT", "S", "S", "S"),
    "quarantine": ("SVT", "SVT", "SVT", "SVT"),
    "person": ("SVDMWHT", "SVDMWHT", "SVMHT", "ST"),
    "person_key": ("SVDMWHT", "SVDMWHT", "S", ""),
    "app_user": ("ST", "ST", "ST", "ST"),
    "user_role": ("SAT", "ST", "ST", "ST"),
    "invitation": ("ST", "ST", "ST", "ST"),
    "standing_deputy": ("SAT", "ST", "ST", "ST"),
    "access_review": ("SAT", "SAT", "", ""),
    "user_session": ("ST", "S", "ST", "S"),
    "job_run": ("SVT", "S", "SVT", "SVT"),
    "record": ("SVDAMWH", "", "", ""),
    "load_row": ("SVDAMWH", "", "", ""),
    "command": ("S", "S", "S", ""),
    "draft": ("", "", "", ""),
    "saved_queue": ("S", "S", "S", "S"),
    "study": ("SVAMP", "SP", "SP", "S"),
    "access_answer": ("SVAMP", "S", "S", "S"),
    "norm": ("SVAMP", "SP", "SP", "SP"),
    "named_layer": ("SVAMP", "SP", "SP", ""),
    "layer_place": ("SVAMP", "SP", "", ""),
    "catalogue_entry": ("SVDAMWHPT", "SV", "SV", "S"),
    "data_request": ("SVAH", "S", "SV", "S"),
    "data_grant": ("SVAH", "SV", "SV", "S"),
    "data_use": ("SVAT", "", "", "S"),
    "api_token": ("ST", "S", "ST", "S"),
    "data_set": ("SVDAMWHPT", "SVHT", "SVHT", "S"),
    "data_mapping": ("SVHT", "SVHT", "", "S"),
    **dict.fromkeys(("data_batch", "data_set_row"), ("SVDAMWHPT", "S", "S", "S")),
    "data_rule_version": ("SVDAMWHPT", "S", "", ""),
    "quarantined_row": ("SVHT", "S", "SVHT", "S"),
    "place_pair": ("SVHT", "S", "SVHT", "S"),
    "same_place": ("SVDAMWHPT", "S", "S", "S"),
    **dict.fromkeys(("study_live", "study_front", "study_decision", "study_file"), ("SVAMP", "S", "S", "S")),
    **dict.fromkeys(("study_site", "study_ground"), ("SVAMP", "SP", "", "SP")),
    "absence": ("SVMHT", "SVMHT", "SVMHT", "SVMHT"),
    **dict.fromkeys(("backup", "erasure"), ("SVAT", "S", "", "")),
    "retention_run": ("SVAT", "S", "", "S"),
    "size_day": ("ST", "S", "S", "S"),
    **dict.fromkeys(("shift_pattern", "roster_rule"), LOADED),
    **dict.fromkeys(("worker_pattern", "roster_exception"), (ALL, "SVMHT", "SVMHT", "SVMHT")),
    "extension_request": ("SVDAMWH", "SWH", "SV", "S"),
    "hand_over": ("SVDAMWH", "SVDMW", "SVD", "S"),
    "emergency_rule": ("SVDAMWHPT", "SV", "SV", "SV"),
    "upstream_item": ("SVDA", "SV", "SV", "S"),
    "upstream_answer": ("SVDA", "SV", "", ""),
    "review": ("SVA", "S", "", "S"),
    "review_explanation": ("SVA", "", "", "S"),
    "review_threshold": ("SVDAMWHPT", "", "", "S"),
    "review_run": ("SVDAMWHPT", "S", "S", "S"),
    "worker_position": ("SD", "S", "S", "S"),
    "plan": ("SD", "S", "S", "S"),
    "plan_row": ("SD", "S", "", "S"),
    "closure": (ALL.replace("N", ""), "SD", "SD", "S"),
    "traffic_load": (ALL.replace("N", ""), "SD", "", "S"),
    "traffic_hour": (ALL, "SD", "SD", "SD"),
    **dict.fromkeys(("road_speed", "sensor_curve"), (ALL, "S", "S", "S")),
    **dict.fromkeys(("traffic_feed", "own_basemap"), ("ST", "ST", "ST", "ST")),
    "feed_run": ("ST", "S", "S", "S"),
    "wall_pass": ("SVA", "SV", "SV", ""),
    "cost_table": (ALL.replace("N", ""), "SD", "SD", "S"),
    "pin": ("SVDAM", "SD", "SD", "S"),
    "outbox": ("S", "S", "S", "S"),
    "notice": ("SVDM", "S", "SVD", "S"),
    "transition": READ_ONLY,
    "record_batch": READ_ONLY,
    "alembic_version": READ_ONLY,
    "spatial_ref_sys": READ_ONLY,
}
"""Roles by operation; the row is one within the reach of all, and nobody's own. A new table has to be entered."""
TODAY = dt.date(2026, 3, 2)
PROCRASTINATE = "procrastinate_"
SAMPLES = {
    "incident": "SELECT i.* FROM incident AS i, user_role AS m, user_role AS h WHERE m.role = 'grid_manager'"
    " AND h.role = 'handler' AND i.community_id = ANY (m.area_ids) AND i.unit_id = ANY (h.unit_ids)"
    " AND EXISTS (SELECT FROM task AS t WHERE t.incident_id = i.id) ORDER BY i.id LIMIT 1",
    "component": "SELECT c.* FROM component AS c, user_role AS m, user_role AS h WHERE m.role = 'grid_manager'"
    " AND h.role = 'handler' AND c.community_id = ANY (m.area_ids) AND c.unit_id = ANY (h.unit_ids)"
    " AND c.sensitivity = 'open' ORDER BY c.id LIMIT 1",
    "review": "SELECT * FROM review WHERE key = 'x'",
    "data_request": "SELECT * FROM data_request WHERE state = 'waiting'",
    "worker": "SELECT * FROM worker ORDER BY id DESC LIMIT 1",
    "absence": "SELECT * FROM absence ORDER BY id DESC LIMIT 1",
    "worker_pattern": "SELECT * FROM worker_pattern ORDER BY worker_id DESC LIMIT 1",
    "roster_exception": "SELECT * FROM roster_exception ORDER BY worker_id DESC LIMIT 1",
    "person": "SELECT p.* FROM person AS p JOIN worker AS w ON w.person_id = p.id ORDER BY w.id DESC LIMIT 1",
    "evidence": "SELECT * FROM evidence ORDER BY id DESC LIMIT 1",
    "evidence_blur": "SELECT * FROM evidence_blur ORDER BY id DESC LIMIT 1",
    "evidence_image": "SELECT * FROM evidence_image WHERE version > 0 ORDER BY evidence_id DESC LIMIT 1",
    "record": "SELECT * FROM record WHERE subject_table = 'incident' AND action = 'update' ORDER BY seq LIMIT 1",
}
OPEN_COLUMNS = {"incident_personal": "incident_id, territory_id, subject_id, note_cipher, phone_hash"}
"""Where others are closed to the application's login, whatever role it says."""
REVIEWED = (
    (
        "INSERT INTO review (territory_id, rule, key, severity, subject_table, subject_id, persons, seqs, numbers, at)"
        " VALUES (%(home)s, 'backdated', 'x', 1, 'incident', '1', %(persons)s, '{1}', '{}', now()),"
        " (%(home)s, 'backdated', 'y', 1, 'incident', '1', %(persons)s, '{1}', '{}', now())"
    ),
    (
        "WITH made AS (INSERT INTO plan (territory_id, made_at, cost_s, rounds, cpu_s, facts)"
        " VALUES (%(home)s, now(), 0, 0, 0, '{}') RETURNING id)"
        " INSERT INTO plan_row (plan_id, territory_id, incident_id, kind, worker_id, place_in_route, start_at, end_at,"
        " travel_s, late_s, incident_version, change, safe)"
        " SELECT made.id, %(home)s, i.id, 'handle', 1, 1, now(), now(), 0, 0, 1, 'new', true"
        " FROM made, incident AS i ORDER BY i.id LIMIT 1"
    ),
    (
        "INSERT INTO closure (territory_id, name, geom, from_at, made_at)"
        " VALUES (%(home)s, 'x', 'SRID=4326;LINESTRING(0 0, 1 1)', now(), now())"
    ),
    (
        "INSERT INTO traffic_load (territory_id, source, loaded_at, newest_at, readings, refused, lons, lats, kmhs,"
        " ages_s) VALUES (%(home)s, 'x', now(), now(), 1, 0, '{0}', '{0}', '{30}', '{0}')"
    ),
    (
        "INSERT INTO traffic_hour (road_id, hour_at, way, territory_id, kmh, readings, source)"
        " VALUES (1, '2026-03-02 08:00+00', 0, %(home)s, 30, 1, 'x')"
    ),
    (
        "INSERT INTO road_speed (road_id, territory_id, free_kmh, hours, rush, days, source, made_at)"
        " VALUES (1, %(home)s, 50, '{50}', 1, 1, 'x', now())"
    ),
    (
        "INSERT INTO sensor_curve (territory_id, data_set, sensor, readings, days, free_kmh, ratios)"
        " VALUES (%(home)s, 'x', 'x', 1, 1, 50, '{1}')"
    ),
    (
        "INSERT INTO traffic_feed (territory_id, name, address, form, fields, every_s)"
        " VALUES (%(home)s, 'x', 'http://x/', 'csv', '{}', 60)"
    ),
    "INSERT INTO feed_run (feed_id, asked_at) SELECT id, now() FROM traffic_feed",
    (
        "INSERT INTO own_basemap (territory_id, name, kind, address, attribution, plan)"
        " VALUES (%(home)s, 'x', 'xyz', 'http://x/', 'x', '{}')"
    ),
    (
        "INSERT INTO wall_pass (territory_id, title, secret_hash, expires_at)"
        " VALUES (%(home)s, 'x', 'x', now() + interval '1 day')"
    ),
    "INSERT INTO cost_table (territory_id, weights) VALUES (%(home)s, '{}')",
    "INSERT INTO access_answer (territory_id, key, question, data_version) VALUES (%(home)s, 'x', '{}', 0)",
    "INSERT INTO named_layer (territory_id, kind, name, revision, made_label) VALUES (%(home)s, 'zones', 'x', 1, 'x')",
    "INSERT INTO layer_place (layer_id, territory_id, geom) SELECT id, %(home)s, 'POINT(0 0)' FROM named_layer",
    (
        "INSERT INTO norm (territory_id, facility_kind, level, radius_m, source)"
        " VALUES (%(home)s, 'clinic', 'x', 300, 'x')"
    ),
    "INSERT INTO grid_change (territory_id, title, area_ids) VALUES (%(home)s, 'x', '{}')",
    (
        "INSERT INTO grid_change_cell (change_id, territory_id, community_id, code, sequence, kind, area_m2, geom)"
        " SELECT c.id, %(home)s, g.community_id, 'x', 1, g.kind, 1, g.geom"
        " FROM grid_change AS c, (SELECT * FROM unit_grid WHERE territory_id = %(home)s LIMIT 1) AS g"
    ),
    (
        "INSERT INTO railway (territory_id, source, source_ref, railway_class, geom)"
        " VALUES (%(home)s, 'x', 'x', 'rail', 'LINESTRING(0 0, 1 1)')"
    ),
    (
        "INSERT INTO grid_border (territory_id, left_id, kind, length_m, geom)"
        " SELECT %(home)s, min(id), 'cut', 1, 'MULTILINESTRING((0 0, 1 1))' FROM unit_grid"
        " WHERE territory_id = %(home)s"
    ),
    (
        "INSERT INTO grid_change_border (change_id, territory_id, left_id, kind, length_m, geom)"
        " SELECT change_id, %(home)s, id, 'cut', 1, 'MULTILINESTRING((0 0, 1 1))' FROM grid_change_cell LIMIT 1"
    ),
    (
        "INSERT INTO grid_parent (child_id, parent_id, territory_id, change_id, shared_m2)"
        " SELECT max(g.id), min(g.id), %(home)s, min(c.id), 1 FROM grid_change AS c, unit_grid AS g"
        " WHERE g.territory_id = %(home)s"
    ),
    (
        "INSERT INTO code_scheme (territory_id, name, version, pattern, valid_from)"
        " VALUES (%(home)s, 'x1', 1, '{sequence:3}', '2026-03-02')"
    ),
    (
        "INSERT INTO official_code (territory_id, area_id, code, name, source, valid_from)"
        " SELECT %(home)s, id, '110101001001', 'x', 'x', '2026-03-02' FROM area"
        " WHERE level = 'community' AND territory_id = %(home)s LIMIT 1"
    ),
    (
        "INSERT INTO code_link (territory_id, old_scheme, old_code, unit_grid_id, new_code, valid_until, source)"
        " SELECT %(home)s, 'x', 'x', id, code, '2026-03-02', 'x' FROM unit_grid WHERE territory_id = %(home)s LIMIT 1"
    ),
    (
        "INSERT INTO grid_note (territory_id, unit_grid_id, body, author_label) SELECT %(home)s, g.id, 'x', 'x'"
        " FROM unit_grid AS g, user_role AS m"
        " WHERE m.role = 'grid_manager' AND g.community_id = ANY (m.area_ids) LIMIT 1"
    ),
    (
        "WITH made AS (INSERT INTO data_set (territory_id, key, kind, geometry_type, owner_unit_id)"
        " SELECT %(home)s, 'lamps', 'places', 'Point', unit_ids[1] FROM user_role WHERE role = 'handler' LIMIT 1"
        " RETURNING id), read AS (INSERT INTO data_mapping (territory_id, name, spec, made_label)"
        " VALUES (%(home)s, 'lamps', '{}', 'x')), batch AS ("
        " INSERT INTO data_batch (territory_id, data_set_id, file_name, sha256, status, loaded_label)"
        " SELECT %(home)s, id, 'x.csv', 'x', 'loaded', 'x' FROM made RETURNING id, data_set_id)"
        " INSERT INTO quarantined_row (territory_id, data_set_id, batch_id, row_number, raw)"
        " SELECT %(home)s, data_set_id, id, 1, '{}' FROM batch"
    ),
    "SELECT gk_data_set_table(id) FROM data_set",
    "SELECT gk_data_set_attach(id) FROM data_set",
    (
        "INSERT INTO data_set_row (data_set_id, row_key, batch_id, row_number, content_hash, properties, valid_from)"
        " SELECT data_set_id, 'x', id, 1, 'x', '{}', now() FROM data_batch"
    ),
    (
        "INSERT INTO data_rule_version (territory_id, data_set_id, version, rules, made_label)"
        " SELECT %(home)s, id, 1, '[]', 'x' FROM data_set"
    ),
    "INSERT INTO catalogue_entry (territory_id, key, data_set_id) SELECT %(home)s, 'set-lamps', id FROM data_set",
    "INSERT INTO same_place (territory_id, data_set_id, row_key, place) SELECT %(home)s, id, 'x', 1 FROM data_set",
    (
        "INSERT INTO data_request (territory_id, data_set_id, unit_id, asked_label, purpose, days, state, reason,"
        " decided_at) SELECT %(home)s, id, owner_unit_id, 'x', 'x', 9, 'granted', 'x', now() FROM data_set"
    ),
    (
        "INSERT INTO data_grant (territory_id, data_set_id, request_id, unit_id, valid_from, valid_until)"
        " SELECT %(home)s, data_set_id, id, unit_id, now(), now() + interval '1 day' FROM data_request"
    ),
    (
        "WITH made AS (INSERT INTO data_set (territory_id, key, kind, owner_unit_id)"
        " SELECT territory_id, 'lamps-2', kind, owner_unit_id FROM data_set LIMIT 1 RETURNING id)"
        " INSERT INTO place_pair (territory_id, one_set_id, one_key, other_set_id, other_key, score, terms)"
        " SELECT %(home)s, d.id, 'x', made.id, 'x', 1, '{}' FROM data_set AS d, made"
    ),
    (
        "INSERT INTO data_request (territory_id, data_set_id, unit_id, asked_label, purpose, days)"
        " SELECT territory_id, data_set_id, unit_id, 'x', 'x', 9 FROM data_request"
    ),
    "SELECT set_config('gridkeeper.territory', (%(home)s)::text, true)",
    "SELECT gk_note_use('facilities', 'page', 1, '{}')",
    "SELECT set_config('gridkeeper.territory', '', true)",
    (
        "INSERT INTO api_token (territory_id, user_id, role_id, name, token_hash, expires_at)"
        " SELECT %(home)s, user_id, id, 'x', 'x', now() FROM user_role WHERE role = 'planner' LIMIT 1"
    ),
    "INSERT INTO study_live (study_id, territory_id) SELECT id, %(home)s FROM study LIMIT 1",
    "INSERT INTO study_front (study_id, territory_id) SELECT id, %(home)s FROM study LIMIT 1",
    "INSERT INTO study_file (study_id, territory_id, form, content) SELECT id, %(home)s, 'csv', 'x' FROM study LIMIT 1",
    (
        "INSERT INTO study_decision (study_id, territory_id, reason, content, content_sha256)"
        " SELECT id, %(home)s, 'x', 'x', encode(sha256('x'), 'hex') FROM study LIMIT 1"
    ),
)
"""As the system."""
SAID = (
    (
        "INSERT INTO review_explanation (territory_id, review_id, text_key, text_cipher)"
        " SELECT %(home)s, id, 'x', 'x' FROM review WHERE key = 'y'"
    ),
    "INSERT INTO review_threshold (territory_id, rule, minutes, reason) VALUES (%(home)s, 'backdated', 90, 'x')",
)
"""As the person it concerns."""
TOLD = (
    (
        "INSERT INTO incident_home (territory_id, incident_id, grid_id, until, change_id)"
        " SELECT %(home)s, i.id, i.grid_id, '2026-03-02', c.id FROM incident AS i, grid_change AS c"
        " WHERE i.id = %(incident)s"
    ),
    (
        "INSERT INTO incident_ground (incident_id, territory_id, grid_id)"
        " SELECT i.id, %(home)s, i.grid_id FROM incident AS i WHERE i.id = %(incident)s"
    ),
    (
        "INSERT INTO incident_fact_past (day, incident_id, territory_id, status, source, class_id, urgent, grid_id,"
        " community_id, unit_id, worker_id, reported_at, dispatches, returns, reworks, simulated, last_seq, reopens,"
        " excused, marks) SELECT '2026-03-02', id, territory_id, status, source, class_id, emergency, grid_id,"
        " community_id, unit_id, worker_id, reported_at, 0, 0, 0, simulated, 1, 0, 0, 0 FROM incident"
        " WHERE id = %(incident)s"
    ),
    (
        "INSERT INTO pin (territory_id, incident_id, worker_id, kind, reason)"
        " SELECT %(home)s, %(incident)s, id, 'bar', 'x' FROM worker LIMIT 1"
    ),
    "INSERT INTO outbox (territory_id, topic, incident_id, task_id) VALUES (%(home)s, 'returned', %(incident)s, 1)",
    (
        "INSERT INTO notice (territory_id, outbox_id, made_at, topic, incident_id, task_id)"
        " VALUES (%(home)s, 1, now(), 'returned', %(incident)s, 1)"
    ),
)
"""Who is kept off an incident, a message to the desks, and the same arrived."""
EVIDENCE = """
    WITH photo AS (
        INSERT INTO evidence (territory_id, incident_id, kind, at, sha256, width, height, subject_id)
        VALUES (%(home)s, %(incident)s, 'before', now(), repeat('0', 64), 1, 1, 'x') RETURNING id
    ), blur AS (
        INSERT INTO evidence_blur (territory_id, evidence_id, version, sha256, made_at)
        SELECT %(home)s, id, 1, encode(sha256('x'), 'hex'), now() FROM photo
    )
    INSERT INTO evidence_image (evidence_id, version, territory_id, content) SELECT id, 1, %(home)s, 'x' FROM photo
"""
"""A photo of an incident, as the system writes it."""
OF_INCIDENT = dict.fromkeys(
    (
        *("appeal", "citizen_word", "extension_request", "hand_over", "incident_fact", "incident_fact_past"),
        *("incident_ground", "incident_personal", "notice", "outbox", "pin", "task"),
    ),
    "incident_id",
)
