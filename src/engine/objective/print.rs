//! The printed form of an objective: what `parse` reads back to the same objective.

use std::fmt::{self, Display, Formatter};

use super::functions::FUNCTIONS;
use super::{Objective, Operation};

impl Display for Objective {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some((operation, [a, b])) = self.operation() {
            // Signs of one kind are read from left to right, so the right side must bind more tightly than the sign.
            write_side(f, a, operation.precedence())?;
            f.write_str(operation.sign())?;
            return write_side(f, b, operation.precedence() + 1);
        }
        if let Self::Constant(value) = self {
            return write!(f, "{value}");
        }
        // Every other term has a row.
        FUNCTIONS
            .iter()
            .find_map(|function| function.write(self))
            .map_or(Err(fmt::Error), |text| f.write_str(&text))
    }
}

impl Operation {
    fn sign(self) -> &'static str {
        match self {
            Self::Sum => " + ",
            Self::Difference => " - ",
            Self::Product => " * ",
        }
    }

    /// The precedence of an operator; a term has 2.
    fn precedence(self) -> u8 {
        match self {
            Self::Sum | Self::Difference => 0,
            Self::Product => 1,
        }
    }
}

/// Puts parentheses around a side that binds less tightly than it must.
fn write_side(f: &mut Formatter<'_>, side: &Objective, least: u8) -> fmt::Result {
    let precedence = side.operation().map_or(2, |(operation, _)| operation.precedence());
    if precedence < least { write!(f, "({side})") } else { write!(f, "{side}") }
}
