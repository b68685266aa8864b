//! More points in a layout that stays as it is: openTSNE's `transform` with its defaults. Each point is placed as if it were
//! the only one, so that the steps of a run do not draw each other onto an island of their own.

use super::tsne::Neighbours;

/// Neighbours whose middle a point starts at.
const START_NEIGHBOURS: usize = 25;

/// Neighbours that draw a point, in effect and at most.
const PERPLEXITY: f64 = 5.0;
const DRAWING: usize = 15;

const STEPS: usize = 250;
const RATE: f64 = 0.1;
const MOMENTUM: f64 = 0.8;
const EXAGGERATION: f64 = 1.5;

/// The longest gradient; a point on another one would be thrown out of the plane.
const LONGEST: f64 = 0.25;

/// The least gain of a coordinate, and the error of the entropy at which the search for a width ends.
const LEAST_GAIN: f64 = 0.01;
const ENTROPY_ERROR: f64 = 1e-8;

/// Halvings of the search for a width, at most.
const HALVINGS: usize = 200;

/// The places of `new` points in the layout `places` of `points`.
pub fn place_among(points: &[Vec<f64>], places: &[[f64; 2]], new: &[Vec<f64>]) -> Vec<[f64; 2]> {
    let near = Neighbours::among(points, new, START_NEIGHBOURS, false);
    near.0.iter().map(|near| place(near, places)).collect()
}

/// The place of one point with these neighbours.
fn place(near: &[(usize, f64)], places: &[[f64; 2]]) -> [f64; 2] {
    let mut own = [0, 1].map(|axis| median(near.iter().map(|(at, _)| places[*at][axis]).collect()));
    let drawing = &near[..DRAWING.min(near.len())];
    let shares = shares(drawing);
    let (mut gains, mut update) = ([1.0; 2], [0.0; 2]);
    for _ in 0..STEPS {
        let mut gradient = repulsion(own, places);
        for (share, (at, _)) in shares.iter().zip(drawing) {
            let apart = [0, 1].map(|axis| own[axis] - places[*at][axis]);
            let weight = EXAGGERATION * share / (1.0 + apart[0].powi(2) + apart[1].powi(2));
            (0..2).for_each(|axis| gradient[axis] += weight * apart[axis]);
        }
        let length = gradient[0].hypot(gradient[1]);
        let scale = (LONGEST / (length + 1e-6)).min(1.0);
        for axis in 0..2 {
            let slope: f64 = scale * gradient[axis];
            let is_other_way = sign(update[axis]) != sign(slope);
            gains[axis] = if is_other_way { gains[axis] + 0.2 } else { gains[axis] * 0.8 + LEAST_GAIN };
            update[axis] = MOMENTUM * update[axis] - RATE * gains[axis] * slope;
            own[axis] += update[axis];
        }
    }
    own
}

/// The force by which the layout pushes a point away, as a part of the gradient.
fn repulsion(own: [f64; 2], places: &[[f64; 2]]) -> [f64; 2] {
    let (mut sum, mut force) = (0.0, [0.0; 2]);
    for place in places {
        let apart = [own[0] - place[0], own[1] - place[1]];
        let weight = 1.0 / (1.0 + apart[0].powi(2) + apart[1].powi(2));
        sum += weight;
        (0..2).for_each(|axis| force[axis] -= weight * weight * apart[axis]);
    }
    force.map(|force| force / sum)
}

/// The share of each neighbour in drawing a point: a bell of the width that gives them the perplexity.
fn shares(near: &[(usize, f64)]) -> Vec<f64> {
    let (mut beta, mut low, mut high) = (1.0_f64, 0.0_f64, f64::INFINITY);
    let mut shares: Vec<f64> = Vec::new();
    let target = PERPLEXITY.min(near.len() as f64 / 3.0).max(1.0).ln();
    let nearest = near.first().map_or(0.0, |(_, distance)| distance * distance);
    for _ in 0..HALVINGS {
        // Less the nearest one's, so that far points do not all become zero.
        shares = near.iter().map(|(_, distance)| (beta * (nearest - distance * distance)).exp()).collect();
        let sum: f64 = shares.iter().sum();
        for share in &mut shares {
            *share /= sum;
        }
        let entropy: f64 = shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum();
        if (entropy - target).abs() < ENTROPY_ERROR {
            break;
        }
        if entropy > target {
            low = beta;
        } else {
            high = beta;
        }
        beta = if high.is_finite() { f64::midpoint(low, high) } else { beta * 2.0 };
    }
    shares
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    if numbers.len().is_multiple_of(2) {
        f64::midpoint(numbers[half - 1], numbers[half])
    } else {
        numbers[half]
    }
}

/// The sign with 0 for 0, as numpy's.
fn sign(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number.signum() }
}
