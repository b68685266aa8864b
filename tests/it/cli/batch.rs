//! Recipes, objectives as text, and many pictures in one run.

use std::fs;

use serde_json::Value;
use trepang::runs::read_picture;

use crate::binary::{Home, json_lines, write_png};
use crate::library::{noise_picture, with_tensor, write_weights};

/// A recipe that is quick: few steps of few pixels, from a shallow layer.
const QUICK: &str = "--size 32 --steps 2 --runs runs --json";

fn done(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["event"] == "done").collect()
}

#[test]
fn several_channels_go_into_a_folder_and_onto_a_sheet() {
    let home = Home::new();
    let events =
        home.json(&format!("render --layer block2_conv1 --channel 4,7,9 {QUICK} -o out --sheet sheet.png"));
    let done = done(&events);
    assert_eq!(done.iter().map(|event| event["channel"].as_u64().unwrap()).collect::<Vec<_>>(), [4, 7, 9]);
    for event in done {
        let place = format!("out/block2_conv1/{}.png", event["channel"]);
        assert_eq!(event["output"], place);
        assert_eq!(read_picture(&home.path(&place)).unwrap().width, 32);
        for key in ["activation_robust", "activation_start"] {
            assert!(event[key].as_f64().unwrap().is_finite(), "{key}");
        }
        assert_eq!(event["dead_steps"], 0);
    }
    let sheet = read_picture(&home.path("sheet.png")).unwrap();
    assert!(sheet.width > 2 * 32 && sheet.height > 2 * 32);
    // Each is a run of its own, with what makes it again.
    assert_eq!(fs::read_dir(home.path("runs")).unwrap().count(), 3);
    let again = home.json("render --from out/block2_conv1/7.png -o again.png --runs runs --json");
    assert_eq!(again.last().unwrap()["channel"], 7);
    assert!(home.read("again.png") == home.read("out/block2_conv1/7.png"));
}

#[test]
fn ranges_and_seeds_are_told_with_their_spread() {
    let home = Home::new();
    let events = home.json(&format!("render --layer block2_conv1 --channel 0..2 --seeds 3 {QUICK} -o out"));
    assert_eq!(done(&events).len(), 6);
    let spreads: Vec<&Value> = events.iter().filter(|event| event["event"] == "seeds").collect();
    assert_eq!(spreads.len(), 2);
    let saved = &spreads[1]["activation_saved"];
    let of = |key: &str| saved[key].as_f64().unwrap();
    assert!(of("least") <= of("mean") && of("mean") <= of("most") && of("sd") > 0.0, "{saved}");
    assert!(home.path("out/block2_conv1/1-seed2.png").is_file());
}

#[test]
fn an_objective_is_typed_as_text() {
    let home = Home::new();
    let text = "channel(block2_conv1,4)-0.5*channel(block2_conv1:pre,7)-tv(0.0001)";
    let events = home.json(&format!("render --objective {text} {QUICK} -o a.png"));
    let shown = "channel(block2_conv1, 4) - 0.5 * channel(block2_conv1:pre, 7) - tv(0.0001)";
    assert_eq!(events.last().unwrap()["objective"], shown);
    let alone = home.run("render --objective diversity(block2_conv1) -o b.png");
    assert!(alone.refusal(2).contains("set images to 2 or more"), "{alone:?}");
    let wrong = home.run("render --objective chanel(block2_conv1,4) -o b.png");
    assert!(wrong.refusal(2).contains("there is no \"chanel\"; did you mean channel?"), "{wrong:?}");
}

#[test]
fn a_recipe_is_printed_changed_and_passed_as_a_file() {
    let home = Home::new();
    let text = home.run("recipes --show lucid").stdout;
    fs::write(
        home.path("mine.toml"),
        text.replace("\"lucid\"", "\"mine\"").replace("rate = 0.2", "rate = 0.1"),
    )
    .unwrap();
    let line =
        format!("render --layer block2_conv1 --channel 4 --recipe mine.toml --set views=2 {QUICK} -o a.png");
    let events = home.json(&line);
    assert_eq!(events.last().unwrap()["recipe"], "mine");
    let run = home.path(events.last().unwrap()["run"].as_str().unwrap());
    let manifest: Value = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    let recipe = &manifest["plan"]["recipe"];
    assert_eq!((&recipe["optimizer"]["rate"], &recipe["views"]), (&0.1.into(), &2.into()));
    let all = home.run("recipes --json");
    assert_eq!(all.stdout.lines().count(), 7, "{all:?}");
    let wrong = home.run("render --layer block2_conv1 --channel 4 --set param.decya=2 -o a.png");
    assert!(wrong.refusal(2).contains("did you mean decay?"), "{wrong:?}");
}

#[test]
fn recipes_for_photographs_take_one_of_any_size() {
    let home = Home::new();
    write_png(&home.path("photo.png"), &noise_picture(3, 50));
    for recipe in ["dream", "caricature"] {
        let flags = format!("--layer block2_conv1 --recipe {recipe} --init photo.png {QUICK} -o a.png");
        let outcome = home.run(&format!("render {flags}"));
        assert_eq!(outcome.stderr, "trepang: photo.png, 50x50, is scaled to 32x32\n");
        let events = json_lines(&outcome.stdout);
        assert!(events.last().unwrap()["objective"].as_str().unwrap().contains("block2_conv1"));
    }
    let line = "render --layer block2_conv1 --channel 4 --recipe accentuate --init photo.png";
    let first = json_lines(&home.run(&format!("{line} {QUICK} -o b.png")).stdout);
    assert!(first.last().unwrap()["activation_start"].as_f64().unwrap() > 0.0);
    home.run("render --from b.png -o again.png --runs runs --json");
    assert!(home.read("b.png") == home.read("again.png"));
    let without = home.run("render --layer block2_conv1 --recipe dream -o c.png");
    assert!(without.refusal(2).contains("--init FILE"), "{without:?}");
    let channel =
        home.run("render --layer block2_conv1 --channel 3 --recipe dream --init photo.png -o c.png");
    assert!(channel.refusal(2).contains("raises a whole layer"), "{channel:?}");
}

#[test]
fn objectives_of_notebooks_are_meant_or_answered() {
    let home = Home::new();
    let run = |objective: &str| {
        let mut command = home.command(&format!("render {QUICK} -o a.png --objective"));
        crate::binary::Outcome::from(command.arg(objective).output().expect("the binary was built"))
    };
    for (typed, meant) in [
        ("block2_conv1:7", "channel(block2_conv1, 7)"),
        ("'block2_conv1:7' - logit(sea cucumber)", "channel(block2_conv1, 7) - logit(31)"),
        ("0.5 * logit(n02814860)", "0.5 * logit(38)"),
        ("block2_conv1_pre_relu:7", "channel(block2_conv1:pre, 7)"),
    ] {
        let outcome = run(typed);
        assert_eq!(outcome.code, Some(0), "{typed}: {outcome:?}");
        assert_eq!(json_lines(&outcome.stdout).last().unwrap()["objective"], meant, "{typed}");
    }
    for (typed, answer) in [
        ("labels:0", "a class is written logit(CLASS)"),
        ("logit(sea cucumbr)", "did you mean \"sea cucumber\" (an index"),
        ("block2_conv9:7", "did you mean \"block2_conv1\""),
        ("block2_conv1", "channel(block2_conv1, CHANNEL)"),
    ] {
        let outcome = run(typed);
        assert!(outcome.refusal(2).contains(answer), "{typed}: {outcome:?}");
    }
}

#[test]
fn growth_is_an_animation() {
    let home = Home::new();
    for name in ["growth.gif", "growth.apng"] {
        home.json(&format!("render --layer block2_conv1 --channel 4 {QUICK} -o a.png --gif {name}"));
        assert!(fs::metadata(home.path(name)).unwrap().len() > 1000);
    }
    let several = home.run("render --layer block2_conv1 --channel 4,5 -o out --gif growth.gif");
    assert!(several.refusal(2).contains("--gif is for one picture"), "{several:?}");
    let ending = home.run("render --layer block2_conv1 --channel 4 -o b.png --gif growth.mp4");
    assert!(ending.refusal(1).contains(".gif, .png or .apng"), "{ending:?}");
}

#[test]
fn a_dead_channel_does_not_stop_the_others() {
    let home = Home::new();
    let unreachable = with_tensor("block2_conv1.weight", |kernel| {
        let len = kernel.item(4).len();
        kernel.item_mut(4)[..len].fill(0.0);
    });
    write_weights(&home.path("weights"), &unreachable.weights);
    let line = format!("render --weights weights --layer block2_conv1 --channel 4,5 {QUICK} -o out");
    let outcome = home.run(&line);
    assert!(outcome.refusal(1).contains("channel(block2_conv1, 4) is dead at step 1"), "{outcome:?}");
    let events = json_lines(&outcome.stdout);
    let failed: Vec<&Value> = events.iter().filter(|event| event["event"] == "failed").collect();
    assert_eq!((failed.len(), &failed[0]["objective"]), (1, &"channel(block2_conv1, 4)".into()));
    assert_eq!(done(&events)[0]["channel"], 5);
    assert!(home.path("out/block2_conv1/5.png").is_file() && !home.path("out/block2_conv1/4.png").exists());
}

#[test]
fn a_folder_of_pictures_has_a_spectrum() {
    let home = Home::new();
    fs::create_dir_all(home.path("pictures/deeper")).unwrap();
    for (seed, name) in [(1, "a.png"), (2, "deeper/b.png")] {
        write_png(&home.path("pictures").join(name), &noise_picture(seed, 40));
    }
    fs::write(home.path("pictures/not.png"), "no picture").unwrap();
    let outcome = home.run("spectrum pictures --size 32");
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stdout.contains("of 2 pictures") && outcome.stderr.contains("not.png"), "{outcome:?}");
    // The table continues a recipe of its kind.
    let recipe = format!("{}\n{}", home.run("recipes --show maco").stdout, outcome.stdout);
    fs::write(home.path("mine.toml"), recipe).unwrap();
    home.json(&format!("render --layer block2_conv1 --channel 4 --recipe mine.toml {QUICK} -o a.png"));
    fs::create_dir(home.path("empty")).unwrap();
    assert!(home.run("spectrum empty").refusal(1).contains("holds no picture"));
}

#[test]
fn a_class_is_drawn_on_a_canvas_larger_than_its_networks_input() {
    let home = Home::new();
    let events =
        home.json("render --logit 31 --recipe maco --set views=1 --steps 2 --runs runs -o a.png --json");
    let done = events.last().unwrap();
    assert_eq!((&done["size"], &done["layer"]), (&128.into(), &"predictions".into()));
    assert!(done["activation_robust"].as_f64().unwrap().is_finite());
}

#[test]
fn a_picture_does_not_depend_on_what_shares_its_batch() {
    let home = Home::new();
    let flags = "render --layer block5_conv2 --size 64 --steps 5 --runs runs --json";
    let alone = home.json(&format!("{flags} --channel 7 -o alone.png"));
    let together = home.json(&format!("{flags} --channel 3..9 -o out"));
    let of_seven = done(&together).into_iter().find(|event| event["channel"] == 7).unwrap();
    for key in ["loss_last", "activation_robust", "activation_start_robust"] {
        assert_eq!(alone.last().unwrap()[key], of_seven[key], "{key}");
    }
    let picture = |path: &str| read_picture(&home.path(path)).unwrap();
    assert!(picture("alone.png") == picture("out/block5_conv2/7.png"));
}

#[test]
fn memory_that_does_not_suffice_is_told_before_the_work() {
    let home = Home::new();
    let flags = format!("render --layer block2_conv1 --channel 4 {QUICK} -o a.png");
    let with_memory = |megabytes: &str| {
        let mut command = home.command("render");
        command.env("TREPANG_MEMORY", megabytes).args(flags.split(' ').skip(1)).output().unwrap()
    };
    let refused = with_memory("1");
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("a picture of 32 px takes about") && said.contains("TREPANG_MEMORY"), "{said}");
    assert!(!home.path("a.png").exists());
    assert_eq!(fs::read_dir(home.path("runs")).map_or(0, Iterator::count), 0, "no run was begun");
    let unknown = with_memory("lots");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("TREPANG_MEMORY is \"lots\""));
    // The evaluation sees four views of such a picture at once, where a step sees one.
    let mut command = home.command("render --layer block5_conv2 --channel 4 --size 256 --steps 1 -o a.png");
    let refused = command.env("TREPANG_MEMORY", "60").output().unwrap();
    assert!(String::from_utf8(refused.stderr).unwrap().contains("a picture of 256 px takes about"));
    let made = with_memory("500");
    assert!(made.status.success(), "{made:?}");
}
