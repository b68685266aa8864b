//! Trepang's integration tests, in one crate: what the binary, the dashboard, the backends and the ascents
//! promise, held against independent computations. Tests of one module alone stand in that module.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod ascents;
mod beside;
mod binary;
mod cli;
mod clip;
mod closer;
mod dashboard;
mod documents;
mod drafts;
mod end_marks;
mod finding;
mod formats;
mod forwarding;
mod golden;
mod gray;
mod growth;
mod inception_v1;
mod kept_classes;
mod lab;
mod lab_window;
mod leaving;
mod library;
mod made_before;
mod made_up;
mod marks;
mod models;
mod mosaic;
mod mouse;
mod mutated;
mod networks;
mod oblong;
mod packages;
mod panes;
mod parity;
mod pictures;
mod prompts;
mod pty;
mod pulled;
mod rebinding;
mod saved_runs;
mod settings;
mod stage;
mod steering;
mod switching;
mod themes;
mod tidy;
mod tiffs;
mod torchvision;
mod ui;
mod viewers;
mod weights;
mod worker;
mod wrapped;
