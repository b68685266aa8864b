//! Pulls against a server on loopback that misbehaves, and against programs that pretend to be pip. Whatever they
//! do, the target is the old file or the whole new one. No test leaves this machine.

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
