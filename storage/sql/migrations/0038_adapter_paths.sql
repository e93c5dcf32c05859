-- Where a fine-tune lies within the home: the path of the home itself changes when it is moved or mounted elsewhere.

UPDATE cells SET adapter_path = 'adapters/' || cell_id WHERE adapter_path IS NOT NULL;
COMMENT ON COLUMN cells.adapter_path IS 'Folder of the fine-tune, within the home.';
