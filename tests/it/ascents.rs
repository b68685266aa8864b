//! Whole ascents through the library: against PyTorch, on dead channels, for single neurons, and cut in two.

mod dead;
mod golden;
mod neuron;
mod objectives;
mod optimizers;
mod resume;
