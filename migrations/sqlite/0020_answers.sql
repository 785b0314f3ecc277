-- What the bot says to commands: a reaction, and a reply where there is something to say.
CREATE TABLE answers (
    installation INTEGER NOT NULL,
    item         INTEGER NOT NULL,
    key          TEXT    NOT NULL,             -- of the comment that was answered
    answer       TEXT    NOT NULL,             -- JSON Answer
    PRIMARY KEY (installation, item, key),
    FOREIGN KEY (installation, item) REFERENCES items (installation, item)
) STRICT, WITHOUT ROWID;
