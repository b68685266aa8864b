//! Tests of downloads against a faulty server on the loopback interface and against scripts in place of pip. After every
//! failure, the target is the old file or the whole new one. No test uses the network.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod harness;
mod mirror;
mod obtain;
mod resume;
mod room;
mod server;
mod stop;
mod trouble;
mod wheel;
mod wrong;
