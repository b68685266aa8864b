//! The parity suite: what every backend must get right, as plain functions over `&dyn Backend`.
//!
//! A backend's own tests, the root crate's tests and `trepang parity` on a user's server run the same [`CHECKS`]. Each
//! holds a backend against the reference, against derivatives measured by finite differences, or against a stated rule
//! (ties, errors, equal bits). Whole networks are too much for the reference: [`Survey`]s of them compare any two
//! backends with each other.

mod agreement;
mod decisions;
mod derivatives;
mod golden;
mod oblong;
mod pool;
mod redirection;
mod refusals;
mod residual;
mod samples;
mod starts;
mod survey;

use crate::{Array, Backend, Device, Error};

pub use agreement::{
    activations_agree, batch_is_n_images, deepest_layer_only, equal_calls_equal_bits, pull_backs_agree,
    ties_go_to_the_first,
};
pub use decisions::{Decision, MAX_DECISIONS, NEAR_TIE, near_ties};
pub use derivatives::{adjoint_identity, central_differences, small_steps_raise_the_objective};
pub use golden::{Difference, Golden, GoldenRow, PulledBack, matches_golden};
pub use oblong::{oblong_images_agree, oblong_images_have_central_differences};
pub use pool::pool_runs_each_task_once;
pub use redirection::{
    dead_relus_are_redirected, living_images_keep_their_gradient, redirected_pull_backs_agree,
};
pub use refusals::refuses_bad_input;
pub use residual::Residual;
pub use samples::{Sample, SampleForm, samples};
pub use starts::{
    frontiers_agree_with_direct_runs, frontiers_give_equal_bits, frontiers_have_central_differences,
    frontiers_keep_the_chain_rule, refuses_bad_starts,
};
pub use survey::{ActivationsApart, GradientsApart, Survey, survey_tolerances};

/// The largest difference of two correct `f32` backends in an activation, relative to the layer's largest entry.
/// Sums of at most a few thousand products, added in different orders, differ by some 1e-6.
pub const ACTIVATION_TOLERANCE: f64 = 2e-5;

/// The same for dL/d(images): one more pass of sums, over a network twice as deep.
pub const GRADIENT_TOLERANCE: f64 = 1e-4;

/// <J v, u> and <v, Jt u> on networks without a kink: two dot products of `f32` results.
pub const ADJOINT_TOLERANCE: f64 = 1e-5;

/// A run from the values of layers against the run that gave them: a backend that computes in another type has rounded
/// them to `f32` on the way.
pub const START_TOLERANCE: f64 = 1e-5;

/// Central differences with a step of 1e-2 on `f32` activations: their rounding, some 1e-6, over the step.
pub const DIFFERENCE_TOLERANCE: f64 = 2e-3;

/// The result of a check: the worst difference, and the largest that is allowed. A yes-or-no check measures 0 or infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The largest difference seen, in the unit of the tolerance.
    pub worst: f64,
    /// The largest that passes.
    pub tolerance: f64,
}

impl Measured {
    /// Whether it is within the tolerance. A NaN is not.
    pub fn passes(self) -> bool {
        self.worst <= self.tolerance
    }

    fn exact(holds: bool) -> Self {
        Self { worst: if holds { 0.0 } else { f64::INFINITY }, tolerance: 0.0 }
    }
}

/// A check as a function; an `Err` is the backend's own failure and counts as one.
pub type CheckFn = fn(&dyn Backend, &Device) -> Result<Measured, Error>;

/// A check of the suite.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The statement that holds if the check passes.
    pub name: &'static str,
    /// The reason for the tolerance, in words for a table.
    pub reason: &'static str,
    /// Runs it on a device of a backend and returns the worst difference.
    pub run: CheckFn,
}

const fn check(name: &'static str, reason: &'static str, run: CheckFn) -> Check {
    Check { name, reason, run }
}

/// The reason of a check that holds or does not.
const RULE: &str = "a rule: it holds or it does not";

/// Every check of the suite, the cheapest to explain first.
pub const CHECKS: &[Check] = &[
    check("activations agree with the reference", "f32 sums in another order", activations_agree),
    check("pull-backs agree with the reference", "f32 sums, twice as deep", pull_backs_agree),
    check("adjoint identity", "two dot products of f32 results", adjoint_identity),
    check("central differences", "f32 rounding over a step of 0.01", central_differences),
    check("small steps raise the objective", RULE, small_steps_raise_the_objective),
    check("ties in max pooling go to the first", RULE, ties_go_to_the_first),
    check(
        "redirected ReLUs agree with the reference",
        "f32 sums, twice as deep",
        redirected_pull_backs_agree,
    ),
    check("a dead ReLU lets through what opens it", "f32 sums, twice as deep", dead_relus_are_redirected),
    check("a living image keeps its gradient", RULE, living_images_keep_their_gradient),
    check("a batch is N images", "a matrix product of another width", batch_is_n_images),
    check("equal calls give equal bits", RULE, equal_calls_equal_bits),
    check(
        "runs from a frontier agree with direct ones",
        "values rounded to f32",
        frontiers_agree_with_direct_runs,
    ),
    check("the chain rule at every frontier", "f32 sums, twice as deep", frontiers_keep_the_chain_rule),
    check(
        "central differences at every frontier",
        "f32 rounding over a step of 0.01",
        frontiers_have_central_differences,
    ),
    check("wide and high images agree with the reference", "f32 sums, twice as deep", oblong_images_agree),
    check(
        "central differences on wide and high images",
        "f32 rounding over a step of 0.001",
        oblong_images_have_central_differences,
    ),
    check("the pool runs each task once", RULE, pool_runs_each_task_once),
    check("nothing past the deepest layer runs", RULE, deepest_layer_only),
    check("bad input is refused", RULE, refuses_bad_input),
    check("a start that is no frontier is refused", RULE, refuses_bad_starts),
];

/// Runs every check and returns one line for each that failed: empty means conformant.
pub fn failures(backend: &dyn Backend, device: &Device) -> Vec<String> {
    let report = |Check { name, run, .. }: &Check| match run(backend, device) {
        Ok(measured) if measured.passes() => None,
        Ok(Measured { worst, tolerance }) => {
            Some(format!("{name}: {worst:.3e} where {tolerance:.0e} is allowed"))
        }
        Err(error) => Some(format!("{name}: {error}")),
    };
    CHECKS.iter().filter_map(report).collect()
}

/// The largest difference between `found` and `expected`, relative to the largest entry of `expected`; infinite where
/// either holds a NaN or an infinity.
pub fn relative_difference(found: &[f32], expected: &[f32]) -> f64 {
    if found.len() != expected.len() || found.iter().chain(expected).any(|v| !v.is_finite()) {
        return f64::INFINITY;
    }
    let largest = expected.iter().fold(0.0_f64, |m, &v| m.max(f64::from(v).abs()));
    let apart =
        found.iter().zip(expected).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs()).fold(0.0, f64::max);
    if apart > 0.0 { apart / largest.max(f64::MIN_POSITIVE) } else { 0.0 }
}

/// Uniform in -1..1, from SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
pub fn noise(seed: u64, shape: impl Into<Vec<usize>>) -> Array {
    let mut array = Array::zeros(shape);
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for value in array.data_mut() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        *value = (z >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
    }
    array
}

/// Noise as images: uniform in 0..1.
fn images(seed: u64, n: usize, [height, width]: [usize; 2]) -> Array {
    let mut images = noise(seed, [n, 3, height, width]);
    images.data_mut().iter_mut().for_each(|v| *v = f32::midpoint(*v, 1.0));
    images
}

fn bits(array: &Array) -> Vec<u32> {
    array.data().iter().map(|v| v.to_bits()).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Network, Reference, Weights, find_device};

    #[test]
    fn what_is_no_number_is_never_near() {
        assert_eq!(relative_difference(&[1.0, 2.0], &[1.0, 4.0]), 0.5);
        for odd in [f32::NAN, f32::INFINITY] {
            assert_eq!(relative_difference(&[odd, 2.0], &[1.0, 2.0]), f64::INFINITY);
            assert_eq!(relative_difference(&[1.0, 2.0], &[odd, 2.0]), f64::INFINITY);
        }
    }

    /// So rounding decides nothing, on any processor. Numbers that are equal are so everywhere: dead ReLUs leave a
    /// convolution nothing but its bias.
    #[test]
    fn no_gradient_of_the_suite_is_near_a_tie() {
        let check = |network: &Network, weights: &Weights, images: &Array| {
            let cpu = find_device(&Reference, "cpu").unwrap();
            let mut model = Reference.load(network, weights, &cpu).unwrap();
            let deepest = network.layers().last().unwrap();
            let near = near_ties(network, deepest, images, model.as_mut(), NEAR_TIE).unwrap();
            assert!(near.iter().all(|tie| tie.distance == 0.0), "{}: {near:?}", network.name());
        };
        for Sample { network, weights, size, .. } in samples().unwrap() {
            for (seed, n) in [(agreement::SEED, agreement::BATCH), (derivatives::SEED, 1)] {
                check(&network, &weights, &images(seed, n, size));
            }
        }
        redirection::for_each_case(check);
    }
}
