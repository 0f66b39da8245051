-- All tables of the storage ports. Moments are microseconds since 1970, ids 16 bytes.

CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    category TEXT NOT NULL AS (substr(name, 1, instr(name, '/') - 1)) VIRTUAL,
    version INTEGER NOT NULL
) STRICT;

-- The log. Positions are counted by the only writer, so they have no holes and never commit out of order.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    event_type TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    metadata BLOB NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_by_stream ON events (stream_id, version);
CREATE INDEX events_by_type ON events (event_type, schema_version);

CREATE TABLE commands (
    id BLOB PRIMARY KEY,
    fingerprint BLOB,
    keep_until INTEGER,
    position INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    -- JSON: [["category/key", version before, version after], …]
    streams TEXT NOT NULL,
    response_status INTEGER,
    -- JSON: [["name", "value"], …]
    response_headers TEXT,
    response_body BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX commands_by_keep ON commands (keep_until) WHERE keep_until IS NOT NULL;

CREATE TABLE snapshots (
    stream TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    schema_version INTEGER NOT NULL,
    state BLOB NOT NULL
) STRICT;

CREATE TABLE timers (
    id BLOB PRIMARY KEY,
    token BLOB NOT NULL,
    queue TEXT NOT NULL,
    stream TEXT NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_by_due ON timers (queue, due, id);
CREATE INDEX timers_by_stream ON timers (stream, due, id);

CREATE TABLE checkpoints (
    subscription TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    fence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A row stays when its lease is released: the fence must go on growing.
CREATE TABLE leases (
    work TEXT PRIMARY KEY,
    holder TEXT,
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
    id BLOB PRIMARY KEY,
    subscription TEXT NOT NULL,
    stream TEXT NOT NULL,
    position INTEGER,
    event_type TEXT NOT NULL,
    payload BLOB NOT NULL,
    -- JSON: ["error", "its cause", …]
    error_chain TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_failed_at INTEGER NOT NULL,
    last_failed_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    resolved_by TEXT,
    resolved_at INTEGER,
    notes TEXT
) STRICT;
CREATE UNIQUE INDEX dead_letters_by_event ON dead_letters (subscription, position) WHERE position IS NOT NULL;
CREATE INDEX dead_letters_by_status ON dead_letters (status, subscription, stream);
CREATE INDEX dead_letters_by_order ON dead_letters (position, first_failed_at, id);

-- Each generation of a read model is a table of its own, `view_<name>_<generation>`.
CREATE TABLE read_models (
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    -- JSON: the indexed columns
    indexes TEXT NOT NULL,
    PRIMARY KEY (name, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE live_generations (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    definition TEXT NOT NULL
) STRICT, WITHOUT ROWID;
