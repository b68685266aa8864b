//! The lab in the dashboard: what it is asked, what it shows, and what the worker finds.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use trepang::dashboard::{Effect, Key, Message, PointedAt, Pointing, Shown, State};
use trepang::ui::{View, lab_layout, render, shown_grid};
use trepang::worker::protocol::{
    Action, LabExample, LabFindings, LabMargin, LabOrder, LabPoint, LabScatter, LabShare, LabSubject, Status,
};

use crate::library::noise_picture;
use crate::stage::{HALFBLOCKS, picture, press, see, see_run, state};
use crate::worker::{spawn, wait};

fn opened() -> State {
    let mut state = state();
    see_run(&mut state, Status::Finished, 64);
    press(&mut state, &[Key::Char('L')]);
    state
}

/// What the lab is asked by these effects, in short; none if it is asked nothing.
fn asked(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::Ask(Action::Lab(None)) => Some("nobody looks".into()),
        Effect::Ask(Action::Lab(Some(subject))) => {
            assert_eq!(*subject.picture, picture());
            Some(format!("{} {}", subject.layer, subject.channel))
        }
        _ => None,
    })
}

fn subject(state: &State) -> LabSubject {
    let picture = Arc::new(picture());
    LabSubject { layer: state.layer_name(), channel: state.channel, picture, by: state.lab_order() }
}

fn margin() -> LabMargin {
    let share = |(place, channel): (usize, usize)| {
        let attribution = 5.0 - 2.0 * place as f64;
        LabShare { channel, attribution, share: Some(attribution / 9.0), ablation: attribution }
    };
    LabMargin {
        title: "sea cucumber over lemon".into(),
        sentence: "channel 7 carries 56 % of sea cucumber's margin over lemon in this picture (5.0 of 9.0)"
            .into(),
        value: 9.0,
        shares: [7, 3, 12, 0].into_iter().enumerate().map(share).collect(),
        place: 33,
        channels: 40,
    }
}

fn scatter() -> LabScatter {
    let point = |at, file: &str, label| LabPoint { at, file: file.into(), label };
    let points = [
        point([0.0, 0.0], "", None),
        point([1.0, 0.1], "set/cucumber.jpg", Some(1)),
        point([-1.0, -0.1], "set/lemon.jpg", Some(0)),
    ];
    let labels = ["lemon", "sea cucumber"].map(String::from);
    let about = "2 photographs by conv2: the plane has 80 % of their variance".into();
    LabScatter { points: points.into(), labels: labels.into(), nearest: Some(1), about }
}

/// Shows `state` all that it asked the lab for.
fn see_findings(state: &mut State) {
    let example = |label: &str| LabExample { label: label.into(), picture: Arc::new(picture()) };
    let findings = LabFindings {
        subject: subject(state),
        margin: Some(Ok(margin())),
        map: Some(Ok(example("sea cucumber"))),
        examples: Some(Ok(vec![example("3.10 sea cucumber"), example("2.95 lemon")])),
        scatter: Some(Ok(scatter())),
    };
    see(state, |snapshot| snapshot.labs = [findings].into());
}

fn screen(state: &State, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let area = Rect::new(0, 0, width, height);
    let (grid, lab) = (shown_grid(area, state, &HALFBLOCKS), lab_layout(area, state, HALFBLOCKS));
    terminal.draw(|frame| render(frame, state, &View { grid, lab, ..View::default() })).unwrap();
    terminal.backend().to_string()
}

#[test]
fn l_asks_the_lab_about_the_picture_on_the_screen() {
    let mut state = state();
    press(&mut state, &[Key::Char('L')]);
    assert!(state.remark.as_ref().unwrap().contains("Enter starts an ascent"), "{:?}", state.remark);
    see_run(&mut state, Status::Finished, 64);
    assert_eq!(asked(&press(&mut state, &[Key::Char('L')])).as_deref(), Some("conv2 0"));
    // Another layer or channel is another question about the same picture, also when the run goes on.
    let other = Arc::new(noise_picture(1, 8));
    see(&mut state, |snapshot| snapshot.run.as_mut().unwrap().picture = other);
    assert_eq!(asked(&press(&mut state, &[Key::Char('<')])).as_deref(), Some("pool1 0"));
    assert_eq!(asked(&press(&mut state, &[Key::Char('>')])).as_deref(), Some("conv2 0"));
    let typed = [Key::Char('g'), Key::Char('9'), Key::Enter];
    assert_eq!(asked(&press(&mut state, &typed)).as_deref(), Some("conv2 9"));
    assert!(press(&mut state, &[Key::Enter]).is_empty() && state.shown == Shown::Lab, "it starts nothing");
    assert_eq!(asked(&press(&mut state, &[Key::Escape])).as_deref(), Some("nobody looks"));
    assert_eq!(state.shown, Shown::Panes);
}

#[test]
fn the_answer_is_drawn_as_far_as_it_is_there() {
    let mut state = opened();
    let waiting = screen(&state, (80, 24));
    assert!(waiting.contains("working out") && waiting.contains("laying out"), "{waiting}");
    see_findings(&mut state);
    for size in [(60, 20), (80, 24), (120, 40)] {
        let (columns, rows) = size;
        insta::assert_snapshot!(format!("lab_{columns}x{rows}"), screen(&state, size));
    }
    let gone = Some(Err("set/lemon.jpg is not in the data set any more".to_owned()));
    let findings = LabFindings { examples: gone, ..state.snapshot.labs[0].clone() };
    see(&mut state, |snapshot| snapshot.labs = [findings].into());
    let shown = screen(&state, (120, 40));
    assert!(shown.contains("set/lemon.jpg is not in the data set any more; 2 photographs"), "{shown}");
    let reason = || Some(Err("tinynet has no classifier".to_owned()));
    let subject = subject(&state);
    let findings = LabFindings { subject, margin: reason(), map: None, examples: None, scatter: None };
    see(&mut state, |snapshot| snapshot.labs = [findings].into());
    assert!(screen(&state, (80, 24)).contains("tinynet has no classifier"));
}

#[test]
fn e_puts_the_photographs_in_another_order_and_keeps_the_rest() {
    let mut state = opened();
    see_findings(&mut state);
    press(&mut state, &[Key::Right]);
    let effects = press(&mut state, &[Key::Char('E')]);
    let [Effect::Ask(Action::Lab(Some(subject)))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(subject.by, LabOrder::Max);
    assert!(screen(&state, (120, 40)).contains("photographs by max"));
    press(&mut state, &[Key::Char('E'), Key::Char('E')]);
    assert_eq!(state.lab_order(), LabOrder::Mean);
    press(&mut state, &[Key::Escape, Key::Char('E')]);
    assert_eq!((state.lab_order(), state.shown), (LabOrder::Mean, Shown::Panes), "it is a key of the lab");
}

#[test]
fn the_arrows_go_from_photograph_to_photograph() {
    let mut state = opened();
    see_findings(&mut state);
    let channel = state.channel;
    for (key, file) in [(Key::Right, "set/cucumber.jpg"), (Key::Left, ""), (Key::Left, "set/lemon.jpg")] {
        press(&mut state, &[key]);
        assert_eq!(state.lab_point().unwrap().1.file, file, "{key:?}");
    }
    assert!(screen(&state, (120, 40)).contains("lemon: set/lemon.jpg"));
    assert_eq!(state.channel, channel, "they move nothing else");
    press(&mut state, &[Key::Home]);
    assert_eq!(state.lab_point().unwrap().0, 0);
    // A click goes to the photograph that is nearest: here one in the upper right.
    state.update(Message::Pointing(Pointing::Click(PointedAt::Scatter(900, 100))));
    assert_eq!(state.lab_point().unwrap().1.file, "set/cucumber.jpg");
}

#[test]
fn the_worker_answers_part_by_part_and_takes_requests_meanwhile() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(&runs.path().join("runs"), usize::MAX);
    let subject = LabSubject {
        layer: "block5_conv2".into(),
        channel: 4,
        picture: Arc::new(noise_picture(3, 64)),
        by: LabOrder::Mean,
    };
    worker.send(Action::Lab(Some(Box::new(subject.clone()))));
    // Each of these interrupts the work, which goes on afterwards.
    for wanted in [false, true, false, true] {
        worker.ask(Action::Predict(wanted));
    }
    let found = wait(&worker, "the answer", |snapshot| {
        snapshot.labs.first().is_some_and(|findings| findings.scatter.is_some())
    });
    let findings = &found.labs[0];
    assert_eq!(findings.subject, subject);
    let margin = findings.margin.clone().unwrap().unwrap();
    let (named, sum) = (&margin.shares, margin.shares.iter().map(|share| share.attribution).sum::<f64>());
    assert!(named.is_sorted_by(|a, b| a.attribution >= b.attribution) && sum.is_finite(), "{named:?}");
    assert!(
        named.iter().any(|share| share.channel == 4),
        "the channel that was asked about is told: {named:?}"
    );
    let map = findings.map.clone().unwrap().unwrap();
    assert_eq!((map.picture.width, map.picture.height), (64, 64));
    let reason = findings.examples.clone().unwrap().unwrap_err();
    assert!(reason.contains("trepang lab index FOLDER --network minivgg --layer block5_conv2"), "{reason}");
    // Photographs in another order: all else is kept, as it was found.
    let other = LabSubject { by: LabOrder::Relevance, ..subject.clone() };
    let kept = worker.ask(Action::Lab(Some(Box::new(other.clone()))));
    assert_eq!((&kept.labs[0].subject, &kept.labs[0].margin), (&other, &findings.margin));
    assert_eq!((&kept.labs[0].map, kept.labs[0].scatter.is_some()), (&findings.map, true));
    let closed = worker.ask(Action::Lab(None));
    assert!(closed.labs.is_empty());
}
