-- How far history was read that happened before anybody listened.
CREATE TABLE backfills (
    installation INTEGER PRIMARY KEY,
    state        TEXT    NOT NULL              -- JSON Backfill
) STRICT;
