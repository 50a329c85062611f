-- Who writes a roster reaches no further than his workers. Rosters come in bulk, and PostgreSQL refuses COPY
-- into tables with row-level security: a trigger asks of all rows of a statement at once. A worker that is gone
-- took his rows along by the foreign key.
CREATE FUNCTION gk_roster_reach() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gk_role() = 'system'
       OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN NULL;
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT worker_id, territory_id FROM changed) AS c JOIN worker AS w ON w.id = c.worker_id
        WHERE c.territory_id <> w.territory_id
           OR NOT gk_manages(w.territory_id, w.unit_id, w.responsibility_grid_id)
    ) THEN
        RAISE EXCEPTION 'The role % reaches no such row of %.', gk_role(), TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

-- Patterns and rules are of the whole territory: nobody changes another's.
CREATE FUNCTION gk_own_territory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gk_role() <> 'system' AND EXISTS (SELECT FROM changed WHERE territory_id IS DISTINCT FROM gk_territory())
       AND NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RAISE EXCEPTION 'The rows of % belong to another territory.', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

-- Who manages a worker reads what happened to his roster.
CREATE POLICY record_roster ON record FOR SELECT USING (
    (SELECT gk_role()) IN ('administrator', 'grid_manager', 'handler') AND territory_id = (SELECT gk_territory())
    AND subject_table IN ('worker_pattern', 'roster_exception')
    AND gk_manages_worker((coalesce(after, before) ->> 'worker_id')::integer)
);

-- The usual shifts become patterns of a week, named by their hours. How long the break was nobody wrote down;
-- half an hour is taken for a shift longer than six hours, as the rules that ship ask for.
CREATE TEMP TABLE usual ON COMMIT DROP AS
    SELECT id AS worker_id, territory_id, employed_from, start_min,
           CASE WHEN end_min > start_min THEN end_min ELSE end_min + 1440 END AS end_min, weekdays
    FROM (
        SELECT id, territory_id, employed_from, extract(epoch FROM shift_start)::integer / 60 AS start_min,
               extract(epoch FROM shift_end)::integer / 60 AS end_min,
               ARRAY(SELECT DISTINCT unnest(shift_weekdays) ORDER BY 1) AS weekdays
        FROM worker WHERE shift_start IS NOT NULL AND shift_end IS NOT NULL AND cardinality(shift_weekdays) > 0
    ) AS w;
WITH kinds AS (
    SELECT DISTINCT territory_id, start_min, end_min, weekdays FROM usual
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY territory_id ORDER BY start_min, end_min, weekdays) AS n FROM kinds
)
INSERT INTO shift_pattern (territory_id, code, name, name_zh, cycle_days, steps)
SELECT territory_id, 'P' || n,
       to_char(make_interval(mins => start_min), 'HH24:MI') || '–' || to_char(make_interval(mins => end_min % 1440), 'HH24:MI')
       || ', days ' || array_to_string(weekdays, ' '),
       to_char(make_interval(mins => start_min), 'HH24:MI') || '–' || to_char(make_interval(mins => end_min % 1440), 'HH24:MI')
       || '，周' || array_to_string(weekdays, '、'),
       7,
       (SELECT jsonb_agg(jsonb_build_object('day', d - 1, 'start_min', start_min, 'end_min', end_min,
                                            'break_min', CASE WHEN end_min - start_min > 360 THEN 30 ELSE 0 END)
                         ORDER BY d) FROM unnest(weekdays) AS d)
FROM numbered;
INSERT INTO worker_pattern (territory_id, worker_id, pattern_id, anchor_on, valid_from)
SELECT u.territory_id, u.worker_id, p.id, DATE '2020-01-06', coalesce(u.employed_from, DATE '2020-01-06')
FROM usual AS u JOIN shift_pattern AS p ON p.territory_id = u.territory_id
 AND p.steps = (SELECT jsonb_agg(jsonb_build_object('day', d - 1, 'start_min', u.start_min, 'end_min', u.end_min,
                                                    'break_min', CASE WHEN u.end_min - u.start_min > 360 THEN 30 ELSE 0 END)
                                 ORDER BY d) FROM unnest(u.weekdays) AS d);
DROP TABLE usual;
