//! `lictor envoy config`.

use super::{Exit, check, report};
use crate::config::{Config, Environment};
use crate::envoy_config::{Options, bootstrap};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor envoy config lictor.yaml > envoy.yaml && envoy --mode validate -c envoy.yaml"
)]
pub(super) struct EnvoyConfig {
    /// The configuration whose routes Envoy shall serve
    file: PathBuf,
    /// Where Envoy listens
    #[arg(long, default_value = "0.0.0.0:8000")]
    listen: SocketAddr,
    /// Where Envoy's admin interface listens
    #[arg(long, default_value = "127.0.0.1:9901")]
    admin: SocketAddr,
}

impl EnvoyConfig {
    pub(super) fn run(&self) -> Exit {
        let config = match Config::load(&self.file, &Environment::of_process()) {
            Ok(config) => config,
            Err(problems) => {
                check::tell(&problems, &self.file);
                return Exit::Invalid;
            }
        };
        let options = Options {
            listen: self.listen,
            admin: Some(self.admin),
            grpc: config.listen.grpc.clone(),
            http: config.listen.http,
        };
        let (document, omissions) = bootstrap(&config, &options);
        for omission in &omissions {
            report::warning(omission);
        }
        match serde_yaml::to_string(&document) {
            Ok(text) => {
                report::data(&text);
                Exit::Ok
            }
            Err(error) => {
                report::error(&error.to_string(), None);
                Exit::Failure
            }
        }
    }
}
