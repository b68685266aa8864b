//! The answer in one sentence, made from the numbers.

use super::attribute::{Attribution, ChannelShare, allows_shares};
use super::margin::{Against, rank};
use super::photographs::OnPhotographs;

/// Channels whose parts are added up at the end of the sentence.
const TOGETHER: usize = 3;

/// The names of what a sentence is about.
#[derive(Debug, Clone, Copy)]
pub struct SentenceNames<'a> {
    /// The class that is explained.
    pub class: &'a str,
    /// The rival; none against all classes.
    pub rival: Option<&'a str>,
    /// The layer whose channels are told apart.
    pub layer: &'a str,
}

/// The sentence on which channels carry the margin in this picture. Percentages are given where they say something, and the margin is the class's
/// lead; else the numbers.
pub fn sentence(found: &Attribution, names: SentenceNames, photographs: Option<&OnPhotographs>) -> String {
    let whose = match (found.margin.against, names.rival) {
        (Against::Class(_), Some(rival)) => format!("{}'s margin over {rival}", names.class),
        (Against::Class(rival), None) => format!("{}'s margin over class {rival}", names.class),
        (Against::LogSumExp, _) => format!("{}'s log-probability", names.class),
    };
    let Some(first) = found.channels.first().filter(|channel| channel.attribution > 0.0) else {
        let layer = names.layer;
        return format!("no channel of {layer} adds to {whose} in this picture, which is {:.1}", found.value);
    };
    let in_percent = found.has_shares() && found.value > 0.0;
    let (channel, part, whole) = (first.channel, first.attribution, found.value);
    let begin = if in_percent {
        let percent = percent(part / whole);
        format!("channel {channel} carries {percent} of {whose} in this picture ({part:.1} of {whole:.1})")
    } else {
        let why = why_no_percentages(found);
        format!("channel {channel} adds {part:.2} to {whose} in this picture, which is {whole:.2}{why}")
    };
    let place = place(found.rank, rank(found.margin.class, &found.without_first));
    let clauses = [
        Some(begin),
        Some(format!("without it the class is {place}")),
        together(found, in_percent),
        photographs.map(|photographs| on_photographs(channel, names.class, photographs)),
    ];
    clauses.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The parts of the first channels, added up.
fn together(found: &Attribution, in_percent: bool) -> Option<String> {
    let helps = |channel: &&ChannelShare| channel.attribution > 0.0;
    let first: Vec<&ChannelShare> = found.channels.iter().take(TOGETHER).filter(helps).collect();
    if first.len() < 2 {
        return None;
    }
    let channels = first.iter().map(|channel| channel.channel.to_string()).collect::<Vec<_>>().join(", ");
    let sum: f64 = first.iter().map(|channel| channel.attribution).sum();
    Some(if in_percent {
        format!("channels {channels} together carry {}", percent(sum / found.value))
    } else {
        format!("channels {channels} together add {sum:.2}")
    })
}

fn on_photographs(channel: usize, class: &str, photographs: &OnPhotographs) -> String {
    let OnPhotographs { count, margin, attributions, .. } = photographs;
    let of = if *count == 1 { "photograph" } else { "photographs" };
    let part = attributions[channel];
    if allows_shares(*margin, attributions) && *margin > 0.0 {
        format!("on {count} {of} of {class} it carries {}", percent(part / margin))
    } else {
        format!("on {count} {of} of {class} it adds {part:.2}, where the margin is {margin:.2}")
    }
}

/// The reason, in brackets, where percentages are refused for another one than that the margin is not a lead.
fn why_no_percentages(found: &Attribution) -> &'static str {
    if found.has_shares() {
        ""
    } else if found.value.abs() < super::attribute::LEAST_MARGIN {
        " (too small for percentages)"
    } else {
        " (the channels' parts cancel, so there are no percentages)"
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// A rank in words, and whether it is what it was before.
fn place(before: usize, rank: usize) -> String {
    let still = if rank == before { "still " } else { "" };
    still.to_owned() + &ordinal(rank)
}

fn ordinal(rank: usize) -> String {
    match (rank, rank % 100, rank % 10) {
        (1, ..) => "first".into(),
        (2, ..) => "second".into(),
        (3, ..) => "third".into(),
        (_, 11..=13, _) => format!("{rank}th"),
        (_, _, 1) => format!("{rank}st"),
        (_, _, 2) => format!("{rank}nd"),
        (_, _, 3) => format!("{rank}rd"),
        _ => format!("{rank}th"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::margin::Margin;

    /// An attribution of class 0 over class 1 whose parts, on channels 4, 194, 263 and 7, are these.
    fn attribution(value: f64, parts: [f64; 4]) -> Attribution {
        let shares = allows_shares(value, &parts);
        let channels = [4, 194, 263, 7].into_iter().zip(parts).map(|(channel, attribution)| {
            let share = shares.then(|| attribution / value);
            let (integrated, ablation) = (attribution, attribution);
            ChannelShare { channel, attribution, share, integrated, ablation, weight: 1.0 }
        });
        Attribution {
            margin: Margin { class: 0, against: Against::Class(1) },
            value,
            rank: 1,
            bias: value - parts.iter().sum::<f64>(),
            channels: channels.collect(),
            completeness_error: 0.0,
            flip_count: Some(1),
            without_first: vec![1.0, 2.0],
        }
    }

    const NAMES: SentenceNames =
        SentenceNames { class: "sea cucumber", rival: Some("flatworm"), layer: "block5_conv4" };

    #[test]
    fn it_has_the_form_that_was_promised() {
        let found = attribution(56.1, [21.3, 8.0, 5.0, -1.0]);
        let mut attributions = vec![0.1; 300];
        attributions[4] = 1.2;
        let photographs = OnPhotographs { count: 50, margin: 40.0, weights: vec![0.0; 300], attributions };
        assert_eq!(
            sentence(&found, NAMES, Some(&photographs)),
            "channel 4 carries 38 % of sea cucumber's margin over flatworm in this picture (21.3 of 56.1); without it the \
             class is second; channels 4, 194, 263 together carry 61 %; on 50 photographs of sea cucumber it carries 3 %"
        );
    }

    #[test]
    fn without_percentages_it_gives_the_numbers_and_says_why() {
        let small = sentence(&attribution(0.4, [0.3, 0.2, -0.1, -0.1]), NAMES, None);
        assert_eq!(
            small,
            "channel 4 adds 0.30 to sea cucumber's margin over flatworm in this picture, which is 0.40 (too small for \
             percentages); without it the class is second; channels 4, 194 together add 0.50"
        );
        let cancelling = sentence(&attribution(2.0, [9.0, 2.0, 1.0, -8.0]), NAMES, None);
        assert!(cancelling.contains("which is 2.00 (the channels' parts cancel"), "{cancelling}");
        let behind = sentence(&attribution(-3.0, [1.0, 0.5, -1.0, -2.0]), NAMES, None);
        assert!(behind.contains("which is -3.00; without it") && !behind.contains('%'), "{behind}");
    }

    #[test]
    fn where_nothing_helps_it_says_so() {
        let found = sentence(&attribution(-3.0, [-0.5, -0.5, -1.0, -1.0]), NAMES, None);
        let told = "no channel of block5_conv4 adds to sea cucumber's margin over flatworm in this picture, which is -3.0";
        assert_eq!(found, told);
    }

    #[test]
    fn ranks_are_told_in_words() {
        let told = [1, 2, 3, 4, 11, 12, 21, 22, 23, 112, 1000].map(|rank| place(1, rank));
        let expected = [
            "still first",
            "second",
            "third",
            "4th",
            "11th",
            "12th",
            "21st",
            "22nd",
            "23rd",
            "112th",
            "1000th",
        ];
        assert_eq!(told, expected);
        assert_eq!((place(2, 2), place(2, 3)), ("still second".into(), "third".into()));
    }
}
