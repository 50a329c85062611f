-- Proposed changes of the rules. Everybody who works here reads them; supervisors and administrators
-- propose; a supervisor who is somebody else decides. Who and when is stamped here, not told.
ALTER TABLE rule_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY rule_change_see ON rule_change FOR SELECT USING ((SELECT gk_role()) <> 'nobody');
CREATE POLICY rule_change_propose ON rule_change FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR (SELECT gk_role()) IN ('supervisor', 'administrator') AND proposed_by = (SELECT gk_user())
);
CREATE POLICY rule_change_decide ON rule_change FOR UPDATE USING (
    (SELECT gk_role()) IN ('system', 'supervisor', 'administrator')
);
CREATE POLICY rule_change_delete ON rule_change FOR DELETE USING ((SELECT gk_role()) = 'system');

CREATE FUNCTION gk_rule_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision text[] := '{state,decided_by,decided_label,decided_at,note,version}';
    persons text[] := '{proposed_by,decided_by}';
BEGIN
    IF gk_role() = 'system'
       OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF gk_user() IS NULL OR NEW.state <> 'proposed' THEN
            RAISE EXCEPTION 'A change is proposed by a person, and decided later.'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        NEW.proposed_by := gk_user();
        NEW.proposed_label := coalesce(gk_setting('label'), '');
        NEW.proposed_at := now();
        NEW.decided_by := NULL;
        NEW.decided_label := '';
        NEW.decided_at := NULL;
        NEW.note := '';
        RETURN NEW;
    END IF;
    -- An account that is deleted takes its number along; the label stays.
    IF gk_role() = 'administrator' AND to_jsonb(NEW) <> to_jsonb(OLD) AND to_jsonb(NEW) - persons = to_jsonb(OLD) - persons
       AND (NEW.proposed_by IS NULL OR NEW.proposed_by = OLD.proposed_by)
       AND (NEW.decided_by IS NULL OR NEW.decided_by = OLD.decided_by) AND gk_user() IS DISTINCT FROM OLD.proposed_by THEN
        RETURN NEW;
    END IF;
    IF OLD.state <> 'proposed' OR to_jsonb(NEW) - decision <> to_jsonb(OLD) - decision THEN
        RAISE EXCEPTION 'A proposal is never rewritten, and decided once.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state = 'withdrawn' AND OLD.proposed_by = gk_user() THEN
        NEW.decided_by := NULL;
    ELSIF NEW.state IN ('approved', 'rejected') AND gk_role() = 'supervisor'
          AND (OLD.proposed_by <> gk_user() OR NEW.state = 'rejected' AND OLD.proposed_by IS NULL) THEN
        NEW.decided_by := gk_user();
    ELSE
        RAISE EXCEPTION 'Who proposes a change does not decide it; a supervisor who is somebody else does.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.decided_label := coalesce(gk_setting('label'), '');
    NEW.decided_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER aa_guard BEFORE INSERT OR UPDATE ON rule_change FOR EACH ROW EXECUTE FUNCTION gk_rule_change();

-- Whether an edit of a change names the row that is written, and the values it is given.
CREATE FUNCTION gk_rule_names(edit jsonb, on_table text, old_row jsonb, new_row jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE
        WHEN new_row IS NULL THEN
            edit ->> 'table' = on_table AND edit ->> 'after' IS NULL AND edit ->> 'id' = old_row ->> 'id'
        WHEN old_row IS NOT NULL AND on_table = 'time_limit' THEN
            -- A limit is closed and followed by a new one, never written over.
            edit ->> 'table' = on_table AND edit ->> 'id' = old_row ->> 'id'
            AND new_row - 'valid_to' = old_row - 'valid_to'
        WHEN old_row IS NOT NULL THEN
            (edit ->> 'table' = on_table AND edit ->> 'id' = old_row ->> 'id'
             AND new_row - 'version' = (old_row - 'version') || coalesce(nullif(edit -> 'after', 'null'), '{}'))
            OR (on_table = 'calendar' AND edit ->> 'table' = 'calendar_day' AND edit ->> 'of' = old_row ->> 'id'
                AND new_row - 'version' = old_row - 'version')
        WHEN edit ->> 'table' <> on_table OR edit ->> 'after' IS NULL THEN false
        WHEN on_table = 'incident_class' THEN
            edit ->> 'key' = (new_row ->> 'kind') || '-' || (new_row ->> 'code') AND new_row @> (edit -> 'after')
        WHEN on_table = 'time_limit' THEN
            new_row @> ((edit -> 'after') - '{class,calendar}'::text[])
            AND (new_row ->> 'class_id')::integer IS NOT DISTINCT FROM (
                SELECT id FROM incident_class AS c
                WHERE c.scheme = new_row ->> 'scheme' AND c.scheme_version = new_row ->> 'scheme_version'
                  AND c.kind || '-' || c.code = edit -> 'after' ->> 'class'
            )
            AND (new_row ->> 'calendar_id')::integer IS NOT DISTINCT FROM (
                SELECT id FROM calendar AS c WHERE c.code = edit -> 'after' ->> 'calendar'
            )
        WHEN on_table = 'calendar_day' THEN
            edit ->> 'of' = new_row ->> 'calendar_id' AND split_part(edit ->> 'key', '|', 2) = new_row ->> 'day'
            AND new_row @> (edit -> 'after')
        ELSE false
    END
$$;

-- The rules themselves: nobody but the system (seeding, migrations) writes them, save who approves
-- another person's proposal, in the transaction that approves it, and only what the proposal names.
CREATE FUNCTION gk_rule_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    old_row jsonb := to_jsonb(OLD);
    new_row jsonb := to_jsonb(NEW);
    approved jsonb;
BEGIN
    IF gk_role() = 'system'
       OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    SELECT edits INTO approved FROM public.rule_change
    WHERE id = gk_setting('change')::integer AND state = 'approved' AND decided_at = now()
      AND decided_by = gk_user() AND proposed_by <> gk_user();
    IF approved IS NULL THEN
        RAISE EXCEPTION 'The role % may % rows of % only by approving what somebody else proposed.',
            gk_role(), lower(TG_OP), TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (
        SELECT FROM jsonb_array_elements(approved) AS edit WHERE gk_rule_names(edit, TG_TABLE_NAME, old_row, new_row)
    ) THEN
        RAISE EXCEPTION 'The approved change does not name this row of %.', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
