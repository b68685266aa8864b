//! The binary without a terminal: what it prints, what it writes, how it ends.

mod bad_input;
mod batch;
mod bench;
mod closed_pipe;
mod config;
mod devices;
mod from;
mod full_disk;
mod homeless;
mod input;
mod interrupted;
mod listing;
#[cfg(target_os = "linux")]
mod little_memory;
mod onnx;
mod outputs;
mod own_weights;
mod picture_formats;
mod predict;
mod pull;
mod render;
mod render_command;
mod resume;
mod runs;
mod shell;
mod version;
