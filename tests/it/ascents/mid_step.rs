//! A step that fails in the middle leaves the ascent as it was, so that the same step can be taken again.

use trepang::engine::{Ascent, Change, Error, Objective, Picture, Pictures, Plan, Recipe};
use trepang_api::{Array, Cotangents, LayerId, Model, ReluGradient};
use trepang_weights::minivgg;

use super::objectives::recipe;
use crate::forwarding::forward;
use crate::library::{noise_picture, on_default};

const SIZE: usize = 64;

/// A model whose calls fail once the allowed number of them has been made.
#[derive(Debug)]
struct Failing {
    inner: Box<dyn Model>,
    calls_left: usize,
}

impl Failing {
    fn call(&mut self) -> trepang_api::Result<()> {
        let failure = trepang_api::Error::Rank { expected: 4, found: Vec::new() };
        self.calls_left = self.calls_left.checked_sub(1).ok_or(failure)?;
        Ok(())
    }
}

impl Model for Failing {
    forward!(inner: activations_from pull_back_from memory pool);

    fn activations(&mut self, images: &Array, at: &[LayerId]) -> trepang_api::Result<Vec<Array>> {
        self.call()?;
        self.inner.activations(images, at)
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> trepang_api::Result<Array> {
        self.call()?;
        self.inner.pull_back(images, at, relu, cotangents)
    }
}

fn photo() -> Pictures {
    Pictures::from([("photo".to_owned(), noise_picture(7, 40))])
}

fn plan(text: &str, recipe: Recipe) -> Plan {
    let objective: Objective = text.parse().unwrap();
    Plan { steps: 6, ..Plan::new(objective, recipe, SIZE) }
}

/// The picture and the losses of a run whose every step first fails after so many calls of the model.
fn run_to_the_end(plan: Plan, failures: &[usize]) -> (Picture, Vec<f64>) {
    let trained = minivgg().unwrap();
    let mut model = Failing { inner: on_default(&trained), calls_left: 0 };
    let mut ascent = Ascent::new(plan, &trained.network, &photo()).unwrap();
    while !ascent.is_finished() {
        for &calls in failures {
            let before = format!("{ascent:?}");
            model.calls_left = calls;
            assert!(matches!(ascent.step(&mut model), Err(Error::Backend(_))));
            assert!(format!("{ascent:?}") == before, "step {} left a trace", ascent.step_count() + 1);
        }
        model.calls_left = usize::MAX;
        ascent.step(&mut model).unwrap();
    }
    (ascent.picture(), ascent.state().losses.clone())
}

#[test]
fn a_failed_call_leaves_the_ascent_as_it_was() {
    // Octaves begin in the middle of a step; activations of a picture are asked for before the gradient.
    let octaves = recipe("dream", &[("octaves.count", "3")]);
    for (text, recipe, failures) in [
        ("layer(block4_conv2)", octaves, &[0][..]),
        ("caricature(block4_conv2, \"photo\")", recipe("caricature", &[]), &[0, 1]),
        ("channel(block4_conv2, 20)", recipe("lucid", &[]), &[0]),
    ] {
        let whole = run_to_the_end(plan(text, recipe.clone()), &[]);
        assert!(run_to_the_end(plan(text, recipe), failures) == whole, "{text}");
    }
}

#[test]
fn a_change_that_does_not_fit_fails_its_step_whole() {
    let trained = minivgg().unwrap();
    let (begun, nowhere) = (recipe("pixel", &[]), Objective::channel("block4_conv2", 999));
    let changes = vec![Change { step: 2, objective: nowhere, recipe: begun.clone() }];
    let plan = Plan { changes, ..plan("channel(block4_conv2, 20)", begun) };
    let mut ascent = Ascent::new(plan, &trained.network, &photo()).unwrap();
    let mut model = on_default(&trained);
    ascent.step(model.as_mut()).unwrap();
    let before = format!("{ascent:?}");
    let error = ascent.step(model.as_mut()).unwrap_err();
    assert!(matches!(error, Error::NoChannel { channel: 999, .. }), "{error}");
    assert!(format!("{ascent:?}") == before);
}

#[test]
fn a_picture_that_was_not_read_is_named() {
    let trained = minivgg().unwrap();
    let plan = plan("inversion(block4_conv2, \"photo\")", recipe("pixel", &[]));
    let error = Ascent::new(plan, &trained.network, &Pictures::new()).unwrap_err();
    assert!(matches!(&error, Error::PictureNotRead { file } if file == "photo"), "{error}");
    assert!(error.to_string().starts_with("the picture photo was not read"), "{error}");
}
