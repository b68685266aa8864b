//! The part of the key table for lists, the lab and questions that are open: each command with its keys.

use super::key::Key;
use super::key_scope::KeyScope;
use super::key_table::{Binding, bind_in};

/// The keys of lists, the lab and questions, in the order in which they are printed.
pub const LIST_BINDINGS: &[Binding] = &[
    bind_in(
        KeyScope::Lists,
        ("list-up", "lists: a line up"),
        &[Key::Up, Key::Left, Key::Char('k'), Key::Char('h')],
        "\u{2191}",
    ),
    bind_in(
        KeyScope::Lists,
        ("list-down", "lists: a line down"),
        &[Key::Down, Key::Right, Key::Char('j'), Key::Char('l')],
        "\u{2193}",
    ),
    bind_in(KeyScope::Lists, ("list-page-up", "lists: a page up"), &[Key::PageUp], "PgUp"),
    bind_in(KeyScope::Lists, ("list-page-down", "lists: a page down"), &[Key::PageDown], "PgDn"),
    bind_in(KeyScope::Lists, ("list-first", "lists: first line"), &[Key::Home], "Home"),
    bind_in(KeyScope::Lists, ("list-last", "lists: last line"), &[Key::End], "End"),
    bind_in(KeyScope::Lists, ("list-choose", "lists: take the line"), &[Key::Enter], "Enter"),
    bind_in(KeyScope::Lists, ("list-close", "lists: close"), &[Key::Escape, Key::Char('q')], "Esc"),
    bind_in(KeyScope::Runs, ("run-go-on", "runs: go on with one"), &[Key::Char(' ')], "Space"),
    bind_in(KeyScope::Runs, ("run-export", "runs: export a picture"), &[Key::Char('e')], "e"),
    bind_in(KeyScope::Runs, ("run-delete", "runs: delete one"), &[Key::Char('x'), Key::Delete], "x"),
    bind_in(KeyScope::Runs, ("run-undelete", "runs: undo a deletion"), &[Key::Char('u')], "u"),
    bind_in(KeyScope::Marks, ("mark-choose", "marks: choose, or not"), &[Key::Char(' ')], "Space"),
    bind_in(KeyScope::Marks, ("mark-remove", "marks: remove one"), &[Key::Char('x'), Key::Delete], "x"),
    bind_in(KeyScope::Marks, ("mark-compare", "marks: side by side"), &[Key::Char('c')], "c"),
    bind_in(KeyScope::Networks, ("network-classify", "networks: classify or not"), &[Key::Char('c')], "c"),
    bind_in(KeyScope::Recipes, ("recipe-numbers", "recipes: change numbers"), &[Key::Char('e')], "e"),
    bind_in(KeyScope::Lab, ("lab-order", "lab: order of photographs"), &[Key::Char('E')], "E"),
    bind_in(KeyScope::Questions, ("answer-yes", "questions: yes"), &[Key::Char('y')], "y"),
    bind_in(KeyScope::Questions, ("leave-running", "leaving: let it run"), &[Key::Char('d')], "d"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_actions_where_both_count() {
        for (index, one) in LIST_BINDINGS.iter().enumerate() {
            for other in &LIST_BINDINGS[index + 1..] {
                let shared = one.keys.iter().any(|key| other.keys.contains(key));
                assert!(!shared || !one.scope.meets(other.scope), "{} and {}", one.name, other.name);
                assert_ne!(one.name, other.name);
            }
        }
    }
}
