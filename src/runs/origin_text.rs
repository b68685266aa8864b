//! Reads what is saved of a run's origin: the text of a picture, of a state, of a manifest. Of a text that cannot be read it
//! says no more than is certain.

use serde::de::DeserializeOwned;
use serde_json::{Error, Value};
use trepang_api::excerpt;

use super::manifest::FORMAT;

/// Reads an origin, or what has one. Fails with the fault, as a clause.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| fault(text, &error))
}

fn fault(text: &[u8], error: &Error) -> String {
    let error = error.to_string();
    let error = excerpt(&error);
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        return format!("it is no JSON, so it was changed or damaged: {error}");
    };
    let (format, version) = (value["format"].as_u64(), value["provenance"]["trepang"].as_str());
    let own = env!("CARGO_PKG_VERSION");
    match (format, version) {
        (Some(format), _) if format > FORMAT.into() => {
            format!("a later version of trepang wrote it, in format {format}")
        }
        (_, Some(version)) if version != own => {
            format!("trepang {} wrote it, which trepang {own} does not understand: {error}", excerpt(version))
        }
        _ => format!("it was changed or damaged: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::{Objective, Plan, Recipe};
    use crate::runs::{Origin, Provenance};
    use trepang_api::{Reference, find_device};

    fn origin() -> Value {
        let cpu = find_device(&Reference, "cpu").unwrap();
        let provenance = Provenance::new(("minivgg", None, String::new()), (&Reference, &cpu));
        let plan = Plan::new(Objective::channel("block1_conv1", 3), Recipe::named("lucid").unwrap(), 32);
        serde_json::to_value(Origin::new(plan, provenance)).unwrap()
    }

    fn refused(change: impl Fn(&mut Value)) -> String {
        let mut value = origin();
        change(&mut value);
        parse::<Origin>(value.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn a_fault_is_told_as_what_it_is() {
        assert!(parse::<Origin>(origin().to_string().as_bytes()).is_ok());
        let later = refused(|value| value["format"] = json!(99));
        assert_eq!(later, "a later version of trepang wrote it, in format 99");
        let unknown = |value: &mut Value| value["plan"]["colour"] = json!("red");
        assert!(refused(unknown).starts_with("it was changed or damaged: unknown field `colour`"));
        let other = refused(|value| {
            unknown(value);
            value["provenance"]["trepang"] = json!("9.8.7");
        });
        assert!(other.starts_with("trepang 9.8.7 wrote it, which trepang "), "{other}");
        let text = origin().to_string();
        let cut = parse::<Origin>(&text.as_bytes()[..text.len() / 2]).unwrap_err();
        assert!(cut.starts_with("it is no JSON, so it was changed or damaged: "), "{cut}");
    }

    #[test]
    fn numbers_have_the_bounds_that_flags_have() {
        for (pointer, number, part) in [
            ("/provenance/threads", json!(0), "0 threads computed it, where 1 to 1024 can"),
            ("/provenance/threads", json!(70_000), "70000 threads computed it"),
            ("/plan/recipe/transforms/0", json!({"jitter": 1_000_000}), "jitter must be 0 to 4096"),
            ("/plan/recipe/transforms/0", json!({"scale": [1e30]}), "scale must be"),
            ("/plan/recipe/transforms/0", json!({"zoom": [1.0, 1e9]}), "zoom must be"),
            ("/plan/recipe/transforms/0", json!({"rotate": [1e300]}), "rotate must be"),
            ("/plan/recipe/transforms/0", json!({"blur": [3.0, 1.0]}), "blur must be"),
            ("/plan/recipe/param/sd", json!(1e300), "sd, noise and alpha must be 0 to 1000"),
            ("/plan/recipe/param/decay", json!(1e9), "decay must be -16 to 16"),
        ] {
            let wrong = refused(|value| *value.pointer_mut(pointer).unwrap() = number.clone());
            assert!(wrong.contains(part), "{pointer} {number}: {wrong}");
        }
        let change = refused(|value| {
            let mut recipe = value["plan"]["recipe"].clone();
            recipe["views"] = json!(100_000);
            value["plan"]["changes"] =
                json!([{ "step": 1, "objective": value["plan"]["objective"], "recipe": recipe }]);
        });
        assert!(change.contains("views must be 1 to 256"), "{change}");
    }
}
