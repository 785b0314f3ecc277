-- What happened to items, as it was learned: opened, closed, reopened, gone, and every change of a
-- board's field. Who set which attribute is in the ledger. The figures of the digest are computed
-- from both.
CREATE TABLE history (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    installation INTEGER NOT NULL,
    item         INTEGER NOT NULL,
    at           INTEGER NOT NULL,             -- when it happened
    noted_at     INTEGER NOT NULL,             -- when it was learned
    what         TEXT    NOT NULL,             -- JSON Happened
    FOREIGN KEY (installation, item) REFERENCES items (installation, item)
) STRICT;

CREATE INDEX history_in_order ON history (installation, at, id);

CREATE TRIGGER history_no_update BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER history_no_delete BEFORE DELETE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
