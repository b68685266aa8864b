//! Ascents that PyTorch made (`tests/golden/make_ascents.py` says how), made again on the default backend.

use safetensors::SafeTensors;
use serde_json::Value;
use trepang::engine::{
    Ascent, DeadChannel, Objective, Optimizer, Param, ParamKind, ParamSpec, Picture, Pictures, Plan, Recipe,
    Rule, Start,
};
use trepang_api::Array;
use trepang_weights::minivgg;

use crate::library::{apart, on_default, repository};
use crate::made_up::picture;

/// Updates before the script's `early` picture. It chose starts with which rounding decides nothing until then.
const EARLY: usize = 3;

/// Rounding in a loss and in the few updates before it: 7e-7 was seen.
const EARLY_LOSS_TOLERANCE: f64 = 1e-5;

/// The same for the parameters, in their own unit: both spaces are 1 or 2 wide. 8e-7 was seen.
const EARLY_TOLERANCE: f64 = 1e-5;

/// Later, rounding flips a max pooling's winner and two correct runs take different ways up: 7 % was seen between two of
/// our own kernels, on a layer of 4x4. That they stay together until then is what shows that they are correct.
const LATE_LOSS_TOLERANCE: f64 = 0.25;

/// What a plan calls the picture that it starts with.
const START: &str = "start.png";

struct Golden {
    ascent: Value,
    start: Picture,
    losses: Vec<f32>,
    early: Vec<f32>,
    x: Array,
    picture: Vec<u8>,
}

fn golden() -> Vec<(String, Golden)> {
    let bytes = std::fs::read(repository("tests/golden/ascents.safetensors")).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let ascents: Value = serde_json::from_str(&header.metadata().as_ref().unwrap()["ascents"]).unwrap();
    let read = |name: &str, part: &str| file.tensor(&format!("{name}.{part}")).unwrap().data().to_vec();
    let numbers = |name: &str, part: &str| {
        read(name, part).as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect::<Vec<_>>()
    };
    let one = |(name, ascent): (&String, &Value)| {
        let golden = Golden {
            ascent: ascent.clone(),
            start: picture(ascent["start"].as_str().unwrap(), 64),
            losses: numbers(name, "losses"),
            early: numbers(name, "early"),
            x: Array::new([1, 3, 64, 64], numbers(name, "x")).unwrap(),
            picture: read(name, "picture"),
        };
        (name.clone(), golden)
    };
    ascents.as_object().unwrap().iter().map(one).collect()
}

impl Golden {
    fn param(&self) -> ParamSpec {
        let kind = match self.ascent["space"].as_str().unwrap() {
            "network" => ParamKind::Network,
            "rgb" => ParamKind::Pixel,
            other => panic!("no space {other}"),
        };
        ParamSpec { kind, ..Recipe::named("original").unwrap().param }
    }

    /// The share of the parameters that may be further off than [`EARLY_TOLERANCE`]. Adam divides each gradient by its own
    /// size, so that the rounding of the smallest ones counts in full: 1 of 12,288 was seen.
    fn sensitive(&self) -> f64 {
        if self.ascent["optimizer"] == "adam" { 1e-3 } else { 0.0 }
    }

    fn plan(&self) -> Plan {
        let rate = self.ascent["rate"].as_f64().unwrap();
        let optimizer = match self.ascent["optimizer"].as_str().unwrap() {
            "normalised" => Optimizer::normalised(rate),
            "adam" => Optimizer::new(Rule::Adam, rate),
            other => panic!("no optimizer {other}"),
        };
        let channel = self.ascent["channel"].as_u64().unwrap() as usize;
        let objective = Objective::channel(self.ascent["layer"].as_str().unwrap(), channel);
        let (param, dead) = (self.param(), DeadChannel::Stop);
        let recipe = Recipe { param, optimizer, dead, ..Recipe::named("original").unwrap() };
        let start = Start::Picture { file: START.into(), sha256: String::new() };
        Plan { start, steps: self.losses.len(), ..Plan::new(objective, recipe, 64) }
    }

    /// Takes all steps; returns the losses and the parameters after [`EARLY`] updates.
    fn run(&self) -> (Vec<f64>, Vec<f32>) {
        let trained = minivgg().unwrap();
        let pictures = Pictures::from([(START.to_owned(), self.start.clone())]);
        let mut ascent = Ascent::new(self.plan(), &trained.network, &pictures).unwrap();
        let mut model = on_default(&trained);
        let mut early = Vec::new();
        while !ascent.is_finished() {
            ascent.step(model.as_mut()).unwrap();
            if ascent.step_count() == EARLY {
                early = ascent.state().x.data().to_vec();
            }
        }
        (ascent.state().losses.clone(), early)
    }
}

#[test]
fn ascents_are_pytorchs() {
    let all = golden();
    assert_eq!(all.len(), 4);
    for (name, golden) in all {
        let (losses, early) = golden.run();
        for (step, (&found, &expected)) in losses.iter().zip(&golden.losses).enumerate() {
            let tolerance = if step <= EARLY { EARLY_LOSS_TOLERANCE } else { LATE_LOSS_TOLERANCE };
            let apart = apart(found, expected.into());
            assert!(apart <= tolerance, "{name}: the loss after {step} updates is {found}, not {expected}");
        }
        let apart = early.iter().zip(&golden.early).map(|(a, b)| f64::from((a - b).abs()));
        let off = apart.filter(|apart| *apart > EARLY_TOLERANCE).count() as f64 / early.len() as f64;
        assert!(off <= golden.sensitive(), "{name}: {off} of the parameters after {EARLY} updates are off");
    }
}

#[test]
fn pictures_are_numpys_to_the_byte() {
    for (name, golden) in golden() {
        let param = Param::new(golden.param(), minivgg().unwrap().network.preprocess().clone(), 64, 1);
        let found = param.picture(&golden.x).rgb;
        let wrong = found.iter().zip(&golden.picture).filter(|(a, b)| a != b).count();
        assert_eq!((found.len(), wrong), (golden.picture.len(), 0), "{name}");
    }
}
