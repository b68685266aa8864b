//! Every backend of this build, on every device it finds: the conformance suite, what PyTorch computed with
//! the embedded network, and short ascents against the reference.

use trepang::engine::{Ascent, Objective, Pictures, Plan, Recipe};
use trepang::parity::{Comparison, Place, operations};
use trepang_api::conformance::{Golden, failures, matches_golden};
use trepang_api::{
    Array, Backend, Cotangents, Device, LayerId, Model, Network, Reference, ReluGradient, Result, Weights,
};
use trepang_weights::{minivgg, read_safetensors};

use crate::library::{apart, backends, default_backend, on_cpu, repository};

/// Two correct `f32` backends differ by less than 1e-6 in a loss, and [`STEPS`] steps of an ascent multiply
/// that by less than ten.
const LOSS_TOLERANCE: f64 = 1e-5;

/// Few, so that no max pooling has yet let another number win.
const STEPS: usize = 5;

fn everywhere(check: impl Fn(&dyn Backend, &Device)) {
    for backend in backends(2) {
        let devices = backend.devices();
        assert!(!devices.is_empty(), "{} finds no device", backend.name());
        for device in &devices {
            check(backend.as_ref(), device);
        }
    }
}

#[test]
fn every_backend_passes_the_conformance_suite() {
    everywhere(|backend, device| {
        assert_eq!(failures(backend, device), Vec::<String>::new(), "{} on {device}", backend.name());
    });
}

#[test]
fn every_backend_computes_what_pytorch_computes_with_the_embedded_network() {
    let golden = golden();
    assert_eq!((golden.activations.len(), golden.gradients.len()), (6, 3));
    everywhere(|backend, device| {
        for (name, measured) in matches_golden(backend, device, &golden).unwrap() {
            assert!(measured.passes(), "{name} on {} {device}: {measured:?}", backend.name());
        }
    });
}

fn golden() -> Golden {
    let path = repository("weights/minivgg/reference.safetensors");
    let file = read_safetensors(&std::fs::read(&path).unwrap(), &path).unwrap();
    let trained = minivgg().unwrap();
    Golden {
        network: trained.network,
        weights: trained.weights,
        images: file.get("images").unwrap().clone(),
        activations: activations(&file),
        gradients: file.iter().filter_map(|(name, tensor)| gradient(name, tensor)).collect(),
    }
}

fn activations(file: &Weights) -> Vec<(String, Array)> {
    let of =
        |(name, tensor): (&str, &Array)| Some((name.strip_prefix("activation.")?.into(), tensor.clone()));
    file.iter().filter_map(of).collect()
}

/// `gradient.mean_<layer>_channel<c>`, or `gradient.logit<c>`.
fn gradient(name: &str, tensor: &Array) -> Option<(String, usize, Array)> {
    let of = name.strip_prefix("gradient.")?;
    let (layer, channel) = match of.strip_prefix("logit") {
        Some(class) => ("predictions", class),
        None => of.strip_prefix("mean_")?.split_once("_channel")?,
    };
    Some((layer.into(), channel.parse().unwrap(), tensor.clone()))
}

/// The default backend with every gradient a hundredth too long, but for one pixel.
#[derive(Debug)]
struct Skewed(Box<dyn Backend>);

#[derive(Debug)]
struct SkewedModel(Box<dyn Model>);

impl Backend for Skewed {
    fn name(&self) -> &'static str {
        "skewed"
    }

    fn devices(&self) -> Vec<Device> {
        self.0.devices()
    }

    fn threads(&self) -> usize {
        self.0.threads()
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        Ok(Box::new(SkewedModel(self.0.load(network, weights, device)?)))
    }
}

impl Model for SkewedModel {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        self.0.activations(images, at)
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        let mut gradient = self.0.pull_back(images, at, relu, cotangents)?;
        gradient.data_mut()[1..].iter_mut().for_each(|g| *g *= 1.01);
        Ok(gradient)
    }
}

#[test]
fn a_backend_with_a_wrong_gradient_is_found_out() {
    let trained = minivgg().unwrap();
    let mut comparison = Comparison::new(&trained);
    let place = |backend: Box<dyn Backend>| {
        let device = backend.devices().swap_remove(0);
        Place { backend: backend.into(), device }
    };
    assert!(comparison.add(&place(default_backend(2))).iter().all(|row| row.passes));
    let skewed = place(Box::new(Skewed(default_backend(2))));
    let rows = comparison.add(&skewed);
    let wrong: Vec<&str> = rows.iter().filter(|row| !row.passes).map(|row| row.what.as_str()).collect();
    assert_eq!((rows.len(), wrong), (4, vec!["pull-back"]), "{rows:#?}");
    let failed = operations(&skewed).filter(|row| !row.passes);
    let failed: Vec<String> = failed.map(|row| row.what).collect();
    assert!(failed.contains(&"adjoint identity".into()), "{failed:?}");
}

#[test]
fn short_ascents_are_the_references() {
    for recipe in ["seed", "pixel", "lucid"] {
        let expected = losses(&Reference, recipe);
        assert!(expected[0] > 0.0 && expected[STEPS - 1] > expected[0], "{recipe}: {expected:?}");
        for backend in backends(2).iter().filter(|backend| backend.name() != Reference.name()) {
            for (step, (found, expected)) in (1..).zip(losses(backend.as_ref(), recipe).iter().zip(&expected))
            {
                let apart = apart(*found, *expected);
                assert!(apart <= LOSS_TOLERANCE, "{} {recipe} step {step}: {apart:.1e}", backend.name());
            }
        }
    }
}

fn losses(backend: &dyn Backend, recipe: &str) -> Vec<f64> {
    let trained = minivgg().unwrap();
    let objective = Objective::Layer { layer: "block4_conv2".into() };
    let plan = Plan { seed: 1, steps: STEPS, ..Plan::new(objective, Recipe::named(recipe).unwrap(), 32) };
    let mut ascent = Ascent::new(plan, &trained.network, &Pictures::new()).unwrap();
    let mut model = on_cpu(backend, &trained);
    (0..STEPS).map(|_| ascent.step(model.as_mut()).unwrap().loss).collect()
}
