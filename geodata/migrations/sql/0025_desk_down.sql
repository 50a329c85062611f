DROP TRIGGER yy_step ON incident;
CREATE TRIGGER yy_step AFTER UPDATE ON incident FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_incident_step();
DROP TRIGGER yy_begins ON incident;
CREATE TRIGGER yy_begins AFTER INSERT ON incident FOR EACH ROW
WHEN (gk_role() <> 'system') EXECUTE FUNCTION gk_incident_begins();
DROP TRIGGER yy_duplicate ON task;
DROP TRIGGER yz_duplicates_follow ON incident;
DROP TRIGGER incident_duplicate_update ON incident;
DROP TRIGGER incident_duplicate_insert ON incident;
DROP TRIGGER ab_emergency ON hand_over;
DROP FUNCTION gk_task_of_duplicate();
DROP FUNCTION gk_duplicates_follow();
DROP FUNCTION gk_duplicate();
DROP FUNCTION gk_emergency();
