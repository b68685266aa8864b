//! Completes the words of an objective at the cursor: functions, layers, classes.

use super::state::{Mode, State};
use crate::engine::FUNCTIONS;

/// The function whose argument is a class.
const OF_CLASS: &str = "logit";

/// Completes the word before the cursor as far as it is certain; a remark lists what there is to choose from.
pub(super) fn complete_objective(state: &mut State) {
    let Mode::Prompt(_, line) = &state.mode else { return };
    let before = line.parts().0;
    let (begin, known) = choices(state, before);
    let typed = before[begin..].to_owned();
    let fitting: Vec<&String> = known.iter().filter(|name| begins_with(name, &typed)).collect();
    let Some(first) = fitting.first() else {
        state.remark = Some(format!("no name begins with \"{typed}\""));
        return;
    };
    let common = fitting.iter().fold(first.as_str(), |common, name| shared(common, name));
    // Names that differ in capitals only agree in less than what was typed.
    let completed = if common.len() < typed.len() { typed } else { common.to_owned() };
    let listed =
        (fitting.len() > 1).then(|| fitting.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("  "));
    if listed.is_some() {
        state.remark = listed;
    }
    if let Mode::Prompt(_, line) = &mut state.mode {
        line.complete(begin, &completed);
    }
}

/// The byte at which the word begins, and what can stand there.
fn choices(state: &State, before: &str) -> (usize, Vec<String>) {
    if let Some(open) = before.rfind('(')
        && before[..open].trim_end().ends_with(OF_CLASS)
        && !before[open..].contains(')')
    {
        let blanks = before[open + 1..].chars().take_while(|c| c.is_whitespace() || *c == '"');
        return (open + 1 + blanks.map(char::len_utf8).sum::<usize>(), class_names(state));
    }
    let begin = before.rfind(|c: char| " (,*+-".contains(c)).map_or(0, |at| at + 1);
    let layers = before[..begin].trim_end().ends_with('(');
    (begin, if layers { layer_names(state) } else { function_names() })
}

fn layer_names(state: &State) -> Vec<String> {
    let forms = state.layers.iter().flat_map(|layer| {
        let pre = layer.has_pre.then(|| format!("{}:pre", layer.name));
        [Some(layer.name.clone()), pre]
    });
    forms.flatten().collect()
}

fn function_names() -> Vec<String> {
    FUNCTIONS.iter().map(|function| format!("{}(", function.name)).collect()
}

/// The names of the classes, of which a class may have several.
fn class_names(state: &State) -> Vec<String> {
    let mut names: Vec<String> =
        state.classes.iter().flat_map(|class| class.split(", ")).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// Whether a name begins with what was typed, in capitals or not.
fn begins_with(name: &str, typed: &str) -> bool {
    name.get(..typed.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
}

/// The common beginning of two names.
fn shared<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b);
    &a[..same.map_or(a.len().min(b.len()), |((at, _), _)| at)]
}
