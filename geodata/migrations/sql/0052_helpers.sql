-- Several workers at one incident: who comes along has a part of his own (a joint task of handling with his name and no
-- unit), sees the incident, and is told. His part ends with the task of who leads.
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
              AND t.territory_id = gk_territory() AND t.state <> 'cancelled' AND i.status NOT IN ('closed', 'void')
        );
    END IF;
    RETURN '{}';
END $$;

-- As in 0023, and who leads ends the parts of those who came along.
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

-- As in 0036; a part of who comes along is called help.
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
    SELECT n.territory_id, told.topic, n.incident_id, n.id,
           CASE WHEN told.topic NOT IN ('returned', 'escalated') THEN n.worker_id END,
           jsonb_strip_nulls(jsonb_build_object('number', i.number, 'reason', nullif(why, ''),
                   'kind', CASE WHEN n.joint THEN 'help' ELSE n.kind END,
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

DROP FUNCTION gk_publish(bigint, bigint[], timestamptz, boolean);
-- As in 0047, and what takes several workers goes out to all of them or to none: each gets a part, and who was to come
-- along and is not wanted any more is told so.
--
-- What a plan says, done where nothing changed since it was made: one call, whose plans are kept. It looks past the
-- policies, which would ask for each task whether its incident is in reach; so it asks itself what they would: a
-- dispatcher, in his own territory. Rows that somebody is changing at this moment, and those of a worker one of whose
-- tasks somebody is changing, are left out as stale; so no two transactions wait for each other.
CREATE FUNCTION gk_publish(the_plan bigint, chosen bigint[], moment timestamptz, fresh boolean)
RETURNS TABLE (
    o_incident bigint, o_number text, o_task bigint, o_worker integer, o_what text, o_asked boolean, o_planned integer,
    o_now integer, o_locked boolean, o_unplanned bigint, o_code text, o_skills text[], o_equipment text[], o_kind text,
    o_takes integer
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    home integer := gk_territory();
    hand integer := gk_user();
    the_asked bigint[];
    the_workers integer[];
    the_locked bigint[];
    the_tasks bigint[];
    the_busy integer[];
    the_moment timestamptz := (SELECT p.made_at FROM plan AS p WHERE p.id = the_plan AND p.territory_id = home);
BEGIN
    IF gk_role() NOT IN ('dispatcher', 'system') OR home IS NULL THEN
        RAISE EXCEPTION 'The role % publishes nothing.', gk_role() USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT coalesce(array_agg(DISTINCT r.incident_id), '{}') INTO the_asked
    FROM plan AS p JOIN plan_row AS r ON r.plan_id = p.id
    WHERE p.id = the_plan AND p.territory_id = home AND (
        r.incident_id = ANY (chosen) OR chosen IS NULL AND r.safe AND r.change IN ('new', 'moved', 'retimed')
    );
    -- Who goes, who had it, and who comes along by now and may have to stay away.
    SELECT coalesce(array_agg(r.worker_id) || array_agg(t.worker_id), '{}') || ARRAY(
        SELECT h.worker_id FROM task AS h WHERE h.incident_id = ANY (the_asked) AND h.territory_id = home AND h.joint
          AND h.worker_id IS NOT NULL AND h.state IN ('waiting', 'accepted', 'started')
    ) INTO the_workers
    FROM plan_row AS r LEFT JOIN task AS t ON t.id = r.task_id
    WHERE r.plan_id = the_plan AND r.incident_id = ANY (the_asked);
    SELECT coalesce(array_agg(i.id), '{}') INTO the_locked FROM (
        SELECT id FROM incident WHERE id = ANY (the_asked) AND territory_id = home
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ) AS i;
    SELECT coalesce(array_agg(t.id), '{}') INTO the_tasks FROM (
        SELECT id FROM task WHERE territory_id = home AND worker_id = ANY (the_workers)
          AND state IN ('waiting', 'accepted', 'started') ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ) AS t;
    -- A statement of its own: it sees what was committed meanwhile.
    SELECT coalesce(array_agg(DISTINCT t.worker_id), '{}') INTO the_busy FROM task AS t
    WHERE t.territory_id = home AND t.worker_id = ANY (the_workers) AND t.state IN ('waiting', 'accepted', 'started')
      AND NOT EXISTS (SELECT FROM unnest(the_tasks) AS l(id) WHERE l.id = t.id);
    the_workers := ARRAY(
        SELECT DISTINCT w FROM unnest(the_workers) AS w WHERE w IS NOT NULL AND w <> ALL (the_busy)
    );
    RETURN QUERY
    WITH looked AS MATERIALIZED (
        -- What the plan says, what is, and what may be done about it.
        SELECT r.incident_id, r.kind, t.id AS task_id, r.worker_id, r.place_in_route, r.start_at, r.end_at,
               r.incident_id = ANY (the_asked) AS asked, i.number, i.version AS now_version, r.incident_version,
               r.task_version, t.version AS now_task, t.planned_start, t.planned_end, t.place_in_route AS now_place,
               coalesce(i.unit_id, w.unit_id) AS unit_id, busy.who AS busy, w.code, c.skills, c.equipment,
               w.skills AS own_skills, w.equipment AS own_equipment, c.workers, i.due_at,
               EXISTS (SELECT FROM pin AS p WHERE p.incident_id = i.id AND p.ended_at IS NULL AND p.kind = 'pin'
                       AND p.worker_id = r.worker_id) AS by_hand,
               CASE WHEN t.worker_id = r.worker_id AND t.state IN ('waiting', 'accepted', 'started') THEN
                   CASE WHEN t.id = r.task_id AND t.version = r.task_version AND NOT busy.who THEN 'retimed'
                        WHEN t.planned_start = r.start_at THEN 'kept' END
               WHEN fresh AND NOT busy.who AND r.kind IN ('handle', 'help') AND r.incident_id = ANY (the_asked)
                    AND i.id = ANY (the_locked) AND w.active
                    AND i.version = r.incident_version AND i.duplicate_of IS NULL
                    AND (i.postponed_until IS NULL OR i.postponed_until <= moment)
                    AND CASE WHEN r.kind = 'help' THEN
                            r.task_id IS NULL AND i.status IN ('filed', 'dispatched', 'handling')
                        ELSE (r.task_id IS NULL AND i.status = 'filed'
                              OR t.version = r.task_version AND t.state IN ('waiting', 'accepted')
                                 AND t.on_way_at IS NULL AND i.status IN ('dispatched', 'handling'))
                             -- Who is on the way to help already does not answer for it as well.
                             AND NOT EXISTS (SELECT FROM task AS h WHERE h.incident_id = i.id AND h.joint
                                             AND h.worker_id = r.worker_id AND (h.state = 'started'
                                             OR h.state IN ('waiting', 'accepted') AND h.on_way_at IS NOT NULL))
                        END
                    AND NOT EXISTS (SELECT FROM pin AS p WHERE p.incident_id = i.id AND p.ended_at IS NULL
                                    AND (p.kind = 'pin' AND r.kind = 'handle') <> (p.worker_id = r.worker_id))
                    AND (c.skills <@ w.skills AND c.equipment <@ w.equipment
                         OR EXISTS (SELECT FROM pin AS p WHERE p.incident_id = i.id AND p.ended_at IS NULL
                                    AND p.kind = 'pin' AND p.worker_id = r.worker_id))
               THEN 'sent' END AS what
        FROM plan_row AS r JOIN incident AS i ON i.id = r.incident_id AND i.territory_id = home
        JOIN incident_class AS c ON c.id = i.class_id
        JOIN worker AS w ON w.id = r.worker_id AND w.territory_id = home
        -- The task that the plan names, or the one that was made of this very row before.
        LEFT JOIN task AS t ON t.id = coalesce((
            SELECT n.id FROM task AS n WHERE n.incident_id = i.id AND n.kind = 'handle' AND n.worker_id = r.worker_id
            AND n.state IN ('waiting', 'accepted', 'started') AND (
                r.kind = 'handle' AND NOT n.joint AND n.planned_start = r.start_at OR r.kind = 'help' AND n.joint
            ) LIMIT 1), r.task_id) AND t.territory_id = home
        CROSS JOIN LATERAL (
            SELECT r.worker_id = ANY (the_busy) OR coalesce(t.worker_id = ANY (the_busy), false)
        ) AS busy(who)
        WHERE r.plan_id = the_plan
          AND (r.incident_id = ANY (the_asked) OR r.task_id IS NOT NULL AND r.worker_id = ANY (the_workers))
    ), grouped AS MATERIALIZED (
        -- What takes several goes out when all of them can go, but for whom a hand chose; nobody helps without a lead.
        SELECT l.*, l.what = 'sent' AND l.kind = 'handle' AND l.workers > 1 AND NOT l.by_hand
                    AND count(l.what) FILTER (WHERE l.kind IN ('handle', 'help')) OVER g < l.workers AS few,
               bool_or(l.kind = 'handle' AND l.what IS NOT NULL) OVER g AS led
        FROM looked AS l WINDOW g AS (PARTITION BY l.incident_id)
    ), held AS MATERIALIZED (
        SELECT l.*, CASE WHEN l.what = 'sent' AND (
                             l.few OR l.kind = 'help' AND (NOT l.led OR bool_or(l.few) OVER g)
                         ) THEN NULL ELSE l.what END AS done
        FROM grouped AS l WINDOW g AS (PARTITION BY l.incident_id)
    ), ends AS (
        SELECT l.*, least(l.end_at, lead(l.start_at) OVER (PARTITION BY l.worker_id ORDER BY l.start_at,
                   l.place_in_route)) AS until
        FROM held AS l WHERE l.done IS NOT NULL
    ), good AS MATERIALIZED (
        SELECT e.*, CASE WHEN e.until > e.start_at THEN e.start_at END AS plan_start,
               CASE WHEN e.until > e.start_at THEN e.until END AS plan_end
        FROM ends AS e
    ), spared AS MATERIALIZED (
        -- Who was to come along when the plan was made, has not set out, and is not wanted any more.
        SELECT t.id FROM task AS t
        WHERE fresh AND t.incident_id = ANY (the_asked) AND t.territory_id = home AND t.joint
          AND t.worker_id = ANY (the_workers) AND t.state IN ('waiting', 'accepted') AND t.on_way_at IS NULL
          AND t.created_at <= the_moment
          AND EXISTS (SELECT FROM good AS g WHERE g.incident_id = t.incident_id AND g.kind = 'handle'
                      AND g.now_version = g.incident_version)
          AND NOT EXISTS (SELECT FROM looked AS l WHERE l.incident_id = t.incident_id AND l.kind = 'help'
                          AND l.worker_id = t.worker_id)
    ), changes AS MATERIALIZED (
        SELECT g.task_id AS id, true AS ended, NULL::timestamptz AS plan_start, NULL::timestamptz AS plan_end,
               NULL::smallint AS place, false AS unplanned
        FROM good AS g WHERE g.done = 'sent' AND g.task_id IS NOT NULL
        UNION ALL
        SELECT s.id, true, NULL, NULL, NULL, false FROM spared AS s
        UNION ALL
        SELECT g.task_id, false, g.plan_start, g.plan_end, g.place_in_route, false FROM good AS g
        WHERE g.done = 'retimed' AND (g.plan_start, g.plan_end, g.place_in_route)
              IS DISTINCT FROM (g.planned_start, g.planned_end, g.now_place)
        UNION ALL
        SELECT t.id, false, NULL, NULL, NULL, true FROM task AS t
        WHERE t.territory_id = home AND t.worker_id = ANY (the_workers)
          AND t.state IN ('waiting', 'accepted', 'started') AND t.planned_start IS NOT NULL
          AND NOT EXISTS (SELECT FROM good AS g WHERE g.task_id = t.id)
          AND NOT EXISTS (SELECT FROM spared AS s WHERE s.id = t.id)
          AND EXISTS (SELECT FROM good AS g WHERE g.worker_id = t.worker_id
                      AND g.plan_start < t.planned_end AND t.planned_start < g.plan_end)
    ), changed AS (
        UPDATE task AS t SET
            state = CASE WHEN c.ended THEN 'cancelled' ELSE t.state END,
            finished_at = CASE WHEN c.ended THEN moment ELSE t.finished_at END,
            planned_start = CASE WHEN c.ended THEN t.planned_start ELSE c.plan_start END,
            planned_end = CASE WHEN c.ended THEN t.planned_end ELSE c.plan_end END,
            place_in_route = CASE WHEN c.ended THEN t.place_in_route ELSE c.place END,
            version = t.version + 1
        FROM changes AS c WHERE t.id = c.id
        RETURNING t.id, c.unplanned
    ), sent AS (
        UPDATE incident AS i SET status = 'dispatched', dispatched_at =  moment, dispatched_by = hand,
            worker_id = g.worker_id, unit_id = g.unit_id, version = i.version + 1
        FROM good AS g
        -- The count makes sure that the old tasks have ended before the new ones are made.
        WHERE i.id = g.incident_id AND g.done = 'sent' AND g.kind = 'handle' AND (SELECT count(*) FROM changed) >= 0
        RETURNING i.id, i.due_at, i.worker_id
    ), made AS (
        INSERT INTO task (territory_id, incident_id, kind, state, unit_id, worker_id, assigned_by, created_at, due_at,
                          planned_start, planned_end, place_in_route)
        SELECT home, s.id, 'handle', 'waiting', g.unit_id, g.worker_id, hand,  moment, s.due_at,
               g.plan_start, g.plan_end, g.place_in_route
        FROM sent AS s JOIN good AS g ON g.incident_id = s.id AND g.done = 'sent' AND g.kind = 'handle'
             AND g.worker_id = s.worker_id
        RETURNING id, incident_id, worker_id
    ), helped AS (
        INSERT INTO task (territory_id, incident_id, kind, state, worker_id, assigned_by, created_at, due_at,
                          planned_start, planned_end, place_in_route, joint)
        SELECT home, g.incident_id, 'handle', 'waiting', g.worker_id, hand, moment, g.due_at,
               g.plan_start, g.plan_end, g.place_in_route, true
        FROM good AS g WHERE g.done = 'sent' AND g.kind = 'help' AND (SELECT count(*) FROM changed) >= 0
        RETURNING id, incident_id, worker_id
    )
    SELECT l.incident_id, l.number, CASE WHEN l.done = 'sent' THEN m.id ELSE l.task_id END AS task_id, l.worker_id,
           CASE WHEN l.done = 'retimed' AND c.id IS NULL THEN 'kept' ELSE l.done END AS what, l.asked,
           l.incident_version, l.now_version, l.incident_id = ANY (the_locked) AND NOT l.busy AS locked,
           (SELECT count(*) FROM changed AS u WHERE u.unplanned) AS unplanned, l.code,
           CASE WHEN l.done IS NULL THEN ARRAY(SELECT unnest(l.skills) EXCEPT SELECT unnest(l.own_skills)) END,
           CASE WHEN l.done IS NULL THEN ARRAY(SELECT unnest(l.equipment) EXCEPT SELECT unnest(l.own_equipment)) END,
           l.kind, CASE WHEN l.few THEN l.workers END
    FROM held AS l
    LEFT JOIN (SELECT * FROM made UNION ALL SELECT * FROM helped) AS m ON l.done = 'sent' AND m.incident_id = l.incident_id AND m.worker_id = l.worker_id
    LEFT JOIN changed AS c ON c.id = l.task_id
    ORDER BY l.place_in_route, l.incident_id;
END $$;
REVOKE EXECUTE ON FUNCTION gk_publish FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_publish TO gridkeeper_app;

INSERT INTO transition (subject, act, source, target, role) VALUES
    ('handle', '', 'accepted', 'cancelled', 'grid_worker'),
    ('handle', '', 'accepted', 'cancelled', 'handler'),
    ('handle', '', 'started', 'cancelled', 'grid_worker'),
    ('handle', '', 'started', 'cancelled', 'handler'),
    ('handle', '', 'waiting', 'cancelled', 'grid_worker'),
    ('handle', '', 'waiting', 'cancelled', 'handler'),
    ('incident', 'finish_part', 'dispatched', 'dispatched', 'grid_worker'),
    ('incident', 'finish_part', 'handling', 'handling', 'grid_worker'),
    ('incident', 'return_part', 'dispatched', 'dispatched', 'grid_worker'),
    ('incident', 'return_part', 'handling', 'handling', 'grid_worker');
