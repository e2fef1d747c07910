-- What is made in the console besides accounts: namespaces, roles, policies, routes and blocked people.
-- Read whole. A name is given once in its place; what has no name may be there as often as it likes.
CREATE TABLE lictor_catalog (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    place TEXT,
    name TEXT,
    version INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE UNIQUE INDEX lictor_catalog_name ON lictor_catalog (kind, place, name) WHERE name IS NOT NULL;

-- Single numbers: the version of the catalog, and since when the bootstrap secret is no good any more.
CREATE TABLE lictor_flags (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO lictor_flags (name, value) VALUES ('catalog', 0);

-- `used` stands here alone, so that writing down a use never writes a record.
CREATE TABLE lictor_accounts (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    impersonating INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    searched TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    disabled INTEGER,
    deleted INTEGER,
    used INTEGER,
    record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX lictor_accounts_unique ON lictor_accounts (user_id)
    WHERE impersonating = 0 AND deleted IS NULL;
CREATE INDEX lictor_accounts_user ON lictor_accounts (user_id) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_namespace ON lictor_accounts (namespace) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_kind ON lictor_accounts (impersonating, id) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_created ON lictor_accounts (created, id) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_expires ON lictor_accounts (expires, id) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_used ON lictor_accounts (used, id) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_deleted ON lictor_accounts (deleted) WHERE deleted IS NOT NULL;

-- `ends` is the instant from which it opens nothing any more.
CREATE TABLE lictor_credentials (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    issued INTEGER NOT NULL,
    ends INTEGER,
    used INTEGER,
    used_address TEXT,
    used_route TEXT,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX lictor_credentials_account ON lictor_credentials (account, issued);
CREATE INDEX lictor_credentials_ends ON lictor_credentials (ends) WHERE ends IS NOT NULL;

-- What was done with accounts, added up by day (since 1970-01-01, UTC).
CREATE TABLE lictor_usage (
    account TEXT NOT NULL,
    day INTEGER NOT NULL,
    route TEXT NOT NULL,
    outcome TEXT NOT NULL,
    uses INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (account, day, route, outcome)
) STRICT, WITHOUT ROWID;
CREATE INDEX lictor_usage_day ON lictor_usage (day);

ALTER TABLE lictor_activity ADD COLUMN namespace TEXT;
ALTER TABLE lictor_activity ADD COLUMN entity TEXT;
ALTER TABLE lictor_activity ADD COLUMN entity_id TEXT;
ALTER TABLE lictor_activity ADD COLUMN outcome TEXT;
CREATE INDEX lictor_activity_namespace ON lictor_activity (namespace, number) WHERE namespace IS NOT NULL;
CREATE INDEX lictor_activity_entity ON lictor_activity (entity, number) WHERE entity IS NOT NULL;
CREATE INDEX lictor_activity_entity_id ON lictor_activity (entity_id, number) WHERE entity_id IS NOT NULL;
CREATE INDEX lictor_activity_outcome ON lictor_activity (outcome, number) WHERE outcome IS NOT NULL;
CREATE INDEX lictor_activity_verb ON lictor_activity (verb, number);
CREATE INDEX lictor_activity_at ON lictor_activity (at);
