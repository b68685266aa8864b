//! The short names of classes and of a data set's labels.

use trepang_weights::Labels;

/// The first of a class's names, or its number where it has none.
pub fn class_name(labels: &Labels, class: usize) -> String {
    let label = labels.get(class).map(|label| label.name.as_str()).unwrap_or_default();
    match label.split(", ").next() {
        Some(name) if !name.is_empty() && name.parse::<usize>().is_err() => name.into(),
        _ => format!("class {class}"),
    }
}

/// The name of a data set's label: that of the network's class that it means, or the data set's own.
pub fn label_name(labels: &Labels, label: Option<&str>) -> String {
    let Some(label) = label else { return "no label".into() };
    let named = labels.find(label).filter(|_| label.parse::<usize>().is_err());
    let named = named.and_then(|class| labels.get(class));
    named.map_or(label, |named| named.name.split(", ").next().unwrap_or(label)).to_owned()
}
