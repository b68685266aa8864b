//! The tensor names of `keras.applications`, and the order in which its files list the layers.

use super::{BatchNorm, KernelOrder, KernelTensor, LayerTensors};
use crate::Architecture;

/// Batch norm's epsilon in ResNet50 of `keras.applications`; InceptionV3 uses Keras's default.
const RESNET_EPSILON: f64 = 1.001e-5;
const INCEPTION_EPSILON: f64 = 1e-3;

/// Channels, height and width of the activation that VGG flattens before `fc1`.
const VGG_FEATURES: [usize; 3] = [512, 7, 7];

/// Files list InceptionV3's layers by their depth in the graph, not in the order of their creation: the k-th convolution
/// of a file is `conv2d_<INCEPTION_ORDER[k]>`.
const INCEPTION_ORDER: [usize; 94] = [
    0, 1, 2, 3, 4, 8, 6, 9, 5, 7, 10, 11, 15, 13, 16, 12, 14, 17, 18, 22, 20, 23, 19, 21, 24, 25, 27, 28, 26,
    29, 34, 35, 31, 36, 32, 37, 30, 33, 38, 39, 44, 45, 41, 46, 42, 47, 40, 43, 48, 49, 54, 55, 51, 56, 52,
    57, 50, 53, 58, 59, 64, 65, 61, 66, 62, 67, 60, 63, 68, 69, 72, 73, 70, 74, 71, 75, 80, 77, 81, 78, 79,
    82, 83, 76, 84, 89, 86, 90, 87, 88, 91, 92, 85, 93,
];

/// The tensors of the layer that the network calls `layer`.
pub(super) fn entry(architecture: Architecture, layer: &str, shape: &[usize]) -> LayerTensors {
    let outputs = shape[0];
    let (order, shape) = match *shape {
        [o, i, h, w] => (KernelOrder::Hwio, vec![h, w, i, o]),
        _ if layer == "fc1" => (KernelOrder::Flattened(VGG_FEATURES), vec![shape[1], shape[0]]),
        _ => (KernelOrder::InOut, vec![shape[1], shape[0]]),
    };
    let is_conv = order == KernelOrder::Hwio;
    let norm = |layer: String, gamma, epsilon| BatchNorm {
        gamma: Some(format!("{layer}/gamma")).filter(|_| gamma),
        beta: format!("{layer}/beta"),
        mean: format!("{layer}/moving_mean"),
        variance: format!("{layer}/moving_variance"),
        epsilon,
    };
    let norm = match architecture {
        Architecture::Resnet50 if is_conv => Some(norm(layer.replace("_conv", "_bn"), true, RESNET_EPSILON)),
        Architecture::InceptionV3 if is_conv => {
            Some(norm(layer.replace("conv2d", "batch_normalization"), false, INCEPTION_EPSILON))
        }
        _ => None,
    };
    let biased = !(architecture == Architecture::InceptionV3 && is_conv);
    LayerTensors {
        layer: layer.into(),
        kernel: KernelTensor { name: format!("{layer}/kernel"), order, shape },
        bias: biased.then(|| format!("{layer}/bias")),
        norm,
        factors: None,
        outputs,
    }
}

/// Sorts the network's convolutions into the order in which files list them.
pub(crate) fn convolution_order(architecture: Architecture, convs: &[String]) -> Vec<String> {
    match architecture {
        Architecture::InceptionV3 => INCEPTION_ORDER.iter().filter_map(|&k| convs.get(k).cloned()).collect(),
        Architecture::Resnet50 => {
            // A block's projection is created first and listed just before the last convolution.
            let mut order = convs.to_vec();
            let projections = (0..convs.len()).filter(|&k| convs[k].ends_with("_0_conv"));
            for k in projections.filter(|k| k + 3 <= convs.len()) {
                order[k..k + 3].rotate_left(1);
            }
            order
        }
        _ => convs.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inceptions_order_is_a_permutation() {
        let mut sorted = INCEPTION_ORDER;
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(k, &index)| k == index));
    }

    #[test]
    fn a_projection_is_listed_before_the_last_convolution() {
        let names = |list: &[&str]| list.iter().map(|name| format!("conv2_{name}_conv")).collect::<Vec<_>>();
        let own = ["block1_0", "block1_1", "block1_2", "block1_3", "block2_1", "block2_2", "block2_3"];
        let order = convolution_order(Architecture::Resnet50, &names(&own));
        let files = ["block1_1", "block1_2", "block1_0", "block1_3", "block2_1", "block2_2", "block2_3"];
        assert_eq!(order, names(&files));
    }
}
