//! Compiles the descriptor that gRPC reflection serves. Pure Rust: no protoc.

use prost::Message as _;
use std::error::Error;
use std::path::PathBuf;

#[expect(clippy::disallowed_methods, reason = "a build script reads and writes files")]
fn main() -> Result<(), Box<dyn Error>> {
    let files = protox::compile(["envoy/service/auth/v3/external_auth.proto"], ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("ext_authz.binpb");
    std::fs::write(out, files.encode_to_vec())?;
    println!("cargo::rerun-if-changed=proto");
    Ok(())
}
