DROP FUNCTION gk_publish(bigint, bigint[], timestamptz, boolean);
CREATE INDEX ix_incident_territory_id ON incident (territory_id);
CREATE INDEX ix_incident_community_id ON incident (community_id);
CREATE INDEX ix_incident_unit_id ON incident (unit_id);
CREATE INDEX ix_command_territory_id ON command (territory_id);
CREATE INDEX ix_outbox_territory_id ON outbox (territory_id);
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT tgrelid::regclass AS relation, tgname AS name, pg_get_triggerdef(oid) AS said FROM pg_trigger
               WHERE NOT tgisinternal AND pg_get_triggerdef(oid) ~ 'WHEN .*gridkeeper\.role' LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', one.name, one.relation);
        EXECUTE replace(replace(one.said,
            'current_setting(''gridkeeper.role''::text, true) IS DISTINCT FROM ', 'gk_role() <> '),
            'current_setting(''gridkeeper.role''::text, true) = ', 'gk_role() = ');
    END LOOP;
END $$;
