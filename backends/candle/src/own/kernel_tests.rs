//! The kernels for CUDA, compiled for the CPU by the C compiler, against the bodies in Rust: equal bits. What is left to a GPU are
//! the compiler's PTX and the launches, which `check.rs` tries on the card.

#![allow(
    unsafe_code,
    clippy::unwrap_used,
    reason = "kernels are called as C; a test that cannot go on should panic"
)]

use std::path::Path;
use std::process::Command;

use candle_core::{Device, Tensor};
use libloading::{Library, Symbol};

use super::{SlidingWindows, add_bias, columns, gate, max_pool, max_pool_back};

type CompiledKernel = unsafe extern "C" fn(u32, *const i32, *const *const f32, *mut f32);

/// The kernels for the CPU.
struct Compiled(Library);

impl Compiled {
    fn new(folder: &Path) -> Self {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/own/kernels_on_cpu.c");
        let library = folder.join("kernels.so");
        let flags =
            ["-O1", "-shared", "-fPIC", "-ffp-contract=off", "-Wall", "-Werror", "-x", "c", source, "-o"];
        let made = Command::new("cc").args(flags).arg(&library).status();
        assert!(
            made.is_ok_and(|status| status.success()),
            "the C compiler `cc` is needed, as it is to link Rust"
        );
        // SAFETY: it has no initialisers.
        Self(unsafe { Library::new(&library) }.unwrap())
    }

    /// Runs a kernel for `count` numbers of output.
    fn run(&self, name: &str, count: usize, words: &[i32], arrays: &[&Tensor]) -> Vec<u32> {
        let arrays: Vec<Vec<f32>> =
            arrays.iter().map(|array| array.flatten_all().unwrap().to_vec1().unwrap()).collect();
        let pointers: Vec<*const f32> = arrays.iter().map(Vec::as_ptr).collect();
        let mut out = vec![f32::NAN; count];
        // SAFETY: kernels_on_cpu.c declares it so; arrays and output are as long as the kernel says.
        unsafe {
            let kernel: Symbol<CompiledKernel> = self.0.get(format!("all_{name}").as_bytes()).unwrap();
            kernel(count as u32, words.as_ptr(), pointers.as_ptr(), out.as_mut_ptr());
        }
        out.into_iter().map(f32::to_bits).collect()
    }
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    let numbers: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
    numbers.into_iter().map(f32::to_bits).collect()
}

fn words(windows: &SlidingWindows) -> Vec<i32> {
    let SlidingWindows { input, out, kernel, step, first, spread } = windows;
    let all = [input, out, kernel, step].into_iter().flatten().map(|&n| n as i32);
    all.chain(first.iter().map(|&n| n as i32)).chain(spread.iter().map(|&n| n as i32)).collect()
}

/// Numbers with many ties.
fn some(shape: (usize, usize, usize, usize), factor: usize) -> Tensor {
    let (n, c, h, w) = shape;
    let data: Vec<f32> = (0..n * c * h * w).map(|i| (i * factor % 11) as f32 / 4.0 - 1.25).collect();
    Tensor::from_vec(data, shape, &Device::Cpu).unwrap()
}

/// Convolutions, their pull-backs, and pools: steps, padding on one side, windows over the edge, zeros between the numbers.
fn all_windows() -> [SlidingWindows; 5] {
    let base = SlidingWindows {
        input: [9, 8],
        out: [9, 8],
        kernel: [3, 3],
        step: [1, 1],
        first: [-1, -1],
        spread: [1, 1],
    };
    [
        base,
        SlidingWindows { out: [5, 3], step: [2, 3], ..base },
        SlidingWindows { out: [18, 24], kernel: [2, 3], first: [-1, 0], spread: [2, 3], ..base },
        SlidingWindows { out: [4, 4], kernel: [2, 2], step: [2, 2], first: [0, 0], ..base },
        SlidingWindows { out: [7, 6], kernel: [1, 1], first: [1, 1], ..base },
    ]
}

#[test]
fn kernels_for_cuda_give_the_bits_of_the_bodies() {
    let folder = tempfile::tempdir().unwrap();
    let compiled = Compiled::new(folder.path());
    let (x, dx) = (some((2, 3, 9, 8), 5), some((2, 3, 9, 8), 7));
    let bias = Tensor::new(&[0.5_f32, -1.0, 2.0], &Device::Cpu).unwrap();
    assert_eq!(compiled.run("gate", 432, &[], &[&x, &dx]), bits(&gate(&x, &dx).unwrap()));
    assert_eq!(compiled.run("add_bias", 432, &[72, 3], &[&x, &bias]), bits(&add_bias(&x, &bias).unwrap()));
    for windows in all_windows() {
        let y = bits(&columns(&x, windows).unwrap());
        assert_eq!(compiled.run("columns_of", y.len(), &words(&windows), &[&x]), y, "{windows:?}");
    }
    for windows in all_windows().into_iter().filter(|windows| windows.spread == [1, 1]) {
        let y = max_pool(&x, windows).unwrap();
        assert_eq!(
            compiled.run("max_pool", y.elem_count(), &words(&windows), &[&x]),
            bits(&y),
            "{windows:?}"
        );
        let dy = some(y.dims4().unwrap(), 3);
        let back = bits(&max_pool_back(&x, &y, &dy, windows).unwrap());
        let arrays = [&x, &y, &dy];
        assert_eq!(compiled.run("max_pool_back", 432, &words(&windows), &arrays), back, "{windows:?}");
    }
}
