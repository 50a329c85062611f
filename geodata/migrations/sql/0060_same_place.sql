-- A pair is seen and decided by whoever may read both data sets and load one of them; it is found by the search alone.
ALTER TABLE place_pair ENABLE ROW LEVEL SECURITY;
CREATE POLICY place_pair_see ON place_pair FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR one_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
    AND other_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
    AND (gk_may_load_for((SELECT d.owner_unit_id FROM data_set AS d WHERE d.id = one_set_id))
         OR gk_may_load_for((SELECT d.owner_unit_id FROM data_set AS d WHERE d.id = other_set_id)))
);
CREATE POLICY place_pair_add ON place_pair FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY place_pair_decide ON place_pair FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR one_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
    AND other_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
    AND (gk_may_load_for((SELECT d.owner_unit_id FROM data_set AS d WHERE d.id = one_set_id))
         OR gk_may_load_for((SELECT d.owner_unit_id FROM data_set AS d WHERE d.id = other_set_id)))
);
CREATE POLICY place_pair_delete ON place_pair FOR DELETE USING ((SELECT gk_role()) = 'system');

-- What was found stays as it was found; only the decision changes, in the name of who takes it.
CREATE FUNCTION gk_place_pair_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gk_role() = 'system' THEN
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - '{state,reason,decided_by,decided_label,decided_at,version}'::text[])
       <> (to_jsonb(OLD) - '{state,reason,decided_by,decided_label,decided_at,version}'::text[]) THEN
        RAISE EXCEPTION 'Of a pair only the decision changes.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.decided_by IS DISTINCT FROM gk_user()
       AND (NEW.state, NEW.reason, NEW.decided_by, NEW.decided_at)
           IS DISTINCT FROM (OLD.state, OLD.reason, OLD.decided_by, OLD.decided_at) THEN
        RAISE EXCEPTION 'A decision bears the name of who takes it.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aa_law BEFORE UPDATE ON place_pair FOR EACH ROW EXECUTE FUNCTION gk_place_pair_law();

-- Which rows count as one place follows from the decisions.
ALTER TABLE same_place ENABLE ROW LEVEL SECURITY;
CREATE POLICY same_place_see ON same_place FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR data_set_id = ANY ((SELECT gk_data_sets_read())::integer[])
);
CREATE POLICY same_place_add ON same_place FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY same_place_change ON same_place FOR UPDATE USING ((SELECT gk_role()) = 'system');
CREATE POLICY same_place_delete ON same_place FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE POLICY record_place_pair ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table = 'place_pair'
    AND (SELECT gk_role()) IN ('supervisor', 'auditor', 'administrator')
);
