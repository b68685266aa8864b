//! The library as the tests use it: the embedded network on a backend, and files to feed the binary with.

use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use trepang::backends::BACKENDS;
use trepang::engine::Picture;
use trepang_api::conformance::noise;
use trepang_api::{Array, Backend, Model, Reference, Weights, find_device};
use trepang_weights::{Trained, minivgg};

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every backend of this build.
pub(crate) fn backends(threads: usize) -> Vec<Box<dyn Backend>> {
    BACKENDS.iter().map(|entry| entry.open(threads).unwrap()).collect()
}

/// Those that compute networks of full size on the CPU in a test's time.
pub(crate) fn fast_backends(threads: usize) -> Vec<Box<dyn Backend>> {
    let fast = BACKENDS.iter().filter(|entry| !entry.is_slow_on_cpu);
    fast.map(|entry| entry.open(threads).unwrap()).collect()
}

/// The first backend: the one that the binary takes where there is no GPU.
pub(crate) fn default_backend(threads: usize) -> Box<dyn Backend> {
    BACKENDS[0].open(threads).unwrap()
}

/// The network on the backend's CPU.
pub(crate) fn on_cpu(backend: &dyn Backend, trained: &Trained) -> Box<dyn Model> {
    let cpu = find_device(backend, "cpu").unwrap();
    backend.load(&trained.network, &trained.weights, &cpu).unwrap()
}

/// The network on the backend that the binary takes by default, with one thread.
pub(crate) fn on_default(trained: &Trained) -> Box<dyn Model> {
    on_cpu(default_backend(1).as_ref(), trained)
}

/// A layer of the embedded network on a picture, computed by the reference backend: the oracle.
pub(crate) fn activation(layer: &str, picture: &Picture) -> Array {
    let trained = minivgg().unwrap();
    let at = [trained.network.layer(layer).unwrap()];
    on_cpu(&Reference, &trained).activations(&image(picture), &at).unwrap().swap_remove(0)
}

/// The mean of one channel of the only image of a batch.
pub(crate) fn channel_mean(activation: &Array, channel: usize) -> f64 {
    let (_, shape) = activation.dims4().unwrap();
    let area = shape.height * shape.width;
    let plane = &activation.data()[channel * area..][..area];
    plane.iter().map(|&a| f64::from(a)).sum::<f64>() / area as f64
}

/// `[1, 3, H, W]` in 0..1.
pub(crate) fn image(picture: &Picture) -> Array {
    let planes = (0..3).flat_map(|c| picture.rgb.iter().skip(c).step_by(3));
    let data = planes.map(|&byte| f32::from(byte) / 255.0).collect();
    Array::new([1, 3, picture.height, picture.width], data).unwrap()
}

/// A square picture of uniform noise.
pub(crate) fn noise_picture(seed: u64, size: usize) -> Picture {
    let rgb = noise(seed, [3 * size * size]).data().iter().map(|v| (127.5 * (v + 1.0)) as u8).collect();
    Picture { width: size, height: size, rgb }
}

/// How far apart two numbers are, relative to the second.
pub(crate) fn apart(found: f64, expected: f64) -> f64 {
    (found - expected).abs() / expected.abs()
}

/// The weights as a safetensors file of `f32`s.
pub(crate) fn write_weights(path: &Path, weights: &Weights) {
    let bytes = |array: &Array| array.data().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let tensors: Vec<_> = weights.iter().map(|(name, array)| (name, array.shape(), bytes(array))).collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()));
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// The embedded network with one tensor changed.
pub(crate) fn with_tensor(name: &str, change: impl FnOnce(&mut Array)) -> Trained {
    let mut trained = minivgg().unwrap();
    let mut tensor = trained.weights.remove(name).unwrap();
    change(&mut tensor);
    trained.weights.insert(name, tensor);
    trained
}
