//! The program's side: finding, loading and opening a library. This is where the unsafe code is: a symbol of a shared
//! library is whatever its author says, and the stamp is how the author says it.
#![allow(unsafe_code)]

use std::any::Any;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use trepang_api::{
    Array, Backend, ComputePool, Cotangents, Device, Error as Api, LayerId, Model, Network, ReluGradient,
    Result as ApiResult, Weights,
};

use crate::Plugin;
use crate::error::Error;
use crate::guest::{STAMP, stamp};
use crate::trust;

/// Finds the plug-in called `name`: beside the running program, or in `../lib/trepang` for one that was installed; for a
/// program in cargo's target folder, first among what cargo built along with it. Never relative to the current folder.
pub fn find(name: &str) -> Result<PathBuf, Error> {
    let program = std::env::current_exe().and_then(|program| program.canonicalize());
    let program = program.map_err(|_| Error::ProgramGone)?;
    let folder = program.parent().ok_or(Error::ProgramGone)?;
    let file = format!("{DLL_PREFIX}{name}{DLL_SUFFIX}");
    let beside = folder.join(&file);
    // cargo keeps this file in the folder of each profile.
    let is_cargos = |folder: &Path| folder.join(".cargo-lock").is_file();
    let built = if is_cargos(folder) {
        Some(folder.join("deps").join(&file))
    } else {
        folder.parent().filter(|above| is_cargos(above)).map(|above| above.join("deps").join(&file))
    };
    let installed = folder.parent().map(|above| above.join("lib/trepang").join(&file));
    let mut places = built.into_iter().chain([beside.clone()]).chain(installed);
    Ok(places.find(|place| place.is_file()).unwrap_or(beside))
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
    let trusted = trust::check(path, program_owner()?)?;
    // SAFETY: the library's initialisers run. It holds this build's stamp, and nobody but the owner of this program could
    // have written it.
    let library = unsafe { Library::open(Some(trusted), RTLD_NOW | RTLD_LOCAL) }
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

/// The user whose program this is.
fn program_owner() -> Result<u32, Error> {
    let program = std::env::current_exe().and_then(fs::metadata);
    Ok(program.map_err(|_| Error::ProgramGone)?.uid())
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

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> ApiResult<Array> {
        shielded(cotangents, |cotangents| self.0.pull_back(images, at, relu, cotangents))
    }

    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> ApiResult<Vec<Array>> {
        self.0.activations_from(start, at)
    }

    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> ApiResult<Vec<Array>> {
        shielded(cotangents, |cotangents| self.0.pull_back_from(start, at, relu, cotangents))
    }

    fn memory(&self, images: [usize; 3], at: &[LayerId]) -> ApiResult<u64> {
        self.0.memory(images, at)
    }

    fn pool(&self) -> Arc<dyn ComputePool> {
        Arc::new(ShieldedPool(self.0.pool()))
    }
}

/// Calls a library with the caller's cotangents. A panic of theirs goes round the library, not through it.
fn shielded<T>(
    cotangents: &mut Cotangents,
    call: impl FnOnce(&mut Cotangents) -> ApiResult<T>,
) -> ApiResult<T> {
    let mut panic: Option<Box<dyn Any + Send>> = None;
    let found = call(&mut |activations| {
        catch_unwind(AssertUnwindSafe(|| cotangents(activations))).unwrap_or_else(|caught| {
            panic = Some(caught);
            Err(Api::Caller("the caller panicked".into()))
        })
    });
    match panic {
        Some(panic) => resume_unwind(panic),
        None => found,
    }
}

/// The compute pool of a library. A panic of a task goes round the library, not through it.
#[derive(Debug)]
struct ShieldedPool(Arc<dyn ComputePool>);

impl ComputePool for ShieldedPool {
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        let panic = Mutex::new(None);
        self.0.run(count, &|index| {
            if let Err(caught) = catch_unwind(AssertUnwindSafe(|| task(index))) {
                panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(caught);
            }
        });
        if let Some(panic) = panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(panic);
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trepang-no-such-library.so");
        assert!(matches!(open(&path, 1), Err(Error::Missing(missing)) if missing == path));
        fs::write(&path, "text").unwrap();
        let error = open(&path, 1).unwrap_err();
        assert!(error.to_string().ends_with("was not built with this program"), "{error}");
        // With the stamp it is handed to the loader, which finds no library in it.
        fs::write(&path, stamp()).unwrap();
        let error = open(&path, 1).unwrap_err();
        assert!(matches!(&error, Error::Loader { reason } if reason.contains("no-such-library")), "{error}");
    }

    #[test]
    fn a_plugin_is_never_looked_for_in_the_current_folder() {
        let found = find("trepang_no_such_plugin").unwrap();
        assert!(found.is_absolute() && found.starts_with(std::env::current_exe().unwrap().parent().unwrap()));
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
    fn a_panic_of_a_task_goes_round_the_library() {
        let pool = model().0.pool();
        let done = Mutex::new(Vec::new());
        let panic = catch_unwind(AssertUnwindSafe(|| {
            pool.run(3, &|task| {
                assert_ne!(task, 1, "the task's own");
                done.lock().unwrap().push(task);
            });
        }));
        let words = panic.unwrap_err().downcast::<String>().unwrap();
        assert!(words.contains("the task's own"), "{words}");
        assert_eq!(*done.lock().unwrap(), [0, 2], "the others ran");
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
