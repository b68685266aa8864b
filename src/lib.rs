//! Trepang shows, in a terminal, what a channel of a convolutional network looks for.
//!
//! # Map
//! - `cli`: one file a subcommand; `config`: typed text to validated settings.
//! - `backends`: the only file that names concrete backends.
//! - `bench`: how long a step takes, one backend against another.
//! - `engine`: one ascent: objective, parameters, optimizer, recipe. Host code without clock, file or thread.
//! - `lab`: why a network sees a class in a picture, split over a layer's channels. Host code under the engine's rules.
//! - `parity`: whether the backends of this machine agree.
//! - `runs`: a run on disk, and the one driver of a run.
//! - `sweep`: pictures of whole layers, and the store that keeps them.
//! - `worker`: the one thread that owns the model and the run; its protocol; models and classifiers.
//! - `dashboard`: the dashboard's state, its keys and its effects: pure.
//! - `ui`: the dashboard's drawing, the terminal and its pictures.
//!
//! The seam to the frameworks is the crate `trepang-api`. The library exists for the binary and its tests; the
//! modules below are what they use.

pub mod backends;
pub mod bench;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod engine;
pub mod lab;
mod memory;
mod panics;
pub mod parity;
pub mod runs;
pub mod sweep;
pub mod ui;
pub mod worker;
