-- The first shape of the store. Every table has the installation in its key.
-- Instants are whole microseconds since 1970 (UTC). JSON columns hold what the types of
-- `triage` and `store::model` serialise to.

-- The inbox. A delivery that is done keeps its row (the GUID must be known to be refused a
-- second time) and loses its payload.
CREATE TABLE deliveries (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    installation INTEGER NOT NULL,
    guid         TEXT    NOT NULL,
    event        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    lane         TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    state        INTEGER NOT NULL DEFAULT 0, -- 0 waiting, 1 done, 2 dead
    attempts     INTEGER NOT NULL DEFAULT 0,
    error        TEXT    NOT NULL DEFAULT '',
    payload      BLOB,                       -- zstd; NULL once done
    UNIQUE (installation, guid)
) STRICT;

CREATE INDEX deliveries_waiting ON deliveries (installation, lane) WHERE state = 0;
CREATE INDEX deliveries_done ON deliveries (received_at) WHERE state = 1;
CREATE INDEX deliveries_dead ON deliveries (guid) WHERE state = 2;

-- The unit of order. `next_at` is derived from the other columns and the waiting deliveries:
-- the first instant at which the lane may be claimed; NULL when there is nothing to look at.
CREATE TABLE lanes (
    installation   INTEGER NOT NULL,
    lane           TEXT    NOT NULL,
    next_at        INTEGER,
    wake_at        INTEGER,            -- a timer, or another lane's word
    paused_until   INTEGER,            -- the pause after a failure
    failures       INTEGER NOT NULL DEFAULT 0,
    holder         TEXT,               -- NULL: not leased
    claimed_at     INTEGER,
    lease_until    INTEGER,
    fence          INTEGER NOT NULL DEFAULT 0,
    write_priority INTEGER,            -- NULL: does not wait for the writer
    write_since    INTEGER,
    PRIMARY KEY (installation, lane)
) STRICT, WITHOUT ROWID;

CREATE INDEX lanes_next ON lanes (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX lanes_writers ON lanes (installation, write_priority, write_since)
    WHERE write_priority IS NOT NULL;

-- Items and their mirror.
CREATE TABLE items (
    item         INTEGER PRIMARY KEY AUTOINCREMENT,
    installation INTEGER NOT NULL,
    issue        TEXT,                         -- JSON MirrorIssue; NULL until it was seen
    held_labels  TEXT NOT NULL DEFAULT '[]',   -- JSON set
    confirmed_by TEXT NOT NULL DEFAULT '[]',   -- JSON set
    UNIQUE (installation, item)
) STRICT;

CREATE TABLE aliases (
    installation INTEGER NOT NULL,
    alias        TEXT    NOT NULL,
    item         INTEGER NOT NULL,
    PRIMARY KEY (installation, alias),
    FOREIGN KEY (installation, item) REFERENCES items (installation, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX aliases_item ON aliases (installation, item);

CREATE TABLE board_rows (
    installation INTEGER NOT NULL,
    item         INTEGER NOT NULL,
    project      TEXT    NOT NULL,             -- node id of the project
    row          TEXT    NOT NULL,             -- JSON BoardRow
    PRIMARY KEY (installation, item, project),
    FOREIGN KEY (installation, item) REFERENCES items (installation, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX board_rows_project ON board_rows (installation, project);

CREATE TABLE ledger (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    installation INTEGER NOT NULL,
    item         INTEGER NOT NULL,
    act          TEXT    NOT NULL,             -- what makes it the same act; once for ever
    entry        TEXT    NOT NULL,             -- JSON LedgerEntry
    UNIQUE (installation, item, act),
    FOREIGN KEY (installation, item) REFERENCES items (installation, item)
) STRICT;

CREATE TABLE comments (
    installation INTEGER NOT NULL,
    item         INTEGER NOT NULL,
    key          TEXT    NOT NULL,
    comment      TEXT    NOT NULL,             -- JSON PostedComment
    PRIMARY KEY (installation, item, key),
    FOREIGN KEY (installation, item) REFERENCES items (installation, item)
) STRICT, WITHOUT ROWID;

-- Writes to GitHub, in the journal before they are sent.
CREATE TABLE effects (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    installation INTEGER NOT NULL,
    item         INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    target       TEXT    NOT NULL,
    detail       TEXT    NOT NULL,             -- JSON
    state        INTEGER NOT NULL DEFAULT 0,   -- 0 sent, 1 confirmed, 2 refused
    outcome      TEXT    NOT NULL DEFAULT '',  -- GitHub's id, or its refusal
    sent_at      INTEGER NOT NULL,
    ended_at     INTEGER,
    FOREIGN KEY (installation, item) REFERENCES items (installation, item)
) STRICT;

CREATE INDEX effects_unsettled ON effects (installation, item) WHERE state = 0;

CREATE TABLE audit (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    installation INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    item         INTEGER,
    kind         TEXT    NOT NULL,
    actor        INTEGER,
    delivery     TEXT,
    detail       TEXT    NOT NULL              -- JSON
) STRICT;

CREATE INDEX audit_item ON audit (installation, item) WHERE item IS NOT NULL;
CREATE INDEX audit_kind ON audit (installation, kind);

-- What was written down stays written down.
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- One row, written to prove that the store can write.
CREATE TABLE heartbeat (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    beats INTEGER NOT NULL
) STRICT;
