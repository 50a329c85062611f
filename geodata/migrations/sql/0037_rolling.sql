-- The standing plan is made by the dispatch process alone, and read by those who send out: it tells where workers are.
-- It is not recorded: a proposal is no act, and what is published stands in the record of task and incident.
ALTER TABLE plan ENABLE ROW LEVEL SECURITY;
CREATE POLICY plan_see ON plan FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'dispatcher'
);
CREATE POLICY plan_make ON plan FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY plan_change ON plan FOR UPDATE USING ((SELECT gk_role()) = 'system');
CREATE POLICY plan_delete ON plan FOR DELETE USING ((SELECT gk_role()) = 'system');

ALTER TABLE plan_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY plan_row_see ON plan_row FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'dispatcher'
);
CREATE POLICY plan_row_make ON plan_row FOR INSERT WITH CHECK ((SELECT gk_role()) = 'system');
CREATE POLICY plan_row_delete ON plan_row FOR DELETE USING ((SELECT gk_role()) = 'system');

-- Which streets are closed is for everybody who works here; the dispatcher closes and opens them.
ALTER TABLE closure ENABLE ROW LEVEL SECURITY;
CREATE POLICY closure_see ON closure FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY closure_add ON closure FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'dispatcher'
);
CREATE POLICY closure_change ON closure FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'dispatcher'
);
CREATE POLICY closure_delete ON closure FOR DELETE USING ((SELECT gk_role()) = 'system');

-- A closure is made in the own name; who made it and when is never changed. (The name goes with the account.)
CREATE FUNCTION gk_closure() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF gk_lawless(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.made_by := gk_user();
    ELSIF pg_trigger_depth() = 1 AND (NEW.made_by, NEW.made_at) IS DISTINCT FROM (OLD.made_by, OLD.made_at) THEN
        PERFORM gk_refuse('Who closed a street and when is never changed.', 'ck_closure_made');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_closure BEFORE INSERT OR UPDATE ON closure FOR EACH ROW EXECUTE FUNCTION gk_closure();

-- What things cost is open to everybody who works here, as it decides over their work.
ALTER TABLE cost_table ENABLE ROW LEVEL SECURITY;
CREATE POLICY cost_table_see ON cost_table FOR SELECT USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) <> 'nobody'
);
CREATE POLICY cost_table_add ON cost_table FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'dispatcher'
);
CREATE POLICY cost_table_change ON cost_table FOR UPDATE USING (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory()) AND (SELECT gk_role()) = 'dispatcher'
);
CREATE POLICY cost_table_delete ON cost_table FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE POLICY record_dispatch ON record FOR SELECT USING (
    territory_id = (SELECT gk_territory()) AND subject_table IN ('closure', 'cost_table')
    AND (SELECT gk_role()) IN ('dispatcher', 'grid_manager', 'supervisor', 'auditor')
);

-- What a plan rests on is announced, once a statement and territory, after the commit.
CREATE FUNCTION gk_notify_dispatch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed_territory integer;
BEGIN
    FOR changed_territory IN SELECT DISTINCT territory_id FROM changed LOOP
        PERFORM pg_notify('gridkeeper_dispatch', changed_territory || ':' || TG_ARGV[0]);
    END LOOP;
    RETURN NULL;
END $$;
