//! The program's side: finding, loading and opening a library. This is where the unsafe code is: a symbol of a shared
//! library is whatever its author says, and the stamp is how the author says it.
#![allow(unsafe_code)]

use std::any::Any;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use trepang_api::{
    Array, Backend, Cotangents, Device, Error as Api, LayerId, Model, Network, ReluGradient,
    Result as ApiResult, Weights,
};

use crate::Plugin;
use crate::guest::{STAMP, stamp};

/// The reason why there is no backend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such file.
    #[error("{} is not there", .0.display())]
    Missing(PathBuf),
    /// The system's loader refused it, or something that it needs.
    #[error("a library that it needs could not be loaded ({reason})")]
    Loader {
        /// The loader's words: which library it did not find, as a rule.
        reason: String,
    },
    /// It is no plug-in, or was built from other sources or by another compiler.
    #[error("{} was not built with this program", .0.display())]
    Foreign(PathBuf),
    /// It was loaded and could not begin.
    #[error(transparent)]
    Backend(#[from] Api),
}

/// The paths at which the plug-in called `name` is looked for: in cargo's folder of what was built along with the
/// running program, beside the program, and in `../lib/trepang` for one that was installed. The first of these that
/// exists, or else the place beside the program.
pub fn beside_program(name: &str) -> PathBuf {
    let file = format!("{DLL_PREFIX}{name}{DLL_SUFFIX}");
    let program = std::env::current_exe().ok().and_then(|program| program.canonicalize().ok());
    let folder = program.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let places = ["deps", "../deps", "", "../lib/trepang"].map(|place| folder.join(place).join(&file));
    places.iter().find(|place| place.is_file()).unwrap_or(&places[2]).clone()
}

/// Loads the library and starts its backend with so many host threads. The library stays until the process ends: what
/// it holds cannot be taken away from under threads of its own.
pub fn open(library: &Path, threads: usize) -> Result<Box<dyn Backend>, Error> {
    let plugin = load(library)?;
    let backend = (plugin.open)(threads)?;
    Ok(Box::new(Shielded(backend)))
}

fn load(path: &Path) -> Result<&'static Plugin, Error> {
    if !path.is_file() {
        return Err(Error::Missing(path.into()));
    }
    // SAFETY: the library's initialisers run. It is a plug-in of ours and what that links to, or a file that the user
    // has put in its place.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| Error::Loader { reason: loaders_words(&error) })?;
    // SAFETY: only the address is used so far.
    let symbol = unsafe { library.get::<*const Plugin>(b"TREPANG_PLUGIN\0") };
    let address = symbol.map_err(|_| Error::Foreign(path.into()))?.into_raw().cast::<Plugin>();
    // SAFETY: nobody else exports this name, and what does begins with so many bytes in every version.
    let found = unsafe { address.cast::<[u8; STAMP]>().read_unaligned() };
    if found != stamp() {
        return Err(Error::Foreign(path.into()));
    }
    // SAFETY: the stamp says that the rest was compiled from the same sources by the same compiler. The library is
    // never unloaded, so the reference is good for ever.
    let plugin = unsafe { &*address };
    std::mem::forget(library);
    Ok(plugin)
}

/// `dlopen`'s own words, without the crate's around them.
fn loaders_words(error: &libloading::Error) -> String {
    let words = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    words.trim().into()
}

#[derive(Debug)]
struct Shielded<T: ?Sized>(Box<T>);

impl Backend for Shielded<dyn Backend> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn devices(&self) -> Vec<Device> {
        self.0.devices()
    }

    fn threads(&self) -> usize {
        self.0.threads()
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> ApiResult<Box<dyn Model>> {
        Ok(Box::new(Shielded(self.0.load(network, weights, device)?)))
    }
}

impl Model for Shielded<dyn Model> {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> ApiResult<Vec<Array>> {
        self.0.activations(images, at)
    }

    /// A panic of `cotangents` goes round the library, not through it.
    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> ApiResult<Array> {
        let mut panic: Option<Box<dyn Any + Send>> = None;
        let gradient = self.0.pull_back(images, at, relu, &mut |activations| {
            catch_unwind(AssertUnwindSafe(|| cotangents(activations))).unwrap_or_else(|caught| {
                panic = Some(caught);
                Err(Api::Caller("the caller panicked".into()))
            })
        });
        match panic {
            Some(panic) => resume_unwind(panic),
            None => gradient,
        }
    }
}

#[cfg(test)]
mod tests {
    use trepang_api::{InputSize, NetworkBuilder, Op, Pool, Preprocess, Reference, find_device};

    use super::*;
    use crate::guarded;

    #[test]
    fn what_is_no_plugin_is_an_error_that_says_so() {
        let folder = std::env::temp_dir();
        let absent = folder.join("trepang-no-such-library.so");
        assert!(matches!(open(&absent, 1), Err(Error::Missing(path)) if path == absent));
        let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = open(&text, 1).unwrap_err();
        assert!(matches!(&error, Error::Loader { reason } if reason.contains("Cargo.toml")), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_library_without_the_symbol_is_foreign() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let libc = maps.split_whitespace().find(|word| word.contains("/libc.so") || word.contains("/libc-"));
        let error = open(Path::new(libc.unwrap()), 1).unwrap_err();
        assert!(error.to_string().ends_with("was not built with this program"), "{error}");
    }

    /// A max pooling, behind both sides of the border.
    fn model() -> (Box<dyn Model>, Array, LayerId) {
        let identity = Preprocess { scale: [1.0; 3], shift: [0.0; 3], trained_on_bgr: false };
        let mut b = NetworkBuilder::new("tiny", InputSize { native: 2, min: 1, multiple: 1 }, identity);
        let pool = Pool { kernel: [2, 2], stride: [2, 2], padding: trepang_api::Padding::default() };
        let from = b.input();
        let at = b.add("pool", Op::MaxPool(pool), &[from]);
        let backend = Shielded(guarded(|| Ok(Reference)).unwrap());
        let cpu = find_device(&backend, "cpu").unwrap();
        let model = backend.load(&b.finish().unwrap(), &Weights::default(), &cpu).unwrap();
        (model, Array::zeros([1, 3, 2, 2]), at)
    }

    #[test]
    fn calls_go_through_the_border_and_come_back() {
        let (mut model, images, at) = model();
        assert_eq!(model.activations(&images, &[at]).unwrap()[0].shape(), [1, 3, 1, 1]);
        let ones = |found: &[Array]| Ok(vec![Array::new(found[0].shape(), vec![1.0; 3])?]);
        let gradient = model.pull_back(&images, &[at], ReluGradient::True, &mut ones.clone()).unwrap();
        assert_eq!(gradient.data(), [1.0, 0.0, 0.0, 0.0].repeat(3));
        let stopped =
            model.pull_back(&images, &[at], ReluGradient::True, &mut |_| Err(Api::Caller("enough".into())));
        assert_eq!(stopped.unwrap_err().to_string(), "enough");
    }

    #[test]
    fn a_panic_of_the_caller_goes_round_the_library() {
        let (mut model, images, at) = model();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            model.pull_back(&images, &[at], ReluGradient::True, &mut |_| panic!("the caller's own"))
        }));
        assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"the caller's own"));
        assert!(model.activations(&images, &[at]).is_ok(), "the model is as good as before");
    }
}
