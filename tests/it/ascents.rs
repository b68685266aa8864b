//! Whole ascents through the library: against PyTorch, on dead channels, for single neurons, cut in two, and failing in
//! mid-step.

mod dead;
mod golden;
mod mid_step;
mod neuron;
mod objectives;
mod optimizers;
mod resume;
