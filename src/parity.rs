//! Checks whether the backends of this machine agree: the conformance suite on every device, and whole networks compared
//! pair by pair (activations, a pull-back, short ascents). `cli/parity.rs` prints the table.

mod ascents;
mod comparison;

use std::fmt;
use std::sync::Arc;

use anyhow::{Result, ensure};
use serde::Serialize;
use trepang_api::conformance::{CHECKS, Check, Measured, pull_backs_agree};
use trepang_api::{Backend, Device, DeviceKind, Reference};
use trepang_weights::Architecture;

use crate::backends::BACKENDS;
use crate::config::MeasuredNetwork;
use crate::panics::guard;

pub use self::ascents::{ASCENT_STEPS, LOSS_TOLERANCE};
pub use self::comparison::Comparison;

/// The networks that take the fewest operations: the only ones that are compared on a slow backend.
pub const CHEAPEST: [Architecture; 2] = [Architecture::Minivgg, Architecture::EfficientnetLite0];

/// A backend on one of its devices.
#[derive(Debug, Clone)]
pub struct BackendOnDevice {
    /// The backend, shared by its devices.
    pub backend: Arc<dyn Backend>,
    /// The device that the backend computes on.
    pub device: Device,
}

impl BackendOnDevice {
    /// Whether this is the reference backend, which is too slow for whole networks.
    pub fn is_reference(&self) -> bool {
        self.backend.name() == Reference.name()
    }

    /// Whether this network is compared here. On a slow CPU only the cheapest networks are, and on the oracle none.
    pub fn covers(&self, network: &MeasuredNetwork) -> bool {
        let entry = BACKENDS.iter().find(|entry| entry.name == self.backend.name());
        let is_slow = self.is_on_host() && entry.is_some_and(|entry| entry.is_slow_on_cpu);
        !self.is_reference() && (network.is_of(&CHEAPEST) || !is_slow)
    }

    /// Whether the number of host threads matters here.
    pub fn is_on_host(&self) -> bool {
        self.device.kind == DeviceKind::Cpu
    }
}

impl fmt::Display for BackendOnDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.backend.name(), self.device)
    }
}

/// One comparison: the measured difference and its tolerance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The backend and device, or a pair of them.
    pub who: String,
    /// The quantity that was compared.
    pub what: String,
    /// The largest relative difference; none if `failure` says why there is no number.
    pub worst: Option<f64>,
    /// The largest difference that passes; none for a row that only shows how large rounding makes the others.
    pub tolerance: Option<f64>,
    /// The reason for a difference of that size.
    pub reason: String,
    /// The place of the largest difference, such as a layer or a step.
    pub at: Option<String>,
    /// The reason why nothing was measured, if nothing was.
    pub failure: Option<String>,
    /// Whether the difference is within the tolerance.
    pub passes: bool,
}

impl Row {
    fn new(who: &str, what: &str, worst: f64, tolerance: Option<f64>, reason: &str) -> Self {
        let within = worst.is_finite() && tolerance.is_none_or(|tolerance| worst <= tolerance);
        Self {
            who: who.into(),
            what: what.into(),
            worst: worst.is_finite().then_some(worst),
            tolerance,
            reason: reason.into(),
            at: None,
            failure: (!worst.is_finite()).then(|| "it does not hold".into()),
            passes: within,
        }
    }

    /// A row for a comparison that failed with an error.
    pub fn failed(who: &str, what: &str, error: &anyhow::Error) -> Self {
        Self {
            worst: None,
            failure: Some(format!("{error:#}")),
            passes: false,
            ..Self::new(who, what, 0.0, None, "")
        }
    }

    /// Adds where the largest difference is.
    fn at(self, place: String) -> Self {
        Self { at: Some(place), ..self }
    }
}

/// Checks the pull-backs of all operations on tiny networks against the reference. Fails if one differs. This part of
/// the suite is fast, so it runs before a device is used.
pub fn known_gradients(backend: &dyn Backend, device: &Device) -> Result<()> {
    let found = pull_backs_agree(backend, device)?;
    let Measured { worst, tolerance } = found;
    ensure!(found.passes(), "known gradients are off by {worst:.1e}, where {tolerance:.0e} is allowed");
    Ok(())
}

/// Runs the conformance suite on one backend and device, check by check.
pub fn operations(place: &BackendOnDevice) -> impl Iterator<Item = Row> {
    let who = place.to_string();
    CHECKS.iter().map(move |Check { name, reason, run }| {
        match guard("the backend", || Ok(run(place.backend.as_ref(), &place.device)?)) {
            Ok(found) => Row::new(&who, name, found.worst, Some(found.tolerance), reason),
            Err(error) => Row::failed(&who, name, &error),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_up_to_the_tolerance_pass_and_nan_never_passes() {
        let passes = |worst, tolerance| Row::new("here", "something", worst, tolerance, "").passes;
        assert!(passes(1e-4, Some(1e-4)) && !passes(1.1e-4, Some(1e-4)));
        assert!(passes(0.3, None), "a row for the scale");
        assert!(!passes(f64::NAN, Some(1.0)) && !passes(f64::INFINITY, Some(1.0)) && !passes(f64::NAN, None));
    }
}
