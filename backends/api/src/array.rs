//! Host tensors at the seam: a shape and `f32`s in row-major order. Not a tensor library: no views, no
//! broadcasting, no arithmetic.

use std::fmt;
use std::sync::Arc;

use crate::{Error, Result};

/// Channels, height and width of one image's activation; the batch size N is the array's business.
///
/// Vectors (the output of a linear layer, of a global average) have a height and a width of 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The number of channels, C.
    pub channels: usize,
    /// The number of rows, H.
    pub height: usize,
    /// The number of columns, W.
    pub width: usize,
}

impl Shape {
    /// C x H x W.
    pub fn len(self) -> usize {
        self.channels * self.height * self.width
    }

    /// True when a side is zero: nothing to compute.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// `[n, C, H, W]`.
    pub fn batch(self, n: usize) -> [usize; 4] {
        [n, self.channels, self.height, self.width]
    }
}

/// Numbers that an array shares with others instead of owning them: a mapped file, most often.
pub type SharedNumbers = Arc<dyn AsRef<[f32]> + Send + Sync>;

/// A dense row-major `f32` tensor on the host.
#[derive(Debug, Clone)]
pub struct Array {
    shape: Vec<usize>,
    data: Storage,
}

/// Shared numbers are copied when somebody first writes to them.
#[derive(Clone)]
enum Storage {
    Owned(Vec<f32>),
    Shared(SharedNumbers),
}

impl Storage {
    fn numbers(&self) -> &[f32] {
        match self {
            Self::Owned(numbers) => numbers,
            Self::Shared(numbers) => (**numbers).as_ref(),
        }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.numbers().fmt(f)
    }
}

impl PartialEq for Array {
    fn eq(&self, other: &Self) -> bool {
        (self.shape(), self.data()) == (other.shape(), other.data())
    }
}

impl Array {
    /// Wraps `data`; fails when its length is not the product of `shape`.
    pub fn new(shape: impl Into<Vec<usize>>, data: Vec<f32>) -> Result<Self> {
        Self::checked(shape.into(), Storage::Owned(data))
    }

    /// The same without a copy of numbers that lie elsewhere.
    pub fn shared(shape: impl Into<Vec<usize>>, data: SharedNumbers) -> Result<Self> {
        Self::checked(shape.into(), Storage::Shared(data))
    }

    fn checked(shape: Vec<usize>, data: Storage) -> Result<Self> {
        match data.numbers().len() {
            len if len == shape.iter().product::<usize>() => Ok(Self { shape, data }),
            len => Err(Error::ArrayLength { shape, len }),
        }
    }

    /// An array of zeros.
    pub fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        let shape = shape.into();
        let data = Storage::Owned(vec![0.0; shape.iter().product()]);
        Self { shape, data }
    }

    /// The sides, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, row-major.
    pub fn data(&self) -> &[f32] {
        self.data.numbers()
    }

    /// The values, row-major; copied first if they are shared.
    pub fn data_mut(&mut self) -> &mut [f32] {
        if let Storage::Shared(numbers) = &self.data {
            self.data = Storage::Owned((**numbers).as_ref().to_vec());
        }
        match &mut self.data {
            Storage::Owned(numbers) => numbers,
            Storage::Shared(_) => unreachable!("they have just been copied"),
        }
    }

    /// Gives the values away; a copy if they are shared.
    pub fn into_data(self) -> Vec<f32> {
        match self.data {
            Storage::Owned(numbers) => numbers,
            Storage::Shared(numbers) => (*numbers).as_ref().to_vec(),
        }
    }

    /// N and the shape of each of the N; fails when the array is not `[N, C, H, W]`.
    pub fn dims4(&self) -> Result<(usize, Shape)> {
        match self.shape[..] {
            [n, channels, height, width] => Ok((n, Shape { channels, height, width })),
            _ => Err(Error::Rank { expected: 4, found: self.shape.clone() }),
        }
    }

    /// The values of the `n`-th entry along the first side. Panics when there is none, as a slice does.
    pub fn item(&self, n: usize) -> &[f32] {
        let len = self.item_len();
        &self.data()[n * len..(n + 1) * len]
    }

    /// The values of the `n`-th entry along the first side. Panics when there is none, as a slice does.
    pub fn item_mut(&mut self, n: usize) -> &mut [f32] {
        let len = self.item_len();
        &mut self.data_mut()[n * len..(n + 1) * len]
    }

    fn item_len(&self) -> usize {
        self.shape.iter().skip(1).product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_is_not_the_shapes_product_is_an_error() {
        let error = Array::new([2, 3], vec![0.0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "an array of shape [2, 3] needs 6 values and was given 5");
    }

    #[test]
    fn shared_numbers_are_not_copied_until_they_are_written_to() {
        let numbers: SharedNumbers = Arc::new(vec![1.0, 2.0]);
        let mut array = Array::shared([2], Arc::clone(&numbers)).unwrap();
        assert!(std::ptr::eq(array.data(), (*numbers).as_ref()));
        array.data_mut()[0] = 3.0;
        assert_eq!((array.data(), (*numbers).as_ref()), (&[3.0, 2.0][..], &[1.0, 2.0][..]));
    }

    #[test]
    fn items_are_consecutive_images() {
        let array = Array::new([2, 1, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(array.item(1), [3.0, 4.0]);
    }
}
