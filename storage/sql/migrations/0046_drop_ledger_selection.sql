DROP VIEW IF EXISTS ledger.selection; -- it is the view model_selection now, which analysts can read
