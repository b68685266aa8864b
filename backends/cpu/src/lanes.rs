//! Vectors of `f32`, as wide as the machine has them: pulp's, and what pulp lacks: a multiply-add that is fast
//! everywhere, and masks of one bit a lane.

use std::fmt;
use std::str::FromStr;

use bytemuck::cast_slice;
use pulp::{Scalar128b, Simd};

/// The most lanes that any machine here has.
pub(crate) const WIDEST: usize = 16;

/// The vector type in which the kernels are written.
pub(crate) trait Lanes: Simd {
    /// a b + c, with one rounding where the machine has such an instruction, and two where it would be a call.
    fn fma(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s;

    /// One bit a lane, the first lane's lowest: whether it is above zero.
    fn positive(self, v: Self::f32s) -> u16;

    /// The lanes whose bit is set; 0 in the others.
    #[inline(always)]
    fn keep(self, v: Self::f32s, bits: u16) -> Self::f32s {
        const BITS: [u32; WIDEST] = {
            let mut bits = [0; WIDEST];
            let mut lane = 0;
            while lane < WIDEST {
                bits[lane] = 1 << lane;
                lane += 1;
            }
            bits
        };
        let of_lane = Self::as_simd_u32s(&BITS).0[0];
        let set = self.and_u32s(self.splat_u32s(u32::from(bits)), of_lane);
        let mask = self.equal_u32s(set, of_lane);
        self.select_f32s(mask, v, self.splat_f32s(0.0))
    }
}

/// The argument of [`vectorized`] closures.
pub(crate) struct Once;

/// Compiles an expression for the vectors of `simd`. It becomes a closure that can be called once only, by consuming
/// something: any other is called through a shim of the compiler's, into which it is compiled without vectors.
macro_rules! vectorized {
    ($simd:expr, $body:expr) => {{
        let once = $crate::lanes::Once;
        $simd.vectorize(
            #[inline(always)]
            || {
                let _consumed = once;
                $body
            },
        )
    }};
}
pub(crate) use vectorized;

/// [`Lanes::positive`], lane by lane.
#[inline(always)]
fn positive_one_by_one<S: Simd>(v: S::f32s) -> u16 {
    let lanes: &[f32] = cast_slice(std::slice::from_ref(&v));
    lanes.iter().enumerate().fold(0, |bits, (lane, &x)| bits | u16::from(x > 0.0) << lane)
}

macro_rules! by_scalars {
    ($($simd:ty),*) => {$(
        impl Lanes for $simd {
            #[inline(always)]
            fn fma(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
                self.add_f32s(self.mul_f32s(a, b), c)
            }

            #[inline(always)]
            fn positive(self, v: Self::f32s) -> u16 {
                positive_one_by_one::<Self>(v)
            }
        }
    )*};
}

by_scalars!(Scalar128b);
// AVX-512's width for the tests, on any machine.
#[cfg(test)]
by_scalars!(pulp::Scalar512b);

#[cfg(target_arch = "x86_64")]
mod x86 {
    use pulp::Simd;
    use pulp::x86::{V3, V4};

    use super::Lanes;

    impl Lanes for V3 {
        #[inline(always)]
        fn fma(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
            self.mul_add_f32s(a, b, c)
        }

        #[inline(always)]
        fn positive(self, v: Self::f32s) -> u16 {
            let above = self.greater_than_f32s(v, self.splat_f32s(0.0));
            self.avx._mm256_movemask_ps(pulp::cast(above)) as u16
        }
    }

    impl Lanes for V4 {
        #[inline(always)]
        fn fma(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
            self.mul_add_f32s(a, b, c)
        }

        #[inline(always)]
        fn positive(self, v: Self::f32s) -> u16 {
            self.greater_than_f32s(v, self.splat_f32s(0.0)).0
        }
    }
}

#[cfg(target_arch = "aarch64")]
impl Lanes for pulp::aarch64::Neon {
    #[inline(always)]
    fn fma(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
        self.mul_add_f32s(a, b, c)
    }

    #[inline(always)]
    fn positive(self, v: Self::f32s) -> u16 {
        positive_one_by_one::<Self>(v)
    }
}

/// The instructions that kernels are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The vectors of every machine: four lanes, left to the compiler.
    Portable,
    /// Eight lanes, on x86-64 processors since 2013.
    Avx2,
    /// Sixteen lanes, on some x86-64 processors.
    Avx512,
    /// Four lanes, on 64-bit ARM.
    Neon,
}

impl Level {
    /// All that this machine has, the slowest first.
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(pulp::x86::V3::try_new().map(|_| Self::Avx2));
            levels.extend(pulp::x86::V4::try_new().map(|_| Self::Avx512));
        }
        #[cfg(target_arch = "aarch64")]
        levels.extend(pulp::aarch64::Neon::try_new().map(|_| Self::Neon));
        levels
    }

    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// The fastest that this machine has.
    pub fn best() -> Self {
        Self::available().last().copied().unwrap_or(Self::Portable)
    }
}

impl FromStr for Level {
    type Err = String;

    /// Finds a level by its short name. Fails if there is none of this name, or if this processor does not have it.
    fn from_str(name: &str) -> Result<Self, String> {
        let known = [Self::Portable, Self::Avx2, Self::Avx512, Self::Neon];
        let problem = match known.into_iter().find(|level| level.name() == name) {
            Some(level) if Self::available().contains(&level) => return Ok(level),
            Some(level) => format!("this processor has no {level}"),
            None => format!("there are no vector instructions '{name}'"),
        };
        let names: Vec<_> = Self::available().into_iter().map(Self::name).collect();
        Err(format!("{problem}; there are {}", names.join(", ")))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "no vector instructions",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512",
            Self::Neon => "NEON",
        })
    }
}
