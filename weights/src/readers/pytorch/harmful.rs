//! Which Python functions do harm when they are called: they run programs or text, import modules, or reach for files
//! and the network. Trepang calls none of them; a file that would have another program call one is named as what it is.
//! Classes of any other module are passed over.

use std::collections::HashSet;
use std::sync::LazyLock;

/// A set of names, from a text with spaces between them.
type NameSet = LazyLock<HashSet<&'static str>>;

/// Modules of which calling anything does harm, with the modules below them. Pickles of protocol 2 and older have the names
/// that modules had in Python 2, whoever wrote them: `commands` for `subprocess`.
static MODULES: NameSet = NameSet::new(|| {
    names(
        "anydbm BaseHTTPServer CGIHTTPServer commands dbhash dbm dumbdbm dummy_thread gdbm httplib popen2 \
     SimpleHTTPServer SimpleXMLRPCServer thread urllib2 whichdb xmlrpc xmlrpclib \
     _ctypes _frozen_importlib _imp _pickle _posixsubprocess _socket _thread _winapi aiohttp antigravity bdb cffi \
     cloudpickle.loads cPickle ctypes dill.loads distutils.file_util distutils.spawn doctest ensurepip \
     ftplib http.client http.server idlelib imaplib imp importlib joblib.load lib2to3 linecache logging.config \
     marshal msvcrt multiprocessing numpy.distutils numpy.f2py numpy.testing paramiko pdb pip pkgutil poplib pty \
     pydoc requests.api requests.sessions rlcompleter runpy shelve shutil smtplib subprocess telnetlib torch.hub \
     torch.utils.cpp_extension urllib.request venv webbrowser zipimport",
    )
});

/// Modules of the operating system, of which only the names in [`HARMLESS_OF_SYSTEM`] are passed over.
static SYSTEM_MODULES: NameSet = NameSet::new(|| names("nt os pickle posix signal socket sys"));

/// Classes and functions of the operating system's modules that only make or tell a value.
static HARMLESS_OF_SYSTEM: NameSet = NameSet::new(|| {
    names(
        "AddressFamily AddressInfo cpu_count fspath path getcwd getpid Handlers MsgFlag PathLike PickleBuffer sched_param \
     Sigmasks Signals SocketKind stat_result terminal_size uname_result version_info",
    )
});

/// Single functions and classes, by their full names.
static FUNCTIONS: NameSet = NameSet::new(|| {
    names(
        "_io.FileIO _io.open asyncio.create_subprocess_exec asyncio.create_subprocess_shell asyncio.run \
     builtins.__build_class__ builtins.__import__ builtins.apply builtins.breakpoint builtins.compile \
     builtins.delattr builtins.eval builtins.exec builtins.execfile builtins.exit builtins.file builtins.globals \
     builtins.help builtins.input builtins.locals builtins.open builtins.quit builtins.raw_input builtins.reload \
     builtins.setattr builtins.vars code.compile_command code.interact code.InteractiveConsole \
     code.InteractiveInterpreter codecs.open cProfile.run cProfile.runctx fileinput.input io.FileIO io.open \
     numpy.fromfile numpy.genfromtxt numpy.load numpy.loadtxt numpy.save numpy.savetxt numpy.savez \
     pandas.read_pickle profile.run profile.runctx requests.get requests.post requests.request tempfile.mkdtemp \
     tempfile.mkstemp tempfile.NamedTemporaryFile tempfile.TemporaryDirectory timeit.main timeit.repeat \
     timeit.timeit timeit.Timer torch.jit.load torch.load torch.save torch.serialization.load \
     torch.utils.collect_env.run urllib.FancyURLopener urllib.URLopener \
     urllib.urlopen urllib.urlretrieve types.CodeType types.FunctionType types.LambdaType uuid._get_command_stdout",
    )
});

/// Modules whose classes are values, but whose classes' methods reach for files.
const FILE_CLASSES: [&str; 4] = ["pathlib", "pathlib._local", "tempfile", "zipfile"];

/// Functions that make functions which fetch or call any attribute of their argument.
const CALLER_MAKERS: [&str; 4] =
    ["operator.attrgetter", "operator.methodcaller", "_operator.attrgetter", "_operator.methodcaller"];

fn names(text: &'static str) -> HashSet<&'static str> {
    text.split_whitespace().collect()
}

/// Whether calling the class or function `module.name` does harm.
pub(super) fn is_harmful(module: &str, name: &str) -> bool {
    let module = if module == "__builtin__" { "builtins" } else { module };
    let full = format!("{module}.{name}");
    // A dotted name may lead through a module that the first one has imported: `os.system` of `torch`.
    let inner = name.char_indices().filter(|(_, c)| *c == '.').map(|(dot, _)| &name[dot + 1..]);
    let inner = std::iter::once(name).chain(inner).filter(|inner| inner.contains('.'));
    is_harmful_name(&full)
        || inner.clone().any(is_harmful_name)
        || (FILE_CLASSES.contains(&module) && name.contains('.'))
        || name.split('.').any(is_inner_attribute)
}

fn is_harmful_name(full: &str) -> bool {
    let ends = full.match_indices('.').map(|(dot, _)| dot).chain([full.len()]);
    FUNCTIONS.contains(full)
        || ends.into_iter().any(|end| MODULES.contains(&full[..end]))
        || is_harmful_of_system(full)
}

fn is_harmful_of_system(full: &str) -> bool {
    let Some((module, name)) = full.split_once('.') else { return false };
    SYSTEM_MODULES.contains(module) && !HARMLESS_OF_SYSTEM.contains(name) && !name.starts_with("path.")
}

/// Whether calling `module.name` makes a function that fetches or calls any attribute of its argument.
pub(super) fn makes_callers(module: &str, name: &str) -> bool {
    CALLER_MAKERS.contains(&&*format!("{module}.{name}"))
}

/// Modules whose functions and classes may call what they are given.
static CALLING_MODULES: NameSet = NameSet::new(|| {
    names(
        "_functools _operator asyncio atexit builtins concurrent.futures contextlib copy_reg copyreg functools \
     itertools numpy operator threading torch._tensor types weakref",
    )
});

/// Whether the class or function `module.name` may call its arguments.
pub(super) fn may_call_arguments(module: &str, name: &str) -> bool {
    let keeps = ["dict", "frozenset", "list", "set", "tuple"].contains(&name);
    let module = if module == "__builtin__" { "builtins" } else { module };
    CALLING_MODULES.contains(module) && !(keeps && module == "builtins")
}

/// Whether `module.name` gives the module whose name it is called with.
pub(super) fn gives_module(module: &str, name: &str) -> bool {
    let library = module.split('.').next();
    matches!(library, Some("cloudpickle" | "dill")) && ["subimport", "_import_module"].contains(&name)
}

/// Whether an attribute leads from a value to the interpreter: `__globals__`, `__subclasses__` and the like.
pub(super) fn is_inner_attribute(name: &str) -> bool {
    let inner = name.starts_with("__") && name.ends_with("__") && name.len() > 4;
    inner
        && ![
            "__new__",
            "__init__",
            "__class__",
            "__members__",
            "__setstate__",
            "__newobj__",
            "__newobj_ex__",
            "__name__",
        ]
        .contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_do_harm_are_known() {
        let harmful = [
            ("os", "system"),
            ("posix", "system"),
            ("nt", "system"),
            ("subprocess", "Popen"),
            ("subprocess", "check_output"),
            ("builtins", "eval"),
            ("__builtin__", "execfile"),
            ("builtins", "__import__"),
            ("importlib", "import_module"),
            ("runpy", "run_path"),
            ("ctypes", "CDLL"),
            ("commands", "Popen"),
            ("commands", "check_output"),
            ("urllib", "urlopen"),
            ("urllib2", "urlopen"),
            ("dumbdbm", "open"),
            ("dbm.dumb", "open"),
            ("pty", "spawn"),
            ("socket", "socket"),
            ("shutil", "rmtree"),
            ("webbrowser", "open"),
            ("pickle", "loads"),
            ("_pickle", "loads"),
            ("types", "FunctionType"),
            ("marshal", "loads"),
            ("torch", "load"),
            ("torch", "hub.load"),
            ("torch.hub", "load"),
            ("numpy", "load"),
            ("torch", "os.system"),
            ("torch.nn.modules.module", "torch.serialization.os.system"),
            ("pathlib", "PosixPath.unlink"),
            ("collections", "OrderedDict.__subclasses__"),
        ];
        for (module, name) in harmful {
            assert!(is_harmful(module, name), "{module}.{name}");
        }
    }

    #[test]
    fn classes_of_values_do_no_harm() {
        let harmless = [
            ("pathlib", "PosixPath"),
            ("datetime", "datetime"),
            ("collections", "deque"),
            ("builtins", "getattr"),
            ("builtins", "print"),
            ("functools", "partial"),
            ("os", "stat_result"),
            ("socket", "AddressFamily"),
            ("signal", "Signals"),
            ("pickle", "PickleBuffer"),
            ("__main__", "Config"),
            ("code.model", "Net"),
            ("my.os", "Settings"),
            ("logging", "getLogger"),
            ("torch.optim.adam", "Adam"),
            ("types", "SimpleNamespace"),
            ("osmnx", "Graph"),
            ("urllib.parse", "ParseResult"),
            ("net", "Outer.Inner"),
        ];
        for (module, name) in harmless {
            assert!(!is_harmful(module, name), "{module}.{name}");
        }
    }
}
