//! Trepang's integration tests, in one crate: what the binary, the dashboard, the backends and the ascents
//! promise, held against independent computations. Tests of one module alone stand in that module.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod app;
mod ascents;
mod binary;
mod cli;
mod documents;
mod formats;
mod golden;
mod gray;
mod library;
mod made_up;
mod networks;
mod parity;
mod pty;
mod pulled;
mod shelf;
mod stage;
mod steering;
mod switching;
mod tidy;
mod torchvision;
mod ui;
mod weights;
mod worker;
mod wrapped;
