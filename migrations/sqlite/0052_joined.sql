-- Items that turned out to be another one (an issue that was transferred, and was met in its new
-- place before GitHub told where it came from). What is append-only stays under the old id.
CREATE TABLE joined (
    installation INTEGER NOT NULL,
    item         INTEGER NOT NULL,
    one          INTEGER NOT NULL,             -- the item that it is
    PRIMARY KEY (installation, item),
    FOREIGN KEY (installation, item) REFERENCES items (installation, item),
    FOREIGN KEY (installation, one) REFERENCES items (installation, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX joined_one ON joined (installation, one);
