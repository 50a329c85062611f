-- Who may read the rows of a data set; that it exists every officer of its territory may know, to ask for it.
-- Restricted: its owner unit and the supervisor, who is the steward of data. Grants are added in a later migration.
CREATE FUNCTION gk_may_read_data_set(wanted integer) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT gk_role() = 'system' OR EXISTS (
        SELECT FROM data_set AS d
        WHERE d.id = wanted AND d.territory_id = gk_territory() AND gk_role() <> 'nobody' AND (
            d.sensitivity <> 'restricted' OR gk_role() = 'supervisor'
            OR gk_role() = 'handler' AND d.owner_unit_id = ANY (gk_units())
        )
    )
$$;
REVOKE EXECUTE ON FUNCTION gk_may_read_data_set FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_may_read_data_set TO gridkeeper_app;

-- The same of all at once: a policy asks it once a statement, not once a row.
CREATE FUNCTION gk_data_sets_read() RETURNS integer[] LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(array_agg(d.id), '{}') FROM data_set AS d
    WHERE d.territory_id = gk_territory() AND gk_may_read_data_set(d.id)
$$;
REVOKE EXECUTE ON FUNCTION gk_data_sets_read FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_data_sets_read TO gridkeeper_app;

-- Whoever loads: those who keep the data of the territory, and a department what is its own.
CREATE FUNCTION gk_may_load_for(unit integer) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT gk_role() IN ('system', 'supervisor', 'administrator') OR gk_role() = 'handler' AND unit = ANY (gk_units())
$$;

ALTER TABLE data_set ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_set_see ON data_set FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY data_set_add ON data_set FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND gk_may_load_for(owner_unit_id)
);
CREATE POLICY data_set_change ON data_set FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND gk_may_load_for(owner_unit_id)
);
CREATE POLICY data_set_delete ON data_set FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE data_mapping ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_mapping_see ON data_mapping FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('supervisor', 'administrator', 'handler')
);
CREATE POLICY data_mapping_add ON data_mapping FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) IN ('supervisor', 'administrator', 'handler')
);
CREATE POLICY data_mapping_delete ON data_mapping FOR DELETE USING ((SELECT gk_role()) = 'system');

-- Rows, batches and what goes into quarantine are written by the load alone, which has asked who acts.
ALTER TABLE data_batch ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_batch_see ON data_batch FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR data_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
);
CREATE POLICY data_batch_add ON data_batch FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY data_batch_change ON data_batch FOR UPDATE USING ((SELECT gk_role()) = 'system');
CREATE POLICY data_batch_delete ON data_batch FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE data_set_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY data_set_row_see ON data_set_row FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR data_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
);
CREATE POLICY data_set_row_add ON data_set_row FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY data_set_row_change ON data_set_row FOR UPDATE USING ((SELECT gk_role()) = 'system');
CREATE POLICY data_set_row_delete ON data_set_row FOR DELETE USING ((SELECT gk_role()) = 'system');

-- What waits in quarantine is seen and mended by whoever may both read and load the data set.
ALTER TABLE quarantined_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY quarantined_row_see ON quarantined_row FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR data_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
    AND gk_may_load_for((SELECT d.owner_unit_id FROM data_set AS d WHERE d.id = data_set_id))
);
CREATE POLICY quarantined_row_add ON quarantined_row FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY quarantined_row_mend ON quarantined_row FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR data_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
    AND gk_may_load_for((SELECT d.owner_unit_id FROM data_set AS d WHERE d.id = data_set_id))
);
CREATE POLICY quarantined_row_delete ON quarantined_row FOR DELETE USING ((SELECT gk_role()) = 'system');
-- Mending and dropping are recorded; that rows came into quarantine stands in their batch, and its count.
CREATE TRIGGER zz_record_update AFTER UPDATE ON quarantined_row REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gk_record_change('id', 'raw,violations');

-- A data set's own table, bare, beside the others until it is filled: no reader waits for a load. The application's
-- login may write into it and nothing else; it is read through data_set_row, where the policies stand.
CREATE FUNCTION gk_data_set_table(wanted integer) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    made text := 'data_set_row_' || wanted;
BEGIN
    IF gk_role() <> 'system' OR NOT EXISTS (SELECT FROM data_set WHERE id = wanted) THEN
        RAISE EXCEPTION 'The table of a data set is made by its first load.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format(
        'CREATE TABLE public.%I (LIKE public.data_set_row INCLUDING DEFAULTS INCLUDING CONSTRAINTS,'
        ' CONSTRAINT %I CHECK (data_set_id = %s))', made, made || '_own', wanted
    );
    EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, gridkeeper_app', made);
    EXECUTE format('GRANT INSERT ON public.%I TO gridkeeper_app', made);
    EXECUTE format(
        'CREATE TRIGGER aa_guard BEFORE INSERT ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION gk_guard()', made
    );
    RETURN made;
END $$;
REVOKE EXECUTE ON FUNCTION gk_data_set_table FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_data_set_table TO gridkeeper_app;

-- The filled table becomes a partition, and gets its indexes by that. Rows whose key stands there more than once are
-- taken out before, all but the first: those that say the same again, and those that say something else.
CREATE FUNCTION gk_data_set_attach(wanted integer)
RETURNS TABLE (number bigint, same boolean, said jsonb, place geometry) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    made text := 'data_set_row_' || wanted;
    joined text := format('ALTER TABLE public.data_set_row ATTACH PARTITION public.%I FOR VALUES IN (%s)', made, wanted);
BEGIN
    IF gk_role() <> 'system' THEN
        RAISE EXCEPTION 'Data sets are loaded by the load alone.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    BEGIN
        EXECUTE joined;
        RETURN;
    EXCEPTION WHEN unique_violation THEN
        NULL;  -- keys stand there more than once
    END;
    RETURN QUERY EXECUTE format(
        'WITH told AS (SELECT ctid AS at, content_hash,'
        '   row_number() OVER same_key AS n, first_value(content_hash) OVER same_key AS first'
        '  FROM public.%1$I WINDOW same_key AS (PARTITION BY row_key ORDER BY row_number)'
        ') DELETE FROM public.%1$I AS r USING told WHERE r.ctid = told.at AND told.n > 1'
        ' RETURNING r.row_number, told.first = r.content_hash,'
        ' CASE WHEN told.first <> r.content_hash THEN r.properties END,'
        ' CASE WHEN told.first <> r.content_hash THEN r.geom END', made
    );
    EXECUTE joined;
END $$;
REVOKE EXECUTE ON FUNCTION gk_data_set_attach FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_data_set_attach TO gridkeeper_app;

-- A data set goes with its table.
CREATE FUNCTION gk_data_set_gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS public.%I', 'data_set_row_' || OLD.id);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION gk_data_set_gone FROM PUBLIC;
CREATE TRIGGER yy_gone AFTER DELETE ON data_set FOR EACH ROW EXECUTE FUNCTION gk_data_set_gone();

-- Rows of today by place. A policy keeps GiST from being used; whether the set may be read at all is asked once here.
CREATE FUNCTION gk_data_set_in(wanted integer, box geometry) RETURNS SETOF data_set_row LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT gk_may_read_data_set(wanted) OR to_regclass('public.data_set_row_' || wanted) IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT * FROM public.%I WHERE valid_to IS NULL AND geom OPERATOR(public.&&) $1', 'data_set_row_' || wanted
    ) USING box;
END $$;
REVOKE EXECUTE ON FUNCTION gk_data_set_in FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_data_set_in TO gridkeeper_app;

CREATE POLICY record_data_set ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table IN ('data_set', 'data_batch', 'data_mapping')
    AND (SELECT gk_role()) IN ('supervisor', 'administrator', 'auditor')
);
