-- The law of an incident's life stands in the database too: a status, a deadline or the state of a task changes
-- only as table transition allows it to the role of the transaction. The system (imports, jobs) is free, and the
-- owner who says no role, who migrates. All look past row-level security, since what is asked for is the rest.
CREATE FUNCTION gk_lawless(relation oid) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT gk_role() = 'system' OR gk_role() = 'nobody'
       AND pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = relation), 'MEMBER')
$$;

CREATE FUNCTION gk_refuse(what text, which text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', what USING ERRCODE = 'check_violation', CONSTRAINT = which;
END $$;

-- Whether the acting user, or the worker he is, ever handled the incident.
CREATE FUNCTION gk_has_handled(incident bigint, hand integer, staff integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM task AS t WHERE t.incident_id = incident AND t.kind = 'handle'
          AND (hand = ANY (t.handled_by) OR staff IS NOT NULL AND t.worker_id = staff AND t.state = 'done')
    )
$$;
REVOKE EXECUTE ON FUNCTION gk_has_handled FROM PUBLIC;

CREATE FUNCTION gk_incident_begins() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT gk_lawless(TG_RELID) AND NOT EXISTS (
        SELECT FROM transition AS t
        WHERE t.subject = 'incident' AND t.source = '' AND t.target = NEW.status AND t.role = gk_role()
    ) THEN
        PERFORM gk_refuse(format('The role %s begins no incident as %s.', gk_role(), NEW.status), 'ck_incident_step');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER yy_begins AFTER INSERT ON incident FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_incident_begins();

-- Who took it down is the user of the transaction.
CREATE FUNCTION gk_incident_reporter() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.reported_by := gk_setting('user')::integer;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_reporter BEFORE INSERT ON incident FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_incident_reporter();

CREATE FUNCTION gk_incident_step() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    me text := gk_role();
    hand integer := gk_setting('user')::integer;
BEGIN
    IF gk_lawless(TG_RELID) THEN
        RETURN NULL;
    END IF;
    IF NEW.reported_by IS DISTINCT FROM OLD.reported_by THEN
        PERFORM gk_refuse('Who reported an incident does not change.', 'ck_incident_reporter');
    END IF;
    IF NEW.status <> OLD.status THEN
        IF NOT EXISTS (
            SELECT FROM transition AS t
            WHERE t.subject = 'incident' AND t.source = OLD.status AND t.target = NEW.status AND t.role = me
        ) THEN
            PERFORM gk_refuse(
                format('The role %s does not bring an incident from %s to %s.', me, OLD.status, NEW.status),
                'ck_incident_step'
            );
        END IF;
        IF me IN ('grid_worker', 'handler') AND NEW.status <> 'closed' AND NOT EXISTS (
            SELECT FROM task AS t
            WHERE t.incident_id = NEW.id AND t.kind = 'handle' AND NOT t.joint AND t.state <> 'cancelled'
              AND t.created_at >= coalesce(NEW.dispatched_at, '-infinity')
              AND (me = 'grid_worker' AND t.worker_id = gk_worker() OR me = 'handler' AND t.unit_id = ANY (gk_units()))
        ) THEN
            PERFORM gk_refuse('The task of this incident is not yours.', 'ck_incident_own_task');
        END IF;
        IF NEW.status IN ('checking', 'filed') AND OLD.status IN ('dispatched', 'handling') AND EXISTS (
            SELECT FROM task AS t
            WHERE t.incident_id = NEW.id AND t.kind = 'handle' AND t.state IN ('waiting', 'accepted', 'started')
        ) THEN
            PERFORM gk_refuse('Somebody is still at work on this incident.', 'ck_incident_all_done');
        END IF;
        IF OLD.status = 'checking' AND hand IS NOT NULL AND gk_has_handled(NEW.id, hand, NULL) THEN
            PERFORM gk_refuse('Who handled an incident does not verify it.', 'ck_incident_other_hand');
        END IF;
        IF OLD.status = 'filed' AND NEW.status = 'closed' AND NOT (
            NEW.self_handled AND NEW.source IN ('patrol', 'app') AND NOT NEW.emergency AND NEW.priority >= 3
            AND hand IS NOT NULL AND NEW.reported_by = hand
            AND NOT EXISTS (SELECT FROM task AS t WHERE t.incident_id = NEW.id AND t.kind = 'handle')
        ) THEN
            PERFORM gk_refuse('Only a simple finding of one''s own is settled on the spot.', 'ck_incident_own_find');
        END IF;
        IF OLD.status = 'reported' AND NEW.status = 'filed' AND NOT NEW.emergency AND EXISTS (
            SELECT FROM task AS t
            WHERE t.incident_id = NEW.id AND t.kind = 'verify' AND t.state IN ('waiting', 'accepted', 'started')
        ) THEN
            PERFORM gk_refuse('This report has to be verified on site first.', 'ck_incident_verified');
        END IF;
    END IF;
    IF NEW.self_handled <> OLD.self_handled AND NOT (
        NEW.self_handled AND NEW.status = 'closed' AND OLD.status = 'filed' OR OLD.status = 'closed' AND NEW.status = 'filed'
    ) THEN
        PERFORM gk_refuse('Only its finder settles an incident on the spot.', 'ck_incident_own_find');
    END IF;
    IF NEW.sampled_by IS DISTINCT FROM OLD.sampled_by AND NEW.status = OLD.status
       AND (me <> 'supervisor' OR NEW.sampled_by IS DISTINCT FROM hand) THEN
        PERFORM gk_refuse('A supervisor samples in his own name.', 'ck_incident_sampled');
    END IF;
    IF (NEW.postponed_at IS DISTINCT FROM OLD.postponed_at OR NEW.postponed_until IS DISTINCT FROM OLD.postponed_until)
       AND me <> 'supervisor' AND NOT (OLD.status = 'closed' AND NEW.status = 'filed') THEN
        PERFORM gk_refuse('Only a supervisor postpones.', 'ck_incident_postponed');
    END IF;
    IF (NEW.urged_at IS DISTINCT FROM OLD.urged_at OR NEW.urges <> OLD.urges) AND me <> 'supervisor' THEN
        PERFORM gk_refuse('Only a supervisor urges.', 'ck_incident_urged');
    END IF;
    IF NEW.due_at IS DISTINCT FROM OLD.due_at AND NOT (
        OLD.status = 'closed' AND NEW.status = 'filed'
        OR me = 'supervisor' AND (
            OLD.status = 'reported' AND NEW.status = 'filed'
            OR NEW.postponed_until IS DISTINCT FROM OLD.postponed_until
            OR EXISTS (
                SELECT FROM extension_request AS e WHERE e.incident_id = NEW.id AND e.state = 'granted'
                  AND e.until = NEW.due_at AND e.decided_by IS NOT DISTINCT FROM hand
            )
        )
    ) THEN
        PERFORM gk_refuse('A deadline moves only when more time is granted.', 'ck_incident_due');
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_incident_step FROM PUBLIC;
CREATE TRIGGER yy_step AFTER UPDATE ON incident FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_incident_step();

-- Who worked on a task is written by the database and never taken away.
CREATE FUNCTION gk_task_hands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    hand integer := gk_setting('user')::integer;
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.handled_by := '{}';
        NEW.assigned_by := coalesce(hand, NEW.assigned_by);
        RETURN NEW;
    END IF;
    NEW.handled_by := OLD.handled_by;
    IF NEW.state = 'done' AND OLD.state <> 'done' AND hand IS NOT NULL AND NOT hand = ANY (OLD.handled_by) THEN
        NEW.handled_by := OLD.handled_by || hand;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER task_hands_insert BEFORE INSERT ON task FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_task_hands();
CREATE TRIGGER task_hands_update BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION gk_task_hands();

CREATE FUNCTION gk_task_step() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    me text := gk_role();
    hand integer := gk_setting('user')::integer;
    before text := '';
BEGIN
    IF gk_lawless(TG_RELID) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        before := OLD.state;
        IF (NEW.kind, NEW.incident_id, NEW.joint) IS DISTINCT FROM (OLD.kind, OLD.incident_id, OLD.joint)
           OR me IN ('grid_worker', 'handler')
           AND (NEW.worker_id, NEW.unit_id) IS DISTINCT FROM (OLD.worker_id, OLD.unit_id) THEN
            PERFORM gk_refuse('A task stays what it is and whose it is.', 'ck_task_owner');
        END IF;
    END IF;
    IF NEW.state <> before THEN
        IF NOT EXISTS (
            SELECT FROM transition AS t
            WHERE t.subject = NEW.kind AND t.source = before AND t.target = NEW.state AND t.role = me
        ) THEN
            PERFORM gk_refuse(
                format('The role %s does not bring a task %s from %s to %s.', me, NEW.kind, before, NEW.state),
                'ck_task_step'
            );
        END IF;
        IF before <> '' AND (me = 'grid_worker' AND NEW.worker_id IS DISTINCT FROM gk_worker()
           OR me = 'handler' AND NOT coalesce(NEW.unit_id = ANY (gk_units()), false)) THEN
            PERFORM gk_refuse('This task is not yours.', 'ck_task_own');
        END IF;
    END IF;
    -- Who handled neither sends somebody to check nor checks, and nobody who handled is sent.
    IF NEW.kind = 'check' AND NEW.state <> 'cancelled' AND (
        TG_OP = 'INSERT' OR NEW.state <> before OR NEW.worker_id IS DISTINCT FROM OLD.worker_id
    ) AND (gk_has_handled(NEW.incident_id, hand, NEW.worker_id)) THEN
        PERFORM gk_refuse('Who handled an incident does not check it.', 'ck_task_other_hand');
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_task_step FROM PUBLIC;
CREATE TRIGGER yy_step AFTER INSERT OR UPDATE ON task FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_task_step();

-- Asking and granting are two hands, each in its own name; a decision is made once.
CREATE FUNCTION gk_extension() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    hand integer := gk_setting('user')::integer;
BEGIN
    IF gk_lawless(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.asked_by := hand;
        NEW.decided_by := NULL;
        IF NEW.state <> 'waiting' THEN
            PERFORM gk_refuse('More time is asked for first.', 'ck_extension_request_step');
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'waiting' OR to_jsonb(NEW) - '{state,decided_by,decided_at,answer}'::text[]
       <> to_jsonb(OLD) - '{state,decided_by,decided_at,answer}'::text[] THEN
        PERFORM gk_refuse('A request for more time is decided once and not changed.', 'ck_extension_request_step');
    END IF;
    NEW.decided_by := hand;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_extension BEFORE INSERT OR UPDATE ON extension_request FOR EACH ROW EXECUTE FUNCTION gk_extension();

ALTER TABLE extension_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY extension_request_see ON extension_request FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY extension_request_ask ON extension_request FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('grid_worker', 'handler') AND territory_id = (SELECT gk_territory())
    AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY extension_request_decide ON extension_request FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'supervisor' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY extension_request_delete ON extension_request FOR DELETE USING ((SELECT gk_role()) = 'system');

-- What somebody is called to besides his own: a unit to a joint handling, a worker to look at a place; what was
-- looked at or given back stays in sight until the incident ends.
CREATE FUNCTION gk_called_to() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT called.incident_id), '{}') FROM (
        SELECT t.incident_id FROM task AS t JOIN incident AS i ON i.id = t.incident_id
        WHERE gk_role() = 'handler' AND t.joint AND t.unit_id = ANY (gk_units()) AND t.territory_id = gk_territory()
          AND (t.state = 'done' OR t.state <> 'cancelled' AND i.status NOT IN ('closed', 'void'))
        UNION ALL
        SELECT t.incident_id FROM task AS t JOIN incident AS i ON i.id = t.incident_id
        WHERE gk_role() = 'grid_worker' AND t.worker_id = gk_worker() AND t.kind IN ('verify', 'check', 'visit')
          AND t.territory_id = gk_territory() AND t.state <> 'cancelled' AND i.status NOT IN ('closed', 'void')
    ) AS called
$$;
REVOKE EXECUTE ON FUNCTION gk_called_to FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_called_to TO gridkeeper_app;

DROP POLICY incident_see ON incident;
CREATE POLICY incident_see ON incident FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
        OR (SELECT gk_role()) IN ('grid_manager', 'grid_worker') AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
        OR (SELECT gk_role()) = 'handler' AND unit_id = ANY ((SELECT gk_units())::integer[])
        OR id = ANY ((SELECT gk_called_to())::bigint[])
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
        OR id = ANY ((SELECT gk_called_to())::bigint[])
    )
) WITH CHECK ((SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()));
