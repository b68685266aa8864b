//! Every objective can be maximised, alone, in a batch and with transforms; and a run can be changed on the way.

use trepang::engine::{
    Ascent, Evaluator, FUNCTIONS, Objective, Picture, Pictures, Plan, Recipe, Score, Start, read_recipe,
    score_together, step_together,
};
use trepang_weights::minivgg;

use crate::library::{noise_picture, on_default, repository};

const SIZE: usize = 32;

/// A recipe with some of its keys set.
pub(super) fn recipe(name: &str, set: &[(&str, &str)]) -> Recipe {
    let set: Vec<(String, String)> =
        set.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    read_recipe(Recipe::text(name).unwrap(), &set).unwrap()
}

fn objective(text: &str) -> Objective {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn photo() -> Pictures {
    Pictures::from([("photo".to_owned(), noise_picture(7, 40))])
}

fn run_to_the_end(plan: Plan, pictures: &Pictures) -> Ascent {
    let trained = minivgg().unwrap();
    let mut model = on_default(&trained);
    let mut ascent = Ascent::new(plan, &trained.network, pictures).unwrap();
    while !ascent.is_finished() {
        ascent.step(model.as_mut()).unwrap();
    }
    ascent
}

fn rises(text: &str, recipe: Recipe, steps: usize) {
    let name = recipe.name.clone();
    let ascent = run_to_the_end(Plan { steps, ..Plan::new(objective(text), recipe, SIZE) }, &photo());
    let losses = &ascent.state().losses;
    assert!(losses[steps - 1] > losses[0], "{text} by {name}: {losses:?}");
    assert!(losses.iter().all(|loss| loss.is_finite()));
}

#[test]
fn every_objective_rises_in_a_few_steps() {
    for text in [
        "channel(block4_conv2, 20)",
        "neuron(block3_conv1:pre, 2, 1, 5)",
        "layer(block4_conv2)",
        "direction(block4_conv2:pre, 4:1, 7:-0.5)",
        "direction(block4_conv2, 4:1, 7:0.5, cos=2)",
        "logit(31)",
        "-channel(block4_conv2:pre, 20)",
        "channel(block4_conv2, 20) - 0.5 * channel(block3_conv1, 7) - tv(0.0001)",
        "inversion(block4_conv2, \"photo\")",
        "caricature(block4_conv2, \"photo\", cos=1)",
    ] {
        rises(text, recipe("pixel", &[]), 6);
    }
    for penalty in ["l1", "l2", "tv", "blur", "boundary"] {
        rises(&format!("-{penalty}(1)"), recipe("pixel", &[("optimizer.rate", "0.001")]), 4);
    }
}

#[test]
fn batch_objectives_rise_over_several_images() {
    let images = [("images", "3")];
    for text in [
        "channel(block4_conv2, 20) + 100 * diversity(block4_conv2)",
        "interpolation(block4_conv2, 20, 31) + 0.01 * alignment(block4_conv2)",
    ] {
        rises(text, recipe("pixel", &images), 6);
    }
    // Faint starts are as good as aligned.
    let strong = [("images", "3"), ("param.noise", "1"), ("optimizer.rate", "0.003")];
    rises("alignment(block3_conv1)", recipe("pixel", &strong), 6);
    let ascent = run_to_the_end(
        Plan { steps: 2, ..Plan::new(objective("alignment(block3_conv1)"), recipe("lucid", &images), SIZE) },
        &photo(),
    );
    let Picture { width, height, .. } = ascent.picture();
    assert_eq!((width, height), (3 * SIZE, SIZE));
}

#[test]
fn every_parameterization_is_optimised_through_transforms() {
    let transforms = "[{ pad = 4 }, { jitter = 4 }, { zoom = [0.9, 1.1] }, { turn = [-9, 9] }, { flip = 0.5 }, \
                      { blur = [0.3, 0.6] }, { noise = [0.01, 0.01] }]";
    for (name, set) in [
        ("lucid", vec![]),
        ("lucid", vec![("views", "2"), ("transforms", transforms)]),
        ("lucid", vec![("param.alpha", "0.5")]),
        ("lucid", vec![("param.kind", "laplacian"), ("param.sd", "0.1")]),
        ("lucid", vec![("optimizer.kind", "sgd"), ("optimizer.rate", "0.5"), ("optimizer.clip", "1.0")]),
        ("maco", vec![("views", "2")]),
        ("accentuate", vec![("objective", "{target}"), ("views", "2")]),
        ("dream", vec![("octaves.count", "2")]),
    ] {
        // Views differ from step to step: the ends are compared, over more steps.
        rises("layer(block4_conv2)", recipe(name, &set), 16);
    }
}

#[test]
fn ascents_together_make_the_pictures_that_each_makes_alone() {
    let trained = minivgg().unwrap();
    let plan = |channel: usize| Plan {
        steps: 3,
        ..Plan::new(Objective::channel("block4_conv2", channel), recipe("lucid", &[]), SIZE)
    };
    let begin = |channel| Ascent::new(plan(channel), &trained.network, &photo()).unwrap();
    let mut model = on_default(&trained);
    let mut batch: Vec<Ascent> = [20, 31, 7].into_iter().map(begin).collect();
    for _ in 0..3 {
        let mut all: Vec<&mut Ascent> = batch.iter_mut().collect();
        assert!(step_together(&mut all, model.as_mut()).iter().all(Result::is_ok));
    }
    for (ascent, channel) in batch.iter().zip([20, 31, 7]) {
        let alone = run_to_the_end(plan(channel), &photo());
        let apart = ascent.state().losses.iter().zip(&alone.state().losses);
        let worst = apart.map(|(a, b)| (a - b).abs() / b.abs().max(1e-9)).fold(0.0, f64::max);
        // A batch may be summed in another order.
        assert!(worst < 1e-3, "channel {channel}: {worst}");
    }
}

#[test]
fn one_that_cannot_go_on_does_not_stop_the_others() {
    let trained = minivgg().unwrap();
    let begin = |text: &str, name| {
        let plan = Plan { steps: 2, ..Plan::new(objective(text), recipe(name, &[]), SIZE) };
        Ascent::new(plan, &trained.network, &photo()).unwrap()
    };
    let (mut dead, mut alive) = (begin("3", "pixel"), begin("channel(block4_conv2, 20)", "pixel"));
    let steps = step_together(&mut [&mut dead, &mut alive], on_default(&trained).as_mut());
    assert!(steps[0].as_ref().unwrap_err().to_string().contains("3 is dead at step 1"), "{steps:?}");
    assert_eq!(steps[1].as_ref().unwrap().step, 1);
    assert_eq!((dead.step_count(), alive.step_count()), (0, 1));
}

#[test]
fn a_run_that_was_changed_is_made_again_from_its_plan() {
    let trained = minivgg().unwrap();
    let mut model = on_default(&trained);
    let begin =
        Plan { steps: 9, ..Plan::new(objective("channel(block4_conv2, 20)"), recipe("pixel", &[]), SIZE) };
    let mut ascent = Ascent::new(begin, &trained.network, &photo()).unwrap();
    for step in 0..9 {
        match step {
            // Twice at one step, and another parameterization: the picture stays what it was, but for its faintest levels.
            3 => {
                ascent
                    .change(
                        objective("channel(block4_conv2, 7)"),
                        recipe("original", &[("dead", "redirect")]),
                    )
                    .unwrap();
                ascent.change(objective("channel(block4_conv2, 31)"), recipe("lucid", &[])).unwrap();
            }
            6 => ascent.change(objective("layer(block3_conv2)"), recipe("lucid", &[("views", "2")])).unwrap(),
            _ => {}
        }
        ascent.step(model.as_mut()).unwrap();
    }
    assert_eq!(ascent.changed_at().collect::<Vec<_>>(), [3, 3, 6]);
    let again = run_to_the_end(ascent.plan().clone(), &photo());
    assert_eq!(again.state(), ascent.state());
}

/// Adam's first step is the rate in every number that has a gradient, however many steps another optimizer took before.
#[test]
fn an_optimizer_chosen_on_the_way_begins_at_its_first_step() {
    let trained = minivgg().unwrap();
    let mut model = on_default(&trained);
    let target = objective("channel(block4_conv2, 20)");
    let plan = Plan { steps: 9, ..Plan::new(target.clone(), recipe("pixel", &[]), SIZE) };
    let mut ascent = Ascent::new(plan, &trained.network, &Pictures::new()).unwrap();
    for _ in 0..5 {
        ascent.step(model.as_mut()).unwrap();
    }
    let rate = 1e-4;
    let adam = [("optimizer.kind", "\"adam\""), ("optimizer.rate", "1e-4")];
    ascent.change(target, recipe("pixel", &adam)).unwrap();
    let before = ascent.state().x.clone();
    ascent.step(model.as_mut()).unwrap();
    let moved = |(x, before): (&f32, &f32)| (x - before).abs();
    let farthest = ascent.state().x.data().iter().zip(before.data()).map(moved).fold(0.0, f32::max);
    assert!((farthest / rate - 1.0).abs() < 0.01, "moved by {farthest}");
}

#[test]
fn a_change_that_does_not_fit_changes_nothing() {
    let trained = minivgg().unwrap();
    let plan = Plan::new(objective("channel(block4_conv2, 20)"), recipe("lucid", &[]), SIZE);
    let mut ascent = Ascent::new(plan.clone(), &trained.network, &Pictures::new()).unwrap();
    let before = ascent.state().clone();
    for (text, name) in [
        ("channel(block4_conv2, 999)", "lucid"),
        ("inversion(block4_conv2, \"nowhere\")", "lucid"),
        ("channel(block4_conv2, 20)", "dream"),
    ] {
        assert!(ascent.change(objective(text), recipe(name, &[])).is_err(), "{text} {name}");
    }
    assert_eq!((ascent.plan(), ascent.state()), (&plan, &before));
}

#[test]
fn octaves_end_at_the_pictures_size_and_keep_its_detail() {
    let trained = minivgg().unwrap();
    let start = Start::Picture { file: "photo".into(), sha256: String::new() };
    // Steps too small to see: what is left is the photograph.
    let still = recipe("dream", &[("optimizer.rate", "1e-7"), ("octaves.count", "3")]);
    let plan = Plan { start, steps: 6, ..Plan::new(objective("layer(block3_conv2)"), still, 96) };
    let begun = Ascent::new(plan.clone(), &trained.network, &photo()).unwrap().picture();
    assert!(begun.width < 96, "{}", begun.width);
    let ended = run_to_the_end(plan.clone(), &photo()).picture();
    let photograph = Ascent::start_picture(&plan, &trained.network, &photo()).unwrap();
    assert_eq!((ended.width, photograph.width), (96, 96));
    let worst = ended.rgb.iter().zip(&photograph.rgb).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst <= Some(1), "{worst:?}");
}

#[test]
fn a_picture_made_through_transforms_scores_higher_on_views() {
    let trained = minivgg().unwrap();
    let mut model = on_default(&trained);
    let raised = objective("channel(block4_conv2, 20)");
    let mut score = |name: &str| {
        let plan = Plan { steps: 48, ..Plan::new(raised.clone(), recipe(name, &[]), 64) };
        let picture = run_to_the_end(plan, &Pictures::new()).picture();
        let evaluator = Evaluator::new(&raised, &trained.network, (64, 1), &Pictures::new()).unwrap();
        let scores = score_together(&[evaluator], &picture, model.as_mut(), &|| false).unwrap();
        scores.unwrap()[0]
    };
    let (pixel, lucid) = (score("pixel"), score("lucid"));
    let held = |score: Score| score.robust / score.clean;
    assert!(held(lucid) > held(pixel), "{lucid:?} {pixel:?}");
}

#[test]
fn the_docs_list_every_function_as_its_row_has_it() {
    let docs = std::fs::read_to_string(repository("docs/objectives.md")).unwrap();
    let listed: Vec<&str> = docs.lines().filter(|line| line.starts_with("| `")).collect();
    let rows: Vec<String> =
        FUNCTIONS.iter().map(|function| format!("| `{}` | {} |", function.usage(), function.about)).collect();
    assert!(listed == rows, "docs/objectives.md should hold:\n{}", rows.join("\n"));
}
