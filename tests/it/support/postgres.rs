//! A PostgreSQL server of the tests' own, in a folder of its own, without TCP. There is no test without
//! it: a missing one is a failure, not a skip.
//!
//! The server runs below a shell that waits for the end of its input, which ends with this process,
//! however that ends; then the shell stops the server and removes the folder.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Whom the server's superuser is called.
pub const USER: &str = "lictor";

const MISSING: &str = "these tests need PostgreSQL 13 or later: `apt-get install postgresql`, or put `initdb` and `postgres` on the PATH";

/// `$0` is the folder of the binaries, `$1` that of the server; the rest are options.
const KEEPER: &str = r#"
bin=$0 folder=$1; shift
"$bin/postgres" -D "$folder/data" -k "$folder" "$@" >>"$folder/log" 2>&1 </dev/null &
server=$!
read -r word
kill -INT "$server" 2>/dev/null
wait "$server"
[ "$word" = keep ] || rm -rf "$folder"
"#;

/// A server. It ends when dropped, and its folder is removed.
#[derive(Debug)]
pub struct Cluster {
    pub folder: PathBuf,
    options: Vec<String>,
    keeper: Child,
    databases: AtomicUsize,
}

const PORT: &str = "5432";

impl Cluster {
    /// The one that most tests share: nothing is written to the disk for good.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&["-c", "fsync=off"]))
    }

    /// A new one with these options, which listens at a socket only unless they say otherwise.
    pub fn start(options: &[&str]) -> Self {
        Self::with_files(options, &[])
    }

    /// The same, with these files in its folder, which options call `FOLDER`.
    pub fn with_files(options: &[&str], files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder").keep();
        let mut initdb = as_owner(&folder, "initdb");
        initdb.args(["--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C", "-U", USER, "-D"]);
        let made = initdb.arg(folder.join("data")).output().expect(MISSING);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for (name, text) in files {
            write_for_owner(&folder.join(name), text);
        }
        let always =
            ["-c", "listen_addresses=", "-c", "max_connections=300", "-c", "shared_buffers=32MB"];
        let named = |option: &&str| option.replace("FOLDER", &folder.display().to_string());
        let options = always.iter().chain(options).map(named).collect();
        let keeper = keep(&folder, &options);
        let cluster = Self { folder, options, keeper, databases: AtomicUsize::default() };
        cluster.wait();
        cluster
    }

    /// A connection string for a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        self.connection_string(&name)
    }

    pub fn connection_string(&self, database: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port());
        format!("host={folder} port={port} user={USER} dbname={database}")
    }

    /// Runs SQL and gives what it prints.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.try_psql(database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub fn try_psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut psql = Command::new(binaries().join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", database]);
        let ran = psql
            .arg("-h")
            .arg(&self.folder)
            .args(["-p", self.port(), "-c", sql])
            .output()
            .expect("psql");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").trim().to_owned();
        if ran.status.success() { Ok(text(ran.stdout)) } else { Err(text(ran.stderr)) }
    }

    /// Sends a signal to the server, such as `-STOP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.pid()]).status();
        assert!(sent.expect("kill").success());
    }

    /// Sends a signal to the server and all its processes.
    pub fn signal_all(&self, name: &str) {
        let pid = self.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.expect("it has some");
        let all = children.split_whitespace().chain([pid.as_str()]);
        let sent = Command::new("kill").arg(name).args(all).status();
        assert!(sent.expect("kill").success());
    }

    /// Stops the server; `-INT` lets it say goodbye, `-QUIT` does not.
    pub fn stop(&mut self, signal: &str) {
        self.signal(signal);
        self.end("keep");
    }

    /// Starts it again after `stop`.
    pub fn start_again(&mut self) {
        self.keeper = keep(&self.folder, &self.options);
        self.wait();
    }

    /// The port gives the socket its name.
    fn port(&self) -> &str {
        let port = self.options.iter().find_map(|option| option.strip_prefix("port="));
        port.unwrap_or(PORT)
    }

    fn end(&mut self, word: &str) {
        use std::io::Write as _;
        if let Some(mut input) = self.keeper.stdin.take() {
            drop(writeln!(input, "{word}"));
        }
        drop(self.keeper.wait());
    }

    fn pid(&self) -> String {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("it runs");
        file.lines().next().expect("a pid").to_owned()
    }

    fn wait(&self) {
        for _ in 0..600 {
            let mut ready = Command::new(binaries().join("pg_isready"));
            ready.arg("-q").arg("-h").arg(&self.folder).args(["-p", self.port()]);
            if ready.status().expect("pg_isready").success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start: {log}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end("");
    }
}

fn keep(folder: &Path, options: &Vec<String>) -> Child {
    let mut keeper = as_owner(folder, "sh");
    keeper.args(["-c", KEEPER]).arg(binaries()).arg(folder).args(options).stdin(Stdio::piped());
    // A signal for the group of this process is not for the keeper.
    keeper.process_group(0).spawn().expect("a shell")
}

/// A command by the owner of the server, to whom `folder` is given: not root, which PostgreSQL refuses
/// to run as.
fn as_owner(folder: &Path, name: &str) -> Command {
    let own = binaries().join(name);
    let mut command = Command::new(if own.is_file() { own } else { name.into() });
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
    if is_root() {
        let (user, group) = (number_of("-u"), number_of("-g"));
        chown(folder, Some(user), Some(group)).expect("root may give folders away");
        command.uid(user).gid(group);
    }
    command
}

/// PostgreSQL takes a private key only if it is for the server's owner alone.
fn write_for_owner(path: &Path, text: &str) {
    fs::write(path, text).expect("writes");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    if is_root() {
        chown(path, Some(number_of("-u")), Some(number_of("-g"))).expect("root may give away");
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("Linux").uid() == 0
}

fn number_of(flag: &str) -> u32 {
    let known = Command::new("id").args([flag, "postgres"]).output().expect("id");
    String::from_utf8_lossy(&known.stdout).trim().parse().expect(MISSING)
}

/// Where `initdb` and `postgres` are: on the PATH, or where Debian puts the latest.
fn binaries() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let whole = |folder: &PathBuf| {
            ["initdb", "postgres", "psql", "pg_isready"]
                .iter()
                .all(|name| folder.join(name).is_file())
        };
        let on_path = std::env::split_paths(&path).find(whole);
        let version = |folder: &PathBuf| {
            let name = folder.file_name()?.to_str()?.parse::<u32>();
            name.ok()
        };
        let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut debian: Vec<PathBuf> = debian.map(|entry| entry.path()).collect();
        debian.sort_by_key(version);
        let debian = debian.into_iter().rev().map(|folder| folder.join("bin")).find(whole);
        on_path.or(debian).expect(MISSING)
    })
}
