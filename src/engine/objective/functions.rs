//! The functions of the text form, one row each: the name, the arguments, what it is, and how its arguments are read and
//! written. The parser, the printed form, completion, `--help` and `docs/objectives.md` have no other list.

use super::reader::{Read, Reader};
use super::{Objective, Penalty};

/// A function that the text form of objectives knows.
#[derive(Debug)]
pub struct Function {
    /// The word before the parenthesis.
    pub name: &'static str,
    /// The arguments as they are typed, in capitals those that are to be replaced.
    pub arguments: &'static str,
    /// The meaning of its value, as a part of a sentence.
    pub about: &'static str,
    /// Reads the arguments between the parentheses.
    read: fn(&mut Reader) -> Read<Objective>,
    /// Writes the arguments of an objective that this function makes; `None` for any other objective.
    write: fn(&Objective) -> Option<String>,
}

impl Function {
    /// The form of a call: `channel(LAYER, CHANNEL)`.
    pub fn usage(&self) -> String {
        format!("{}({})", self.name, self.arguments)
    }

    /// Reads the arguments between the parentheses.
    pub(super) fn read(&self, reader: &mut Reader) -> Read<Objective> {
        (self.read)(reader)
    }

    /// The text form of an objective that this function makes; `None` for any other objective.
    pub(super) fn write(&self, objective: &Objective) -> Option<String> {
        (self.write)(objective).map(|arguments| format!("{}({arguments})", self.name))
    }
}

/// All functions, in the order in which they are listed.
pub static FUNCTIONS: [Function; 15] = [
    Function {
        name: "channel",
        arguments: "LAYER, CHANNEL",
        about: "the mean of one channel over its height and width",
        read: |from| Ok(Objective::Channel { layer: from.layer()?, channel: from.next_whole()? }),
        write: |objective| {
            let Objective::Channel { layer, channel } = objective else { return None };
            Some(format!("{layer}, {channel}"))
        },
    },
    Function {
        name: "neuron",
        arguments: "LAYER, CHANNEL, ROW, COLUMN",
        about: "one number of a channel",
        read: |from| {
            let (layer, channel) = (from.layer()?, from.next_whole()?);
            Ok(Objective::Neuron { layer, channel, y: from.next_whole()?, x: from.next_whole()? })
        },
        write: |objective| {
            let Objective::Neuron { layer, channel, y, x } = objective else { return None };
            Some(format!("{layer}, {channel}, {y}, {x}"))
        },
    },
    Function {
        name: "layer",
        arguments: "LAYER",
        about: "the mean of the squares of a whole layer (DeepDream)",
        read: |from| Ok(Objective::Layer { layer: from.layer()? }),
        write: |objective| {
            let Objective::Layer { layer } = objective else { return None };
            Some(layer.clone())
        },
    },
    Function {
        name: "direction",
        arguments: "LAYER, CHANNEL:WEIGHT, ..., cos=POWER",
        about: "the dot product of each position's channels with the weights, times their cosine to the power (0 if it is \
                left out), as a mean over positions",
        read: |from| {
            let layer = from.layer()?;
            let (weights, cosine_power) = read_weights(from)?;
            Ok(Objective::Direction { layer, weights, cosine_power })
        },
        write: |objective| {
            let Objective::Direction { layer, weights, cosine_power } = objective else { return None };
            let weights = weights.iter().map(|(channel, weight)| format!(", {channel}:{weight}"));
            Some(format!("{layer}{}{}", weights.collect::<String>(), write_power(*cosine_power)))
        },
    },
    Function {
        name: "logit",
        arguments: "CLASS",
        about: "the logit of a class: a number of the last linear layer, before the softmax",
        read: |from| Ok(Objective::Logit { class: from.class()? }),
        write: |objective| {
            let Objective::Logit { class } = objective else { return None };
            Some(class.to_string())
        },
    },
    Function {
        name: "diversity",
        arguments: "LAYER",
        about: "how little alike the images of a batch are: minus the cosines between their Gram matrices",
        read: |from| Ok(Objective::Diversity { layer: from.layer()? }),
        write: |objective| {
            let Objective::Diversity { layer } = objective else { return None };
            Some(layer.clone())
        },
    },
    Function {
        name: "alignment",
        arguments: "LAYER",
        about: "how alike neighbouring images of a batch are: minus their weighted squared distances",
        read: |from| Ok(Objective::Alignment { layer: from.layer()? }),
        write: |objective| {
            let Objective::Alignment { layer } = objective else { return None };
            Some(layer.clone())
        },
    },
    Function {
        name: "interpolation",
        arguments: "LAYER, CHANNEL, CHANNEL",
        about: "the mean of one channel in the first image of a batch, of another in the last, of both in between",
        read: |from| {
            let layer = from.layer()?;
            Ok(Objective::Interpolation { layer, from: from.next_whole()?, to: from.next_whole()? })
        },
        write: |objective| {
            let Objective::Interpolation { layer, from, to } = objective else { return None };
            Some(format!("{layer}, {from}, {to}"))
        },
    },
    Function {
        name: "inversion",
        arguments: "LAYER, \"FILE\"",
        about: "how near the layer is to what it is for a picture: minus the squared distance, relative",
        read: |from| Ok(Objective::Inversion { layer: from.layer()?, picture: from.next_picture()? }),
        write: |objective| {
            let Objective::Inversion { layer, picture } = objective else { return None };
            Some(format!("{layer}, \"{picture}\""))
        },
    },
    Function {
        name: "caricature",
        arguments: "LAYER, \"FILE\", cos=POWER",
        about: "the dot product of the layer with what it is for a picture, times their cosine to the power (0 if it is \
                left out)",
        read: |from| {
            let (layer, picture) = (from.layer()?, from.next_picture()?);
            let cosine_power = if from.eat(',') { from.cosine_power()? } else { 0.0 };
            Ok(Objective::Caricature { layer, picture, cosine_power })
        },
        write: |objective| {
            let Objective::Caricature { layer, picture, cosine_power } = objective else { return None };
            Some(format!("{layer}, \"{picture}\"{}", write_power(*cosine_power)))
        },
    },
    penalty(
        "l1",
        "the weight times the sum of the distances from gray, to be subtracted",
        |from| read_penalty(from, Penalty::L1),
        |objective| write_penalty(objective, Penalty::L1),
    ),
    penalty(
        "l2",
        "the weight times the Euclidean distance from gray, to be subtracted",
        |from| read_penalty(from, Penalty::L2),
        |objective| write_penalty(objective, Penalty::L2),
    ),
    penalty(
        "tv",
        "the weight times the total variation of the image, to be subtracted",
        |from| read_penalty(from, Penalty::Tv),
        |objective| write_penalty(objective, Penalty::Tv),
    ),
    penalty(
        "blur",
        "the weight times the squared distance from the blurred image, to be subtracted",
        |from| read_penalty(from, Penalty::Blur),
        |objective| write_penalty(objective, Penalty::Blur),
    ),
    penalty(
        "boundary",
        "the weight times the roughness of the image's border and its distance from gray, to be subtracted",
        |from| read_penalty(from, Penalty::Boundary),
        |objective| write_penalty(objective, Penalty::Boundary),
    ),
];

/// The row of a measure of the image.
const fn penalty(
    name: &'static str,
    about: &'static str,
    read: fn(&mut Reader) -> Read<Objective>,
    write: fn(&Objective) -> Option<String>,
) -> Function {
    Function { name, arguments: "WEIGHT", about, read, write }
}

fn read_penalty(from: &mut Reader, of: Penalty) -> Read<Objective> {
    Ok(Objective::Penalty { of, weight: from.number()? })
}

fn write_penalty(objective: &Objective, wanted: Penalty) -> Option<String> {
    let Objective::Penalty { of, weight } = objective else { return None };
    (*of == wanted).then(|| weight.to_string())
}

/// Reads channels with their weights and, if it is there, the power of the cosine.
fn read_weights(from: &mut Reader) -> Read<(Vec<(usize, f64)>, f64)> {
    let mut weights = Vec::new();
    while from.eat(',') {
        if from.peek() == Some('c') {
            return Ok((weights, from.cosine_power()?));
        }
        let channel = from.whole()?;
        from.expect(':', " between a channel and its weight")?;
        weights.push((channel, from.number()?));
    }
    if weights.is_empty() { Err("a channel and its weight belong".into()) } else { Ok((weights, 0.0)) }
}

/// The last argument of a function with a cosine; nothing if its power is 0.
fn write_power(power: f64) -> String {
    if power == 0.0 { String::new() } else { format!(", cos={power}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The usage of a function with values in the place of its arguments.
    fn example(function: &Function) -> String {
        let values = [
            ("CHANNEL:WEIGHT, ...", "4:1, 7:-0.5"),
            ("LAYER", "a"),
            ("FILE", "p.png"),
            ("POWER", "2"),
            ("WEIGHT", "0.25"),
        ];
        let filled = values.iter().fold(function.usage(), |text, (word, value)| text.replace(word, value));
        ["CHANNEL", "ROW", "COLUMN", "CLASS"].iter().fold(filled, |text, word| text.replace(word, "3"))
    }

    #[test]
    fn each_row_reads_its_usage_and_alone_prints_it_back() {
        for function in &FUNCTIONS {
            let text = example(function);
            let objective: Objective = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(objective.to_string(), text);
            let printed = FUNCTIONS.iter().filter_map(|other| other.write(&objective));
            assert_eq!(printed.count(), 1, "{text}");
        }
    }
}
