-- PostgreSQL reads the condition of a trigger anew in every statement and takes a function of SQL in it apart again.
-- The same question, put to what the function asks: who is not the system.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT tgrelid::regclass AS relation, tgname AS name, pg_get_triggerdef(oid) AS said FROM pg_trigger
               WHERE NOT tgisinternal AND pg_get_triggerdef(oid) ~ 'WHEN .*gk_role\(\)' LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', one.name, one.relation);
        EXECUTE replace(replace(one.said,
                        'gk_role() <> ', 'current_setting(''gridkeeper.role'', true) IS DISTINCT FROM '),
                        'gk_role() = ', 'current_setting(''gridkeeper.role'', true) = ');
    END LOOP;
END $$;

-- Another index of the same table begins with the same column; or only the end of a territory would look there.
DROP INDEX ix_incident_territory_id, ix_incident_community_id, ix_incident_unit_id, ix_command_territory_id,
    ix_outbox_territory_id;

DROP FUNCTION gk_publish(bigint, bigint[], timestamptz, boolean);
-- As in 0041, and whoever lacks what the class takes by now is not sent: the class was changed, the worker lost a skill
-- or gave his tools back. Such a row is stale, and what lacks comes with it. Whom a hand chose goes all the same.
--
-- What a plan says, done where nothing changed since it was made: one call, whose plans are kept. It looks past the
-- policies, which would ask for each task whether its incident is in reach; so it asks itself what they would: a
-- dispatcher, in his own territory. Rows that somebody is changing at this moment, and those of a worker one of whose
-- tasks somebody is changing, are left out as stale; so no two transactions wait for each other.
CREATE FUNCTION gk_publish(the_plan bigint, chosen bigint[], moment timestamptz, fresh boolean)
RETURNS TABLE (
    o_incident bigint, o_number text, o_task bigint, o_worker integer, o_what text, o_asked boolean, o_planned integer,
    o_now integer, o_locked boolean, o_unplanned bigint, o_code text, o_skills text[], o_equipment text[]
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    home integer := gk_territory();
    hand integer := gk_user();
    the_asked bigint[];
    the_workers integer[];
    the_locked bigint[];
    the_tasks bigint[];
    the_busy integer[];
BEGIN
    IF gk_role() NOT IN ('dispatcher', 'system') OR home IS NULL THEN
        RAISE EXCEPTION 'The role % publishes nothing.', gk_role() USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT coalesce(array_agg(r.incident_id), '{}'), coalesce(array_agg(r.worker_id) || array_agg(t.worker_id), '{}')
    INTO the_asked, the_workers
    FROM plan AS p JOIN plan_row AS r ON r.plan_id = p.id LEFT JOIN task AS t ON t.id = r.task_id
    WHERE p.id = the_plan AND p.territory_id = home AND (
        r.incident_id = ANY (chosen) OR chosen IS NULL AND r.safe AND r.change IN ('new', 'moved', 'retimed')
    );
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
               w.skills AS own_skills, w.equipment AS own_equipment,
               CASE WHEN t.worker_id = r.worker_id AND t.state IN ('waiting', 'accepted', 'started') THEN
                   CASE WHEN t.id = r.task_id AND t.version = r.task_version AND NOT busy.who THEN 'retimed'
                        WHEN t.planned_start = r.start_at THEN 'kept' END
               WHEN fresh AND NOT busy.who AND r.kind = 'handle' AND r.incident_id = ANY (the_asked)
                    AND i.id = ANY (the_locked) AND w.active
                    AND i.version = r.incident_version AND i.duplicate_of IS NULL
                    AND (i.postponed_until IS NULL OR i.postponed_until <= moment)
                    AND (r.task_id IS NULL AND i.status = 'filed'
                         OR t.version = r.task_version AND t.state IN ('waiting', 'accepted') AND t.on_way_at IS NULL
                            AND i.status IN ('dispatched', 'handling'))
                    AND NOT EXISTS (SELECT FROM pin AS p WHERE p.incident_id = i.id AND p.ended_at IS NULL
                                    AND (p.kind = 'pin') <> (p.worker_id = r.worker_id))
                    AND (c.skills <@ w.skills AND c.equipment <@ w.equipment
                         OR EXISTS (SELECT FROM pin AS p WHERE p.incident_id = i.id AND p.ended_at IS NULL
                                    AND p.kind = 'pin' AND p.worker_id = r.worker_id))
               THEN 'sent' END AS what
        FROM plan_row AS r JOIN incident AS i ON i.id = r.incident_id AND i.territory_id = home
        JOIN incident_class AS c ON c.id = i.class_id
        JOIN worker AS w ON w.id = r.worker_id AND w.territory_id = home
        -- The task that the plan names, or the one that was made of this very row before.
        LEFT JOIN task AS t ON t.id = coalesce((
            SELECT n.id FROM task AS n WHERE n.incident_id = i.id AND n.kind = 'handle' AND r.kind = 'handle'
            AND NOT n.joint AND n.state IN ('waiting', 'accepted', 'started') AND n.worker_id = r.worker_id
            AND n.planned_start = r.start_at LIMIT 1), r.task_id) AND t.territory_id = home
        CROSS JOIN LATERAL (
            SELECT r.worker_id = ANY (the_busy) OR coalesce(t.worker_id = ANY (the_busy), false)
        ) AS busy(who)
        WHERE r.plan_id = the_plan
          AND (r.incident_id = ANY (the_asked) OR r.task_id IS NOT NULL AND r.worker_id = ANY (the_workers))
    ), ends AS (
        SELECT l.*, least(l.end_at, lead(l.start_at) OVER (PARTITION BY l.worker_id ORDER BY l.start_at,
                   l.place_in_route)) AS until
        FROM looked AS l WHERE l.what IS NOT NULL
    ), good AS MATERIALIZED (
        SELECT e.*, CASE WHEN e.until > e.start_at THEN e.start_at END AS plan_start,
               CASE WHEN e.until > e.start_at THEN e.until END AS plan_end
        FROM ends AS e
    ), changes AS MATERIALIZED (
        SELECT g.task_id AS id, true AS ended, NULL::timestamptz AS plan_start, NULL::timestamptz AS plan_end,
               NULL::smallint AS place, false AS unplanned
        FROM good AS g WHERE g.what = 'sent' AND g.task_id IS NOT NULL
        UNION ALL
        SELECT g.task_id, false, g.plan_start, g.plan_end, g.place_in_route, false FROM good AS g
        WHERE g.what = 'retimed' AND (g.plan_start, g.plan_end, g.place_in_route)
              IS DISTINCT FROM (g.planned_start, g.planned_end, g.now_place)
        UNION ALL
        SELECT t.id, false, NULL, NULL, NULL, true FROM task AS t
        WHERE t.territory_id = home AND t.worker_id = ANY (the_workers)
          AND t.state IN ('waiting', 'accepted', 'started') AND t.planned_start IS NOT NULL
          AND NOT EXISTS (SELECT FROM good AS g WHERE g.task_id = t.id)
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
        WHERE i.id = g.incident_id AND g.what = 'sent' AND (SELECT count(*) FROM changed) >= 0
        RETURNING i.id, i.due_at, i.worker_id
    ), made AS (
        INSERT INTO task (territory_id, incident_id, kind, state, unit_id, worker_id, assigned_by, created_at, due_at,
                          planned_start, planned_end, place_in_route)
        SELECT home, s.id, 'handle', 'waiting', g.unit_id, g.worker_id, hand,  moment, s.due_at,
               g.plan_start, g.plan_end, g.place_in_route
        FROM sent AS s JOIN good AS g ON g.incident_id = s.id AND g.what = 'sent' AND g.worker_id = s.worker_id
        RETURNING id, incident_id, worker_id
    )
    SELECT l.incident_id, l.number, CASE WHEN l.what = 'sent' THEN m.id ELSE l.task_id END AS task_id, l.worker_id,
           CASE WHEN l.what = 'retimed' AND c.id IS NULL THEN 'kept' ELSE l.what END AS what, l.asked,
           l.incident_version, l.now_version, l.incident_id = ANY (the_locked) AND NOT l.busy AS locked,
           (SELECT count(*) FROM changed AS u WHERE u.unplanned) AS unplanned, l.code,
           CASE WHEN l.what IS NULL THEN ARRAY(SELECT unnest(l.skills) EXCEPT SELECT unnest(l.own_skills)) END,
           CASE WHEN l.what IS NULL THEN ARRAY(SELECT unnest(l.equipment) EXCEPT SELECT unnest(l.own_equipment)) END
    FROM looked AS l
    LEFT JOIN made AS m ON l.what = 'sent' AND m.incident_id = l.incident_id AND m.worker_id = l.worker_id
    LEFT JOIN changed AS c ON c.id = l.task_id
    ORDER BY l.place_in_route, l.incident_id;
END $$;
REVOKE EXECUTE ON FUNCTION gk_publish FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_publish TO gridkeeper_app;
