//! `trepang` without a subcommand: the dashboard, or the same ascent in plain lines where no terminal is.

mod left_off;
pub(super) mod saved;
pub(super) mod stored;
mod unseen;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use signal_hook::consts::SIGHUP;
use trepang_api::{Backend, Device};
use trepang_weights::Purpose;
use trepang_weights::cache::Environment;

use super::drive::drive;
use super::key_map::key_map;
use super::output;
use super::room::{check_room, check_step};
use super::signals::{leave_on_demand, watch_signals};
use crate::backends::BACKENDS;
use crate::config::args::{CharsetFlag, ComputeArgs, DashboardArgs, ImageProtocol, ScreenArgs, ThemeFlag};
use crate::config::{
    Compute, ConfigFile, Socket, Usage, find_entry, find_layer_and_channel, find_recipe, find_start,
    picture_size, read_references, runs_folder, thread_count,
};
use crate::dashboard::State;
use crate::engine::{AskedSize, Pictures, RECIPES};
use crate::panics::guard;
use crate::parity::known_gradients;
use crate::runs::{BoxedError, LOG, PictureReading, Session, never_woken};
use crate::sweep::UnitStore;
use crate::ui::{Ending, Protocol, Screen, ScreenOptions, ThemeName, is_dumb, run as run_loop};
use crate::worker::protocol::{Action, NetworkView, Settings, Snapshot, Status};
use crate::worker::remote::{Greeting, Listener};
use crate::worker::{BackendProvider, LocalModels, Setup, Viewer, Worker, network_view};

/// The number that a signal handler notes when the terminal hangs up.
const SIGHUP_NUMBER: usize = SIGHUP as usize;

/// The interval at which a dashboard without a terminal looks whether it is done.
const UNSEEN_INTERVAL: Duration = Duration::from_millis(100);

/// The time that the worker gets to end before a word is said about it.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn run(args: &DashboardArgs, file: &ConfigFile) -> Result<()> {
    if args.without_screen {
        return unseen::go_on(args);
    }
    let keys = key_map(file)?;
    let lack = lacking();
    let (compute, left) = if lack.is_none() {
        left_off::open(args)?
    } else {
        (Compute::open(&args.compute, Purpose::Features)?, None)
    };
    let (mut state, mut pictures) = initial_state(args, &compute)?;
    state.keys = keys;
    if let Some(left) = &left {
        left_off::restore(&mut state, left);
    }
    let mut plan = state.plan().map_err(Usage)?;
    plan.size = picture_size(args.size, &plan.recipe, &compute, &plan.start, &pictures);
    let objectives = std::iter::once(&plan.objective);
    plan.references = read_references(objectives, &mut pictures, PictureReading::default())?;
    // A plan that does not fit is refused before the screen is taken over.
    let runs = runs_folder(args.runs.as_deref())?;
    let (network, provenance) = (compute.network(), compute.provenance.clone());
    check_room(&plan, &compute)?;
    let session = Session::new(plan.clone(), network, &pictures, provenance, &runs)?;
    if let Some(lack) = lack {
        return in_lines(session, &compute, lack);
    }
    let first = Action::Start(Box::new(plan));
    on_screen((&args.screen, &args.compute), (state, first), compute, (&runs, DraftsAt::Cache))
}

/// The store that a dashboard's drafts are kept in.
enum DraftsAt {
    /// The user's own, in the cache folder.
    Cache,
    /// One that the user named.
    Store(UnitStore),
}

impl DraftsAt {
    /// The store; none if there is no folder for it.
    fn store(self) -> Option<UnitStore> {
        match self {
            Self::Cache => Environment::of_process().pictures_folder().map(UnitStore::new),
            Self::Store(store) => Some(store),
        }
    }
}

/// The reason why no dashboard can be shown here, as a clause; none where it can.
pub(super) fn lacking() -> Option<&'static str> {
    if !io::stdout().is_terminal() {
        Some("stdout is no terminal")
    } else if !io::stdin().is_terminal() {
        Some("stdin is no terminal")
    } else {
        is_dumb().then_some("TERM names no terminal that a screen can be drawn on")
    }
}

/// The dashboard's state with the cursor where the flags say, or on the network's first look.
fn initial_state(args: &DashboardArgs, compute: &Compute) -> Result<(State, Pictures)> {
    let (network, provenance) = (compute.network(), &compute.provenance);
    let recipe = find_recipe(args.recipe.as_deref().unwrap_or(RECIPES[0]), &args.set)?;
    let (start, pictures) = find_start(args.init.as_deref(), PictureReading::default())?;
    if recipe.wants_picture() && pictures.is_empty() {
        let name = &recipe.name;
        return Err(
            Usage(format!("the recipe {name} begins with a picture: give it with --init FILE")).into()
        );
    }
    let size = args.size.unwrap_or_else(|| {
        AskedSize::Longer(picture_size(None, &recipe, compute, &start, &pictures).longer())
    });
    let steps = args.steps.map_or(recipe.steps, |steps| steps as usize);
    let settings = Settings { recipe, size, seed: args.seed, steps, start };
    let (first_layer, first_channel) = (&*compute.trained.first_look.0, compute.trained.first_look.1);
    let first_look = (first_layer, first_channel);
    let view = network_view(network, &compute.trained.labels, first_look, provenance)?;
    // By its own name, also where another framework's was typed.
    let (id, named) = find_layer_and_channel(network, args.layer.as_deref().unwrap_or(first_layer))?;
    let layer = network.node(id)?.name.as_str();
    let mut state = State::new(view.info, view.layers, view.classes, settings);
    let otherwise = if args.layer.is_none() { first_channel } else { 0 };
    let channel = args.channel.or(named).unwrap_or(otherwise);
    ensure!(state.go_to(layer, channel), "{layer} is not among the layers that can be shown");
    Ok((state, pictures))
}

/// The dashboard with an ascent that is begun or opened at once.
fn on_screen(
    (screen, compute_args): (&ScreenArgs, &ComputeArgs),
    (mut state, first): (State, Action),
    compute: Compute,
    (runs, drafts): (&Path, DraftsAt),
) -> Result<()> {
    let marked = left_off::restore_rest(&mut state);
    let signal = watch_signals();
    let drafts = drafts.store();
    let greeting = greeting(&state, drafts.as_ref());
    let worker = spawn(compute, compute_args, (runs, drafts))?;
    // Without a socket, the dashboard is this terminal's alone.
    let listener = Socket::of(std::process::id()).ok();
    let listener = listener.and_then(|socket| worker.listen(&socket.path, greeting).ok());
    let viewer = worker.subscribe();
    viewer.request(first);
    viewer.request(Action::ListNetworks);
    let log = runs.join(LOG);
    let left_running = supervise(worker, &viewer, |viewer| {
        let ending = {
            let mut screen = Screen::enter(screen_options(screen), &log)?;
            run_loop(&mut state, viewer, &mut screen, &signal)
        };
        left_off::note(&state, &marked);
        // What failed because the terminal has gone is no error of its own.
        match (signal.swap(0, Ordering::Relaxed), ending) {
            (0, Ok(Ending::HangUp)) | (SIGHUP_NUMBER, _) => {
                go_on_unseen(viewer, &signal, listener.as_ref());
                Ok(Ending::HangUp)
            }
            (0, ending) => ending,
            _ => Ok(Ending::Signal),
        }
    })?;
    match left_running {
        Some(last) => unseen::hand_over(compute_args, &state, runs, &last),
        None => Ok(()),
    }
}

/// The greeting for viewers that come later: the network and the settings that the dashboard begins with.
fn greeting(state: &State, store: Option<&UnitStore>) -> Greeting {
    let layer = state.layers.get(state.layer).map_or(String::new(), |layer| layer.name.clone());
    let network = NetworkView {
        info: state.network.clone(),
        layers: state.layers.clone(),
        classes: state.classes.clone(),
        size: state.network.sizes.native,
        first_look: (layer, state.channel),
    };
    let store = store.and_then(|store| std::path::absolute(store.folder()).ok());
    Greeting { network, settings: state.settings.clone(), store }
}

/// Waits without a terminal until the run and the queue are done and nobody looks on, or a signal asks to stop.
fn go_on_unseen(viewer: &Viewer, signal: &AtomicUsize, listener: Option<&Listener>) {
    viewer.request(Action::Draft(None));
    viewer.request(Action::Predict(false));
    loop {
        let snapshot = viewer.snapshot();
        let is_going =
            matches!(snapshot.status, Status::Running | Status::Loading) || snapshot.queue.is_some();
        let is_seen = listener.is_some_and(|listener| listener.viewers() > 0);
        if snapshot.ended
            || !(is_going || is_seen)
            || ![0, SIGHUP_NUMBER].contains(&signal.load(Ordering::Relaxed))
        {
            return;
        }
        thread::sleep(UNSEEN_INTERVAL);
    }
}

/// The worker with the first network, and with all others; other backends than the first are given the threads of `args`.
fn spawn(compute: Compute, args: &ComputeArgs, (runs, store): (&Path, Option<UnitStore>)) -> Result<Worker> {
    let threads = thread_count(args.threads);
    let Compute { trained, backend, device, provenance } = compute;
    let environment = Environment::of_process();
    let setup = Setup {
        network: trained.network.clone(),
        labels: trained.labels.clone(),
        provenance,
        runs: runs.into(),
        store,
    };
    let backend: Arc<dyn Backend> = backend.into();
    let place = (Arc::clone(&backend), device.clone());
    let models = LocalModels::new(place, Box::new(BuiltBackends { threads }), environment);
    let models = models.with_labels(args.labels.clone()).with_own(&trained);
    // The weights go with the closure: the model has what it needs of them.
    let load = move || Ok(backend.load(&trained.network, &trained.weights, &device)?);
    Ok(Worker::spawn(setup, load, Box::new(models))?)
}

/// The backends of this build, each with so many compute threads.
#[derive(Debug)]
struct BuiltBackends {
    threads: usize,
}

impl BackendProvider for BuiltBackends {
    fn names(&self) -> Vec<&'static str> {
        BACKENDS.iter().map(|entry| entry.name).collect()
    }

    fn open(&self, name: &str) -> Result<Box<dyn Backend>, BoxedError> {
        Ok(find_entry(name)?.open(self.threads)?)
    }

    fn check(&self, backend: &dyn Backend, device: &Device) -> Result<(), BoxedError> {
        Ok(known_gradients(backend, device)?)
    }
}

/// Runs the dashboard as a viewer of the worker. However it ends, by a panic too, the worker then saves its run, and the
/// message says where. Returns the last snapshot where the work is to go on without a screen.
fn supervise(
    worker: Worker,
    viewer: &Viewer,
    dashboard: impl FnOnce(&Viewer) -> Result<Ending>,
) -> Result<Option<Arc<Snapshot>>> {
    let ending = guard("the dashboard", || dashboard(viewer));
    // The terminal is the shell's again: from here on, who will not wait need not.
    leave_on_demand(Box::new(|| "ended within a step; `trepang runs` lists the run as last saved".into()));
    if !worker.ends_within(PATIENCE) {
        output::remark(
            "the run is saved when the step in progress is done; a signal (Ctrl-C) ends it at once",
        );
    }
    let last = worker.finish();
    match ending {
        Ok(Ending::LeftRunning) if last.unsaved.is_empty() => Ok(Some(last)),
        Ok(Ending::Quit | Ending::LeftRunning) => exit_message(&last).map(|()| None),
        // Nobody is left to read; what matters is in the run's folder.
        Ok(Ending::HangUp) => exit_message(&last).map_or(Ok(None), |()| Ok(None)),
        Ok(Ending::Signal) => bail!("the dashboard was interrupted; {}", outcome(&last)),
        Err(error) => bail!("{error:#}; {}", outcome(&last)),
    }
}

/// The dashboard's use of the terminal, from the flags.
pub(super) fn screen_options(args: &ScreenArgs) -> ScreenOptions {
    let protocol = args.image_protocol.and_then(protocol);
    let rate_cap = args.rate_cap.map(|rate| 1000.0 * f64::from(rate));
    let theme = match args.theme.unwrap_or_default() {
        ThemeFlag::Auto => ThemeName::Auto,
        ThemeFlag::Dark => ThemeName::Dark,
        ThemeFlag::Light => ThemeName::Light,
        ThemeFlag::HighContrast => ThemeName::HighContrast,
        ThemeFlag::ColorBlind => ThemeName::ColorBlind,
        ThemeFlag::Terminal => ThemeName::Terminal,
    };
    let (ascii, leaves_mouse) = (args.charset == Some(CharsetFlag::Ascii), args.mouse == Some(false));
    ScreenOptions { protocol, rate_cap, theme, ascii, leaves_mouse }
}

fn protocol(choice: ImageProtocol) -> Option<Protocol> {
    match choice {
        ImageProtocol::Auto => None,
        ImageProtocol::Kitty => Some(Protocol::Kitty),
        ImageProtocol::Sixel => Some(Protocol::Sixel),
        ImageProtocol::Iterm2 => Some(Protocol::Iterm2),
        ImageProtocol::Halfblocks => Some(Protocol::Halfblocks),
        ImageProtocol::Quadrants => Some(Protocol::Quadrants),
        ImageProtocol::Sextants => Some(Protocol::Sextants),
        ImageProtocol::None => Some(Protocol::None),
    }
}

/// The message after quitting: the folder of the run, or every run that could not be kept.
fn exit_message(last: &Snapshot) -> Result<()> {
    match &last.status {
        Status::Broken(message) => bail!("{message}; {}", outcome(last)),
        _ if !last.unsaved.is_empty() => bail!("{}", outcome(last)),
        _ => last.notice.iter().try_for_each(output::line),
    }
}

/// The fate of the runs: what could not be saved, and the last notice.
fn outcome(last: &Snapshot) -> String {
    let unsaved = last.unsaved.iter().map(|unsaved| &unsaved.text);
    let notice =
        last.notice.iter().filter(|notice| last.unsaved.iter().all(|unsaved| unsaved.text != **notice));
    let sentences: Vec<&str> = unsaved.chain(notice).map(|text| &**text).collect();
    if sentences.is_empty() { "no run was in progress".into() } else { sentences.join("; ") }
}

/// The same ascent without a screen.
fn in_lines(mut session: Session, compute: &Compute, lack: &str) -> Result<()> {
    let mut model = guard("the backend", || compute.model())?;
    check_step(session.ascent(), model.as_ref(), compute)?;
    watch_signals();
    session.reserve()?;
    let (plan, name) = (session.ascent().plan(), &compute.provenance.network);
    output::line(format_args!("{name}: {} by the recipe {}", plan.objective, plan.recipe.name))?;
    let steps = plan.steps;
    let every = (steps / 16).max(1);
    let mut one = [session];
    drive(&mut one, model.as_mut(), |_, _, report| {
        if report.step == 1 || report.step.is_multiple_of(every) {
            output::line(format_args!("step {:>5} of {steps}  loss {:.4}", report.step, report.loss))?;
        }
        Ok(())
    })?;
    let [session] = &mut one;
    session.save()?;
    let folder = session.folder().unwrap_or(Path::new(""));
    output::line(format_args!("the picture is {}", folder.join("image.png").display()))?;
    let ascent = session.ascent();
    if ascent.state().is_dead() {
        output::line(never_woken(ascent.plan().last_objective(), ascent.step_count()))?;
    }
    output::line(format_args!("{lack}, so this was plain text; in a terminal, trepang shows the dashboard"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::protocol::UnsavedRun;

    #[test]
    fn every_run_that_could_not_be_saved_is_told_at_the_end() {
        let failure = |number, text: &str| UnsavedRun { number, text: text.into() };
        let last = |unsaved, notice: &str| Snapshot {
            unsaved,
            notice: Some(notice.into()),
            status: Status::Finished,
            ..Snapshot::default()
        };
        let lost = vec![failure(1, "one could not be saved"), failure(3, "three could not be saved")];
        let message = exit_message(&last(lost.clone(), "saved in here")).unwrap_err().to_string();
        assert_eq!(message, "one could not be saved; three could not be saved; saved in here");
        let message = exit_message(&last(lost, "three could not be saved")).unwrap_err().to_string();
        assert_eq!(message, "one could not be saved; three could not be saved");
        // A notice is for reading: what it says does not decide how the program ends.
        assert!(exit_message(&last(Vec::new(), "a run could not be saved, but was later")).is_ok());
    }

    #[test]
    fn a_panic_in_the_dashboard_still_saves_the_run_and_says_where() {
        let runs = tempfile::tempdir().unwrap();
        let compute = Compute::open(&ComputeArgs::default(), Purpose::Features).unwrap();
        let recipe = find_recipe("pixel", &[]).unwrap();
        let objective = crate::engine::Objective::channel("block1_conv1", 0);
        let plan =
            crate::engine::Plan { steps: 1_000_000, ..crate::engine::Plan::new(objective, recipe, 32) };
        let worker = spawn(compute, &ComputeArgs::default(), (runs.path(), None)).unwrap();
        let viewer = worker.subscribe();
        viewer.request(Action::Start(Box::new(plan)));
        let error = supervise(worker, &viewer, |viewer| {
            while viewer.snapshot().run.as_ref().is_none_or(|run| run.step < 3) {
                assert!(!matches!(viewer.snapshot().status, Status::Broken(_)));
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            panic!("drawn outside the screen")
        })
        .unwrap_err()
        .to_string();
        let place = runs.path().join("minivgg-channel-block1_conv1-0-pixel-seed0");
        assert_eq!(
            error,
            format!("the dashboard panicked: drawn outside the screen; saved in {}", place.display())
        );
        assert!(crate::runs::RunFolder::open(&place).unwrap().1.state.losses.len() >= 3);
    }
}
