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
CREATE POLICY load_row_unit ON load_row FOR SELECT USING (
    (SELECT gk_role()) IN ('administrator', 'supervisor', 'auditor', 'dispatcher', 'grid_manager', 'handler')
    AND EXISTS (SELECT FROM record WHERE seq = record_seq AND subject_table IN ('unit', 'class_owner'))
);
