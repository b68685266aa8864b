//! What is written down about a run: enough to make it again.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::Plan;

/// What computed a run. Together with the plan it decides every bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of Trepang.
    pub trepang: String,
    /// The network's name.
    pub network: String,
    /// The weights file; none for an embedded network.
    pub weights: Option<String>,
    /// SHA-256 of the weights' bytes.
    pub weights_sha256: String,
    /// The backend's name.
    pub backend: String,
    /// The device, as it is typed.
    pub device: String,
    /// How many threads computed.
    pub threads: usize,
}

/// What the PNG carries as text: no clock, no path of the output, so that equal runs give equal files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The ascent.
    pub plan: Plan,
    /// What computed it, or its last part.
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
    /// What computed it.
    pub provenance: Provenance,
}

impl Origin {
    /// An ascent that one computation makes.
    pub fn new(plan: Plan, provenance: Provenance) -> Self {
        Self { plan, provenance, segments: Vec::new() }
    }
}

/// `manifest.json` of a run folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What makes the run again.
    #[serde(flatten)]
    pub origin: Origin,
    /// The objective in words.
    pub objective: String,
    /// Steps taken.
    pub step: usize,
    /// The loss of the start image.
    pub loss_first: Option<f64>,
    /// The loss before the last step.
    pub loss_last: Option<f64>,
    /// Steps that climbed before the ReLU because no gradient reached the image.
    pub dead_steps: usize,
    /// Share of the picture's values at 0 or 255.
    pub saturated: f64,
    /// Has it taken all its steps?
    pub finished: bool,
    /// Seconds since 1970 when the folder was made.
    pub created: u64,
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Objective, Recipe, Start};

    fn origin() -> Origin {
        let (objective, recipe) = (Objective::channel("a", 0), Recipe::pixel());
        let plan = Plan { objective, recipe, size: 32, seed: 0, start: Start::Noise, steps: 9 };
        let text = || "x".to_owned();
        let provenance = Provenance {
            trepang: text(),
            network: text(),
            weights: None,
            weights_sha256: text(),
            backend: text(),
            device: text(),
            threads: 1,
        };
        Origin::new(plan, provenance)
    }

    #[test]
    fn what_has_no_parts_is_written_and_read_as_before_there_were_parts() {
        let mut origin = origin();
        let text = serde_json::to_string(&origin).unwrap();
        assert!(!text.contains("segments"), "{text}");
        assert_eq!(serde_json::from_str::<Origin>(&text).unwrap(), origin);
        origin.segments = vec![Segment { step: 3, provenance: origin.provenance.clone() }];
        let text = serde_json::to_string(&origin).unwrap();
        assert_eq!(serde_json::from_str::<Origin>(&text).unwrap(), origin);
    }
}
