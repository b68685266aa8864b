//! The lab's projections against scikit-learn's and openTSNE's: `tests/golden/make_lab_projections.py`.

use serde_json::Value;
use trepang::lab::{Error, Pca, TsneMap, place_among, trustworthiness};

use super::small::uniform;
use crate::library::{apart, repository};

/// Relative, of variances: both sum in f64, in another order.
const TOLERANCE: f64 = 1e-9;

/// Of directions, whose entries are up to 1, and of places along them.
const AXIS_TOLERANCE: f64 = 1e-6;

/// Relative: the layout is another one, since steps that begin a bit apart end far apart.
const DIVERGENCE_TOLERANCE: f64 = 0.02;
const TRUST_TOLERANCE: f64 = 0.01;

/// In a plane 25 wide: openTSNE's tree sums in another order, and 250 steps add that up.
const PLACE_TOLERANCE: f64 = 1e-3;

const POINTS: usize = 180;
const COORDINATES: usize = 12;

fn numbers(name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(repository("tests/golden/lab_projections.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    match &golden[name] {
        Value::Array(list) => list.iter().map(|number| number.as_f64().unwrap()).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn pairs(name: &str) -> Vec<[f64; 2]> {
    numbers(name).chunks(2).map(|pair| [pair[0], pair[1]]).collect()
}

fn points() -> Vec<Vec<f64>> {
    let drawn = uniform("lab/projections/points", &[POINTS, COORDINATES], 1.0);
    let coordinate = |n: usize, i: usize| {
        let own = f64::from(drawn.data()[n * COORDINATES + i]) * (i + 1) as f64 / 4.0;
        own + if i.is_multiple_of(3) { 2.0 * (n % 6) as f64 } else { 0.0 }
    };
    (0..POINTS).map(|n| (0..COORDINATES).map(|i| coordinate(n, i)).collect()).collect()
}

fn drawn(name: &str, count: usize) -> Vec<Vec<f64>> {
    let drawn = uniform(name, &[count, COORDINATES], 3.0);
    drawn.data().chunks(COORDINATES).map(|row| row.iter().copied().map(f64::from).collect()).collect()
}

#[test]
fn principal_components_are_scikit_learns() {
    let pca = Pca::of(&points(), 3, &|| false).unwrap();
    let (variances, shares) = (numbers("variances"), numbers("shares"));
    for n in 0..3 {
        assert!(apart(pca.variances[n], variances[n]) < TOLERANCE, "{:?} {variances:?}", pca.variances);
        assert!(apart(pca.shares().unwrap()[n], shares[n]) < TOLERANCE);
    }
    for (found, expected) in pca.axes.iter().flatten().zip(numbers("axes")) {
        assert!((found - expected).abs() < AXIS_TOLERANCE, "{found} {expected}");
    }
    let place = pca.place(&drawn("lab/projections/made", 1)[0]);
    for (found, expected) in place.iter().zip(numbers("made")) {
        assert!((found - expected).abs() < AXIS_TOLERANCE, "{found} {expected}");
    }
}

#[test]
fn a_layout_is_as_good_as_scikit_learns_and_comes_again() {
    let points = points();
    let map = TsneMap::of(&points, 15.0).unwrap();
    let expected = numbers("divergence")[0];
    assert!(apart(map.divergence, expected) < DIVERGENCE_TOLERANCE, "{} {expected}", map.divergence);
    let trusted = trustworthiness(&points, &map.places, 12);
    assert!((trusted - numbers("trustworthiness")[0]).abs() < TRUST_TOLERANCE, "{trusted}");
    assert_eq!(map, TsneMap::of(&points, 15.0).unwrap());
}

#[test]
fn trustworthiness_is_scikit_learns() {
    let found = trustworthiness(&points(), &pairs("layout"), 12);
    assert!(apart(found, numbers("layout_trustworthiness")[0]) < TOLERANCE, "{found}");
}

#[test]
fn more_points_are_placed_as_open_tsne_places_them() {
    let new = drawn("lab/projections/new", 5);
    let placed = place_among(&points(), &pairs("layout"), &new);
    for (found, expected) in placed.iter().zip(pairs("placed")) {
        let apart = (found[0] - expected[0]).hypot(found[1] - expected[1]);
        assert!(apart < PLACE_TOLERANCE, "{found:?} {expected:?}");
    }
    // Each as if it were alone.
    assert_eq!(place_among(&points(), &pairs("layout"), &new[3..4]), placed[3..4]);
}

#[test]
fn a_layout_of_few_points_is_refused() {
    let error = TsneMap::of(&points()[..46], 15.0).unwrap_err();
    assert!(error.is_usage() && matches!(error, Error::FewForPerplexity { found: 46, needed: 47, .. }));
    assert!(TsneMap::of(&points()[..47], 15.0).is_ok());
}
