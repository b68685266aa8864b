//! Gram matrices of a layer's channels, for the diversity of a batch (lucid's `diversity`).

use super::sums::dot;

/// G = A A^T for the activations A `[channels, positions]` of one image, with its length.
#[derive(Debug)]
pub(super) struct Gram {
    products: Vec<f32>,
    length: f64,
    channels: usize,
}

impl Gram {
    pub(super) fn new(activations: &[f32], channels: usize) -> Self {
        let rows: Vec<&[f32]> = activations.chunks_exact(activations.len() / channels).collect();
        let mut products = vec![0.0; channels * channels];
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows[..=i].iter().enumerate() {
                let product = dot(a, b) as f32;
                products[i * channels + j] = product;
                products[j * channels + i] = product;
            }
        }
        let length = dot(&products, &products).sqrt();
        Self { products, length, channels }
    }
}

/// The cosine between two Gram matrices, <G, H> / (|G| |H|); 0 where one of them has no length.
pub(super) fn cosine(g: &Gram, h: &Gram) -> f64 {
    let lengths = g.length * h.length;
    if lengths > 0.0 { dot(&g.products, &h.products) / lengths } else { 0.0 }
}

/// Adds `scale` times d(cosine(G, H))/dA, where A are the activations of G: 2 (H/|H| - cos G/|G|) A / |G|.
pub(super) fn add_gram_cotangent(into: &mut [f32], scale: f64, activations: &[f32], g: &Gram, h: &Gram) {
    if g.length * h.length == 0.0 {
        return;
    }
    let cosine = cosine(g, h);
    let (to_h, to_g) = (2.0 * scale / (g.length * h.length), -2.0 * scale * cosine / g.length.powi(2));
    let positions = activations.len() / g.channels;
    for (i, into) in into.chunks_exact_mut(positions).enumerate() {
        let row = i * g.channels..(i + 1) * g.channels;
        let slopes = g.products[row.clone()].iter().zip(&h.products[row]);
        for (row, (g, h)) in activations.chunks_exact(positions).zip(slopes) {
            let slope = (to_h * f64::from(*h) + to_g * f64::from(*g)) as f32;
            into.iter_mut().zip(row).for_each(|(into, a)| *into += slope * a);
        }
    }
}
