-- The ledger: what happened (events), what it adds up to (objects), and what was desired (specs, once per digest).
-- Times: `at` is wall time for people, `t` controller time for durations. Readers open the file read-only.
-- What holds it together is in chain.py: each event's hash covers the row before it, the last one of a turn the objects.
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL, digest BLOB NOT NULL);

CREATE TABLE events(
  seq INTEGER PRIMARY KEY, turn INTEGER NOT NULL, at REAL NOT NULL, t REAL NOT NULL, epoch INTEGER NOT NULL,
  kind TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL,
  actor TEXT NOT NULL, cause INTEGER,
  severity TEXT, reason TEXT, message TEXT,  -- for people; NULL severity: only the machine cares
  after BLOB,  -- of the last event of a turn: the digest of all objects and counters as the turn left them
  prev_hash BLOB NOT NULL, hash BLOB NOT NULL
);
CREATE INDEX events_by_key ON events(key, seq);

CREATE TABLE specs(digest TEXT PRIMARY KEY, spec TEXT NOT NULL);

CREATE TABLE objects(
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  uid TEXT NOT NULL, generation INTEGER NOT NULL, seq INTEGER NOT NULL,
  ready TEXT NOT NULL, summary TEXT NOT NULL, stage TEXT NOT NULL, agent TEXT NOT NULL, created_at REAL NOT NULL,
  body TEXT NOT NULL, because TEXT NOT NULL,
  state TEXT NOT NULL,  -- the folded object itself: a start reads these rows instead of folding every event again
  shown_digest BLOB NOT NULL,  -- of all columns before `state`
  row_digest BLOB NOT NULL  -- of shown_digest and state: a start needs to read no more than these three
);
CREATE INDEX objects_by_kind ON objects(kind, namespace, name);

-- Where events were lost, folding begins with these objects (bases.py). Empty in a ledger that was never damaged.
CREATE TABLE base_objects(key TEXT PRIMARY KEY, state TEXT NOT NULL);
