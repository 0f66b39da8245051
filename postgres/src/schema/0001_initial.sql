-- All tables of the storage ports. Moments are microseconds since 1970. Texts that are compared or sorted are so byte by byte.

CREATE TABLE streams (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (CACHE 32),
    name text COLLATE "C" NOT NULL UNIQUE,
    category text COLLATE "C" NOT NULL GENERATED ALWAYS AS (split_part(name, '/', 1)) STORED,
    version bigint NOT NULL,
    -- The version before the last append; an append says here which one it was decided on.
    before bigint NOT NULL
) WITH (fillfactor = 70);

-- Positions are drawn by append_events alone. One number at a time: a number kept back would be drawn late and skipped.
CREATE SEQUENCE event_positions AS bigint MINVALUE 0 START 0 CACHE 1;
-- A sequence that was never used cannot be told from one that was used once.
SELECT nextval('event_positions');

CREATE TABLE events (
    position bigint PRIMARY KEY,
    stream_id bigint NOT NULL,
    version bigint NOT NULL,
    recorded_at bigint NOT NULL,
    event_id uuid NOT NULL,
    schema_version integer NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    metadata bytea NOT NULL,
    payload bytea NOT NULL
);
CREATE UNIQUE INDEX events_by_stream ON events (stream_id, version);
CREATE INDEX events_by_type ON events (event_type, schema_version);

CREATE TABLE commands (
    id uuid PRIMARY KEY,
    fingerprint bytea,
    keep_until bigint,
    position bigint NOT NULL,
    recorded_at bigint NOT NULL,
    -- JSON: [["category/key", version before, version after], …]
    streams text NOT NULL,
    response_status integer,
    -- JSON: [["name", "value"], …]
    response_headers text,
    response_body bytea
) WITH (fillfactor = 80);
CREATE INDEX commands_by_keep ON commands (keep_until) WHERE keep_until IS NOT NULL;

CREATE TABLE snapshots (
    stream text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    schema_version bigint NOT NULL,
    state bytea NOT NULL
);

CREATE TABLE timers (
    id uuid PRIMARY KEY,
    token uuid NOT NULL,
    queue text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    due bigint NOT NULL,
    attempts integer NOT NULL,
    payload bytea NOT NULL
);
CREATE INDEX timers_by_due ON timers (queue, due, id);
CREATE INDEX timers_by_stream ON timers (stream, due, id);

CREATE TABLE checkpoints (
    subscription text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    fence bigint NOT NULL
) WITH (fillfactor = 50);

-- A row stays when its lease is released: the fence must go on growing.
CREATE TABLE leases (
    work text COLLATE "C" PRIMARY KEY,
    holder text COLLATE "C",
    fence bigint NOT NULL,
    until bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE dead_letters (
    id uuid PRIMARY KEY,
    subscription text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    position bigint,
    event_type text COLLATE "C" NOT NULL,
    payload bytea NOT NULL,
    -- JSON: ["error", "its cause", …]
    error_chain text NOT NULL,
    attempts bigint NOT NULL,
    first_failed_at bigint NOT NULL,
    last_failed_at bigint NOT NULL,
    status text COLLATE "C" NOT NULL,
    resolved_by text,
    resolved_at bigint,
    notes text
);
CREATE UNIQUE INDEX dead_letters_by_event ON dead_letters (subscription, position) WHERE position IS NOT NULL;
CREATE INDEX dead_letters_by_status ON dead_letters (status, subscription, stream);
CREATE INDEX dead_letters_by_order ON dead_letters (position NULLS FIRST, first_failed_at, id);

-- Each generation of a read model is a table of its own, `v_<name>_<generation>`.
CREATE TABLE read_models (
    name text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    -- JSON: the indexed columns
    indexes text NOT NULL,
    PRIMARY KEY (name, generation)
);

CREATE TABLE live_generations (
    name text COLLATE "C" PRIMARY KEY,
    generation bigint NOT NULL,
    definition text NOT NULL
);

-- The store's time: what is given (a clock that a test moves), else the server's.
CREATE FUNCTION store_time(given bigint) RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT coalesce(given, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)';

-- What an append is decided on. Versions and timers are read before the commands: who sees what another use of a
-- command wrote then sees that use too. `newest` is read last: nothing that was seen has a later position.
CREATE FUNCTION append_facts(
    stream_names text[], claimed_timers uuid[], command_ids uuid[], moment bigint,
    OUT versions bigint[], OUT tokens uuid[], OUT answered uuid[], OUT newest bigint
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    SELECT array_agg(coalesce(s.version, 0) ORDER BY n.place) INTO versions
        FROM unnest(stream_names) WITH ORDINALITY n (name, place) LEFT JOIN streams s ON s.name = n.name;
    SELECT array_agg(t.token ORDER BY c.place) INTO tokens
        FROM unnest(claimed_timers) WITH ORDINALITY c (id, place) LEFT JOIN timers t ON t.id = c.id;
    SELECT array_agg(c.id) INTO answered FROM commands c
        WHERE c.id = ANY (command_ids) AND (c.keep_until IS NULL OR c.keep_until > moment);
    SELECT last_value INTO newest FROM event_positions;
END $$;

-- Writes a batch in one transaction, if what it was decided on still holds; else it writes nothing and answers the facts
-- (`positions` is null then). Names, ids and claims come sorted, so that whoever locks the same rows locks them in the
-- same order. An event names its stream by its place in `stream_names`, a command its position by the place of an event.
CREATE FUNCTION append_events(
    moment bigint,
    stream_names text[], stream_befores bigint[], stream_afters bigint[],
    event_streams integer[], event_versions bigint[], event_ids uuid[], event_types text[], event_schemas integer[],
    event_metadata bytea[], event_payloads bytea[],
    command_ids uuid[], command_fingerprints bytea[], command_keeps bigint[], command_events integer[],
    command_streams text[],
    claimed_timers uuid[], claimed_tokens uuid[], removed_timers uuid[],
    timer_ids uuid[], timer_tokens uuid[], timer_queues text[], timer_streams text[], timer_dues bigint[],
    timer_payloads bytea[],
    OUT positions bigint[], OUT newest bigint, OUT versions bigint[], OUT tokens uuid[], OUT answered uuid[]
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    stream_ids bigint[];
    gone uuid[];
    stale boolean;
    kept integer;
BEGIN
    IF cardinality(stream_names) > 0 THEN
        WITH written AS (
            INSERT INTO streams AS s (name, version, before)
            SELECT * FROM unnest(stream_names, stream_afters, stream_befores)
            ON CONFLICT (name) DO UPDATE SET version = excluded.version, before = excluded.before
                WHERE s.version = excluded.before
            -- A row that is new here had no events before.
            RETURNING s.id, s.name, s.xmax = 0 AND s.before > 0 AS unknown
        )
        SELECT array_agg(id ORDER BY name), count(*) < cardinality(stream_names) OR bool_or(unknown)
            INTO stream_ids, stale FROM written;
        IF stale THEN RAISE SQLSTATE 'CR001'; END IF;
    END IF;
    SELECT last_value INTO newest FROM event_positions;
    positions := '{}';
    IF cardinality(event_ids) > 0 THEN
        -- The floor: held until the commit, before any number above it is drawn. See docs/adr/0012.
        PERFORM pg_advisory_xact_lock_shared('event_positions'::regclass::oid::integer, newest::bit(32)::integer);
        WITH written AS (
            INSERT INTO events (position, stream_id, version, recorded_at, event_id, schema_version, event_type,
                metadata, payload)
            SELECT nextval('event_positions'), stream_ids[e.stream], e.version, moment, e.id, e.schema, e.type,
                e.metadata, e.payload
            FROM unnest(event_streams, event_versions, event_ids, event_types, event_schemas, event_metadata,
                event_payloads) AS e (stream, version, id, type, schema, metadata, payload)
            RETURNING position
        )
        SELECT array_agg(position ORDER BY position) INTO positions FROM written;
    END IF;
    IF cardinality(command_ids) > 0 THEN
        INSERT INTO commands AS c (id, fingerprint, keep_until, position, recorded_at, streams)
        SELECT n.id, n.fingerprint, n.keep_until, coalesce(positions[n.event], newest), moment, n.streams
        FROM unnest(command_ids, command_fingerprints, command_keeps, command_events, command_streams)
            AS n (id, fingerprint, keep_until, event, streams)
        -- One that is in the way has expired: all of it is replaced, its response too.
        ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, keep_until = excluded.keep_until,
                position = excluded.position, recorded_at = excluded.recorded_at, streams = excluded.streams,
                response_status = NULL, response_headers = NULL, response_body = NULL
            WHERE c.keep_until <= moment;
        GET DIAGNOSTICS kept = ROW_COUNT;
        IF kept < cardinality(command_ids) THEN RAISE SQLSTATE 'CR001'; END IF;
    END IF;
    IF cardinality(claimed_timers) > 0 THEN
        WITH taken AS (DELETE FROM timers t WHERE t.id = ANY (claimed_timers) RETURNING t.id, t.token)
        SELECT array_agg(token ORDER BY id) INTO gone FROM taken;
        IF gone IS DISTINCT FROM claimed_tokens THEN RAISE SQLSTATE 'CR001'; END IF;
    END IF;
    IF cardinality(removed_timers) > 0 THEN
        DELETE FROM timers t WHERE t.id = ANY (removed_timers);
    END IF;
    IF cardinality(timer_ids) > 0 THEN
        INSERT INTO timers AS t (id, token, queue, stream, due, attempts, payload)
        SELECT n.id, n.token, n.queue, n.stream, n.due, 0, n.payload
        FROM unnest(timer_ids, timer_tokens, timer_queues, timer_streams, timer_dues, timer_payloads)
            AS n (id, token, queue, stream, due, payload)
        ON CONFLICT (id) DO UPDATE SET token = excluded.token, queue = excluded.queue, stream = excluded.stream,
            due = excluded.due, attempts = 0, payload = excluded.payload;
    END IF;
EXCEPTION WHEN SQLSTATE 'CR001' THEN
    positions := NULL;
    SELECT f.versions, f.tokens, f.answered, f.newest INTO versions, tokens, answered, newest
        FROM append_facts(stream_names, claimed_timers, command_ids, moment) f;
END $$;

-- How far the log may be read, the newest position drawn, and the process of the server that holds the first back.
-- See docs/adr/0012. The numbers drawn must be looked at before the floors; PL/pgSQL runs one after the other.
CREATE FUNCTION log_horizon(OUT horizon bigint, OUT newest bigint, OUT held_by integer) LANGUAGE plpgsql AS $$
BEGIN
    SELECT last_value INTO newest FROM event_positions;
    -- A lock knows 32 bits of its floor, which is the one nearest to the newest position.
    SELECT newest - (newest - l.objid::bigint)::bit(32)::integer, l.pid INTO horizon, held_by
        FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.objsubid = 2
            AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
            AND l.classid = 'event_positions'::regclass::oid
        ORDER BY 1 LIMIT 1;
    IF horizon IS NULL OR horizon >= newest THEN
        horizon := newest;
        held_by := NULL;
    END IF;
END $$;

-- Saves progress unless a newer holder has. `saved` is what was saved before.
CREATE FUNCTION save_checkpoint(name text, place bigint, own_fence bigint, OUT saved bigint, OUT fenced boolean)
LANGUAGE plpgsql AS $$
DECLARE
    last_fence bigint;
BEGIN
    INSERT INTO checkpoints (subscription, position, fence) VALUES (name, 0, 0) ON CONFLICT DO NOTHING;
    SELECT c.position, c.fence INTO saved, last_fence FROM checkpoints c WHERE c.subscription = name FOR UPDATE;
    fenced := own_fence < last_fence;
    IF NOT fenced AND (place > saved OR own_fence > last_fence) THEN
        UPDATE checkpoints c SET position = greatest(saved, place), fence = own_fence WHERE c.subscription = name;
    END IF;
END $$;
