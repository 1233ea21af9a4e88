-- The ledger: what happened (events), what it adds up to (objects), and what was desired (specs, once per digest).
-- Times: `at` is wall time for people, `t` controller time for durations. Readers open the file read-only.
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE events(
  seq INTEGER PRIMARY KEY, turn INTEGER NOT NULL, at REAL NOT NULL, t REAL NOT NULL, epoch INTEGER NOT NULL,
  kind TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL,
  actor TEXT NOT NULL, cause INTEGER,
  severity TEXT, reason TEXT, message TEXT  -- for people; NULL severity: only the machine cares
);
CREATE INDEX events_by_key ON events(key, seq);

CREATE TABLE specs(digest TEXT PRIMARY KEY, spec TEXT NOT NULL);

CREATE TABLE objects(
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  uid TEXT NOT NULL, generation INTEGER NOT NULL, seq INTEGER NOT NULL,
  ready TEXT NOT NULL, summary TEXT NOT NULL, stage TEXT NOT NULL, agent TEXT NOT NULL, created_at REAL NOT NULL,
  body TEXT NOT NULL, because TEXT NOT NULL, row_digest TEXT NOT NULL,
  state TEXT NOT NULL  -- the folded object itself: a start reads these rows instead of folding every event again
);
CREATE INDEX objects_by_kind ON objects(kind, namespace, name);
