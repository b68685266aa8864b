//! Decorrelated colours: the matrix that gives three independent planes the correlations of natural images' R, G and B.

/// The square root of `ImageNet`'s colour covariance, over the length of its longest column: lucid's
/// `optvis/param/color.py`. Rows are R, G, B.
const CORRELATE: [[f32; 3]; 3] =
    [[0.562_828, 0.194_825, 0.043_294], [0.584_475, 0.0, -0.108_236], [0.584_475, -0.194_825, 0.064_942]];

/// The same part of each of three planes.
pub(super) type Planes<'a> = [&'a mut [f32]; 3];

/// RGB from decorrelated planes, in place.
pub(super) fn correlate(planes: Planes) {
    multiply(planes, CORRELATE);
}

/// The transpose of [`correlate`]: dL/d(decorrelated planes) from dL/d(RGB), in place.
pub(super) fn correlate_adjoint(planes: Planes) {
    let [r, g, b] = CORRELATE;
    multiply(planes, [0, 1, 2].map(|c| [r[c], g[c], b[c]]));
}

/// The inverse of [`correlate`], in place.
pub(super) fn decorrelate(planes: &mut [f32]) {
    multiply(split(planes), inverse());
}

/// The mean of R, G and B in the place of each, in place.
pub(super) fn mix(planes: Planes) {
    let [red, green, blue] = planes;
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        let mean = (*r + *g + *b) / 3.0;
        (*r, *g, *b) = (mean, mean, mean);
    }
}

/// The three planes that lie one after the other.
pub(super) fn split(planes: &mut [f32]) -> Planes<'_> {
    let area = planes.len() / 3;
    let (first, rest) = planes.split_at_mut(area);
    let (second, third) = rest.split_at_mut(area);
    [first, second, &mut third[..area]]
}

/// Parts of `len` numbers of each of three planes that lie one after the other.
pub(super) fn parts(planes: &mut [f32], len: usize) -> impl Iterator<Item = Planes<'_>> {
    let [first, second, third] = split(planes);
    let two = first.chunks_mut(len).zip(second.chunks_mut(len));
    two.zip(third.chunks_mut(len)).map(|((a, b), c)| [a, b, c])
}

fn multiply([first, second, third]: Planes, matrix: [[f32; 3]; 3]) {
    for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
        let [x, y, z] = matrix.map(|row| row[0] * *a + row[1] * *b + row[2] * *c);
        (*a, *b, *c) = (x, y, z);
    }
}

/// The inverse of [`CORRELATE`], by cofactors.
fn inverse() -> [[f32; 3]; 3] {
    let m = CORRELATE.map(|row| row.map(f64::from));
    let minor = |r: usize, c: usize| {
        let ([r1, r2], [c1, c2]) = ([(r + 1) % 3, (r + 2) % 3], [(c + 1) % 3, (c + 2) % 3]);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    [0, 1, 2].map(|r| [0, 1, 2].map(|c| (minor(c, r) / determinant) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decorrelating_undoes_correlating() {
        let planes = [0.3, -0.7, 1.1, 0.2, 0.9, -0.4];
        let mut there = planes;
        correlate(split(&mut there));
        decorrelate(&mut there);
        assert!(planes.iter().zip(there).all(|(a, b)| (a - b).abs() < 1e-5), "{there:?}");
    }

    #[test]
    fn the_first_plane_is_brightness() {
        let mut gray = [1.0, 0.0, 0.0];
        correlate(split(&mut gray));
        let [r, g, b] = gray;
        assert!((r - g).abs() < 0.05 && g == b, "{gray:?}");
    }
}
