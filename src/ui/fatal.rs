//! Gives the terminal back when the process dies of a signal that no code can survive, such as a fault in a native library or an
//! abort, or of memory that ran out (`cli/exhausted.rs`). The handler only writes bytes that were prepared and calls tcsetattr, both of which are
//! permitted in a signal handler; then the signal takes its usual course.
#![allow(unsafe_code, reason = "signal handlers and termios have no safe interface for these signals")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{SIG_DFL, STDIN_FILENO, STDOUT_FILENO, TCSANOW};
use libc::{SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGPROF, SIGSEGV, SIGSYS, SIGTRAP, SIGVTALRM};
use libc::{c_int, c_void, sigaction, siginfo_t, termios};

/// The faults of a process, after which it does not go on.
const FAULTS: [c_int; 4] = [SIGSEGV, SIGBUS, SIGILL, SIGFPE];

/// Other signals that end a process where nobody else takes them, by an abort, a timer, a debugger or a filter of system calls.
#[cfg(not(target_os = "linux"))]
const OTHERS: [c_int; 6] = [SIGABRT, SIGALRM, SIGVTALRM, SIGPROF, SIGSYS, SIGTRAP];
#[cfg(target_os = "linux")]
const OTHERS: [c_int; 9] =
    [SIGABRT, SIGALRM, SIGVTALRM, SIGPROF, SIGSYS, SIGTRAP, libc::SIGIO, libc::SIGPWR, libc::SIGSTKFLT];

/// Ends a synchronized update, gives the mouse back, turns focus reports and bracketed paste off, leaves the alternate screen, shows the cursor, and
/// resets colours.
const RESTORE: &[u8] =
    b"\x1b[?2026l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m\r\n";

/// Whether the terminal is in the dashboard's state now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal's settings and the handlers before the dashboard.
static BEFORE: OnceLock<Before> = OnceLock::new();

struct Before {
    terminal: termios,
    /// Of the faults, in their order.
    handlers: [sigaction; FAULTS.len()],
}

/// Remembers the terminal's settings and installs the handlers, once for the process. Fails if stdin is no terminal.
pub(super) fn prepare() -> io::Result<()> {
    if BEFORE.get().is_some() {
        return Ok(());
    }
    let mut terminal = MaybeUninit::uninit();
    // SAFETY: tcgetattr fills the struct, and says so by returning 0.
    let terminal = unsafe {
        if libc::tcgetattr(STDIN_FILENO, terminal.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        terminal.assume_init()
    };
    let mut handlers = [const { MaybeUninit::<sigaction>::uninit() }; FAULTS.len()];
    for (signal, before) in FAULTS.into_iter().zip(&mut handlers) {
        *before = MaybeUninit::new(handler_of(signal)?);
    }
    // SAFETY: each of them was written above.
    let handlers = handlers.map(|before| unsafe { before.assume_init() });
    // The handler reads this, so it is set before the handler is installed.
    let _ = BEFORE.set(Before { terminal, handlers });
    FAULTS.into_iter().try_for_each(install)?;
    for signal in OTHERS {
        // A profiler takes its signals itself, and who ignores one survives it.
        if handler_of(signal)?.sa_sigaction == SIG_DFL {
            install(signal)?;
        }
    }
    Ok(())
}

/// The present answer to a signal.
fn handler_of(signal: c_int) -> io::Result<sigaction> {
    let mut handler = MaybeUninit::uninit();
    // SAFETY: with no new action, sigaction only writes the present one, and says so by returning 0.
    unsafe {
        if libc::sigaction(signal, ptr::null(), handler.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(handler.assume_init())
    }
}

/// Installs the handler. Where the stack has overflowed it runs on the stack that Rust's runtime keeps for that.
fn install(signal: c_int) -> io::Result<()> {
    // SAFETY: all zeros are a valid sigaction, whose mask blocks nothing.
    let mut action: sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = restore;
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler has the signature that SA_SIGINFO asks for, and calls nothing that a handler must not call.
    if unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Says whether the terminal is to be given back on a fatal signal.
pub(super) fn set_taken(taken: bool) {
    TAKEN.store(taken, Ordering::SeqCst);
}

/// Gives the terminal back if the dashboard has it, without allocating and without a lock.
pub(crate) fn give_back() {
    let Some(before) = BEFORE.get() else { return };
    if TAKEN.swap(false, Ordering::SeqCst) {
        // SAFETY: write and tcsetattr may be called in a handler, and their arguments live as long as the process.
        unsafe {
            libc::write(STDOUT_FILENO, RESTORE.as_ptr().cast(), RESTORE.len());
            libc::tcsetattr(STDIN_FILENO, TCSANOW, &raw const before.terminal);
        }
    }
}

/// Gives the terminal back. Then the signal takes its usual course: a fault goes to the handler from before, and a signal
/// that was sent, as `abort` does, ends the process.
extern "C" fn restore(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
    give_back();
    let Some(before) = BEFORE.get() else { return };
    // SAFETY: the system passes a valid siginfo; signal, sigaction and raise may be called in a handler, and the actions are
    // ones that the system returned.
    unsafe {
        match FAULTS.iter().position(|known| *known == signal) {
            // A fault happens again when this returns.
            Some(index) if (*info).si_code > 0 => {
                libc::sigaction(signal, &raw const before.handlers[index], ptr::null_mut());
            }
            // A process sent it, as its code says, or it comes once. It is blocked until this returns, and then ends the process.
            Some(_) | None => {
                libc::signal(signal, SIG_DFL);
                libc::raise(signal);
            }
        }
    }
}
