-- Boards: where each row stands, and what was decided of it.

-- `place` and `lane` are written by the item's lane, `standing` and `verdict` by the board's; the
-- item's lane ends a verdict when it is done.
CREATE TABLE board_places (
    installation INTEGER NOT NULL,
    project      TEXT    NOT NULL,             -- node id of the project
    item         INTEGER NOT NULL,
    lane         TEXT,                         -- NULL: drafts and pull requests have none
    place        TEXT    NOT NULL,             -- JSON Place
    standing     TEXT,                         -- JSON Standing; NULL: never decided on
    verdict      TEXT,                         -- JSON Verdict
    verdict_id   TEXT,
    PRIMARY KEY (installation, project, item),
    FOREIGN KEY (installation, item) REFERENCES items (installation, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX board_places_item ON board_places (installation, item);

-- What is known of each board as a whole.
CREATE TABLE board_states (
    installation INTEGER NOT NULL,
    project      TEXT    NOT NULL,
    state        TEXT    NOT NULL,             -- JSON BoardState
    PRIMARY KEY (installation, project)
) STRICT, WITHOUT ROWID;
