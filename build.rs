//! Compiles the descriptors that gRPC reflection serves, and the messages of the admin API with their
//! JSON. Pure Rust: no protoc.

use prost::Message as _;
use std::error::Error;
use std::path::PathBuf;

/// The package of the admin API.
const ADMIN: &str = ".lictor.admin.v1";
/// Types of Google's that have a JSON of their own, and what stands for them here.
const WELL_KNOWN: [&str; 3] = ["Timestamp", "Duration", "FieldMask"];
/// Messages that carry a token: their `Debug` is written by hand, without it.
const SECRETS: [&str; 5] = [
    "CreateServiceAccountResponse",
    "IssuedCredential",
    "IntrospectTokenRequest",
    "RevokeTokenRequest",
    "SimulateRequest",
];

#[expect(clippy::disallowed_methods, reason = "a build script reads and writes files")]
fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let check = protox::compile(["envoy/service/auth/v3/external_auth.proto"], ["proto"])?;
    std::fs::write(out.join("ext_authz.binpb"), check.encode_to_vec())?;
    let admin = protox::compile(["lictor/admin/v1/admin.proto"], ["proto"])?;
    let descriptors = admin.encode_to_vec();
    std::fs::write(out.join("admin.binpb"), &descriptors)?;

    let mut messages = tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        .skip_debug(SECRETS.map(|name| format!("{ADMIN}.{name}")))
        .skip_debug([format!("{ADMIN}.SimulateRequest.principal")]);
    let mut json = pbjson_build::Builder::new();
    json.register_descriptors(&descriptors)?;
    json.preserve_proto_field_names().ignore_unknown_fields().emit_fields();
    for name in WELL_KNOWN {
        let (proto, ours) =
            (format!(".google.protobuf.{name}"), format!("crate::api::wire::{name}"));
        messages = messages.extern_path(&proto, &ours);
        json.extern_path(proto, ours);
    }
    messages.compile_fds(admin)?;
    json.build(&[ADMIN])?;
    println!("cargo::rerun-if-changed=proto");
    Ok(())
}
