//! Steps are PyTorch's (`tests/golden/make_optimizers.py` says how).

use serde_json::Value;
use trepang::engine::{Optimizer, Rule};

use crate::library::repository;

/// Parameters and moments in `f32` where the script has `f64`: 3e-7 of what a parameter has moved was seen.
const TOLERANCE: f64 = 2e-6;

#[test]
fn steps_are_pytorchs() {
    let text = std::fs::read_to_string(repository("tests/golden/optimizers.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let numbers =
        |row: &Value| row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
    let rate = golden["rate"].as_f64().unwrap();
    for (name, rule) in [("sgd", Rule::Sgd), ("adam", Rule::Adam), ("nadam", Rule::Nadam)] {
        let optimizer = Optimizer::new(rule, rate);
        let (mut x, mut moments) = (vec![0.0; 4], optimizer.moments(4));
        let path = golden["paths"][name].as_array().unwrap();
        for (step, (row, wanted)) in (1..).zip(golden["gradients"].as_array().unwrap().iter().zip(path)) {
            let gradient: Vec<f32> = numbers(row).into_iter().map(|g| g as f32).collect();
            optimizer.step(0.0, &mut moments, &mut x, &gradient);
            for (i, (found, wanted)) in x.iter().zip(numbers(wanted)).enumerate() {
                let apart = (f64::from(*found) - wanted).abs();
                assert!(
                    apart <= TOLERANCE * wanted.abs().max(rate),
                    "{name} step {step}, {i}: {found} for {wanted}"
                );
            }
        }
        assert_eq!(path.len(), 12);
    }
}
