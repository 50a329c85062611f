DROP POLICY record_api_token ON record;
DROP POLICY record_data_exchange ON record;
CREATE OR REPLACE FUNCTION gk_may_read_data_set(wanted integer) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT gk_role() = 'system' OR EXISTS (
        SELECT FROM data_set AS d
        WHERE d.id = wanted AND d.territory_id = gk_territory() AND gk_role() <> 'nobody' AND (
            d.sensitivity <> 'restricted' OR gk_role() = 'supervisor'
            OR gk_role() = 'handler' AND d.owner_unit_id = ANY (gk_units())
        )
    )
$$;
