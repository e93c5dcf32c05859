DROP VIEW IF EXISTS ledger.latest_names; -- ledger.latest_studies has the names too
