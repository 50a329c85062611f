DELETE FROM transition WHERE subject = 'visit' AND role = 'supervisor' AND source <> '' AND target <> 'cancelled';
DROP TRIGGER yz_call_back ON incident;
DROP FUNCTION gk_call_back;
DROP TRIGGER territory_facts ON territory;
DROP FUNCTION gk_facts_go;
