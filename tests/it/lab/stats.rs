//! The lab's statistics against scikit-learn's.

use serde_json::Value;
use trepang::lab::{PhotographPoints, TiedCovariance, areas, corrected, spearman};

use super::small::uniform;
use crate::library::{apart, repository};

/// Relative: both sum in f64, in another order.
const TOLERANCE: f64 = 1e-9;

const POINTS: usize = 60;
const COORDINATES: usize = 12;
const CLASSES: usize = 3;

fn golden() -> Value {
    let text = std::fs::read_to_string(repository("tests/golden/lab_stats.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn numbers(golden: &Value, name: &str) -> Vec<f64> {
    golden[name].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The points of `make_lab_stats.py`, with their classes, and the made point.
fn points() -> (Vec<Vec<f64>>, Vec<usize>, Vec<f64>) {
    let drawn = uniform("lab/stats/points", &[POINTS, COORDINATES], 1.0);
    let coordinate = |n: usize, i: usize| {
        let own = f64::from(drawn.data()[n * COORDINATES + i]) * ((i + 1) as f64 / 4.0);
        own + ((n % CLASSES) * (i % 2)) as f64 / 2.0
    };
    let points = (0..POINTS).map(|n| (0..COORDINATES).map(|i| coordinate(n, i)).collect()).collect();
    let made = uniform("lab/stats/made", &[COORDINATES], 3.0);
    (points, (0..POINTS).map(|n| n % CLASSES).collect(), made.data().iter().copied().map(f64::from).collect())
}

#[test]
fn covariance_and_distances_are_scikit_learns() {
    let (golden, (points, class, made)) = (golden(), points());
    let tied = TiedCovariance::of(&points, &class, CLASSES);
    assert!(apart(tied.shrinkage, golden["shrinkage"].as_f64().unwrap()) < TOLERANCE);
    let covariance = numbers(&golden, "covariance");
    let largest = covariance.iter().copied().fold(0.0, f64::max);
    for (found, expected) in tied.matrix.iter().zip(&covariance) {
        assert!((found - expected).abs() < TOLERANCE * largest, "{found} {expected}");
    }
    let whitened = tied.whiten(&points, &class).unwrap();
    let place = whitened.place(&made);
    for (class, square) in numbers(&golden, "squares").into_iter().enumerate() {
        let found = whitened.distance(&place, class).powi(2);
        assert!(apart(found, square) < TOLERANCE, "class {class}: {found} {square}");
    }
    let one = vec![0; POINTS];
    let pooled = TiedCovariance::of(&points, &one, 1).whiten(&points, &one).unwrap();
    let (found, expected) =
        (pooled.distance(&pooled.place(&made), 0).powi(2), golden["pooled_square"].as_f64().unwrap());
    assert!(apart(found, expected) < TOLERANCE, "{found} {expected}");
}

#[test]
fn a_relative_distance_is_the_difference_of_two_squares() {
    let (points, class, made) = points();
    let labels: Vec<String> = class.iter().map(|class| format!("class {class}")).collect();
    let found = PhotographPoints::of(points.clone(), &labels).unwrap().measure(&made, None, 0);
    let directions = trepang::lab::directions(&points);
    let one = vec![0; POINTS];
    let pooled = TiedCovariance::of(&directions, &one, 1).whiten(&directions, &one).unwrap();
    let own = trepang::lab::directions(&[made]).remove(0);
    let from_all = pooled.distance(&pooled.place(&own), 0).powi(2);
    for class in found.classes {
        assert!((class.relative - (class.mahalanobis.powi(2) - from_all)).abs() < 1e-9, "{class:?}");
    }
}

#[test]
fn areas_with_ties_are_scikit_learns_and_scipys() {
    let (golden, (points, class, _)) = (golden(), points());
    // Halves are rounded to even numbers, as numpy does.
    let values: Vec<f64> = points.iter().map(|point| (point[3] * 10.0).round_ties_even() / 10.0).collect();
    let group: Vec<Option<usize>> = class.into_iter().map(Some).collect();
    let found: Vec<_> = areas(&values, &group, CLASSES).into_iter().map(Option::unwrap).collect();
    let p: Vec<f64> = found.iter().map(|area| area.p).collect();
    let pairs = [
        ("areas", found.iter().map(|area| area.auc).collect()),
        ("significances", p.clone()),
        ("corrected", corrected(&p)),
    ];
    for (name, found) in pairs {
        for (found, expected) in found.into_iter().zip(numbers(&golden, name)) {
            assert!(apart(found, expected) < TOLERANCE, "{name}: {found} {expected}");
        }
    }
}

#[test]
fn a_rank_correlation_with_ties_is_scipys() {
    let (golden, (points, ..)) = (golden(), points());
    let values: Vec<f64> = points.iter().map(|point| (point[3] * 10.0).round_ties_even() / 10.0).collect();
    let others: Vec<f64> = points.iter().map(|point| point[5]).collect();
    let found = spearman(&values, &others).unwrap();
    assert!(apart(found, golden["spearman"].as_f64().unwrap()) < TOLERANCE, "{found}");
}

#[test]
fn neighbours_by_cosine_are_scikit_learns() {
    let (golden, (points, class, made)) = (golden(), points());
    let labels: Vec<String> = class.iter().map(|class| format!("class {class}")).collect();
    let points = PhotographPoints::of(points, &labels).unwrap();
    let expected: Vec<usize> = numbers(&golden, "neighbours").into_iter().map(|at| at as usize).collect();
    assert_eq!(points.neighbours(&made), expected);
    let votes = points.measure(&made, None, 0).votes;
    let of = |label: &str| expected.iter().filter(|&&at| labels[at] == label).count() as f64 / 10.0;
    assert!(votes.iter().all(|vote| vote.share == of(&vote.label)), "{votes:?}");
}
