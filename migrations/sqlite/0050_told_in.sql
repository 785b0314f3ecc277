-- Where a reason was given in private is kept by the repository's number. It was kept by its name,
-- and names change: what then had the name may be another repository, or none. A name that the mirror
-- knows as that of one repository becomes its number, any other becomes 0, which is nobody's. The
-- ledger stays append-only: this says the same in other words, once.
DROP TRIGGER ledger_no_update;
UPDATE ledger SET entry = json_set(entry, '$.told_in', COALESCE((
    SELECT CASE WHEN COUNT(DISTINCT json_extract(i.issue, '$.repository_id')) = 1
                THEN MIN(json_extract(i.issue, '$.repository_id')) END
    FROM items i
    WHERE i.installation = ledger.installation
      AND json_extract(i.issue, '$.issue.repository.owner')
          = json_extract(ledger.entry, '$.told_in.owner') COLLATE NOCASE
      AND json_extract(i.issue, '$.issue.repository.name')
          = json_extract(ledger.entry, '$.told_in.name') COLLATE NOCASE
), 0))
WHERE json_type(entry, '$.told_in') = 'object';
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
