-- Who comes along, brought to its end: no plan takes back whom a hand called in, who refused sees the incident no
-- more, and who was there while the work was finished has been there, though his phone says so later.
CREATE OR REPLACE FUNCTION gk_called_to() RETURNS bigint[] LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_role() = 'handler' THEN
        RETURN (
            SELECT coalesce(array_agg(DISTINCT t.incident_id), '{}')
            FROM task AS t JOIN incident AS i ON i.id = t.incident_id
            WHERE t.joint AND t.unit_id = ANY (gk_units()) AND t.territory_id = gk_territory()
              AND (t.state = 'done' OR t.state <> 'cancelled' AND i.status NOT IN ('closed', 'void'))
        );
    END IF;
    IF gk_role() = 'grid_worker' THEN
        RETURN (
            SELECT coalesce(array_agg(DISTINCT t.incident_id), '{}')
            FROM task AS t JOIN incident AS i ON i.id = t.incident_id
            WHERE t.worker_id = gk_worker() AND (t.kind IN ('verify', 'check', 'visit') OR t.joint)
              AND t.territory_id = gk_territory() AND t.state <> 'cancelled' AND NOT (t.joint AND t.state = 'returned')
              AND i.status NOT IN ('closed', 'void')
        );
    END IF;
    RETURN '{}';
END $$;

-- What a phone without a network says late of a part that ended with the work of who leads: when it happened before
-- that, it is written down, and who was there has done his part (so he does not check it); that he ends a part which
-- is done by then changes nothing and is no fault of his. Nothing comes back when it is not so. The incident is out of
-- his reach by then, so this looks past the policies and asks what they would.
CREATE FUNCTION gk_came_along(the_incident bigint, the_act text, moment timestamptz)
RETURNS TABLE (o_task bigint, o_number text, o_status text, o_version integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part task%ROWTYPE;
    here boolean := the_act IN ('arrive', 'finish_part');
BEGIN
    IF gk_role() IS DISTINCT FROM 'grid_worker' OR gk_worker() IS NULL OR moment IS NULL
       OR the_act NOT IN ('accept_part', 'on_way', 'arrive', 'expect_done', 'finish_part') THEN
        RETURN;
    END IF;
    PERFORM FROM incident WHERE id = the_incident AND territory_id = gk_territory() FOR UPDATE;
    SELECT t.* INTO part FROM task AS t
    WHERE t.incident_id = the_incident AND t.territory_id = gk_territory() AND t.worker_id = gk_worker()
      AND t.kind = 'handle' AND t.joint
    ORDER BY t.id DESC LIMIT 1;
    IF part.id IS NULL OR part.state NOT IN ('done', 'cancelled')
       OR moment > part.finished_at AND NOT (part.state = 'done' AND the_act = 'finish_part')
       OR moment < part.created_at OR NOT EXISTS (
           SELECT FROM task AS l WHERE l.incident_id = the_incident AND l.kind = 'handle' AND NOT l.joint
           AND l.state = 'done' AND l.finished_at = part.finished_at) THEN
        RETURN;
    END IF;
    UPDATE task AS t SET
        state = CASE WHEN here THEN 'done' ELSE t.state END,
        accepted_at = coalesce(t.accepted_at, moment),
        on_way_at = CASE WHEN the_act IN ('on_way', 'arrive') THEN coalesce(t.on_way_at, moment) ELSE t.on_way_at END,
        arrived_at = CASE WHEN the_act = 'arrive' THEN coalesce(t.arrived_at, moment) ELSE t.arrived_at END,
        version = t.version + 1
    WHERE t.id = part.id AND the_act <> 'expect_done'
      AND (part.state = 'cancelled' OR the_act = 'arrive' AND part.arrived_at IS NULL);
    RETURN QUERY SELECT part.id, i.number, i.status, i.version FROM incident AS i WHERE i.id = the_incident;
END $$;
REVOKE EXECUTE ON FUNCTION gk_came_along FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_came_along TO gridkeeper_app;

-- As in 0052, and a part that ended may be done after all, which `gk_came_along` alone asks for.
CREATE OR REPLACE FUNCTION gk_task_step() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
        IF before <> '' AND me IN ('grid_worker', 'handler') THEN
            -- The part of a worker who comes along ends with the task of who leads, and by no other hand of a doer.
            IF NEW.joint AND NEW.worker_id IS NOT NULL AND NEW.worker_id IS DISTINCT FROM gk_worker() THEN
                IF NEW.state NOT IN ('done', 'cancelled') OR NOT coalesce((
                    SELECT me = 'grid_worker' AND t.worker_id = gk_worker()
                           OR me = 'handler' AND t.unit_id = ANY (gk_units())
                    FROM task AS t
                    WHERE t.incident_id = NEW.incident_id AND t.kind = 'handle' AND NOT t.joint
                      AND t.state <> 'cancelled' ORDER BY t.id DESC LIMIT 1), false) THEN
                    PERFORM gk_refuse('This task is not yours.', 'ck_task_own');
                END IF;
            ELSIF me = 'grid_worker' AND NEW.worker_id IS DISTINCT FROM gk_worker()
               OR me = 'handler' AND NOT coalesce(NEW.unit_id = ANY (gk_units()), false)
               OR NEW.state = 'cancelled' THEN
                PERFORM gk_refuse('This task is not yours.', 'ck_task_own');
            END IF;
            -- What was taken back is done after all only for who was there while the work of who leads was finished.
            IF before = 'cancelled' AND NOT (NEW.joint AND NEW.worker_id = gk_worker() AND EXISTS (
                SELECT FROM task AS t WHERE t.incident_id = NEW.incident_id AND t.kind = 'handle' AND NOT t.joint
                  AND t.state = 'done' AND t.finished_at = OLD.finished_at AND NEW.finished_at = OLD.finished_at
            )) THEN
                PERFORM gk_refuse('This task ended.', 'ck_task_own');
            END IF;
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

-- As in 0052, and who was there is told that his part counts.
CREATE OR REPLACE FUNCTION gk_task_told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
                   'number', i.number, 'start', n.planned_start, 'end', n.planned_end, 'reason', nullif(why, ''),
                   'kind', CASE WHEN n.joint THEN 'help' ELSE n.kind END))
        FROM new_rows AS n JOIN incident AS i ON i.id = n.incident_id
        WHERE n.worker_id IS NOT NULL AND n.state = 'waiting';
        RETURN NULL;
    END IF;
    INSERT INTO outbox (territory_id, topic, incident_id, task_id, worker_id, payload)
    SELECT told.territory_id, told.topic, told.incident_id, told.id,
           CASE WHEN told.topic NOT IN ('returned', 'escalated') THEN told.worker_id END,
           jsonb_strip_nulls(jsonb_build_object('number', i.number, 'reason', nullif(why, ''),
                   'kind', CASE WHEN told.joint THEN 'help' ELSE told.kind END,
                   'worker_id', CASE WHEN told.topic IN ('returned', 'escalated') THEN told.worker_id END))
    FROM (
        -- FULL, though each new row has its old one: so they are hashed, and not compared each with each.
        SELECT n.territory_id, n.incident_id, n.id, n.worker_id, n.joint, n.kind, CASE
            WHEN n.state = 'cancelled' AND o.state <> 'cancelled' THEN 'withdrawn'
            WHEN n.state = 'returned' AND o.state <> 'returned' THEN 'returned'
            WHEN n.state = 'accepted' AND o.state = 'done' THEN 'rework'
            WHEN n.state = 'done' AND o.state = 'cancelled' THEN 'counted'
            WHEN n.escalated_at IS NOT NULL AND o.escalated_at IS NULL THEN 'escalated'
        END AS topic
        FROM new_rows AS n FULL JOIN old_rows AS o ON o.id = n.id
    ) AS told JOIN incident AS i ON i.id = told.incident_id
    WHERE told.topic IS NOT NULL AND told.worker_id IS NOT NULL;
    IF EXISTS (SELECT FROM new_rows AS n WHERE n.state = 'returned' AND n.worker_id IS NOT NULL) THEN
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

-- As in 0036, and of a part that ended with the work of who leads it may still be said when he was there before that.
CREATE OR REPLACE FUNCTION gk_task_planned() RETURNS trigger LANGUAGE plpgsql
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
            OR OLD.state NOT IN ('waiting', 'accepted', 'started')
            AND NOT (NEW.joint AND OLD.state IN ('done', 'cancelled')
                     AND greatest(NEW.on_way_at, NEW.arrived_at) <= OLD.finished_at
                     AND NEW.expected_done_at IS NOT DISTINCT FROM OLD.expected_done_at)) THEN
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

INSERT INTO transition (subject, act, source, target, role) VALUES ('handle', '', 'cancelled', 'done', 'grid_worker');
