-- A split of folds: each fold is a split of its own, and all headlines together are the test part of the whole.

CREATE TABLE split_folds (
    split_id VARCHAR NOT NULL,
    fold INTEGER NOT NULL,
    fold_split_id VARCHAR NOT NULL,
    PRIMARY KEY (split_id, fold)
);
COMMENT ON TABLE split_folds IS 'The folds of a cross-validation: which splits one split is made of.';
COMMENT ON COLUMN split_folds.split_id IS 'The split of all folds together, which a study has; its test part is every headline.';
COMMENT ON COLUMN split_folds.fold IS 'Number of the fold, from 1.';
COMMENT ON COLUMN split_folds.fold_split_id IS 'The split of the fold: the fold is its test part.';
