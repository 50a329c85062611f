-- Deny by default for what row-level security does not cover: who may write which table, and who may
-- read accounts, keys and jobs. PostgreSQL refuses COPY into tables with row-level security, so bulk
-- tables are guarded by a statement trigger, which also speaks when a foreign key cascades into them
-- (policies do not). Its arguments are the roles that may; the system always may, and the owner, who
-- migrates.
CREATE FUNCTION gk_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gk_role() = 'system' OR gk_role() = ANY (TG_ARGV)
       OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The role % may not % rows of %.', gk_role(), lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION gk_user() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT gk_setting('user')::integer $$;

-- A trigger function of the owner's rights may be put on a temporary table by whoever may call it,
-- and would then write a record, or a summary, of what never happened.
REVOKE EXECUTE ON FUNCTION gk_record_change, gk_incident_changed, gk_time_zone_changed FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION gk_record_event, gk_take_numbers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_record_event, gk_take_numbers TO gridkeeper_app;
-- The owner's functions look into the catalogue first: nothing in public can stand in for what they call.
ALTER FUNCTION gk_record_change SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION gk_record_event SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION gk_incident_changed SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION gk_change_incident_days SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION gk_recount_incident_days SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION gk_time_zone_changed SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION gk_take_numbers SET search_path = pg_catalog, public, pg_temp;

-- A change reaches no further than the eye. An UPDATE that reads no column is not asked whether it may
-- see the row, so the policy of changing has to say it itself. The new row may leave the reach, as when
-- a department hands an incident back.
DROP POLICY incident_update ON incident;
CREATE POLICY incident_update ON incident FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor')
        OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker') AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
    )
) WITH CHECK ((SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()));

-- An auditor reads; he makes and changes no task.
DROP POLICY task_write ON task;
CREATE POLICY task_write ON task FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) <> 'auditor' AND territory_id = (SELECT gk_territory())
    AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
DROP POLICY task_change ON task;
CREATE POLICY task_change ON task FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) <> 'auditor' AND territory_id = (SELECT gk_territory())
    AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);

-- The summary is for every officer of the territory, and for nobody else.
ALTER TABLE incident_day ENABLE ROW LEVEL SECURITY;
CREATE POLICY incident_day_see ON incident_day FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);

-- Keys of persons: for those who read or write personal fields. Destroying one is the system's act, and
-- no row ever goes: erasure leaves the row without its key.
ALTER TABLE person_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY person_key_see ON person_key FOR SELECT USING (
    (SELECT gk_role()) NOT IN ('planner', 'auditor', 'nobody')
);
CREATE POLICY person_key_insert ON person_key FOR INSERT WITH CHECK (
    (SELECT gk_role()) NOT IN ('handler', 'planner', 'auditor', 'nobody')
);
CREATE POLICY person_key_erase ON person_key FOR UPDATE USING ((SELECT gk_role()) = 'system');
REVOKE DELETE ON person_key FROM gridkeeper_app;

-- Accounts: the administrator's, and each his own to read. Logging in is the system's act; a session
-- may change between the user's own roles only.
ALTER TABLE app_user ENABLE ROW LEVEL SECURITY;
CREATE POLICY app_user_manage ON app_user USING ((SELECT gk_role()) IN ('system', 'administrator'));
CREATE POLICY app_user_own ON app_user FOR SELECT USING (id = (SELECT gk_user()));

ALTER TABLE user_role ENABLE ROW LEVEL SECURITY;
CREATE POLICY user_role_manage ON user_role USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'administrator' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY user_role_own ON user_role FOR SELECT USING (user_id = (SELECT gk_user()));

ALTER TABLE user_session ENABLE ROW LEVEL SECURITY;
CREATE POLICY user_session_manage ON user_session USING ((SELECT gk_role()) IN ('system', 'administrator'));
CREATE POLICY user_session_see ON user_session FOR SELECT USING (user_id = (SELECT gk_user()));
CREATE POLICY user_session_own ON user_session FOR UPDATE USING (user_id = (SELECT gk_user())) WITH CHECK (
    user_id = (SELECT gk_user())
    AND EXISTS (SELECT FROM user_role WHERE user_role.id = role_id AND user_role.user_id = (SELECT gk_user()))
);

-- Jobs: each his own, and those who load data all of the territory's.
ALTER TABLE job_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY job_run_here ON job_run USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) <> 'nobody' AND territory_id IS NOT DISTINCT FROM (SELECT gk_territory())
    AND ((SELECT gk_role()) IN ('supervisor', 'administrator') OR user_id IS NOT DISTINCT FROM (SELECT gk_user()))
);
