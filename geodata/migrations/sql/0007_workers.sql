-- Why somebody is away is told to those who manage workers, and to himself; that he is away, and who
-- stands in, to every officer of the territory.
ALTER TABLE absence ENABLE ROW LEVEL SECURITY;
CREATE POLICY absence_manage ON absence USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) IN ('supervisor', 'administrator')
        OR (SELECT gk_role()) = 'grid_manager' AND EXISTS (
            SELECT FROM worker JOIN unit_grid USING (responsibility_grid_id)
            WHERE worker.id = worker_id AND unit_grid.community_id = ANY ((SELECT gk_areas())::integer[])
              AND unit_grid.ended_on IS NULL
        )
        OR (SELECT gk_role()) = 'handler' AND EXISTS (
            SELECT FROM worker WHERE worker.id = worker_id AND worker.unit_id = ANY ((SELECT gk_units())::integer[])
        )
    )
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
