-- People name their studies and mark them, a decision says which person made it, and a look at test headlines counts
-- although its study is deleted.

ALTER TABLE studies ADD COLUMN name VARCHAR;
ALTER TABLE studies ADD COLUMN tags MAP(VARCHAR, VARCHAR);
UPDATE studies SET tags = MAP {};
COMMENT ON COLUMN studies.name IS 'What people call it; NULL where nobody named it.';
COMMENT ON COLUMN studies.tags IS 'Its marks, keys to values: tags[''desk''].';

ALTER TABLE champions ADD COLUMN person VARCHAR;
ALTER TABLE champions ADD COLUMN snapshot_id VARCHAR;
UPDATE champions SET snapshot_id = studies.snapshot_id FROM studies WHERE studies.study_id = champions.study_id;
COMMENT ON COLUMN champions.person IS 'Who decided: the user name, or what --by says; NULL for the gate, and for decisions of older versions.';
COMMENT ON COLUMN champions.snapshot_id IS 'The headlines of the study; the study itself may be deleted.';
