-- Where a point lies, as one number: squares of 0.002 degrees (about 200 m). Comparing it is leakproof,
-- which finding by shape is not, so an index on it serves under a policy.
CREATE FUNCTION gk_square(lon double precision, lat double precision) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT floor((lon + 180) * 500)::bigint * 100000 + floor((lat + 90) * 500)::bigint $$;

-- The squares that a shape's box touches.
CREATE FUNCTION gk_squares(shape geometry) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT array_agg(x * 100000 + y)
    FROM generate_series(floor((ST_XMin(shape) + 180) * 500)::bigint, floor((ST_XMax(shape) + 180) * 500)::bigint) AS x,
         generate_series(floor((ST_YMin(shape) + 90) * 500)::bigint, floor((ST_YMax(shape) + 90) * 500)::bigint) AS y $$;

-- Of the shipped public utilities only lamps, storm manholes and storm grates are open: the rest is gas,
-- power, telecom and water. Other schemes give the digits other meanings; there all of major 01 is restricted.
CREATE FUNCTION gk_is_restricted(scheme text, class_code text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT class_code LIKE '01-%' AND (scheme <> 'gk' OR class_code NOT IN ('01-03', '01-04', '01-18')) $$;

-- What no hand may write: another square, a class that the digits do not say, an open water pipe.
CREATE FUNCTION gk_component() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known record;
BEGIN
    SELECT kind, code, scheme INTO known FROM incident_class WHERE id = NEW.class_id;
    IF known.kind <> 'component' OR substr(NEW.code, 7, 4) <> replace(known.code, '-', '') THEN
        RAISE EXCEPTION 'The identifier % is none of the class % %.', NEW.code, known.kind, known.code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_component_class';
    END IF;
    NEW.square := gk_square(ST_X(NEW.geom), ST_Y(NEW.geom));
    IF gk_is_restricted(known.scheme, known.code) THEN
        NEW.sensitivity := 'restricted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER component_row BEFORE INSERT OR UPDATE ON component FOR EACH ROW EXECUTE FUNCTION gk_component();

-- Every officer sees the open ones, the roles with incidents the restricted ones too. A bulk load goes
-- through a temporary table and one INSERT, because COPY into a table with policies is refused: the
-- policies speak about every row of it.
ALTER TABLE component ENABLE ROW LEVEL SECURITY;
CREATE POLICY component_see ON component FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody' AND (
        sensitivity = 'open'
        OR (SELECT gk_role()) IN ('dispatcher', 'supervisor', 'auditor', 'grid_manager', 'grid_worker', 'handler')
    )
);
CREATE POLICY component_add ON component FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) = 'supervisor'
        OR (SELECT gk_role()) = 'grid_manager' AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'handler'
        AND ARRAY[unit_id, property_unit_id, upkeep_unit_id] && (SELECT gk_units())::integer[]
    )
);
CREATE POLICY component_change ON component FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) = 'supervisor'
        OR (SELECT gk_role()) = 'grid_manager' AND community_id = ANY ((SELECT gk_areas())::integer[])
        OR (SELECT gk_role()) = 'handler'
        AND ARRAY[unit_id, property_unit_id, upkeep_unit_id] && (SELECT gk_units())::integer[]
    )
);
CREATE POLICY component_delete ON component FOR DELETE USING ((SELECT gk_role()) = 'system');

-- The history of a component is for whoever sees it.
CREATE POLICY record_component ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory())
    AND CASE WHEN subject_table = 'component'
        THEN EXISTS (SELECT FROM component WHERE component.id = subject_id::bigint) ELSE false END
);
CREATE POLICY load_row_component ON load_row FOR SELECT USING (
    CASE WHEN gk_load_table(record_seq) = 'component'
    THEN EXISTS (SELECT FROM component WHERE component.id = subject_id::bigint) ELSE false END
);
