//! Networks for gray pictures: files whose first convolution reads one channel. The mean of R, G and B goes in, so such a
//! network becomes one that reads RGB, whose first kernel is spread over three channels.

use trepang_api::{Array, Preprocess};

use crate::layout::{KernelOrder, KernelTensor, LayerTensors};

/// The first kernel's shape in a file of a network for gray pictures; none if `kernel` is no convolution of RGB.
fn gray_shape(kernel: &KernelTensor) -> Option<Vec<usize>> {
    let inputs = match kernel.order {
        KernelOrder::Native => 1,
        KernelOrder::Hwio => 2,
        KernelOrder::Pointwise
        | KernelOrder::PerChannel
        | KernelOrder::Ones
        | KernelOrder::Unrolled
        | KernelOrder::InOut
        | KernelOrder::Flattened(_) => return None,
    };
    let mut shape = kernel.shape.clone();
    if shape.len() != 4 || shape[inputs] != 3 {
        return None;
    }
    shape[inputs] = 1;
    Some(shape)
}

/// Whether `found` is the shape of the first kernel of the variant for gray pictures, where `first` is the network's own.
pub(crate) fn is_gray(first: &KernelTensor, found: &[usize]) -> bool {
    gray_shape(first).is_some_and(|shape| shape == found)
}

/// Makes the first of the tensors that a network reads the one of the variant for gray pictures.
pub(crate) fn adapt(entries: &mut [LayerTensors]) {
    if let Some(first) = entries.first_mut()
        && let Some(shape) = gray_shape(&first.kernel)
    {
        first.kernel.shape = shape;
    }
}

/// A kernel `[outputs, 1, height, width]` as one for RGB. Its weights at each channel undo the preprocessing's factors,
/// so that it reads the mean of R, G and B less the mean of the three means, over the mean of the three deviations. A
/// channel's gradient is a third of the gray level's.
pub(crate) fn spread(kernel: &Array, preprocess: &Preprocess) -> trepang_api::Result<Array> {
    let &[outputs, _, height, width] = kernel.shape() else { return Ok(kernel.clone()) };
    let deviations = preprocess.scale.map(|scale| 1.0 / f64::from(scale));
    let sum: f64 = deviations.iter().sum();
    let mut data = Vec::with_capacity(3 * kernel.data().len());
    for plane in kernel.data().chunks_exact(height * width) {
        for deviation in deviations {
            data.extend(plane.iter().map(|&weight| (f64::from(weight) * deviation / sum) as f32));
        }
    }
    Array::new([outputs, 3, height, width], data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_of_one_channel_is_known_in_either_order() {
        let shape = |order, shape: &[usize]| {
            gray_shape(&KernelTensor { name: String::new(), order, shape: shape.to_vec() })
        };
        assert_eq!(shape(KernelOrder::Native, &[64, 3, 7, 7]), Some(vec![64, 1, 7, 7]));
        assert_eq!(shape(KernelOrder::Hwio, &[7, 7, 3, 64]), Some(vec![7, 7, 1, 64]));
        assert_eq!(shape(KernelOrder::Native, &[64, 64, 3, 3]), None);
        assert_eq!(shape(KernelOrder::InOut, &[3, 10]), None);
    }

    #[test]
    fn a_spread_kernel_reads_the_mean_of_unequal_channels() {
        let preprocess = Preprocess::imagenet();
        let kernel = Array::new([2, 1, 1, 1], vec![1.0, -2.0]).unwrap();
        let spread = spread(&kernel, &preprocess).unwrap();
        let rgb = [0.9, 0.2, 0.4];
        let seen = |row: &[f32]| -> f32 {
            (0..3).map(|c| row[c] * (preprocess.scale[c] * rgb[c] + preprocess.shift[c])).sum()
        };
        let mean = ((rgb[0] + rgb[1] + rgb[2]) / 3.0 - 0.449) / 0.226;
        assert_eq!(spread.shape(), [2, 3, 1, 1]);
        assert!((seen(spread.item(0)) - mean).abs() < 1e-5);
        assert!((seen(spread.item(1)) + 2.0 * mean).abs() < 1e-5);
        for c in 0..3 {
            let slope = spread.item(0)[c] * preprocess.scale[c];
            assert!((slope - 1.0 / 3.0 / 0.226).abs() < 1e-5, "each channel has a third of the slope");
        }
    }
}
