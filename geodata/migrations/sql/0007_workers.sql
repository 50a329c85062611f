-- Who manages a worker: the supervisor and the administrator all of the territory, a grid manager those whose
-- responsibility grid lies in the own communities, a handler those of the own units.
CREATE FUNCTION gk_manages(home integer, unit integer, grid integer) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT gk_role() = 'system'
        OR coalesce(home = gk_territory(), false) AND (
            gk_role() IN ('supervisor', 'administrator')
            OR gk_role() = 'grid_manager' AND EXISTS (
                SELECT FROM unit_grid WHERE responsibility_grid_id = grid AND ended_on IS NULL
                AND community_id = ANY (gk_areas())
            )
            OR gk_role() = 'handler' AND unit = ANY (gk_units())
        )
$$;

CREATE FUNCTION gk_manages_worker(who integer) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM worker WHERE id = who AND gk_manages(territory_id, unit_id, responsibility_grid_id)
    )
$$;

-- Workers come in bulk, and PostgreSQL refuses COPY into tables with row-level security: a trigger asks of
-- every row, as it was and as it will be.
CREATE FUNCTION gk_worker_reach() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gk_role() = 'system' OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER')
    THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP <> 'INSERT' AND NOT gk_manages(OLD.territory_id, OLD.unit_id, OLD.responsibility_grid_id)
       OR TG_OP <> 'DELETE' AND NOT gk_manages(NEW.territory_id, NEW.unit_id, NEW.responsibility_grid_id) THEN
        RAISE EXCEPTION 'The role % reaches no such row of worker.', gk_role() USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER ab_reach BEFORE INSERT OR UPDATE OR DELETE ON worker FOR EACH ROW EXECUTE FUNCTION gk_worker_reach();

-- Who changes a sealed name or phone: the administrator, and else who manages the worker whose it is.
CREATE POLICY person_change ON person AS RESTRICTIVE FOR UPDATE USING (
    (SELECT gk_role()) IN ('system', 'administrator')
    OR EXISTS (SELECT FROM worker WHERE worker.person_id = person.id AND gk_manages_worker(worker.id))
);
DROP POLICY person_key_insert ON person_key;
CREATE POLICY person_key_insert ON person_key FOR INSERT WITH CHECK (
    (SELECT gk_role()) NOT IN ('planner', 'auditor', 'nobody')
);

-- Why somebody is away is told to those who manage workers, and to himself; that he is away, and who
-- stands in, to every officer of the territory.
ALTER TABLE absence ENABLE ROW LEVEL SECURITY;
CREATE POLICY absence_manage ON absence USING (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('supervisor', 'administrator', 'grid_manager', 'handler')
    AND territory_id = (SELECT gk_territory()) AND gk_manages_worker(worker_id)
);
CREATE POLICY absence_own ON absence FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND worker_id = (SELECT gk_worker())
);

CREATE FUNCTION gk_away(home integer, first date, last date)
RETURNS TABLE (worker_id integer, deputy_id integer, from_on date, to_on date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.worker_id, a.deputy_id, a.from_on, a.to_on FROM absence AS a
    WHERE a.territory_id = home AND a.from_on <= last AND a.to_on >= first
      AND (gk_role() = 'system' OR gk_role() <> 'nobody' AND home = gk_territory())
$$;
REVOKE EXECUTE ON FUNCTION gk_away FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_away TO gridkeeper_app;

-- How many live tasks each worker has: a number, for those who may end an employment but read no incident.
CREATE FUNCTION gk_open_tasks(home integer) RETURNS TABLE (worker_id integer, tasks bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.worker_id, count(*) FROM task AS t
    WHERE t.territory_id = home AND t.worker_id IS NOT NULL AND t.state IN ('waiting', 'accepted', 'started')
      AND (gk_role() = 'system' OR gk_role() NOT IN ('nobody', 'planner') AND home = gk_territory())
    GROUP BY t.worker_id
$$;
REVOKE EXECUTE ON FUNCTION gk_open_tasks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_open_tasks TO gridkeeper_app;

-- Who manages a worker reads what happened to him; the supervisor and the auditor read all of the record anyway.
CREATE POLICY record_worker ON record FOR SELECT USING (
    (SELECT gk_role()) IN ('administrator', 'grid_manager', 'handler') AND territory_id = (SELECT gk_territory())
    AND CASE subject_table
        WHEN 'worker' THEN gk_manages_worker(subject_id::integer)
        WHEN 'absence' THEN gk_manages_worker((coalesce(after, before) ->> 'worker_id')::integer)
        ELSE false
    END
);
