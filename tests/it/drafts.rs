//! Drafts and the queue: the worker makes them for those who look, keeps them, and goes on where they were kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use trepang::engine::{Picture, Recipe};
use trepang::worker::protocol::{
    Action, ChannelQueue, DraftPage, DraftSeries, DraftSheet, DraftView, Outcome, Settings, Snapshot, Status,
};
use trepang_weights::minivgg;

use crate::library::with_tensor;
use crate::worker::{Watcher, reply_to, spawn_with_store, wait};

const LAYER: &str = "block1_conv1";

/// The steps that every draft on a page takes in the end, and those of the channels beside it.
const STEPS: (usize, usize) = (64, 16);

/// Small drafts by a recipe without random views, of a shallow layer: quick even for the reference.
fn settings(seed: u64) -> Settings {
    Settings { seed, steps: STEPS.0, ..Settings::of(Recipe::named("pixel").unwrap(), 16) }
}

pub(crate) fn page(first: usize, count: usize) -> DraftPage {
    DraftPage {
        series: DraftSeries { layer: LAYER.into(), settings: settings(0) },
        first,
        count,
        patient: false,
    }
}

pub(crate) fn look(page: &DraftPage) -> Action {
    Action::Draft(Some(Box::new(page.clone())))
}

/// A folder for runs and one for drafts.
pub(crate) struct Folders(pub(crate) TempDir);

impl Folders {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.path().join("pictures")
    }

    fn worker(&self) -> Watcher {
        spawn_with_store(&self.0.path().join("runs"), &self.store(), minivgg().unwrap())
    }
}

/// The files of a store, of all folders.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

pub(crate) fn drafts(snapshot: &Snapshot) -> &[DraftView] {
    snapshot.sheets.first().map_or(&[], |sheet: &DraftSheet| &sheet.drafts)
}

fn steps(snapshot: &Snapshot) -> Vec<(usize, usize)> {
    drafts(snapshot).iter().map(|draft| (draft.channel, draft.step)).collect()
}

pub(crate) fn have(snapshot: &Snapshot, channels: &[usize], step: usize) -> bool {
    let has = |channel: &usize| {
        drafts(snapshot).iter().any(|draft| draft.channel == *channel && draft.step >= step)
    };
    channels.iter().all(has)
}

fn pictures(snapshot: &Snapshot, channels: &[usize]) -> Vec<Arc<Picture>> {
    let on = |draft: &&DraftView| channels.contains(&draft.channel);
    drafts(snapshot).iter().filter(on).map(|draft| Arc::clone(&draft.picture)).collect()
}

#[test]
fn what_is_looked_at_comes_first_and_what_is_beside_it_next() {
    let folders = Folders::new();
    let worker = folders.worker();
    worker.send(look(&page(4, 2)));
    let first = wait(&worker, "a draft", |snapshot| !drafts(snapshot).is_empty());
    assert!(drafts(&first).iter().all(|draft| (4..6).contains(&draft.channel)), "{:?}", steps(&first));
    let page_done = |snapshot: &Snapshot| have(snapshot, &[4, 5], STEPS.0);
    let last = wait(&worker, "the last stage", |snapshot| {
        page_done(snapshot) && have(snapshot, &[2, 3, 6, 7], STEPS.1)
    });
    let expected = [(2, 16), (3, 16), (4, 64), (5, 64), (6, 16), (7, 16)];
    assert_eq!(steps(&last), expected, "and nothing else is computed");
    assert!(drafts(&last).iter().all(|draft| !draft.dead && draft.loss.is_some()));
    // Who looks at nothing has nothing made, and the worker rests.
    let away = worker.ask(Action::Draft(None));
    assert_eq!((away.sheets.len(), &away.status), (0, &Status::Idle));
}

#[test]
fn drafts_go_on_to_the_same_bits_where_they_were_kept() {
    let (whole, cut) = (Folders::new(), Folders::new());
    let undisturbed = whole.worker();
    undisturbed.send(look(&page(0, 2)));
    let expected = wait(&undisturbed, "the end", |snapshot| have(snapshot, &[0, 1], STEPS.0));
    let worker = cut.worker();
    worker.send(look(&page(0, 2)));
    wait(&worker, "some steps", |snapshot| have(snapshot, &[0, 1], 16));
    worker.finish();
    let again = cut.worker();
    let kept = again.ask(look(&page(0, 2)));
    assert!(have(&kept, &[0, 1], 16), "at once, from the store: {:?}", steps(&kept));
    let last = wait(&again, "the end", |snapshot| have(snapshot, &[0, 1], STEPS.0));
    assert_eq!(pictures(&last, &[0, 1]), pictures(&expected, &[0, 1]));
    again.finish();
    // Finished drafts need no state, and are there without a step.
    let third = cut.worker();
    let kept = third.ask(look(&page(0, 2)));
    assert_eq!(pictures(&kept, &[0, 1]), pictures(&expected, &[0, 1]));
}

#[test]
fn other_settings_are_other_drafts() {
    let folders = Folders::new();
    let worker = folders.worker();
    worker.send(look(&page(0, 1)));
    wait(&worker, "a draft", |snapshot| have(snapshot, &[0], 8));
    let mut other = page(0, 1);
    other.series.settings.seed = 1;
    let seen = worker.ask(look(&other));
    assert_eq!((seen.sheets.len(), seen.sheets[0].series.settings.seed), (1, 1));
    assert!(!have(&seen, &[0], 8), "{:?}", steps(&seen));
}

#[test]
fn each_viewer_looks_at_its_own_page() {
    let folders = Folders::new();
    let worker = folders.worker();
    let other = worker.subscribe();
    worker.ask(look(&page(0, 1)));
    let mut deeper = page(0, 1);
    deeper.series.layer = "block2_conv1".into();
    assert_eq!(reply_to(&other, look(&deeper)), Outcome::Done);
    let both = wait(&worker, "drafts of both", |snapshot| {
        snapshot.sheets.len() == 2 && snapshot.sheets.iter().all(|sheet| !sheet.drafts.is_empty())
    });
    assert_eq!(both.sheets[1].series.layer, "block2_conv1");
    drop(other);
    let one = wait(&worker, "one sheet", |snapshot| snapshot.sheets.len() == 1);
    assert_eq!(one.sheets[0].series.layer, LAYER);
}

#[test]
fn two_workers_share_a_store() {
    let folders = Folders::new();
    let (one, other) = (folders.worker(), folders.worker());
    one.send(look(&page(0, 2)));
    other.send(look(&page(1, 2)));
    let first = wait(&one, "the first page", |snapshot| have(snapshot, &[0, 1], STEPS.0));
    let second = wait(&other, "the second page", |snapshot| have(snapshot, &[1, 2], STEPS.0));
    assert_eq!((first.notice.as_deref(), second.notice.as_deref()), (None, None));
    assert_eq!(pictures(&first, &[1]), pictures(&second, &[1]), "whoever computes it");
    // Of two that write at once the last one stays: what is there is whole, and what is not is made again.
    drop((one, other));
    let third = folders.worker();
    third.send(look(&page(0, 3)));
    let last = wait(&third, "all of them", |snapshot| have(snapshot, &[0, 1, 2], STEPS.0));
    assert_eq!(pictures(&last, &[0, 1]), pictures(&first, &[0, 1]));
}

#[test]
fn what_is_damaged_in_the_store_is_made_again() {
    let folders = Folders::new();
    let worker = folders.worker();
    worker.send(look(&page(0, 1)));
    let good = wait(&worker, "a draft", |snapshot| have(snapshot, &[0], 16));
    worker.finish();
    let kept = files(&folders.store());
    assert_eq!(kept.len(), 2, "the pack and the state: {kept:?}");
    for file in kept {
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    }
    let worker = folders.worker();
    let seen = worker.ask(look(&page(0, 1)));
    assert!(!have(&seen, &[0], 16), "{:?}", steps(&seen));
    let again = wait(&worker, "the draft again", |snapshot| have(snapshot, &[0], STEPS.0));
    assert_eq!((again.notice.as_deref(), pictures(&good, &[0]).len()), (None, 1));
}

#[test]
fn drafts_that_cannot_be_kept_are_shown_and_told() {
    let folders = Folders::new();
    fs::write(folders.store(), "a file where the folder should be").unwrap();
    let worker = folders.worker();
    worker.send(look(&page(0, 1)));
    let seen = wait(&worker, "the drafts", |snapshot| have(snapshot, &[0], STEPS.0));
    let notice = seen.notice.as_deref().unwrap_or_default();
    assert!(notice.contains("drafts are not kept") && notice.contains("pictures"), "{notice}");
}

#[test]
fn drafts_that_cannot_be_made_are_refused_in_a_sentence() {
    let folders = Folders::new();
    let worker = folders.worker();
    let viewer = worker.subscribe();
    let mut wrong = page(0, 1);
    wrong.series.layer = "conv99".into();
    let Outcome::Refused(reason) = reply_to(&viewer, look(&wrong)) else { panic!("there is no such layer") };
    assert!(reason.contains("there are no drafts") && reason.contains("conv99"), "{reason}");
    wrong = page(0, 1);
    wrong.series.settings.recipe = Recipe::named("dream").unwrap();
    assert!(matches!(reply_to(&viewer, look(&wrong)), Outcome::Refused(_)));
}

#[test]
fn a_channel_that_nothing_wakes_is_told_and_passed_over() {
    let folders = Folders::new();
    let mut silent = with_tensor("block1_conv1.weight", |kernel| {
        let len = kernel.item(1).len();
        kernel.item_mut(1)[..len].fill(0.0);
    });
    let mut bias = silent.weights.remove("block1_conv1.bias").unwrap();
    bias.data_mut()[1] = 0.0;
    silent.weights.insert("block1_conv1.bias", bias);
    let worker = spawn_with_store(&folders.0.path().join("runs"), &folders.store(), silent);
    worker.send(look(&page(0, 3)));
    let seen = wait(&worker, "the drafts", |snapshot| have(snapshot, &[0, 2], STEPS.0));
    assert_eq!(drafts(&seen).iter().map(|draft| draft.dead).collect::<Vec<_>>()[..3], [false, true, false]);
    worker.send(queue(0, 3));
    let last = wait(&worker, "the end of the queue", |snapshot| {
        snapshot.queue.is_none() && snapshot.status == Status::Finished
    });
    let folders: Vec<String> = fs::read_dir(folders.0.path().join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders.len(), 2, "channel 1 has no run: {folders:?}");
    assert!(last.notice.as_deref().unwrap_or_default().contains("layer's end"), "{:?}", last.notice);
}

/// Runs of three steps on these channels.
fn queue(next: usize, end: usize) -> Action {
    let settings = Settings { steps: 3, size: 32.into(), ..settings(0) };
    Action::Queue(Some(Box::new(ChannelQueue { layer: LAYER.into(), settings, next, end })))
}

#[test]
fn a_queue_goes_from_channel_to_channel_until_it_is_ended() {
    let folders = Folders::new();
    let worker = folders.worker();
    let first = worker.ask(queue(2, 9));
    let view = first.queue.clone().unwrap();
    assert_eq!((view.layer.as_str(), view.next + view.left), (LAYER, 9));
    let objective = |snapshot: &Snapshot| snapshot.run.as_ref().map(|run| run.objective().to_string());
    wait(&worker, "the third channel", |snapshot| {
        objective(snapshot) >= Some("channel(block1_conv1, 4)".into())
    });
    let ended = worker.ask(Action::Queue(None));
    assert_eq!(ended.queue, None);
    let last = wait(&worker, "the end of the run", |snapshot| snapshot.status == Status::Finished);
    assert!(objective(&last) < Some("channel(block1_conv1, 8)".into()), "{:?}", objective(&last));
}

#[test]
fn patient_drafts_wait_until_there_is_nothing_else_to_do() {
    let folders = Folders::new();
    let worker = folders.worker();
    let patient = DraftPage { patient: true, ..page(2, 2) };
    worker.send(crate::worker::plan(0, 40));
    wait(&worker, "the run", |s| s.status == Status::Running);
    assert_eq!(reply_to(&worker.viewer, look(&patient)), Outcome::Done);
    let ended = wait(&worker, "its end", |s| s.status == Status::Finished);
    assert_eq!(steps(&ended), [], "none while the run went on");
    let last = wait(&worker, "the drafts", |s| have(s, &[2, 3], STEPS.0));
    assert_eq!(steps(&last), [(2, STEPS.0), (3, STEPS.0)], "and none of the channels beside them");
}
