//! Counts what a step hands to a GPU: kernels, by what candle 0.11.1's sources launch for each operation without the feature
//! `cudnn`. A convolution of candle's is three (columns, product, the product's numbers put in order), every other operation
//! here one. Only tests count: on a GPU the time between two launches is what small layers cost.

/// Notes launches. Beside every operation that a step of VGG19 needs where `own` works.
#[inline]
pub(super) fn launched(count: usize) {
    #[cfg(test)]
    tests::COUNT.with(|all| all.set(all.get() + count));
    #[cfg(not(test))]
    let _ = count;
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use candle_core::Device;
    use trepang_api::networks::vgg19;
    use trepang_api::{Array, Interpreter, Model, Network, Preprocess, ReluGradient, Weights};

    use crate::ops::CandleOps;

    thread_local! {
        pub(super) static COUNT: Cell<usize> = const { Cell::new(0) };
    }

    /// The most launches of a step of VGG19 to `block5_conv4`. PyTorch has 150 to 200 of them.
    const MOST_LAUNCHES: usize = 150;

    /// Weights of zeros: a step is made of the same operations.
    fn nothing(network: &Network) -> Weights {
        let mut weights = Weights::default();
        for (name, shape) in network.tensors() {
            weights.insert(&name, Array::zeros(&shape[..]));
        }
        weights
    }

    #[test]
    fn a_step_of_vgg19_is_few_launches() {
        let preprocess = Preprocess::normalize([0.0; 3], [1.0; 3]);
        let network = vgg19(preprocess, false).unwrap();
        let ops = CandleOps::new(&network, &nothing(&network), Device::Cpu, true).unwrap();
        let at = [network.layer("block5_conv4").unwrap()];
        let mut interpreter = Interpreter::new(network, ops);
        COUNT.set(0);
        let seed = |found: &[Array]| Ok(vec![Array::zeros(found[0].shape())]);
        let images = Array::zeros([1, 3, 32, 32]);
        interpreter.pull_back(&images, &at, ReluGradient::True, &mut |found| seed(found)).unwrap();
        let launches = COUNT.get();
        assert!((100..=MOST_LAUNCHES).contains(&launches), "{launches}");
    }
}
