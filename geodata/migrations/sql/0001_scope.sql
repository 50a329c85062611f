-- Who acts, as geodata.db sets it for the transaction. Empty means none; none sees nothing.
CREATE FUNCTION gk_setting(name text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('gridkeeper.' || name, true), '') $$;

CREATE FUNCTION gk_territory() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT gk_setting('territory')::integer $$;

CREATE FUNCTION gk_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT coalesce(gk_setting('role'), 'nobody') $$;

CREATE FUNCTION gk_areas() RETURNS integer[] LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT coalesce(gk_setting('areas'), '{}')::integer[] $$;

CREATE FUNCTION gk_units() RETURNS integer[] LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT coalesce(gk_setting('units'), '{}')::integer[] $$;

-- Incidents: the whole territory for those who run the seven steps, the own communities for the
-- grid, the own units for a department; nobody else sees a row. The sub-selects make PostgreSQL
-- evaluate the settings once per statement, not once per row.
ALTER TABLE incident ENABLE ROW LEVEL SECURITY;
CREATE POLICY incident_see ON incident FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
        OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker') AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
    )
);
CREATE POLICY incident_insert ON incident FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('grid_worker', 'grid_manager', 'dispatcher', 'supervisor')
);
CREATE POLICY incident_update ON incident FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('grid_worker', 'grid_manager', 'handler', 'dispatcher', 'supervisor')
);
CREATE POLICY incident_delete ON incident FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE incident_personal ENABLE ROW LEVEL SECURITY;
CREATE POLICY incident_personal_see ON incident_personal FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) <> 'auditor' AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY incident_personal_insert ON incident_personal FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('grid_worker', 'grid_manager', 'dispatcher', 'supervisor')
    AND territory_id = (SELECT gk_territory())
);
CREATE POLICY incident_personal_change ON incident_personal FOR UPDATE USING ((SELECT gk_role()) = 'system');
CREATE POLICY incident_personal_delete ON incident_personal FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE task ENABLE ROW LEVEL SECURITY;
CREATE POLICY task_see ON task FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY task_write ON task FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY task_change ON task FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY task_delete ON task FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY person_here ON person USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) NOT IN ('planner', 'auditor', 'nobody')
);

ALTER TABLE quarantine ENABLE ROW LEVEL SECURITY;
CREATE POLICY quarantine_here ON quarantine USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) IN ('supervisor', 'administrator')
);

-- A channel per changed layer: delivered after commit, so a listener never counts a change that
-- it cannot see yet.
CREATE FUNCTION gk_notify_layer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed_territory integer;
BEGIN
    FOR changed_territory IN SELECT DISTINCT territory_id FROM changed LOOP
        PERFORM pg_notify('gridkeeper_layer', changed_territory || ':' || TG_ARGV[0]);
    END LOOP;
    RETURN NULL;
END $$;
