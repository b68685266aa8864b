//! Trepang's integration tests, in one crate.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod app;
mod stage;
mod ui;
mod worker;
