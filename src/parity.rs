//! Do the backends of this machine agree? The conformance suite on every device, and whole networks compared pair by
//! pair: activations, a pull-back, short ascents. Not here: how the table is printed.

mod ascents;
mod comparison;
mod subjects;

use std::fmt;
use std::sync::Arc;

use anyhow::{Result, ensure};
use serde::Serialize;
use trepang_api::conformance::{CHECKS, Check, Measured, pull_backs_agree};
use trepang_api::{Backend, Device, DeviceKind, Reference};

use crate::backends::BACKENDS;
use crate::panics::guard;

pub use self::ascents::{LOSS_TOLERANCE, STEPS};
pub use self::comparison::Comparison;
pub use self::subjects::{CHEAPEST, Subject};

/// A backend on one of its devices.
#[derive(Debug, Clone)]
pub struct Place {
    /// The framework.
    pub backend: Arc<dyn Backend>,
    /// Where it computes.
    pub device: Device,
}

impl Place {
    /// Is it the oracle, which is too slow for whole networks?
    pub fn is_reference(&self) -> bool {
        self.backend.name() == Reference.name()
    }

    /// Is this network compared here? On a slow CPU only the cheapest networks are, and on the oracle none.
    pub fn covers(&self, subject: &Subject) -> bool {
        let entry = BACKENDS.iter().find(|entry| entry.name == self.backend.name());
        let is_slow = self.is_on_host() && entry.is_some_and(|entry| entry.is_slow_on_cpu);
        !self.is_reference() && (subject.is_cheap() || !is_slow)
    }

    /// Does the number of host threads matter here?
    pub fn is_on_host(&self) -> bool {
        self.device.kind == DeviceKind::Cpu
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.backend.name(), self.device)
    }
}

/// Something that was measured, and how large it may be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Who: a place, or two of them.
    pub who: String,
    /// What was compared.
    pub what: String,
    /// The largest difference, relative; none where there is no number because of `failure`.
    pub worst: Option<f64>,
    /// How large it may be; none for a row that only gives the others a scale.
    pub tolerance: Option<f64>,
    /// Why so much.
    pub reason: String,
    /// Where the largest difference is: a layer, a step.
    pub at: Option<String>,
    /// Why nothing was measured.
    pub failure: Option<String>,
    /// Is it within the tolerance?
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

    /// Nothing was measured, because of an error.
    pub fn failed(who: &str, what: &str, error: &anyhow::Error) -> Self {
        Self {
            worst: None,
            failure: Some(format!("{error:#}")),
            passes: false,
            ..Self::new(who, what, 0.0, None, "")
        }
    }

    /// Says where the largest difference is.
    fn at(self, place: String) -> Self {
        Self { at: Some(place), ..self }
    }
}

/// Fails where the pull-back of some operation, on tiny networks, is not what the reference computes: the part of the
/// suite that takes no time, for whoever is about to compute there.
pub fn known_gradients(backend: &dyn Backend, device: &Device) -> Result<()> {
    let found = pull_backs_agree(backend, device)?;
    let Measured { worst, tolerance } = found;
    ensure!(found.passes(), "known gradients are off by {worst:.1e}, where {tolerance:.0e} is allowed");
    Ok(())
}

/// The conformance suite at one place, check by check.
pub fn operations(place: &Place) -> impl Iterator<Item = Row> {
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
    fn a_difference_passes_up_to_its_tolerance_and_one_that_is_no_number_never() {
        let passes = |worst, tolerance| Row::new("here", "something", worst, tolerance, "").passes;
        assert!(passes(1e-4, Some(1e-4)) && !passes(1.1e-4, Some(1e-4)));
        assert!(passes(0.3, None), "a row for the scale");
        assert!(!passes(f64::NAN, Some(1.0)) && !passes(f64::INFINITY, Some(1.0)) && !passes(f64::NAN, None));
    }
}
