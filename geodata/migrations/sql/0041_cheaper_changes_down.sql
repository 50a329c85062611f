DROP FUNCTION gk_publish(bigint, bigint[], timestamptz, boolean);
DROP FUNCTION gk_changes(bigint, bigint, boolean);
CREATE TRIGGER zz_layer_insert AFTER INSERT ON incident REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_layer('incidents');
CREATE TRIGGER zz_layer_update AFTER UPDATE ON incident REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_layer('incidents');
CREATE TRIGGER zz_layer_delete AFTER DELETE ON incident REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_layer('incidents');
CREATE TRIGGER zz_dispatch_insert AFTER INSERT ON task REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_dispatch('tasks');
CREATE TRIGGER zz_dispatch_update AFTER UPDATE ON task REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_dispatch('tasks');
CREATE TRIGGER zz_dispatch_delete AFTER DELETE ON task REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION gk_notify_dispatch('tasks');
DROP TRIGGER zz_record_update ON incident;
CREATE TRIGGER zz_record_update AFTER UPDATE ON incident REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION gk_record_change('id', '');
DROP TRIGGER zz_record_update ON task;
CREATE TRIGGER zz_record_update AFTER UPDATE ON task REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION gk_record_change('id', '');
