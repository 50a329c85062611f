CREATE FUNCTION gk_worker() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT gk_setting('worker')::integer $$;

-- A grid worker also sees what he was sent to outside his own communities.
DROP POLICY incident_see ON incident;
CREATE POLICY incident_see ON incident FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
        OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker') AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
    )
);

DROP POLICY incident_update ON incident;
CREATE POLICY incident_update ON incident FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor')
        OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker') AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
    )
) WITH CHECK ((SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()));

-- The history of an incident is also that of its tasks.
DROP POLICY record_here ON record;
CREATE POLICY record_here ON record FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('supervisor', 'auditor')
        OR subject_id IS NULL AND (SELECT gk_role()) <> 'nobody'
        OR subject_table = 'incident' AND EXISTS (SELECT FROM incident WHERE incident.id = subject_id::bigint)
        OR subject_table = 'task' AND EXISTS (SELECT FROM task WHERE task.id = subject_id::bigint)
    )
);
DROP POLICY load_row_here ON load_row;
CREATE POLICY load_row_here ON load_row FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('supervisor', 'auditor') AND EXISTS (SELECT FROM record WHERE seq = record_seq)
    OR EXISTS (SELECT FROM record WHERE seq = record_seq AND subject_table = 'incident')
    AND EXISTS (SELECT FROM incident WHERE incident.id = subject_id::bigint)
    OR EXISTS (SELECT FROM record WHERE seq = record_seq AND subject_table = 'task')
    AND EXISTS (SELECT FROM task WHERE task.id = subject_id::bigint)
);

-- Who did it is the user of the transaction, whatever the program says.
CREATE FUNCTION gk_task_assigner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.assigned_by := coalesce(gk_setting('user')::integer, NEW.assigned_by);
    RETURN NEW;
END $$;
CREATE TRIGGER task_assigner BEFORE INSERT ON task FOR EACH ROW
WHEN (NEW.kind = 'handle') EXECUTE FUNCTION gk_task_assigner();

CREATE FUNCTION gk_incident_dispatched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.dispatched_by := coalesce(gk_setting('user')::integer, NEW.dispatched_by);
    RETURN NEW;
END $$;
CREATE TRIGGER incident_dispatched BEFORE UPDATE OF status ON incident FOR EACH ROW
WHEN (NEW.status = 'dispatched' AND OLD.status <> 'dispatched') EXECUTE FUNCTION gk_incident_dispatched();

-- The core control: who ever sent the incident out does not close it. The check on the row knows the
-- last sender, this the earlier ones too; it looks past row-level security.
CREATE FUNCTION gk_incident_closed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.closed_by := coalesce(gk_setting('user')::integer, NEW.closed_by);
    IF EXISTS (SELECT FROM task WHERE incident_id = NEW.id AND kind = 'handle' AND assigned_by = NEW.closed_by) THEN
        RAISE EXCEPTION 'Who dispatched incident % does not close it.', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_incident_separate_duties';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_incident_closed FROM PUBLIC;
CREATE TRIGGER incident_closed BEFORE UPDATE OF status ON incident FOR EACH ROW
WHEN (NEW.status = 'closed' AND OLD.status <> 'closed') EXECUTE FUNCTION gk_incident_closed();

-- Commands and drafts are their sender's alone. An answer is written once.
ALTER TABLE command ENABLE ROW LEVEL SECURITY;
CREATE POLICY command_own ON command FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR user_id IS NOT DISTINCT FROM (SELECT gk_setting('user')::integer)
);
CREATE POLICY command_add ON command FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR user_id IS NOT DISTINCT FROM (SELECT gk_setting('user')::integer) AND territory_id = (SELECT gk_territory())
);
CREATE POLICY command_answer ON command FOR UPDATE USING (
    result IS NULL
    AND ((SELECT gk_role()) = 'system' OR user_id IS NOT DISTINCT FROM (SELECT gk_setting('user')::integer))
) WITH CHECK (
    (SELECT gk_role()) = 'system' OR user_id IS NOT DISTINCT FROM (SELECT gk_setting('user')::integer)
);

ALTER TABLE draft ENABLE ROW LEVEL SECURITY;
CREATE POLICY draft_own ON draft USING (
    user_id = (SELECT gk_setting('user')::integer) AND territory_id = (SELECT gk_territory())
);
-- A draft's key is its writer's to destroy; all other keys are the system's.
CREATE POLICY person_key_of_draft ON person_key FOR UPDATE USING (
    EXISTS (SELECT FROM draft WHERE draft.subject_id = person_key.subject_id)
);
