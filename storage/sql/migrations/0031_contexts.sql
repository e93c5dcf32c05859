-- The text that a prompted model is shown before a headline.

ALTER TABLE headlines ADD COLUMN context VARCHAR;
COMMENT ON COLUMN headlines.context IS 'Text that is shown before it, as the column data.context_column has it; NULL where none is.';
COMMENT ON COLUMN headlines.headline_id IS 'Identity of the headline, from its normalised text and its label, and from its instrument, day and context where it has them (data.identity).';

DROP VIEW IF EXISTS example_effects; -- prompt_effects is it, and has contexts too

ALTER TABLE sources ADD COLUMN context_column VARCHAR;
COMMENT ON COLUMN sources.context_column IS 'The column of the context; NULL where there is none.';
