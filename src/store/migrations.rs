//! The migrations of both engines. They only add, so that a process which does not know the latest goes
//! on beside one that does; migrations that this one does not know are no error.

use refinery::Runner;

mod sqlite_files {
    refinery::embed_migrations!("src/store/migrations/sqlite");
}

mod postgres_files {
    refinery::embed_migrations!("src/store/migrations/postgres");
}

const TABLE: &str = "lictor_migrations";

pub(super) fn of_sqlite() -> Runner {
    careful(sqlite_files::migrations::runner())
}

pub(super) fn of_postgres() -> Runner {
    careful(postgres_files::migrations::runner())
}

/// The version of the last migration that this process knows.
pub(super) fn latest(runner: &Runner) -> i64 {
    runner
        .get_migrations()
        .iter()
        .map(|migration| i64::from(migration.version()))
        .max()
        .unwrap_or(0)
}

/// What is said to who only looks at tables that lack a migration.
pub(super) const EARLIER: &str =
    "the store is of an earlier version; it is upgraded when the server starts";

/// What is said of a file in which there is nothing yet.
pub(super) const BEGUN: &str = "is still empty; its tables are made when the server starts";

/// All of what is missing in one transaction, or nothing.
fn careful(runner: Runner) -> Runner {
    let mut runner = runner.set_grouped(true).set_abort_missing(false).set_abort_divergent(true);
    runner.set_migration_table_name(TABLE);
    runner
}
