-- The digests that were made, one for each slot, and the logins by which they name people.
CREATE TABLE digests (
    installation INTEGER NOT NULL,
    digest       TEXT    NOT NULL,             -- the policy's id of it
    slot_at      INTEGER NOT NULL,             -- when it was due
    record       TEXT    NOT NULL,             -- JSON DigestRecord
    PRIMARY KEY (installation, digest, slot_at)
) STRICT;

CREATE TABLE people (
    installation INTEGER NOT NULL,
    person       INTEGER NOT NULL,             -- GitHub's numeric id
    login        TEXT    NOT NULL,             -- as last seen; only ever shown, never compared
    PRIMARY KEY (installation, person)
) STRICT;
