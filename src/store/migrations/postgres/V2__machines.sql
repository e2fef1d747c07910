-- What is made in the console besides accounts: namespaces, roles, policies, routes and blocked people.
-- Read whole. A name is given once in its place; what has no name may be there as often as it likes.
CREATE TABLE lictor_catalog (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    place text COLLATE "C",
    name text COLLATE "C",
    version bigint NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX lictor_catalog_name ON lictor_catalog (kind, place, name) WHERE name IS NOT NULL;

-- Single numbers: the version of the catalog, and since when the bootstrap secret is no good any more.
CREATE TABLE lictor_flags (
    name text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO lictor_flags (name, value) VALUES ('catalog', 0);

-- `used` stands here alone, so that writing down a use never writes a record.
CREATE TABLE lictor_accounts (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    impersonating bigint NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    searched text NOT NULL,
    created bigint NOT NULL,
    expires bigint,
    disabled bigint,
    deleted bigint,
    used bigint,
    record text NOT NULL
);
CREATE UNIQUE INDEX lictor_accounts_unique ON lictor_accounts (user_id)
    WHERE impersonating = 0 AND deleted IS NULL;
CREATE INDEX lictor_accounts_user ON lictor_accounts (user_id) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_namespace ON lictor_accounts (namespace) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_kind ON lictor_accounts (impersonating, id) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_created ON lictor_accounts (created, id) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_expires ON lictor_accounts (expires, id) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_used ON lictor_accounts (used DESC NULLS LAST, id DESC) WHERE deleted IS NULL;
CREATE INDEX lictor_accounts_deleted ON lictor_accounts (deleted) WHERE deleted IS NOT NULL;

-- `ends` is the instant from which it opens nothing any more. Uses are written over and over, so room
-- is left beside them.
CREATE TABLE lictor_credentials (
    id text COLLATE "C" PRIMARY KEY,
    account text COLLATE "C" NOT NULL,
    issued bigint NOT NULL,
    ends bigint,
    used bigint,
    used_address text COLLATE "C",
    used_route text COLLATE "C",
    record text NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX lictor_credentials_account ON lictor_credentials (account, issued);
CREATE INDEX lictor_credentials_ends ON lictor_credentials (ends) WHERE ends IS NOT NULL;

-- What was done with accounts, added up by day (since 1970-01-01, UTC).
CREATE TABLE lictor_usage (
    account text COLLATE "C" NOT NULL,
    day bigint NOT NULL,
    route text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    uses bigint NOT NULL,
    last_at bigint NOT NULL,
    PRIMARY KEY (account, day, route, outcome)
) WITH (fillfactor = 80);
CREATE INDEX lictor_usage_day ON lictor_usage (day);

ALTER TABLE lictor_activity ADD COLUMN namespace text COLLATE "C";
ALTER TABLE lictor_activity ADD COLUMN entity text COLLATE "C";
ALTER TABLE lictor_activity ADD COLUMN entity_id text COLLATE "C";
ALTER TABLE lictor_activity ADD COLUMN outcome text COLLATE "C";
CREATE INDEX lictor_activity_namespace ON lictor_activity (namespace, number) WHERE namespace IS NOT NULL;
CREATE INDEX lictor_activity_entity ON lictor_activity (entity, number) WHERE entity IS NOT NULL;
CREATE INDEX lictor_activity_entity_id ON lictor_activity (entity_id, number) WHERE entity_id IS NOT NULL;
CREATE INDEX lictor_activity_outcome ON lictor_activity (outcome, number) WHERE outcome IS NOT NULL;
CREATE INDEX lictor_activity_verb ON lictor_activity (verb, number);
CREATE INDEX lictor_activity_at ON lictor_activity (at);
