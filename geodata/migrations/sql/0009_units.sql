-- The units of a territory are a tree. The walk upwards is made after the row has changed and under a lock
-- of the territory, so that two changes at the same moment cannot close a ring together: the later one
-- waits, and then sees the earlier one.
CREATE FUNCTION gk_unit_tree() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    up integer := NEW.parent_id;
    home integer;
    steps integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('gridkeeper.unit_tree'), NEW.territory_id);
    WHILE up IS NOT NULL LOOP
        steps := steps + 1;
        IF up = NEW.id OR steps > 100 THEN
            RAISE EXCEPTION 'The unit % would stand above itself.', NEW.code
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_unit_tree';
        END IF;
        SELECT parent_id, territory_id INTO up, home FROM unit WHERE id = up;
        IF home IS DISTINCT FROM NEW.territory_id THEN
            RAISE EXCEPTION 'The unit above % belongs to another territory.', NEW.code
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_unit_home';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER unit_tree AFTER INSERT OR UPDATE OF parent_id, territory_id ON unit FOR EACH ROW
WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION gk_unit_tree();

-- How much work a unit still has, told to who may end a unit without letting him read an incident.
CREATE FUNCTION gk_unit_open(wanted integer) RETURNS TABLE (tasks bigint, incidents bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT (SELECT count(*) FROM task AS t
            WHERE t.unit_id = u.id AND t.state IN ('waiting', 'accepted', 'started')),
           (SELECT count(*) FROM incident AS i
            WHERE i.unit_id = u.id AND i.status NOT IN ('closed', 'void'))
    FROM unit AS u
    WHERE u.id = wanted
      AND (gk_role() = 'system' OR u.territory_id = gk_territory()
           AND gk_role() IN ('administrator', 'supervisor', 'auditor', 'dispatcher', 'grid_manager', 'handler'))
$$;
REVOKE EXECUTE ON FUNCTION gk_unit_open FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_unit_open TO gridkeeper_app;

-- The history of units and of the duty list is for whoever works with them.
CREATE POLICY record_unit ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table IN ('unit', 'class_owner')
    AND (SELECT gk_role()) IN ('administrator', 'supervisor', 'auditor', 'dispatcher', 'grid_manager', 'handler')
);

-- What a bulk load changed, asked without reading the record: its policies, planned inside those of
-- load_row and once for every mention, took 80 ms of planning for every history.
CREATE FUNCTION gk_load_table(wanted bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.subject_table FROM record AS r
    WHERE r.seq = wanted AND (gk_role() = 'system' OR r.territory_id = gk_territory() AND gk_role() <> 'nobody')
$$;
REVOKE EXECUTE ON FUNCTION gk_load_table FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gk_load_table TO gridkeeper_app;

DROP POLICY load_row_here ON load_row;
CREATE POLICY load_row_here ON load_row FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR CASE gk_load_table(record_seq)
        WHEN 'incident' THEN (SELECT gk_role()) IN ('supervisor', 'auditor')
            OR EXISTS (SELECT FROM incident WHERE incident.id = subject_id::bigint)
        WHEN 'task' THEN (SELECT gk_role()) IN ('supervisor', 'auditor')
            OR EXISTS (SELECT FROM task WHERE task.id = subject_id::bigint)
        WHEN 'unit' THEN
            (SELECT gk_role()) IN ('administrator', 'supervisor', 'auditor', 'dispatcher', 'grid_manager', 'handler')
        WHEN 'class_owner' THEN
            (SELECT gk_role()) IN ('administrator', 'supervisor', 'auditor', 'dispatcher', 'grid_manager', 'handler')
        ELSE gk_load_table(record_seq) IS NOT NULL AND (SELECT gk_role()) IN ('supervisor', 'auditor')
    END
);
