-- Waiting deliveries are found by lane within stretches of 1,024. By lane alone each would be
-- written to a place of its own, and a burst to as many pages of the index as it has lanes.
DROP INDEX deliveries_waiting;
CREATE INDEX deliveries_waiting ON deliveries (installation, seq >> 10, lane) WHERE state = 0;

-- From here on payloads are compressed in Snappy's raw format.
