"""Configurations of Lictor, and what is asked of them."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .servers import Server, free_address
from .tools import Programs, Unmeasured, output

# Accounts, and the routes that they may reach, belong here.
NAMESPACE = "machines"


def rules(count: int, last: dict | None) -> list:
    """So many rules of several kinds, of which only the last lets anybody in; without it, none does."""
    kinds = (
        lambda n: {"and": [{"http_method": "GET"}, {"groups": {"has": f"team-{n}"}}]},
        lambda n: {"and": [{"http_path": {"starts_with": f"/area-{n}/"}}, {"domain": {"is": "example.com"}}]},
        lambda n: {"or": [{"email": {"is": f"person-{n}@example.com"}}]},
        lambda n: {"or": [{"user": {"is": f"person-{n}"}}]},
    )
    others = count - 1 if last else count
    kept = [kinds[n % len(kinds)](n) for n in range(others)]
    return [{"allow": rule} for rule in [*kept, *([{"and": [{"http_method": "GET"}, last]}] if last else [])]]


# Who is let in by the last rule, for each kind of asker.
ON_CALL = {"groups": {"has": "on-call"}}
EVERYBODY = {"groups": {"has": "g-everybody"}}
ANYBODY = {"authenticated_user": True}


@dataclass(frozen=True)
class Deployment:
    """What a Lictor is told: so many routes alike, each `app-N.localhost`."""

    name: str
    routes: int = 1
    rules: int = 10
    last: dict | None = field(default_factory=lambda: ON_CALL)
    public: bool = False
    settings: dict = field(default_factory=dict)
    accounts: int = 0
    sessions: int = 0
    more_accounts: int = 0
    """Accounts that are there and never ask: copies of one that does."""

    @property
    def has_store(self) -> bool:
        return bool(self.accounts or self.sessions)

    def route(self, number: int) -> dict:
        route = {"id": f"app-{number}", "from": f"https://app-{number}.localhost"}
        if self.accounts:
            route["namespace"] = NAMESPACE
        if self.public:
            return {**route, "allow_public_unauthenticated_access": True}
        return {**route, "policy": rules(self.rules, self.last)}


class Placed:
    """A deployment with its files, at an address."""

    def __init__(self, deployment: Deployment, programs: Programs, folder: Path):
        self.deployment, self.programs = deployment, programs
        self.folder = folder / deployment.name
        self.folder.mkdir(exist_ok=True)
        self.address = free_address()
        self.config = self.folder / "lictor.yaml"
        secret = self.folder / "shared_secret"
        if not secret.exists():
            secret.write_text(output(programs.lictor, "key", "generate", "shared"))
        self.configure(self.config, self.address)
        if deployment.has_store:
            output(programs.requests, "--config", self.config, "fill",
                   "--accounts", deployment.accounts, "--sessions", deployment.sessions)
        if deployment.more_accounts:
            add_accounts(self.folder / "lictor.db", deployment.more_accounts)

    def configure(self, file: Path, address: str):
        settings = {
            "grpc_address": address,
            "http_address": "127.0.0.1:0",
            "authenticate_service_url": "https://auth.localhost",
            "shared_secret_file": str(self.folder / "shared_secret"),
            "pass_identity_headers": True,
            "log_level": "disabled",
            **self.deployment.settings,
        }
        if self.deployment.has_store:
            # Nobody signs in: the sessions are there.
            settings |= {"idp_provider": "oidc", "idp_provider_url": "http://127.0.0.1:9",
                         "idp_client_id": "lictor", "idp_client_secret": "lictor",
                         "storage": {"path": str(self.folder / "lictor.db")},
                         "namespaces": [{"id": NAMESPACE, "name": NAMESPACE}]}
        settings["routes"] = [self.deployment.route(number) for number in range(self.deployment.routes)]
        file.write_text("\n".join(yaml(settings)) + "\n")

    def server(self) -> Server:
        return Server("lictor", self.address, self.command())

    @contextlib.contextmanager
    def others(self) -> Iterator[list[Server]]:
        """The other Lictor while it runs, with the same store. None if none is given, or if it cannot serve this:
        an older one need not know every setting."""
        if self.programs.against is None:
            yield []
            return
        address, config = free_address(), self.folder / "against.yaml"
        self.configure(config, address)
        other = Server("the other lictor", address, [self.programs.against, "serve", "--config", config])
        with contextlib.ExitStack() as stack:
            try:
                running = [stack.enter_context(other)]
            except Unmeasured as reason:
                print(f"{self.deployment.name}: without the other, for {reason}", flush=True)
                running = []
            yield running

    def command(self) -> list:
        return [self.programs.lictor, "serve", "--config", self.config]

    def asked(self, who: str, *, count: int = 1, first: int = 0, hosts: int = 1, cookie_bytes: int = 0) -> Path:
        """A file of checks. Credentials are numbered from `first`; hosts are spread over all routes."""
        file = self.folder / f"{who}-{count}-{hosts}-{cookie_bytes}"
        output(self.programs.requests, "--config", self.config, "write", "--to", file, "--who", who,
               "--count", count, "--first", first, "--hosts", hosts, "--of-hosts", self.deployment.routes,
               "--cookie-bytes", cookie_bytes)
        return file


def empty(programs: Programs) -> Server:
    address = free_address()
    return Server("the empty server", address, [programs.empty, "--listen", address])


def yaml(value: dict | list) -> list[str]:
    """The lines of a value as people write it: a key or an item a line."""
    items = value.items() if isinstance(value, dict) else [(None, item) for item in value]
    lines = []
    for key, item in items:
        mark = "- " if key is None else f"{json.dumps(key)}:"
        inside = yaml(item) if isinstance(item, (dict, list)) and item else []
        if not inside:
            # What is JSON on one line is YAML.
            lines.append(f"{mark} {json.dumps(item)}")
        elif key is None:
            lines += [f"- {inside[0]}", *("  " + line for line in inside[1:])]
        else:
            lines += [mark, *("  " + line for line in inside)]
    return lines


# Each copy has an id, a name and a user of its own; credentials alike.
COPIES = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count),
     one AS (SELECT * FROM lictor_accounts LIMIT 1),
     named AS (SELECT n, substr(:id, 1, length(:id) - 32) || printf('%032x', n) AS new_id, 'copy-' || n AS new_user FROM numbers)
INSERT INTO lictor_accounts ({columns})
SELECT {values} FROM named, one
"""
CREDENTIALS = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count),
     one AS (SELECT * FROM lictor_credentials LIMIT 1)
INSERT INTO lictor_credentials ({columns})
SELECT {values} FROM numbers, one
"""


def add_accounts(database: Path, count: int):
    """Copies an account so many times, with its credential. No server may have the store open."""
    store = sqlite3.connect(database)
    with store:
        one_account, account_user, one_credential = store.execute(
            "SELECT a.id, a.user_id, c.id FROM lictor_accounts a JOIN lictor_credentials c ON c.account = a.id LIMIT 1"
        ).fetchone()
        account = {"id": "new_id", "user_id": "new_user", "searched": "replace(searched, :user, new_user)",
                   "record": "replace(replace(record, :id, new_id), :user, new_user)"}
        copy(store, COPIES.replace("lictor_accounts LIMIT 1", "lictor_accounts WHERE id = :id"),
             "lictor_accounts", account, {"count": count, "id": one_account, "user": account_user})
        new_id, new_account = numbered(":id"), numbered(":account")
        credential = {"id": new_id, "account": new_account,
                      "record": f"replace(replace(record, :id, {new_id}), :account, {new_account})"}
        copy(store, CREDENTIALS.replace("lictor_credentials LIMIT 1", "lictor_credentials WHERE id = :id"),
             "lictor_credentials", credential, {"count": count, "id": one_credential, "account": one_account})
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def numbered(name: str) -> str:
    """An id of the kind of `name`, with `n` for its digits."""
    return f"substr({name}, 1, length({name}) - 32) || printf('%032x', n)"


def copy(store, statement: str, table: str, changed: dict, values: dict):
    """Runs `statement` for all columns of `table`, whatever they are; those `changed` get a value of their own."""
    columns = [column[1] for column in store.execute(f"PRAGMA table_info({table})")]
    store.execute(statement.format(columns=", ".join(columns), values=", ".join(changed.get(c, c) for c in columns)),
                  values)
