-- A decision tells who was judged, who judged, against whom, by which figures, and who is champion after it.

CREATE TABLE new_champions (
    champion_id VARCHAR PRIMARY KEY,
    decision VARCHAR NOT NULL CHECK (decision IN ('promoted', 'kept', 'rolled back')),
    decided_by VARCHAR NOT NULL CHECK (decided_by IN ('gate', 'person')),
    reason VARCHAR NOT NULL,
    study_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    temperature DOUBLE,
    champion_cell_id VARCHAR,
    champion_temperature DOUBLE,
    previous_cell_id VARCHAR,
    n BIGINT,
    accuracy DOUBLE,
    previous_accuracy DOUBLE,
    difference DOUBLE,
    difference_low DOUBLE,
    difference_high DOUBLE,
    p_value DOUBLE,
    level DOUBLE,
    decided_at TIMESTAMP NOT NULL
);
INSERT INTO new_champions BY NAME
SELECT
    champion_id,
    decision,
    'gate' AS decided_by,
    reason,
    study_id,
    cell_id,
    last_value(CASE decision WHEN 'promoted' THEN cell_id END IGNORE NULLS) OVER (ORDER BY decided_at) AS champion_cell_id,
    decided_at
FROM champions;
DROP TABLE champions;
ALTER TABLE new_champions RENAME TO champions;
COMMENT ON TABLE champions IS 'Every decision on who is champion, by the promotion gate or a person; the latest one says who is.';
COMMENT ON COLUMN champions.champion_id IS 'Identity of the decision.';
COMMENT ON COLUMN champions.decision IS 'promoted: the cell is champion from here on. kept: it was refused. rolled back: the champion before the last one is again.';
COMMENT ON COLUMN champions.decided_by IS 'gate, or person: `fintone promote`.';
COMMENT ON COLUMN champions.reason IS 'Why: what the gate found at each floor, or what the person gave.';
COMMENT ON COLUMN champions.study_id IS 'The study that asked, or else the latest one of the cell.';
COMMENT ON COLUMN champions.cell_id IS 'The cell that was judged.';
COMMENT ON COLUMN champions.temperature IS 'Sampling temperature at which it was judged.';
COMMENT ON COLUMN champions.champion_cell_id IS 'The champion after the decision; NULL where there is none.';
COMMENT ON COLUMN champions.champion_temperature IS 'Sampling temperature at which the champion is used.';
COMMENT ON COLUMN champions.previous_cell_id IS 'The champion before the decision; NULL where there was none.';
COMMENT ON COLUMN champions.n IS 'Test headlines on which the cell and the champion before it were compared; NULL where they were not, as of the next columns but accuracy.';
COMMENT ON COLUMN champions.accuracy IS 'Accuracy of the cell on them, or on its whole test part.';
COMMENT ON COLUMN champions.previous_accuracy IS 'Accuracy on them of the champion before.';
COMMENT ON COLUMN champions.difference IS 'Accuracy of the cell less that of the champion before.';
COMMENT ON COLUMN champions.difference_low IS 'Lower end of its 95 % interval: a bootstrap over headlines that keeps the pairs together.';
COMMENT ON COLUMN champions.difference_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN champions.p_value IS 'Exact p-value of McNemar''s test.';
COMMENT ON COLUMN champions.level IS 'The level that it had to be below; NULL where a person decided.';
COMMENT ON COLUMN champions.decided_at IS 'When, UTC.';
