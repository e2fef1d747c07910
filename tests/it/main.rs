//! Tests of the whole: the binary, the server, and a real Envoy. One binary, a module per subject.

mod examples;
mod support;
