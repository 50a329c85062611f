-- That a deleted account's name leaves a row (by its foreign key, so inside another trigger) is no act of anybody;
-- said by hand, a request without a name under it could be decided on by who asked.
CREATE OR REPLACE FUNCTION gk_data_request_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() > 1
       AND (to_jsonb(NEW) - 'asked_by' - 'decided_by') = (to_jsonb(OLD) - 'asked_by' - 'decided_by')
       AND (NEW.asked_by IS NULL OR NEW.asked_by = OLD.asked_by)
       AND (NEW.decided_by IS NULL OR NEW.decided_by = OLD.decided_by) THEN
        RETURN NEW;  -- an account is gone; its label stays
    END IF;
    IF OLD.state <> 'waiting' THEN
        RAISE EXCEPTION 'This request is decided.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (NEW.data_set_id, NEW.asked_by, NEW.asked_label, NEW.purpose, NEW.days, NEW.territory_id, NEW.asked_at)
       IS DISTINCT FROM
       (OLD.data_set_id, OLD.asked_by, OLD.asked_label, OLD.purpose, OLD.days, OLD.territory_id, OLD.asked_at)
       OR NEW.unit_id IS DISTINCT FROM OLD.unit_id THEN
        RAISE EXCEPTION 'What was asked stays as it was asked.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF gk_role() <> 'system' AND NEW.state IN ('granted', 'refused') AND (
        OLD.asked_by IS NOT DISTINCT FROM gk_user() OR NEW.decided_by IS DISTINCT FROM gk_user()
        OR NOT gk_is_steward(OLD.data_set_id)
    ) THEN
        RAISE EXCEPTION 'The steward decides, and never on a request of his own.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF gk_role() <> 'system' AND NEW.state = 'withdrawn' AND OLD.asked_by IS DISTINCT FROM gk_user() THEN
        RAISE EXCEPTION 'Who asked takes it back.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION gk_api_token_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'revoked_at' - 'last_used_at' - 'made_by')
       <> (to_jsonb(OLD) - 'revoked_at' - 'last_used_at' - 'made_by')
       OR NEW.made_by IS DISTINCT FROM OLD.made_by AND (NEW.made_by IS NOT NULL OR pg_trigger_depth() = 1)
       OR OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION 'A token can only end.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

-- An entry tells of the data it was made for: whoever could point it elsewhere would become the steward of that.
-- Who keeps an entry is a supervisor's to say; a steward may lay it down.
CREATE FUNCTION gk_catalogue_entry_law() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.territory_id, NEW.key, NEW.data_set_id)
       IS DISTINCT FROM (OLD.id, OLD.territory_id, OLD.key, OLD.data_set_id) THEN
        RAISE EXCEPTION 'An entry stays with the data it tells of.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.steward_id IS DISTINCT FROM OLD.steward_id AND NEW.steward_id IS NOT NULL
       AND gk_role() NOT IN ('system', 'supervisor') THEN
        RAISE EXCEPTION 'A supervisor names the steward.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' AND (NEW.data_set_id IS NOT NULL OR NEW.key LIKE 'set-%') AND NOT EXISTS (
        SELECT FROM data_set AS d
        WHERE d.id = NEW.data_set_id AND d.territory_id = NEW.territory_id AND 'set-' || d.key = NEW.key
    ) THEN
        RAISE EXCEPTION 'An entry is called as the data set it tells of.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION gk_catalogue_entry_law FROM PUBLIC;
CREATE TRIGGER aa_law BEFORE INSERT OR UPDATE ON catalogue_entry
    FOR EACH ROW EXECUTE FUNCTION gk_catalogue_entry_law();
ALTER POLICY catalogue_entry_change ON catalogue_entry WITH CHECK (
    (SELECT gk_role()) = 'system' OR territory_id = (SELECT gk_territory())
    AND ((SELECT gk_role()) = 'supervisor' OR steward_id IS NULL OR steward_id = (SELECT gk_user()))
);
