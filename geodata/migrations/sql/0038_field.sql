-- Where somebody is: for who dispatches, for himself, for the system that plans and that forgets; for nobody else,
-- whatever page asks. Only the worker himself says it.
ALTER TABLE worker_position ENABLE ROW LEVEL SECURITY;
CREATE POLICY worker_position_see ON worker_position FOR SELECT USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory()) AND (
        (SELECT gk_role()) = 'dispatcher'
        OR (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
    )
);
CREATE POLICY worker_position_say ON worker_position FOR INSERT WITH CHECK (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
);
CREATE POLICY worker_position_move ON worker_position FOR UPDATE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
);
CREATE POLICY worker_position_forget ON worker_position FOR DELETE USING (
    (SELECT gk_role()) = 'system'
    OR territory_id = (SELECT gk_territory())
    AND (SELECT gk_role()) = 'grid_worker' AND worker_id = (SELECT gk_worker())
);
