//! The settings of the next run: what S, R and Enter do with them, and pictures that runs begin with.

use std::fs;

use trepang::dashboard::{Effect, Key, Message, Mode, Prompt, Setting, State};
use trepang::engine::{Plan, Recipe, Start};
use trepang::worker::protocol::{Action, Outcome, Settings, Status};

use crate::stage::{picture, press, see_run, state};
use crate::worker::{spawn, step, wait};

/// Opens the list of settings, goes to one, empties its line and types.
fn set(state: &mut State, setting: Setting, text: &str) -> Vec<Effect> {
    let line = Setting::ALL.iter().position(|one| *one == setting).unwrap();
    let downs = vec![Key::Down; line];
    press(state, &[&[Key::Char('S')], &*downs, &[Key::Enter, Key::Ctrl('u')]].concat());
    press(state, &text.chars().map(Key::Char).collect::<Vec<_>>());
    press(state, &[Key::Enter])
}

#[test]
fn size_steps_and_seed_are_those_of_the_next_run() {
    let mut state = state();
    for (setting, text) in [(Setting::Size, "96"), (Setting::Steps, "40"), (Setting::Seed, "7")] {
        assert_eq!(set(&mut state, setting, text), Vec::new());
        assert_eq!((state.setting(setting), &state.mode), (text.to_owned(), &Mode::Browse));
    }
    let sent = press(&mut state, &[Key::Enter]);
    let [Effect::Ask(Action::Start(plan))] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((plan.size, plan.steps, plan.seed, &plan.start), (96.into(), 40, 7, &Start::Noise));
}

#[test]
fn the_run_on_the_screen_takes_the_steps_that_are_typed() {
    let mut state = state();
    see_run(&mut state, Status::Running, 12);
    let planned = isize::try_from(state.snapshot.run.as_ref().unwrap().plan.steps).unwrap();
    let sent = set(&mut state, Setting::Steps, "1000");
    assert_eq!(sent, [Effect::Ask(Action::ChangeSteps(1000 - planned))]);
}

#[test]
fn what_is_no_setting_is_told_and_stays_to_be_mended() {
    let mut state = state();
    for (setting, text, words) in [
        (Setting::Size, "0", "1 or more"),
        (Setting::Size, "large", "1 or more"),
        (Setting::Size, "50", "tinynet cannot take 50 pixels: take a multiple of 16 from 32 to 4096"),
        (Setting::Size, "16", "from 32"),
        (Setting::Size, "99999999999999999999", "1 or more"),
        (Setting::Steps, "4294967296", "up to 4294967295"),
        (Setting::Steps, "", "1 or more"),
        (Setting::Seed, "-1", "0 or more"),
        (Setting::Start, "", "belongs here"),
        (Setting::Start, "a\"b.png", "without the quote"),
    ] {
        assert_eq!(set(&mut state, setting, text), Vec::new());
        assert_eq!(state.mode, Mode::Prompt(Prompt::Setting(setting), text.into()), "{text}");
        assert!(state.remark.as_ref().unwrap().contains(words), "{:?}", state.remark);
        press(&mut state, &[Key::Escape]);
        assert_eq!(state.mode, Mode::Browse);
    }
}

#[test]
fn a_recipe_that_begins_with_a_picture_asks_for_it() {
    let mut state = state();
    see_run(&mut state, Status::Running, 12);
    press(&mut state, &[Key::Char('R')]);
    let dream = trepang::dashboard::recipes().iter().position(|recipe| recipe.name == "dream").unwrap();
    press(&mut state, &[Key::Home]);
    press(&mut state, &vec![Key::Down; dream]);
    assert_eq!(press(&mut state, &[Key::Enter]), Vec::new());
    assert_eq!(state.mode, Mode::Prompt(Prompt::Setting(Setting::Start), "".into()));
    assert!(state.remark.as_ref().unwrap().contains("dream begins with a picture"), "{:?}", state.remark);
    press(&mut state, &"pho".chars().map(Key::Char).collect::<Vec<_>>());
    let sent = press(&mut state, &[Key::Tab]);
    assert_eq!(sent, [Effect::Ask(Action::CompletePath("pho".into()))]);
    let choices = vec!["dog.png".to_owned(), "door.png".to_owned()];
    state.update(Message::Reply(Outcome::Completed { path: "photos/do".into(), choices }));
    assert_eq!(state.mode, Mode::Prompt(Prompt::Setting(Setting::Start), "photos/do".into()));
    assert_eq!(state.remark.as_deref(), Some("dog.png  door.png"));
    press(&mut state, &"g.png".chars().map(Key::Char).collect::<Vec<_>>());
    let sent = press(&mut state, &[Key::Enter]);
    let [Effect::Ask(Action::StartInShape(plan))] = &sent[..] else { panic!("{sent:?}") };
    let file = Start::Picture { file: "photos/dog.png".into(), sha256: String::new() };
    assert_eq!((&plan.start, &*plan.recipe.name), (&file, "dream"));
    // A completion that comes late does not open the line again.
    state.update(Message::Reply(Outcome::Completed { path: "photos/x".into(), choices: Vec::new() }));
    assert_eq!(state.mode, Mode::Browse);
}

/// A plan that begins with a picture file, whose hash nobody has looked up yet.
fn plan_from(file: &str, recipe: &str) -> Plan {
    let start = Start::Picture { file: file.into(), sha256: String::new() };
    let settings = Settings { steps: 3, start, ..Settings::of(Recipe::named(recipe).unwrap(), 32) };
    let plan = settings.plan(&trepang::engine::Objective::channel("block1_conv1", 2)).unwrap();
    Plan { recipe: Recipe { octaves: None, ..plan.recipe.clone() }, ..plan }
}

#[test]
fn the_worker_reads_the_picture_that_a_run_begins_with() {
    let runs = tempfile::tempdir().unwrap();
    let (folder, shown) = (tempfile::tempdir().unwrap(), picture());
    let file = folder.path().join("photo.png").display().to_string();
    let image =
        image::RgbImage::from_raw(shown.width as u32, shown.height as u32, shown.rgb.clone()).unwrap();
    image.save(&file).unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(Action::Start(Box::new(plan_from(&file, "dream"))));
    let done = wait(&worker, "the end", |s| s.status == Status::Finished && step(s) == 3);
    let run = done.run.as_ref().unwrap();
    let hash = trepang_weights::sha256(&shown.rgb);
    assert_eq!(run.plan.start, Start::Picture { file: file.clone(), sha256: hash });
    // An objective that compares with the picture has its hash too, so that another picture is found out.
    worker.send(Action::Start(Box::new(plan_from(&file, "caricature"))));
    let done =
        wait(&worker, "the second", |s| s.run.as_ref().is_some_and(|run| run.number == 2 && run.step == 3));
    assert_eq!(done.run.as_ref().unwrap().plan.references.keys().collect::<Vec<_>>(), [&file]);
    // A file that is not there is told, and the run before stays.
    fs::remove_file(&file).unwrap();
    worker.send(Action::Start(Box::new(plan_from(&file, "dream"))));
    let told =
        wait(&worker, "a refusal", |s| s.notice.as_ref().is_some_and(|notice| notice.contains("photo.png")));
    assert_eq!(told.run.as_ref().unwrap().number, 2);
}
