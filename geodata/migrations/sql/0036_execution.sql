-- Carrying out a plan. Planned times are the dispatcher's; on the way, there and done in so many minutes are said by
-- the worker himself, while he has the task. What a task was planned as and how far it got ends when it is opened
-- again.
CREATE FUNCTION gk_task_planned() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    me text := gk_role();
    free boolean := gk_lawless(TG_RELID);
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT free AND me <> 'dispatcher' THEN
            PERFORM gk_refuse('Only a dispatcher plans the time of a task.', 'ck_task_planned_by');
        END IF;
        RETURN NEW;
    END IF;
    IF NOT free AND me <> 'dispatcher' AND (NEW.planned_start, NEW.planned_end, NEW.place_in_route)
       IS DISTINCT FROM (OLD.planned_start, OLD.planned_end, OLD.place_in_route) THEN
        PERFORM gk_refuse('Only a dispatcher plans the time of a task.', 'ck_task_planned_by');
    END IF;
    IF NOT free AND (NEW.on_way_at, NEW.arrived_at, NEW.expected_done_at)
       IS DISTINCT FROM (OLD.on_way_at, OLD.arrived_at, OLD.expected_done_at)
       AND (me <> 'grid_worker' OR NEW.worker_id IS DISTINCT FROM gk_worker()
            OR OLD.state NOT IN ('waiting', 'accepted', 'started')) THEN
        PERFORM gk_refuse('Only the worker himself says how far he is.', 'ck_task_progress_by');
    END IF;
    IF NEW.state IN ('waiting', 'accepted', 'started') AND (
        OLD.state NOT IN ('waiting', 'accepted', 'started') OR NEW.worker_id IS DISTINCT FROM OLD.worker_id
    ) THEN
        NEW.planned_start := NULL;
        NEW.planned_end := NULL;
        NEW.place_in_route := NULL;
        NEW.on_way_at := NULL;
        NEW.arrived_at := NULL;
        NEW.expected_done_at := NULL;
        NEW.escalated_at := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ac_planned_insert BEFORE INSERT ON task FOR EACH ROW
WHEN (NEW.planned_start IS NOT NULL) EXECUTE FUNCTION gk_task_planned();
CREATE TRIGGER ac_planned_update BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION gk_task_planned();

-- Whoever changes a task, and by whatever way, the message about it is written in the same transaction: to the worker
-- whose task came, went or came back, to the desks when one was given back or nobody answers. Who gives an
-- incident back is not sent there again, unless he only hands it over. Files and demonstrations tell nobody.
CREATE FUNCTION gk_task_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    why text := coalesce(substring(gk_setting('purpose') FROM ': ([a-z_]{1,40})$'), '');
BEGIN
    IF gk_setting('load') IS NOT NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO outbox (territory_id, topic, incident_id, task_id, worker_id, payload)
        SELECT n.territory_id, 'assigned', n.incident_id, n.id, n.worker_id, jsonb_strip_nulls(jsonb_build_object(
                   'number', i.number, 'kind', n.kind, 'start', n.planned_start, 'end', n.planned_end,
                   'reason', nullif(why, '')))
        FROM new_rows AS n JOIN incident AS i ON i.id = n.incident_id
        WHERE n.worker_id IS NOT NULL AND n.state = 'waiting';
        RETURN NULL;
    END IF;
    INSERT INTO outbox (territory_id, topic, incident_id, task_id, worker_id, payload)
    SELECT n.territory_id, told.topic, n.incident_id, n.id,
           CASE WHEN told.topic NOT IN ('returned', 'escalated') THEN n.worker_id END,
           jsonb_strip_nulls(jsonb_build_object('number', i.number, 'kind', n.kind, 'reason', nullif(why, ''),
                   'worker_id', CASE WHEN told.topic IN ('returned', 'escalated') THEN n.worker_id END))
    FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id JOIN incident AS i ON i.id = n.incident_id
    CROSS JOIN LATERAL (SELECT CASE
        WHEN n.state = 'cancelled' AND o.state <> 'cancelled' THEN 'withdrawn'
        WHEN n.state = 'returned' AND o.state <> 'returned' THEN 'returned'
        WHEN n.state = 'accepted' AND o.state = 'done' THEN 'rework'
        WHEN n.escalated_at IS NOT NULL AND o.escalated_at IS NULL THEN 'escalated'
    END AS topic) AS told
    WHERE told.topic IS NOT NULL AND n.worker_id IS NOT NULL;
    IF EXISTS (SELECT FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
               WHERE n.state = 'returned' AND o.state <> 'returned' AND n.worker_id IS NOT NULL) THEN
        UPDATE pin AS p SET ended_at = greatest(now(), p.made_at)
        FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
        WHERE n.state = 'returned' AND o.state <> 'returned' AND p.incident_id = n.incident_id
          AND p.worker_id = n.worker_id AND p.kind = 'pin' AND p.ended_at IS NULL;
        INSERT INTO pin (territory_id, incident_id, worker_id, kind, reason, made_by)
        SELECT n.territory_id, n.incident_id, n.worker_id, 'bar', coalesce(nullif(why, ''), 'other'),
               gk_setting('user')::integer
        FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
        WHERE n.state = 'returned' AND o.state <> 'returned' AND n.kind = 'handle' AND n.worker_id IS NOT NULL
          AND gk_role() = 'grid_worker' AND why NOT IN ('shift_ends', 'called_away')
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_task_told FROM PUBLIC;
CREATE TRIGGER zx_told_insert AFTER INSERT ON task REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION gk_task_told();
CREATE TRIGGER zx_told_update AFTER UPDATE ON task REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION gk_task_told();

-- What held or kept somebody ends with the incident.
CREATE FUNCTION gk_pins_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE pin AS p SET ended_at = greatest(now(), p.made_at) WHERE p.incident_id = NEW.id AND p.ended_at IS NULL;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_pins_end FROM PUBLIC;
CREATE TRIGGER yz_pins_end AFTER UPDATE ON incident FOR EACH ROW
WHEN (NEW.status IN ('closed', 'void') AND OLD.status <> NEW.status) EXECUTE FUNCTION gk_pins_end();

-- A pin is made in the own name, and afterwards only ends.
CREATE FUNCTION gk_pin() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_lawless(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.made_by := gk_setting('user')::integer;
    ELSIF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at
          OR to_jsonb(NEW) - 'ended_at' IS DISTINCT FROM to_jsonb(OLD) - 'ended_at' THEN
        PERFORM gk_refuse('A pin is ended and never changed.', 'ck_pin_step');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_pin BEFORE INSERT OR UPDATE ON pin FOR EACH ROW EXECUTE FUNCTION gk_pin();

ALTER TABLE pin ENABLE ROW LEVEL SECURITY;
CREATE POLICY pin_see ON pin FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor')
        OR (SELECT gk_role()) = 'grid_manager' AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
    )
);
CREATE POLICY pin_add ON pin FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'dispatcher' AND territory_id = (SELECT gk_territory())
    AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
);
CREATE POLICY pin_end ON pin FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) = 'dispatcher' AND territory_id = (SELECT gk_territory())
);
CREATE POLICY pin_delete ON pin FOR DELETE USING ((SELECT gk_role()) = 'system');

-- What is to be sent is written by the trigger above and read by who delivers.
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY outbox_system ON outbox USING ((SELECT gk_role()) = 'system');

-- A notice is for the worker it names, and for the desks of those who see the incident when it names none.
-- One mark serves all desks, so only those who send out and who oversee put it.
ALTER TABLE notice ENABLE ROW LEVEL SECURITY;
CREATE POLICY notice_see ON notice FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
        OR worker_id IS NULL AND (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'grid_manager')
        AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
    )
);
CREATE POLICY notice_read ON notice FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
        OR worker_id IS NULL AND (SELECT gk_role()) IN ('dispatcher', 'supervisor')
        AND EXISTS (SELECT FROM incident WHERE incident.id = incident_id)
    )
);
CREATE POLICY notice_add ON notice FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY notice_delete ON notice FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE FUNCTION gk_notice_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT gk_lawless(TG_RELID) AND to_jsonb(NEW) - 'read_at' IS DISTINCT FROM to_jsonb(OLD) - 'read_at' THEN
        PERFORM gk_refuse('A notice is read and never changed.', 'ck_notice_step');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_notice BEFORE UPDATE ON notice FOR EACH ROW EXECUTE FUNCTION gk_notice_stays();

-- One assignment in one statement: the incident of this version goes out, its task is made, the command is kept, and
-- the triggers do the rest; or nothing of it, and NULL is the answer. It looks past the policies, so it asks itself
-- what they would: a dispatcher, in his own territory. The law stands in the triggers, as ever.
CREATE FUNCTION gk_assign(
    the_incident bigint, staff integer, seen integer, moment timestamptz, command_id text, command_digest text
) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    home integer := gk_territory();
    hand integer := gk_user();
    answer jsonb;
BEGIN
    IF gk_role() NOT IN ('dispatcher', 'system') OR home IS NULL THEN
        RAISE EXCEPTION 'The role % assigns nothing.', gk_role() USING ERRCODE = 'insufficient_privilege';
    END IF;
    WITH sent AS (
        UPDATE incident AS i SET status = 'dispatched', dispatched_at = moment, dispatched_by = hand, worker_id = w.id,
            unit_id = coalesce(i.unit_id, w.unit_id), version = i.version + 1
        FROM worker AS w
        WHERE i.id = the_incident AND i.territory_id = home AND i.version = seen AND i.status = 'filed'
          AND i.duplicate_of IS NULL AND w.id = staff AND w.territory_id = home AND w.active
          AND NOT EXISTS (SELECT FROM pin AS p WHERE p.incident_id = the_incident AND p.ended_at IS NULL)
        RETURNING i.id, i.number, i.version, i.unit_id, i.due_at
    ), made AS (
        INSERT INTO task (territory_id, incident_id, kind, state, unit_id, worker_id, assigned_by, created_at, due_at)
        SELECT home, s.id, 'handle', 'waiting', s.unit_id, staff, hand, moment, s.due_at FROM sent AS s
        RETURNING id
    )
    INSERT INTO command (id, territory_id, user_id, act, digest, incident_id, result)
    SELECT command_id, home, hand, 'assign', command_digest, s.id, jsonb_build_object('incident_id', s.id,
           'number', s.number, 'status', 'dispatched', 'version', s.version, 'task_id', m.id)
    FROM sent AS s, made AS m
    RETURNING result INTO answer;
    RETURN answer;
END $$;
REVOKE EXECUTE ON FUNCTION gk_assign FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_assign TO gridkeeper_app;

-- Most incidents have no duplicates, and most changes leave the summary as it is: nothing is written then.
CREATE OR REPLACE FUNCTION gk_duplicates_follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM incident WHERE duplicate_of = NEW.id) THEN
        RETURN NULL;
    END IF;
    IF NEW.duplicate_of IS NULL THEN
        UPDATE incident SET version = version + 1 WHERE duplicate_of = NEW.id;
    ELSE
        UPDATE incident SET duplicate_of = NEW.duplicate_of, version = version + 1 WHERE duplicate_of = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION gk_incident_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    changes gk_incident_change[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg((territory_id, grid_id, category, status, reported_at, closed_at, 1)::gk_incident_change)
        INTO changes FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg((territory_id, grid_id, category, status, reported_at, closed_at, -1)::gk_incident_change)
        INTO changes FROM old_rows;
    ELSIF (SELECT count(*) FROM new_rows) = 1 AND EXISTS (
        SELECT FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
        WHERE n.status NOT IN ('closed', 'void') AND o.status NOT IN ('closed', 'void')
          AND (n.territory_id, n.grid_id, n.category, n.reported_at)
              IS NOT DISTINCT FROM (o.territory_id, o.grid_id, o.category, o.reported_at)
    ) THEN
        RETURN NULL;
    ELSE
        SELECT array_agg((territory_id, grid_id, category, status, reported_at, closed_at, sign)::gk_incident_change)
        INTO changes FROM (
            SELECT territory_id, grid_id, category, status, reported_at, closed_at, 1 AS sign FROM new_rows
            UNION ALL
            SELECT territory_id, grid_id, category, status, reported_at, closed_at, -1 FROM old_rows
        ) AS both_sides;
    END IF;
    PERFORM gk_change_incident_days(changes);
    RETURN NULL;
END $$;

-- As in 0023, in a language whose plans are kept from one transaction to the next.
CREATE OR REPLACE FUNCTION gk_lawless(relation oid) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_role() <> 'nobody' THEN
        RETURN gk_role() = 'system';
    END IF;
    RETURN pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = relation), 'MEMBER');
END $$;
