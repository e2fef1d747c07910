//! The commands. Data goes to standard output, words to standard error, and the exit code says what
//! happened.

mod audit;
mod check;
mod demo;
mod envoy;
mod healthcheck;
mod json;
mod key;
mod mint;
mod namespace;
mod opened;
mod password;
mod policy;
mod report;
mod route;
mod serve;
mod service_account;
mod session;
mod terminal;
mod user;
mod verify;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or: yes.
    Ok = 0,
    /// Something unexpected.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A configuration, a policy or a token is wrong.
    Invalid = 3,
    /// The answer is: denied.
    Denied = 4,
    /// Something outside cannot be reached.
    Unavailable = 5,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 unexpected failure, 2 usage, 3 invalid input, 4 denied, 5 something outside is unavailable.";

/// The authorization server for the Envoy you already run.
#[derive(Debug, Parser)]
#[command(name = "lictor", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start Envoy, an upstream and Lictor on this machine, and show what happens
    Demo(demo::Demo),
    /// Answer Envoy's checks
    Serve(serve::Serve),
    /// Look at a configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask which route serves a request, and keep routes in the store
    #[command(subcommand, visible_alias = "routes")]
    Route(route::RouteCommand),
    /// Explain, test, compare and check policies, and keep them in the store
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Verify, list and export what people did
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// List and end sessions, and stop impersonations
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Make service accounts for machines, and give them tokens
    #[command(subcommand, visible_alias = "sa")]
    ServiceAccount(service_account::ServiceAccountCommand),
    /// Arrange namespaces, and who may administer what in them
    #[command(subcommand)]
    Namespace(namespace::NamespaceCommand),
    /// Find people, and keep them out
    #[command(subcommand)]
    User(user::UserCommand),
    /// Mint and verify tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Make keys and hash passwords
    #[command(subcommand)]
    Key(KeyCommand),
    /// Configure Envoy
    #[command(subcommand)]
    Envoy(EnvoyCommand),
    /// Ask a running Lictor whether it is serving, for container probes
    Healthcheck(healthcheck::Healthcheck),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Tell every problem of a configuration at once
    Check(check::Check),
    /// Print the JSON Schema of the configuration, for editors
    Schema,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Mint a service token
    Mint(mint::Mint),
    /// Verify a token, or with --jwks an assertion
    Verify(verify::Verify),
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key
    #[command(subcommand)]
    Generate(key::Generate),
    /// Hash a password, for the users file
    Password(password::Password),
}

#[derive(Debug, Subcommand)]
enum EnvoyCommand {
    /// Print an Envoy bootstrap for the routes of a configuration
    Config(envoy::EnvoyConfig),
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

/// Where a shared key comes from, first hit first: the argument, the environment, a file, the
/// terminal or one line of standard input.
#[derive(Debug, Args)]
struct KeySource {
    /// The shared key, base64 of 32 bytes. It shows in process lists: prefer the other ways
    #[arg(value_name = "KEY", allow_hyphen_values = false)]
    key: Option<String>,
    /// Read the shared key from a file
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// Runs the command line `arguments` and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> std::process::ExitCode {
    let cli = match Cli::try_parse_from(mint::go_flags(arguments.into_iter().collect())) {
        Ok(cli) => cli,
        Err(error) => {
            drop(error.print());
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            return std::process::ExitCode::from(code as u8);
        }
    };
    let exit = match cli.command {
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run(),
        Command::Config(ConfigCommand::Check(check)) => check.run(),
        Command::Config(ConfigCommand::Schema) => check::schema(),
        Command::Route(command) => command.run(),
        Command::Policy(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Session(command) => command.run(),
        Command::ServiceAccount(command) => command.run(),
        Command::Namespace(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Token(TokenCommand::Mint(mint)) => mint.run(),
        Command::Token(TokenCommand::Verify(verify)) => verify.run(),
        Command::Key(KeyCommand::Generate(generate)) => generate.run(),
        Command::Key(KeyCommand::Password(password)) => password.run(),
        Command::Envoy(EnvoyCommand::Config(config)) => config.run(),
        Command::Healthcheck(probe) => probe.run(),
    };
    std::process::ExitCode::from(exit as u8)
}

/// Runs a future to its end on a runtime of its own.
fn block_on(future: impl Future<Output = Exit>) -> Exit {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    // A turn of a connection is many checks: a new one should not wait for dozens of these to be noticed.
    match runtime.event_interval(8).enable_all().build() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => {
            report::error(&format!("cannot start: {error}"), None);
            Exit::Failure
        }
    }
}
