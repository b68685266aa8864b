//! The printed form of an objective: what `parse` reads back to the same tree.

use std::fmt::{self, Display, Formatter};

use super::{Objective, Penalty};

impl Display for Objective {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel { layer, channel } => write!(f, "channel({layer}, {channel})"),
            Self::Neuron { layer, channel, y, x } => write!(f, "neuron({layer}, {channel}, {y}, {x})"),
            Self::Layer { layer } => write!(f, "layer({layer})"),
            Self::Direction { layer, weights, cosine } => {
                write!(f, "direction({layer}")?;
                weights.iter().try_for_each(|(channel, weight)| write!(f, ", {channel}:{weight}"))?;
                close_with_cosine(f, *cosine)
            }
            Self::Logit { class } => write!(f, "logit({class})"),
            Self::Diversity { layer } => write!(f, "diversity({layer})"),
            Self::Alignment { layer } => write!(f, "alignment({layer})"),
            Self::Interpolation { layer, from, to } => write!(f, "interpolation({layer}, {from}, {to})"),
            Self::Inversion { layer, picture } => write!(f, "inversion({layer}, \"{picture}\")"),
            Self::Caricature { layer, picture, cosine } => {
                write!(f, "caricature({layer}, \"{picture}\"")?;
                close_with_cosine(f, *cosine)
            }
            Self::Penalty { of, weight } => write!(f, "{of}({weight})"),
            Self::Constant(value) => write!(f, "{value}"),
            Self::Sum(a, b) => write_pair(f, a, " + ", b, 0),
            Self::Difference(a, b) => write_pair(f, a, " - ", b, 0),
            Self::Product(a, b) => write_pair(f, a, " * ", b, 1),
        }
    }
}

impl Display for Penalty {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, penalty)| penalty == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

fn close_with_cosine(f: &mut Formatter<'_>, cosine: f64) -> fmt::Result {
    if cosine != 0.0 {
        write!(f, ", cos={cosine}")?;
    }
    f.write_str(")")
}

/// How tightly the printed form binds: sums 0, products 1, the rest 2.
fn precedence(objective: &Objective) -> u8 {
    match objective {
        Objective::Sum(..) | Objective::Difference(..) => 0,
        Objective::Product(..) => 1,
        _ => 2,
    }
}

/// Puts parentheses around a side that binds less tightly than it must: on the right more tightly than the sign itself,
/// since signs of one kind are read from left to right.
fn write_pair(f: &mut Formatter<'_>, a: &Objective, sign: &str, b: &Objective, own: u8) -> fmt::Result {
    write_side(f, a, own)?;
    f.write_str(sign)?;
    write_side(f, b, own + 1)
}

fn write_side(f: &mut Formatter<'_>, side: &Objective, least: u8) -> fmt::Result {
    match precedence(side) < least {
        true => write!(f, "({side})"),
        false => write!(f, "{side}"),
    }
}
