//! Whole ascents through the library: against PyTorch, on dead channels, and cut in two.

mod dead;
mod golden;
mod resume;
