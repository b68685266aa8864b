//! A run saved at any step and taken up again is, bit for bit, the run that was never saved.

use std::path::Path;

use trepang::engine::{Ascent, AscentState, Objective, Optimizer, Pictures, Plan, Recipe, Rule};
use trepang::runs::{Origin, Provenance, RunFolder};
use trepang_api::Model;
use trepang_weights::minivgg;

use super::objectives::recipe;
use crate::library::on_default;

const STEPS: usize = 6;

fn plan(recipe: Recipe) -> Plan {
    let objective = Objective::channel("block4_conv2", 20) - 0.1 * Objective::Logit { class: 31 };
    Plan { seed: 3, steps: STEPS, ..Plan::new(objective, recipe, 32) }
}

fn recipes() -> Vec<Recipe> {
    let adam = Optimizer::new(Rule::Adam, 0.05);
    let adam = Recipe { name: "adam".into(), optimizer: adam, ..Recipe::named("pixel").unwrap() };
    let octaves = recipe("dream", &[("octaves.count", "3")]);
    let maco = recipe("maco", &[("views", "2")]);
    let names = ["original", "pixel", "lucid"].map(|name| recipe(name, &[]));
    names.into_iter().chain([adam, maco, octaves]).collect()
}

fn origin(plan: Plan) -> Origin {
    let provenance = Provenance {
        trepang: "0".into(),
        network: "minivgg".into(),
        weights: None,
        weights_sha256: "0".into(),
        pick: None,
        input: None,
        backend: "any".into(),
        device: "cpu".into(),
        precision: "f32".into(),
        threads: 1,
        vectors: None,
    };
    Origin::new(plan, provenance)
}

fn take_steps(ascent: &mut Ascent, steps: usize, model: &mut dyn Model) {
    for _ in 0..steps {
        ascent.step(model).unwrap();
    }
}

/// Saves, forgets and reads again.
fn through_disk(ascent: &Ascent, parent: &Path) -> Ascent {
    let origin = origin(ascent.plan().clone());
    let folder = RunFolder::create(parent, &origin).unwrap();
    folder.save(ascent).unwrap();
    let (_, progress) = RunFolder::open(folder.path()).unwrap();
    assert_eq!(progress.origin, origin);
    Ascent::resume(progress.origin.plan, &minivgg().unwrap().network, progress.state, &Pictures::new())
        .unwrap()
}

/// Every number of a state as its bits: `==` would call 0 and -0 equal.
fn bits(state: &AscentState) -> (Vec<u32>, Vec<u64>) {
    let floats = [state.x.data(), &state.moments.first, &state.moments.second].concat();
    (floats.iter().map(|v| v.to_bits()).collect(), state.losses.iter().map(|v| v.to_bits()).collect())
}

#[test]
fn a_run_cut_at_any_step_ends_in_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let trained = minivgg().unwrap();
    let mut model = on_default(&trained);
    for recipe in recipes() {
        let name = recipe.name.clone();
        let begin = || Ascent::new(plan(recipe.clone()), &trained.network, &Pictures::new()).unwrap();
        let mut whole = begin();
        take_steps(&mut whole, STEPS, model.as_mut());
        for cut in [0, 1, 4, STEPS] {
            let mut ascent = begin();
            take_steps(&mut ascent, cut, model.as_mut());
            let mut ascent = through_disk(&ascent, folder.path());
            assert_eq!(ascent.step_count(), cut);
            take_steps(&mut ascent, STEPS - cut, model.as_mut());
            assert!(bits(ascent.state()) == bits(whole.state()), "{name} cut after {cut} steps");
            assert_eq!(ascent.picture(), whole.picture(), "{name} cut after {cut} steps");
        }
    }
}

#[test]
fn a_plan_is_read_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let network = minivgg().unwrap().network;
    for number in [0.421_698_568_906_221_15, 1.0 / 3.0, 5e-324, f64::MAX] {
        let objective = number * Objective::channel("block4_conv2", 20);
        let plan = Plan { objective, ..plan(Recipe::named("pixel").unwrap()) };
        let ascent = Ascent::new(plan.clone(), &network, &Pictures::new()).unwrap();
        assert_eq!(through_disk(&ascent, folder.path()).plan(), &plan);
    }
}

#[test]
fn dead_steps_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let network = minivgg().unwrap().network;
    let fresh = Ascent::new(plan(Recipe::named("pixel").unwrap()), &network, &Pictures::new()).unwrap();
    let state = AscentState { dead_steps: 3, losses: vec![0.0; 5], ..fresh.state().clone() };
    let ascent =
        Ascent::resume(plan(Recipe::named("pixel").unwrap()), &network, state.clone(), &Pictures::new())
            .unwrap();
    assert_eq!(through_disk(&ascent, folder.path()).state(), &state);
}

#[test]
fn a_state_of_another_ascent_is_refused() {
    let network = minivgg().unwrap().network;
    let [original, _, _, adam, ..] = &recipes()[..] else { panic!("recipes are missing") };
    let begun = |recipe: &Recipe| {
        Ascent::new(plan(recipe.clone()), &network, &Pictures::new()).unwrap().state().clone()
    };
    let larger = Plan { size: 48.into(), ..plan(Recipe::named("original").unwrap()) };
    // Moments of more gradients than there were steps.
    let mut older = begun(adam);
    older.moments.age = older.losses.len() + 1;
    for (plan, state) in
        [(larger, begun(original)), (plan(adam.clone()), begun(original)), (plan(adam.clone()), older)]
    {
        let error = Ascent::resume(plan, &network, state, &Pictures::new()).unwrap_err().to_string();
        assert!(error.starts_with("the saved state does not belong to this ascent"), "{error}");
    }
}
