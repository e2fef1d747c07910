-- Later migrations only add: tables, indexes, and columns with a default. A Lictor that does not know
-- them goes on working beside one that does.

CREATE TABLE lictor_sessions (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_session TEXT NOT NULL,
    opened INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    refresh_at INTEGER,
    acting_until INTEGER,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX lictor_sessions_opened ON lictor_sessions (opened);
CREATE INDEX lictor_sessions_expires ON lictor_sessions (expires);
CREATE INDEX lictor_sessions_user ON lictor_sessions (user_id);
CREATE INDEX lictor_sessions_provider ON lictor_sessions (provider, provider_session);
CREATE INDEX lictor_sessions_refresh ON lictor_sessions (refresh_at) WHERE refresh_at IS NOT NULL;
CREATE INDEX lictor_sessions_acting ON lictor_sessions (acting_until) WHERE acting_until IS NOT NULL;

CREATE TABLE lictor_people (
    user_id TEXT PRIMARY KEY,
    user_folded TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    last_sign_in INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;

CREATE TABLE lictor_once (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX lictor_once_expires ON lictor_once (expires);

CREATE TABLE lictor_activity (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    verb TEXT NOT NULL,
    actor TEXT,
    actor_email TEXT,
    subject TEXT,
    subject_email TEXT,
    session TEXT,
    event TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX lictor_activity_actor ON lictor_activity (actor, number) WHERE actor IS NOT NULL;
CREATE INDEX lictor_activity_actor_email ON lictor_activity (actor_email, number) WHERE actor_email IS NOT NULL;
CREATE INDEX lictor_activity_subject ON lictor_activity (subject, number) WHERE subject IS NOT NULL;
CREATE INDEX lictor_activity_subject_email ON lictor_activity (subject_email, number) WHERE subject_email IS NOT NULL;
CREATE INDEX lictor_activity_session ON lictor_activity (session, number) WHERE session IS NOT NULL;

CREATE TRIGGER lictor_activity_not_changed BEFORE UPDATE ON lictor_activity
BEGIN
    SELECT RAISE(ABORT, 'the activity log is only added to');
END;
CREATE TRIGGER lictor_activity_not_removed BEFORE DELETE ON lictor_activity
BEGIN
    SELECT RAISE(ABORT, 'the activity log is only added to');
END;

CREATE TABLE lictor_changes (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL
) STRICT;

-- One row: where the log and the changes end.
CREATE TABLE lictor_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    entry INTEGER NOT NULL,
    hash TEXT NOT NULL,
    change INTEGER NOT NULL
) STRICT;
INSERT INTO lictor_head (id, entry, hash, change) VALUES (1, 0, '', 0);
