//! The manifest of a run: enough to make the run again.

use std::path::Path;

use serde::{Deserialize, Serialize};
use trepang_api::{Backend, Device, Precision};

use crate::engine::{AscentState, Change, Plan};

/// The provenance of a run: what computed it. Together with the plan it decides every bit.
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
    /// The set of weights in the file, as `--pick` takes it, if the file has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pick: Option<String>,
    /// The preprocessing, as `--input` takes it, if it is not that of the network's own training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The backend's name, as `--backend` takes it.
    pub backend: String,
    /// The device, as `--device` takes it.
    pub device: String,
    /// The arithmetic of its sums of products; what was written before it was noted is in f32.
    #[serde(default = "single")]
    pub precision: String,
    /// The number of host threads that the backend computed with.
    pub threads: usize,
    /// The vector instructions that computed, where the backend knows; none in what was written before they were noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vectors: Option<String>,
}

impl Provenance {
    /// Tells whether both compute the same bits. Vector instructions that were not noted may be any.
    fn is_same(&self, other: &Self) -> bool {
        let noted = self.vectors.is_some() && other.vectors.is_some();
        let vectors = if noted { &other.vectors } else { &self.vectors };
        *self == Self { vectors: vectors.clone(), ..other.clone() }
    }

    /// The provenance of a network in this version of Trepang (its name, the file of its weights if that was named, and
    /// their SHA-256) on a device of a backend.
    pub fn new(
        (network, weights, weights_sha256): (&str, Option<&Path>, String),
        (backend, device): (&dyn Backend, &Device),
    ) -> Self {
        Self {
            trepang: env!("CARGO_PKG_VERSION").into(),
            network: network.into(),
            weights: weights.map(|path| path.display().to_string()),
            weights_sha256,
            pick: None,
            input: None,
            backend: backend.name().into(),
            device: device.to_string(),
            precision: device.precision.to_string(),
            threads: backend.threads(),
            vectors: device.vectors.clone(),
        }
    }
}

/// The precision of everything that was made before there was another.
fn single() -> String {
    Precision::F32.to_string()
}

/// The text of a PNG: no clock, no path of the output, so that equal runs give equal files. It is written with
/// the number of its format, and read in every format there was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "SavedOrigin", try_from = "SavedOrigin")]
pub struct Origin {
    /// The plan, which decides the ascent, given the network.
    pub plan: Plan,
    /// The provenance of the run, or of its last part.
    pub provenance: Provenance,
    /// Its parts, where the computation changed on the way: no single computation makes the same bits. Empty
    /// otherwise, and in what was written before there were parts.
    pub segments: Vec<Segment>,
}

/// The format that is written. Format 1 had no number; its backend `candle` computed on the CPU with the kernels that are
/// the backend `cpu` since format 2.
pub(super) const FORMAT: u32 = 2;

/// The most threads that a flag can ask for.
const MAX_THREADS: usize = 1024;

/// An [`Origin`] as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct SavedOrigin {
    #[serde(default = "first_format")]
    format: u32,
    plan: Plan,
    provenance: Provenance,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    segments: Vec<Segment>,
}

/// The format of what says none.
fn first_format() -> u32 {
    1
}

impl From<Origin> for SavedOrigin {
    fn from(Origin { plan, provenance, segments }: Origin) -> Self {
        Self { format: FORMAT, plan, provenance, segments }
    }
}

impl TryFrom<SavedOrigin> for Origin {
    type Error = String;

    /// Fails for a format of a later version, and for numbers that no flag takes.
    fn try_from(saved: SavedOrigin) -> Result<Self, String> {
        let SavedOrigin { format, plan, mut provenance, mut segments } = saved;
        if format > FORMAT {
            return Err(format!("a later version of Trepang wrote it, in format {format}"));
        }
        if format == 1 {
            let parts = segments.iter_mut().map(|segment| &mut segment.provenance);
            parts.chain([&mut provenance]).for_each(Provenance::rename_backend);
        }
        let parts = segments.iter().map(|segment| &segment.provenance);
        parts.chain([&provenance]).try_for_each(Provenance::check)?;
        plan.check_recipes()?;
        Ok(Self { plan, provenance, segments })
    }
}

impl Provenance {
    /// Checks the number of threads. Fails with a clause.
    fn check(&self) -> Result<(), String> {
        match self.threads {
            1..=MAX_THREADS => Ok(()),
            threads => Err(format!("{threads} threads computed it, where 1 to {MAX_THREADS} can")),
        }
    }

    /// Gives a computation of format 1 the name that its backend has now.
    fn rename_backend(&mut self) {
        if self.backend == "candle" && self.device == "cpu" {
            self.backend = "cpu".into();
        }
    }
}

/// A part of a run that one computation made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The number of steps taken when it began.
    pub step: usize,
    /// The provenance of this part.
    pub provenance: Provenance,
}

impl Origin {
    /// An ascent that one computation makes.
    pub fn new(plan: Plan, provenance: Provenance) -> Self {
        Self { plan, provenance, segments: Vec::new() }
    }

    /// Whether `other`, computed from its beginning, has the same bits. The path of the weights' file decides nothing, their
    /// SHA-256 does.
    pub fn is_made_again_by(&self, other: &Self) -> bool {
        let provenance = Provenance { weights: self.provenance.weights.clone(), ..other.provenance.clone() };
        self.segments.is_empty() && self.plan == other.plan && self.provenance.is_same(&provenance)
    }
}

/// The provenance of a run, part by part, in the order of its steps; never empty.
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
        if self.0.last().is_none_or(|last| !last.provenance.is_same(&provenance)) {
            self.0.push(Segment { step, provenance });
        }
    }

    /// The parts of a run of so many steps. A part that has taken no step is left out.
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
    /// The number of steps that the run has taken.
    pub step: usize,
    /// The loss of the start image.
    pub loss_first: Option<f64>,
    /// The loss before the last step.
    pub loss_last: Option<f64>,
    /// Steps in which no gradient reached the image.
    pub dead_steps: usize,
    /// Share of the picture's values at 0 or 255.
    pub saturated: f64,
    /// The objective on the picture that was written, read back; none until that is measured, and in what was written before
    /// it was noted.
    #[serde(default)]
    pub activation: Option<f64>,
    /// Its mean over fixed transforms of that picture.
    #[serde(default)]
    pub activation_robust: Option<f64>,
    /// Whether nothing has woken the objective: it was 0 without a gradient in every step, and on the picture once that is
    /// measured. False in what was written before it was noted.
    #[serde(default)]
    pub dead: bool,
    /// Whether the run has taken all its steps.
    pub finished: bool,
    /// Seconds since 1970 when the folder was made.
    pub created: u64,
}

impl Manifest {
    /// The first part of the plan in which a state and this manifest differ, as words; none if one run wrote both. Either may
    /// be a few steps behind the other, and its length another, since a process can end between two files.
    pub(super) fn differs_from(&self, plan: &Plan, state: &AscentState) -> Option<&'static str> {
        let own = &self.origin.plan;
        let common = self.step.min(state.losses.len());
        let before = |changes: &[Change]| -> Vec<Change> {
            changes.iter().filter(|change| change.step < common).cloned().collect()
        };
        let parts = [
            (own.objective == plan.objective, "the objective"),
            (own.recipe == plan.recipe, "the recipe"),
            (own.size == plan.size, "the size"),
            (own.seed == plan.seed, "the seed"),
            (own.start == plan.start, "the start"),
            (before(&own.changes) == before(&plan.changes), "the changes on the way"),
        ];
        parts.into_iter().find_map(|(is_same, part)| (!is_same).then_some(part))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::{Objective, Recipe};

    fn saved_by(backend: &str, device: &str) -> Value {
        let provenance = Provenance {
            trepang: "0.1.0".into(),
            network: "minivgg".into(),
            weights: None,
            weights_sha256: String::new(),
            pick: None,
            input: None,
            backend: backend.into(),
            device: device.into(),
            precision: single(),
            threads: 2,
            vectors: None,
        };
        let recipe = Recipe::named("pixel").unwrap();
        let plan = Plan::new(Objective::channel("block2_conv1", 5), recipe, 32);
        let mut parts = Parts::new(provenance.clone());
        parts.go_on(1, Provenance { threads: 1, ..provenance });
        serde_json::to_value(parts.origin(plan, 3)).unwrap()
    }

    fn backends(origin: &Origin) -> Vec<&str> {
        let parts = origin.segments.iter().map(|segment| &segment.provenance);
        parts.chain([&origin.provenance]).map(|provenance| provenance.backend.as_str()).collect()
    }

    #[test]
    fn candle_on_the_cpu_was_the_backend_cpu_in_format_1() {
        for (backend, device, now) in
            [("candle", "cpu", "cpu"), ("candle", "cuda:0", "candle"), ("tch", "cpu", "tch")]
        {
            let mut saved = saved_by(backend, device);
            let written: Origin = serde_json::from_value(saved.clone()).unwrap();
            assert_eq!(backends(&written), [backend; 3], "what is written now means what it says");
            assert_eq!(saved.as_object_mut().unwrap().remove("format"), Some(json!(FORMAT)));
            let old: Origin = serde_json::from_value(saved).unwrap();
            assert_eq!(backends(&old), [now; 3], "{backend} on {device}");
        }
    }

    #[test]
    fn a_later_format_is_refused() {
        let mut saved = saved_by("cpu", "cpu");
        saved["format"] = json!(FORMAT + 1);
        let error = serde_json::from_value::<Origin>(saved).unwrap_err().to_string();
        assert_eq!(error, "a later version of Trepang wrote it, in format 3");
    }
}
