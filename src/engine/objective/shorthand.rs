//! LAYER:CHANNEL, as objectives are written in Lucid's and Lucent's notebooks, and what is answered to their other words.

use trepang_api::excerpt;

use super::Objective;

/// The ending with which Lucid means a layer's input of the ReLU.
const LUCID_PRE: &str = "_pre_relu";

/// The character can be part of LAYER:CHANNEL.
pub(super) fn is_part(c: char) -> bool {
    c.is_alphanumeric() || "_.:/".contains(c)
}

/// The layer's name as it is called here: `mixed4:pre` for Lucid's `mixed4_pre_relu`.
pub(super) fn layer_name(text: &str) -> String {
    text.strip_suffix(LUCID_PRE).map_or_else(|| text.to_owned(), |layer| format!("{layer}:pre"))
}

/// The channel that LAYER:CHANNEL names, or how to write what was meant.
pub(super) fn read(text: &str) -> Result<Objective, String> {
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    let count = parts.iter().rev().take_while(|part| is_number(part)).count();
    let (name, numbers) = parts.split_at(parts.len() - count);
    let layer = layer_name(&name.join(":"));
    if layer.is_empty() || name.iter().any(|part| part.is_empty()) {
        return Err("a layer's name belongs, as in channel(LAYER, CHANNEL)".into());
    }
    let text = excerpt(text);
    if ["labels", "logits", "softmax"].iter().any(|word| layer.starts_with(word)) && numbers.len() == 1 {
        return Err(format!(
            "\"{text}\" is a class in Lucid, whose numbers are of another list; a class is written logit(CLASS): its \
             index in this network, its WordNet id or its name"
        ));
    }
    match numbers {
        [channel] => {
            let channel = channel.parse().map_err(|_| format!("{channel} is no channel: it is too large"))?;
            Ok(Objective::Channel { layer, channel })
        }
        [channel, row, column] => {
            let layer = excerpt(&layer);
            Err(format!("one neuron is written neuron({layer}, {channel}, {row}, {column})"))
        }
        _ => {
            let layer = excerpt(&layer);
            Err(format!(
                "\"{text}\" is not an objective; a channel is written channel({layer}, CHANNEL), and a whole layer \
                 layer({layer})"
            ))
        }
    }
}
