//! What is written down about a run: enough to make it again.

use std::path::Path;

use serde::{Deserialize, Serialize};
use trepang_api::{Backend, Device};

use crate::engine::Plan;

/// What computed a run. Together with the plan it decides every bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of Trepang that ran.
    pub trepang: String,
    /// The name of the network, or of the pulled set with its weights.
    pub network: String,
    /// The file that was named for the weights; none for the network's own.
    pub weights: Option<String>,
    /// SHA-256 of the weights' bytes.
    pub weights_sha256: String,
    /// The backend's name, as `--backend` takes it.
    pub backend: String,
    /// The device, as `--device` takes it.
    pub device: String,
    /// How many host threads the backend computed with.
    pub threads: usize,
}

impl Provenance {
    /// What this version of Trepang says of a network (its name, the file of its weights if that was named, and their
    /// SHA-256) on a device of a backend.
    pub fn new(
        (network, weights, weights_sha256): (&str, Option<&Path>, String),
        (backend, device): (&dyn Backend, &Device),
    ) -> Self {
        Self {
            trepang: env!("CARGO_PKG_VERSION").into(),
            network: network.into(),
            weights: weights.map(|path| path.display().to_string()),
            weights_sha256,
            backend: backend.name().into(),
            device: device.to_string(),
            threads: backend.threads(),
        }
    }
}

/// What the PNG carries as text: no clock, no path of the output, so that equal runs give equal files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// What decides the ascent, given the network.
    pub plan: Plan,
    /// What computed the run, or its last part.
    pub provenance: Provenance,
    /// Its parts, where the computation changed on the way: no single computation makes the same bits. Empty
    /// otherwise, and in what was written before there were parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
}

/// A part of a run that one computation made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// How many steps had been taken when it began.
    pub step: usize,
    /// What computed this part.
    pub provenance: Provenance,
}

impl Origin {
    /// An ascent that one computation makes.
    pub fn new(plan: Plan, provenance: Provenance) -> Self {
        Self { plan, provenance, segments: Vec::new() }
    }
}

/// What computed a run, part by part, in the order of its steps; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts(Vec<Segment>);

impl Parts {
    /// A run that has not begun.
    pub fn new(provenance: Provenance) -> Self {
        Self(vec![Segment { step: 0, provenance }])
    }

    /// Those of a run that was saved.
    pub fn of(origin: &Origin) -> Self {
        if origin.segments.is_empty() {
            Self::new(origin.provenance.clone())
        } else {
            Self(origin.segments.clone())
        }
    }

    /// Says what goes on with the run after `step` steps: another backend, device or number of threads begins a new
    /// part of it.
    pub fn go_on(&mut self, step: usize, provenance: Provenance) {
        self.0.retain(|part| part.step < step); // one that took no step is none
        if self.0.last().is_none_or(|last| last.provenance != provenance) {
            self.0.push(Segment { step, provenance });
        }
    }

    /// What made a run of so many steps. A computation that has taken no step made nothing of it.
    pub fn origin(&self, plan: Plan, steps: usize) -> Origin {
        let begun = |(index, part): &(usize, &Segment)| *index == 0 || part.step < steps;
        let parts: Vec<Segment> =
            self.0.iter().enumerate().filter(begun).map(|(_, part)| part.clone()).collect();
        let provenance = parts[parts.len() - 1].provenance.clone();
        let several = parts.len() > 1;
        Origin { plan, provenance, segments: if several { parts } else { Vec::new() } }
    }
}

/// `manifest.json` of a run folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Everything that is needed to make the run again.
    #[serde(flatten)]
    pub origin: Origin,
    /// The last objective in its printed form.
    pub objective: String,
    /// How many steps the run has taken.
    pub step: usize,
    /// The loss of the start image.
    pub loss_first: Option<f64>,
    /// The loss before the last step.
    pub loss_last: Option<f64>,
    /// Steps in which no gradient reached the image.
    pub dead_steps: usize,
    /// Share of the picture's values at 0 or 255.
    pub saturated: f64,
    /// Has it taken all its steps?
    pub finished: bool,
    /// Seconds since 1970 when the folder was made.
    pub created: u64,
}
