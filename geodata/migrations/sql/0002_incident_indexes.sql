-- For the list and Today under row-level security, where only such conditions may use an index.
CREATE INDEX incident_community_reported ON incident (community_id, reported_at, id);
CREATE INDEX incident_unit_reported ON incident (unit_id, reported_at, id);
CREATE INDEX incident_status_reported ON incident (territory_id, status, reported_at, id);
CREATE INDEX incident_filed ON incident (territory_id, filed_at);
CREATE INDEX incident_closed ON incident (territory_id, closed_at) WHERE closed_at IS NOT NULL;
