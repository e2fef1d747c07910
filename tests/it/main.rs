//! Tests of the whole: the binary, the server, and a real Envoy. One binary, a module per subject.
#![expect(unreachable_pub, reason = "a test binary exports nothing")]

mod examples;
mod policy_cases;
mod support;
mod worked_examples;
mod worked_identity;
