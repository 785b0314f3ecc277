-- Failures in a row that no outage explains: a panic, a payload that nobody understands, a holder
-- that vanished. After some of them the delivery at the lane's head is given up.
ALTER TABLE lanes ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0;
