//! Input that a backend must refuse, with an error and not a panic.

use super::samples::{Sample, samples};
use super::{Measured, images};
use crate::{Array, Backend, Device, DeviceKind, Error, ReluGradient, Result};

/// Missing, misshapen and NaN weights, an absent device, a layer of another network, images of the wrong
/// rank or too small, and cotangents that do not fit are errors of their own kind.
pub fn refuses_bad_input(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let Some(sample) = samples()?.into_iter().find(|s| s.network.name() == "classifier") else {
        return Ok(Measured::exact(false));
    };
    Ok(Measured::exact(
        refuses_to_load(backend, device, &sample) && refuses_to_run(backend, device, &sample)?,
    ))
}

fn refuses_to_load(backend: &dyn Backend, device: &Device, sample: &Sample) -> bool {
    let name = "fc.weight";
    let load = |weights, device| backend.load(&sample.network, weights, device).err();
    let (mut missing, mut misshapen, mut nan) =
        (sample.weights.clone(), sample.weights.clone(), sample.weights.clone());
    missing.remove(name);
    misshapen.insert(name, Array::zeros([2, 2]));
    let mut damaged = sample.weights.get(name).cloned().unwrap_or_else(|| Array::zeros([0]));
    if let Some(value) = damaged.data_mut().last_mut() {
        *value = f32::NAN;
    }
    nan.insert(name, damaged);
    let absent = Device::new(DeviceKind::Cuda, 99, "");
    matches!(load(&missing, device), Some(Error::MissingWeight { .. }))
        && matches!(load(&misshapen, device), Some(Error::WeightShape { .. }))
        && matches!(load(&nan, device), Some(Error::NonFiniteWeight { .. }))
        && matches!(load(&sample.weights, &absent), Some(Error::UnknownDevice { .. }))
}

fn refuses_to_run(backend: &dyn Backend, device: &Device, sample: &Sample) -> Result<bool> {
    let mut model = backend.load(&sample.network, &sample.weights, device)?;
    let at = [sample.target()];
    let good = images(41, 1, sample.size);
    let flat = Array::new([good.data().len()], good.data().to_vec())?;
    let grey = Array::zeros([1, 1, sample.size[0], sample.size[1]]);
    let deeper = super::samples()?
        .iter()
        .filter_map(|other| other.network.layers().last())
        .find(|id| id.index() > at[0].index());
    let foreign = match deeper {
        Some(id) => matches!(model.activations(&good, &[id]), Err(Error::UnknownLayer { .. })),
        None => false,
    };
    let wrong_cotangent =
        |a: &[Array]| Ok(a.iter().map(|a| Array::zeros([a.data().len() + 1])).collect::<Vec<_>>());
    let asks_to_stop = |_: &[Array]| Err(Error::Caller("stop".into()));
    Ok(foreign
        && matches!(model.activations(&flat, &at), Err(Error::Rank { .. }))
        && matches!(model.activations(&grey, &at), Err(Error::ShapeMismatch { .. }))
        && matches!(
            model.pull_back(&good, &at, ReluGradient::True, &mut wrong_cotangent.clone()),
            Err(Error::ShapeMismatch { .. })
        )
        && matches!(
            model.pull_back(&good, &at, ReluGradient::True, &mut asks_to_stop.clone()),
            Err(Error::Caller(_))
        ))
}
