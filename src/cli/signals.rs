//! The signals that ask a command to stop, from the first line of the program on. A thread takes them, since a step may take
//! minutes: what it does depends on what the command has to keep by then. Not here: the signals that no code survives
//! (`ui/fatal.rs`).

use std::fs;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

use super::output;

/// The signals that ask to stop. Batch systems send USR1, USR2 or XCPU before a job's time is over.
const STOP: [i32; 8] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ];

/// Those of which a second one means "at once". The system repeats XCPU every second by itself, hang-ups come in pairs, and what
/// batch systems send early is followed by a TERM.
const DEMANDS: [i32; 3] = [SIGINT, SIGTERM, SIGQUIT];

/// The time after which a signal that is waiting for a step gets a word on stderr. Most steps are shorter.
const PATIENCE: Duration = Duration::from_secs(1);

/// The interval at which the thread looks for more signals until then.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The time that the last words may take: where nobody reads stderr, it may be full.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Takes back what was begun, before the process ends, and returns the sentence that it ends with.
pub(super) type LastWords = Box<dyn FnOnce() -> String + Send>;

/// The answer to a signal.
enum Answer {
    /// There is nothing to wait for: the process ends.
    Leave(LastWords),
    /// The number of the signal is noted, and looked at between two steps. A second demand ends the process.
    Note(LastWords),
    /// The number is noted, and looked at soon.
    Watch,
}

static ANSWER: LazyLock<Mutex<Answer>> = LazyLock::new(|| Mutex::new(Answer::Leave(interrupted())));

/// The number of the last signal that was noted, or 0.
static NOTED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// Whether a demand was noted.
static DEMANDED: AtomicBool = AtomicBool::new(false);

fn interrupted() -> LastWords {
    Box::new(|| "interrupted".into())
}

/// Takes the signals from now on. At first each of them ends the process, with a sentence and the exit code 1.
pub(super) fn take_signals() -> Result<()> {
    // A hang-up that was ignored, as `nohup` asks for, stays so.
    let taken = STOP.into_iter().filter(|signal| *signal != SIGHUP || !is_ignored(SIGHUP));
    let signals = Signals::new(taken).context("cannot listen for signals")?;
    let thread = thread::Builder::new().name("signals".into()).spawn(move || serve(signals));
    thread.map(drop).context("cannot start the thread that takes signals")
}

/// Whether the process was started with this signal ignored, where the system says so.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// From here on a signal ends the process. What was noted before is not answered by this.
pub(super) fn leave_on_signal(words: LastWords) {
    *answer() = Answer::Leave(words);
}

/// From here on signals are noted, for who looks between two steps. A second demand ends the process all the same.
pub(super) fn note_signals(words: LastWords) -> Arc<AtomicUsize> {
    *answer() = Answer::Note(words);
    Arc::clone(&NOTED)
}

/// From here on the first demand ends the process. Other signals are noted: what they ask for has been begun.
pub(super) fn leave_on_demand(words: LastWords) {
    DEMANDED.store(true, Ordering::Relaxed);
    note_signals(words);
}

/// From here on signals are noted and nothing else, for who looks often and has something to give back: the terminal, or a folder
/// that is being made.
pub(super) fn watch_signals() -> Arc<AtomicUsize> {
    *answer() = Answer::Watch;
    Arc::clone(&NOTED)
}

fn answer() -> MutexGuard<'static, Answer> {
    ANSWER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread. It ends with the process.
fn serve(mut signals: Signals) {
    let mut is_told = false;
    loop {
        signals.wait().for_each(take);
        let begun = Instant::now();
        while !is_told && is_waited_for() {
            if begun.elapsed() >= PATIENCE {
                output::remark("stops when the step in progress is done; a second signal ends it at once");
                is_told = true;
            }
            thread::sleep(LOOK_EVERY);
            signals.pending().for_each(take);
        }
    }
}

/// Whether a signal was noted, and the command is busy with a step.
fn is_waited_for() -> bool {
    NOTED.load(Ordering::Relaxed) != 0 && matches!(*answer(), Answer::Note(_))
}

fn take(signal: i32) {
    let mut answer = answer();
    let is_demand = DEMANDS.contains(&signal);
    match &mut *answer {
        // The write that it is about fails, and says more.
        Answer::Leave(_) if signal == SIGXFSZ => {}
        Answer::Leave(words) => leave(mem::replace(words, interrupted())),
        Answer::Note(words) if is_demand && DEMANDED.load(Ordering::Relaxed) => {
            leave(mem::replace(words, interrupted()));
        }
        Answer::Note(_) | Answer::Watch => {
            DEMANDED.fetch_or(is_demand, Ordering::Relaxed);
            NOTED.store(signal.unsigned_abs() as usize, Ordering::Relaxed);
        }
    }
}

/// Ends the process, whatever its other threads do.
fn leave(words: LastWords) -> ! {
    let sentence = words();
    let (said, heard) = channel();
    let speaker = thread::Builder::new().name("last words".into()).spawn(move || {
        output::remark(sentence);
        let _ = said.send(());
    });
    if speaker.is_ok() {
        let _ = heard.recv_timeout(LAST_WORDS);
    }
    exit(1)
}
