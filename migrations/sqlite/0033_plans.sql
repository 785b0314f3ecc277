-- What rules changed where nobody had done anything: how far they reached lately.
CREATE TABLE unasked (
    installation INTEGER NOT NULL,
    item         INTEGER NOT NULL,
    at           INTEGER NOT NULL,             -- the last time
    PRIMARY KEY (installation, item)
) STRICT, WITHOUT ROWID;

-- What rules would have changed beyond that: it waits until somebody lets it.
CREATE TABLE plans (
    installation INTEGER NOT NULL,
    id           TEXT    NOT NULL,
    made_at      INTEGER NOT NULL,
    applied_at   INTEGER,                      -- NULL: it waits
    PRIMARY KEY (installation, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE planned (
    installation INTEGER NOT NULL,
    plan         TEXT    NOT NULL,
    item         INTEGER NOT NULL,
    name         TEXT    NOT NULL,             -- owner/repo#n
    private      INTEGER NOT NULL,
    lane         TEXT    NOT NULL,
    writes       TEXT    NOT NULL,             -- JSON list of Write, as first shown
    PRIMARY KEY (installation, plan, item),
    FOREIGN KEY (installation, plan) REFERENCES plans (installation, id)
) STRICT, WITHOUT ROWID;

-- The policy that items were last decided by.
CREATE TABLE policies (
    installation INTEGER PRIMARY KEY,
    fingerprint  TEXT    NOT NULL
) STRICT;
