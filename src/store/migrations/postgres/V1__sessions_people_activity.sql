-- Later migrations only add: tables, indexes, and columns with a default. A Lictor that does not know
-- them goes on working beside one that does. Texts are ordered by their bytes, as in SQLite.

CREATE TABLE lictor_sessions (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    provider_session text COLLATE "C" NOT NULL,
    opened bigint NOT NULL,
    expires bigint NOT NULL,
    refresh_at bigint,
    acting_until bigint,
    record text NOT NULL
);
CREATE INDEX lictor_sessions_opened ON lictor_sessions (opened);
CREATE INDEX lictor_sessions_expires ON lictor_sessions (expires);
CREATE INDEX lictor_sessions_user ON lictor_sessions (user_id);
CREATE INDEX lictor_sessions_provider ON lictor_sessions (provider, provider_session);
CREATE INDEX lictor_sessions_refresh ON lictor_sessions (refresh_at) WHERE refresh_at IS NOT NULL;
CREATE INDEX lictor_sessions_acting ON lictor_sessions (acting_until) WHERE acting_until IS NOT NULL;

CREATE TABLE lictor_people (
    user_id text COLLATE "C" PRIMARY KEY,
    user_folded text COLLATE "C" NOT NULL,
    email_folded text COLLATE "C" NOT NULL,
    name_folded text COLLATE "C" NOT NULL,
    last_sign_in bigint NOT NULL,
    record text NOT NULL
);

CREATE TABLE lictor_once (
    key text COLLATE "C" PRIMARY KEY,
    value text NOT NULL,
    expires bigint NOT NULL
);
CREATE INDEX lictor_once_expires ON lictor_once (expires);

CREATE TABLE lictor_activity (
    number bigint PRIMARY KEY,
    at bigint NOT NULL,
    verb text COLLATE "C" NOT NULL,
    actor text COLLATE "C",
    actor_email text COLLATE "C",
    subject text COLLATE "C",
    subject_email text COLLATE "C",
    session text COLLATE "C",
    event text NOT NULL,
    hash text COLLATE "C" NOT NULL
);
CREATE INDEX lictor_activity_actor ON lictor_activity (actor, number) WHERE actor IS NOT NULL;
CREATE INDEX lictor_activity_actor_email ON lictor_activity (actor_email, number) WHERE actor_email IS NOT NULL;
CREATE INDEX lictor_activity_subject ON lictor_activity (subject, number) WHERE subject IS NOT NULL;
CREATE INDEX lictor_activity_subject_email ON lictor_activity (subject_email, number) WHERE subject_email IS NOT NULL;
CREATE INDEX lictor_activity_session ON lictor_activity (session, number) WHERE session IS NOT NULL;

CREATE FUNCTION lictor_activity_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the activity log is only added to' USING ERRCODE = 'insufficient_privilege';
END;
$$;
CREATE TRIGGER lictor_activity_not_changed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON lictor_activity
    FOR EACH STATEMENT EXECUTE FUNCTION lictor_activity_refuse();

CREATE TABLE lictor_changes (
    number bigint PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL
);

-- One row: where the log and the changes end. It is updated in every transaction that changes
-- anything, so room is left beside it.
CREATE TABLE lictor_head (
    id bigint PRIMARY KEY CHECK (id = 1),
    entry bigint NOT NULL,
    hash text COLLATE "C" NOT NULL,
    change bigint NOT NULL
) WITH (fillfactor = 20);
INSERT INTO lictor_head (id, entry, hash, change) VALUES (1, 0, '', 0);
