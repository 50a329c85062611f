-- As in 0052, and whom a hand called in is neither taken back nor planned once more, on shift or not; his part ends
-- only where the plan lets him lead, for nobody is twice at one incident. No row of the plan is compared with each
-- other row: two hundred were forty thousand comparisons, three times over.
CREATE OR REPLACE FUNCTION gk_publish(the_plan bigint, chosen bigint[], moment timestamptz, fresh boolean)
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
               CASE WHEN c.workers > 1 AND r.kind = 'handle' THEN (
                   SELECT count(*) FROM task AS h WHERE h.incident_id = i.id AND h.joint AND h.by_hand
                   AND h.worker_id IS NOT NULL AND h.state IN ('waiting', 'accepted', 'started')
                   AND NOT EXISTS (SELECT FROM plan_row AS x WHERE x.plan_id = the_plan AND x.incident_id = i.id
                                   AND x.worker_id = h.worker_id)) ELSE 0 END AS called,
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
                    AND count(l.what) FILTER (WHERE l.kind IN ('handle', 'help')) OVER g + l.called < l.workers AS few,
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
          AND (NOT t.by_hand OR EXISTS (SELECT FROM good AS g WHERE g.incident_id = t.incident_id
                                        AND g.kind = 'handle' AND g.done = 'sent' AND g.worker_id = t.worker_id))
          AND EXISTS (SELECT FROM good AS g WHERE g.incident_id = t.incident_id AND g.kind = 'handle'
                      AND g.now_version = g.incident_version)
          AND NOT EXISTS (SELECT FROM looked AS l WHERE l.incident_id = t.incident_id AND l.kind = 'help'
                          AND l.worker_id = t.worker_id)
    ), booked AS MATERIALIZED (
        -- When each worker is taken by now: compared once a task, and not with each row of the plan.
        SELECT g.worker_id, range_agg(tstzrange(g.plan_start, g.plan_end)) AS spans
        FROM good AS g WHERE g.plan_start IS NOT NULL GROUP BY g.worker_id
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
        SELECT t.id, false, NULL, NULL, NULL, true FROM task AS t JOIN booked AS b ON b.worker_id = t.worker_id
        WHERE t.territory_id = home AND t.worker_id = ANY (the_workers)
          AND t.state IN ('waiting', 'accepted', 'started') AND t.planned_start IS NOT NULL
          AND b.spans && tstzrange(t.planned_start, t.planned_end)
          AND t.id NOT IN (SELECT g.task_id FROM good AS g WHERE g.task_id IS NOT NULL)
          AND t.id NOT IN (SELECT s.id FROM spared AS s)
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
        RETURNING i.id, i.due_at, g.worker_id, g.unit_id, g.plan_start, g.plan_end, g.place_in_route
    ), made AS (
        INSERT INTO task (territory_id, incident_id, kind, state, unit_id, worker_id, assigned_by, created_at, due_at,
                          planned_start, planned_end, place_in_route)
        SELECT home, s.id, 'handle', 'waiting', s.unit_id, s.worker_id, hand,  moment, s.due_at,
               s.plan_start, s.plan_end, s.place_in_route
        FROM sent AS s
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
    -- FULL, though all that was made stands in the plan: what is joined so is hashed, however few rows are expected.
    FULL JOIN (SELECT * FROM made UNION ALL SELECT * FROM helped) AS m
        ON m.incident_id = l.incident_id AND m.worker_id = l.worker_id
    LEFT JOIN changed AS c ON c.id = l.task_id
    WHERE l.incident_id IS NOT NULL
    ORDER BY l.place_in_route, l.incident_id;
END $$;
