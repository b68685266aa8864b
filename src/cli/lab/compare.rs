//! `trepang lab compare`: which channel of another layer does what a channel does.

use anyhow::Result;
use serde::Serialize;

use super::opened_index::OpenedIndex;
use super::subject::Busy;
use crate::cli::output;
use crate::config::Usage;
use crate::config::args::CompareArgs;
use crate::lab::{ChannelMatch, IndexedLayer, Interval, JoinedPictures, picture_points};

/// Channels that are named as those that changed most.
const NAMED: usize = 5;

/// The answer, for `--json`.
#[derive(Serialize)]
struct ComparedLayers<'a> {
    a: ComparedSide<'a>,
    b: ComparedSide<'a>,
    pictures: usize,
    only_in_a: usize,
    only_in_b: usize,
    seed: u64,
    chance: Option<f64>,
    median_r: Option<f64>,
    mutual: usize,
    same: Option<usize>,
    channels: &'a [ChannelMatch],
    candidates: Vec<ChannelCandidate>,
    sentence: &'a str,
}

/// One of the two layers.
#[derive(Serialize)]
struct ComparedSide<'a> {
    index: String,
    network: &'a str,
    weights_sha256: &'a str,
    layer: &'a str,
    channels: usize,
}

/// A channel of the second layer that may be the one that is looked for.
#[derive(Serialize)]
struct ChannelCandidate {
    channel: usize,
    r: f64,
    interval: Option<Interval>,
}

/// Two layers, and what was found.
struct MatchedLayers<'a> {
    args: &'a CompareArgs,
    indices: [OpenedIndex; 2],
    layers: [IndexedLayer; 2],
    joined: JoinedPictures,
    /// The channels that are asked about.
    matches: Vec<ChannelMatch>,
    chance: Option<f64>,
}

pub(super) fn run(args: &CompareArgs) -> Result<()> {
    let found = MatchedLayers::of(args)?;
    let sentence = found.sentence();
    if !args.json {
        return found.report(&sentence);
    }
    let side = |at: usize| {
        let (OpenedIndex { folder, manifest }, layer) = (&found.indices[at], &found.layers[at]);
        ComparedSide {
            index: folder.display().to_string(),
            network: &manifest.network,
            weights_sha256: &manifest.weights_sha256,
            layer: &layer.layer,
            channels: layer.channels,
        }
    };
    output::json(&ComparedLayers {
        a: side(0),
        b: side(1),
        pictures: found.joined.pictures,
        only_in_a: found.joined.only_a,
        only_in_b: found.joined.only_b,
        seed: args.seed,
        chance: found.chance,
        median_r: median(found.matches.iter().filter_map(|channel| channel.r)),
        mutual: found.matches.iter().filter(|channel| channel.mutual).count(),
        same: found.has_same().then(|| found.same()),
        channels: &found.matches,
        candidates: found.candidates(),
        sentence: &sentence,
    })
}

impl<'a> MatchedLayers<'a> {
    fn of(args: &'a CompareArgs) -> Result<Self> {
        let indices = [OpenedIndex::open(Some(&args.a))?, OpenedIndex::open(Some(&args.b))?];
        let first = indices[0].layer(args.layer.as_deref())?;
        let layers = [first.clone(), other_layer(args, &indices[1], &first)?];
        if let Some(channel) = args.channel.filter(|channel| *channel >= first.channels) {
            let (layer, last) = (&first.layer, first.channels.saturating_sub(1));
            return Err(Usage(format!(
                "{layer} has the channels 0 to {last}, and {channel} is none of them"
            ))
            .into());
        }
        let _busy = Busy::with("comparing the channels");
        let points = |at: usize| picture_points(&indices[at].folder, &indices[at].manifest, &layers[at]);
        let joined = JoinedPictures::of(&points(0)?, &points(1)?)?;
        let mut matches = joined.matches();
        matches.retain(|found| args.channel.is_none_or(|channel| found.channel == channel));
        let chance = joined.chance(args.seed);
        Ok(Self { args, indices, layers, joined, matches, chance })
    }

    /// True where channels of the same number can be the same ones: of layers of one name and size.
    fn has_same(&self) -> bool {
        let [a, b] = &self.layers;
        (&a.layer, a.channels) == (&b.layer, b.channels)
    }

    /// The channels whose match has the same number.
    fn same(&self) -> usize {
        self.matches.iter().filter(|found| found.matched == Some(found.channel)).count()
    }

    /// The channels of the second layer that are most like the one that is asked about; none where all are.
    fn candidates(&self) -> Vec<ChannelCandidate> {
        let Some(channel) = self.args.channel else { return Vec::new() };
        let ranked = self.joined.ranked(channel).into_iter().take(self.args.top.into());
        ranked
            .map(|(channel, r)| ChannelCandidate { channel, r, interval: self.joined.interval(r) })
            .collect()
    }

    fn name(&self, at: usize) -> String {
        format!("{} of {}", self.layers[at].layer, self.indices[at].manifest.network)
    }

    fn sentence(&self) -> String {
        let chance = self.chance.map_or_else(|| "nothing".into(), |chance| format!("{chance:.2}"));
        if let (Some(_), Some(found)) = (self.args.channel, self.matches.first()) {
            return self.about(found, &chance);
        }
        let (all, mutual) = (self.matches.len(), self.matches.iter().filter(|found| found.mutual).count());
        let middle = |numbers: Option<f64>| numbers.map_or_else(|| "-".into(), |r| format!("{r:.2}"));
        let best = middle(median(self.matches.iter().filter_map(|found| found.r)));
        if self.has_same() {
            let same = middle(median(self.matches.iter().filter_map(|found| found.same_r)));
            return format!(
                "{} of {all} channels correlate most with the channel of their own number, the median one by {same}; by chance a channel \
                 finds one with {chance}",
                self.same()
            );
        }
        format!(
            "the median channel finds one with a correlation of {best}, where chance finds {chance}; {mutual} of {all} channels and \
             their matches choose each other"
        )
    }

    /// A sentence about one channel.
    fn about(&self, found: &ChannelMatch, chance: &str) -> String {
        let (channel, a, b) = (found.channel, self.name(0), self.name(1));
        let (Some(matched), Some(r)) = (found.matched, found.r) else {
            return format!(
                "channel {channel} of {a} is the same in all pictures, or all channels of {b} are"
            );
        };
        let interval = self.joined.interval(r).map_or_else(String::new, |Interval { low, high }| {
            format!(", 95 % within {low:.2} and {high:.2}")
        });
        let next = match (found.next, found.next_r) {
            (Some(next), Some(r)) => format!("; the next is {next} ({r:.2})"),
            _ => String::new(),
        };
        let own = match (found.same_r, found.same_rank) {
            (Some(r), Some(place)) if self.has_same() && matched != channel => {
                format!("; channel {channel} itself has {r:.2} and is number {place}")
            }
            _ => String::new(),
        };
        let back =
            if found.mutual { "each is the other's best match" } else { "which has a better match itself" };
        format!(
            "channel {channel} of {a} correlates most with channel {matched} of {b}: {r:.2}{interval}, {back}{next}{own}; by chance a \
             channel finds one with {chance}"
        )
    }

    fn report(&self, sentence: &str) -> Result<()> {
        let JoinedPictures { pictures, only_a, only_b, .. } = &self.joined;
        output::line(format_args!(
            "{sentence}\n\nA: {} ({})\nB: {} ({})",
            self.name(0),
            self.args.a.display(),
            self.name(1),
            self.args.b.display()
        ))?;
        output::line(format_args!(
            "{pictures} pictures are in both, by their paths; {only_a} only in A, {only_b} only in B"
        ))?;
        let [a, b] = [0, 1].map(|at| &self.indices[at].manifest.pictures_sha256);
        if a != b {
            output::remark(format_args!(
                "the two indices were made of different lists of pictures; a path that is in both is taken for the same picture"
            ));
        }
        if self.args.channel.is_some() { self.candidate_rows() } else { self.match_rows() }
    }

    fn candidate_rows(&self) -> Result<()> {
        output::line(format_args!("\n{:>10}{:>10}{:>20}", "channel", "r", "95 %"))?;
        self.candidates().iter().try_for_each(|ChannelCandidate { channel, r, interval }| {
            let interval =
                interval.map_or_else(String::new, |Interval { low, high }| format!("{low:.3} to {high:.3}"));
            output::line(format_args!("{channel:>10}{r:>10.3}{interval:>20}"))
        })
    }

    fn match_rows(&self) -> Result<()> {
        let mut sorted: Vec<&ChannelMatch> = self.matches.iter().filter(|found| found.r.is_some()).collect();
        sorted.sort_by(|a, b| b.r.unwrap_or_default().total_cmp(&a.r.unwrap_or_default()));
        let text = |number: Option<usize>| number.map_or_else(|| "-".into(), |number| number.to_string());
        let part = |r: Option<f64>| r.map_or_else(|| "-".into(), |r| format!("{r:.3}"));
        output::line(format_args!(
            "\n{:>12}{:>12}{:>9}{:>9}{:>12}{:>9}",
            "channel of A", "match in B", "r", "mutual", "next in B", "r"
        ))?;
        for found in sorted.iter().take(self.args.top.into()) {
            let mutual = if found.mutual { "yes" } else { "" };
            let (matched, r) = (text(found.matched), part(found.r));
            let (next, next_r) = (text(found.next), part(found.next_r));
            output::line(format_args!(
                "{:>12}{matched:>12}{r:>9}{mutual:>9}{next:>12}{next_r:>9}",
                found.channel
            ))?;
        }
        let dead = self.matches.len() - sorted.len();
        if dead > 0 {
            output::line(format_args!(
                "\n{dead} channels of A are the same in all pictures and have no match"
            ))?;
        }
        if !self.has_same() {
            return Ok(());
        }
        sorted.retain(|found| found.same_r.is_some());
        sorted.sort_by(|a, b| a.same_r.unwrap_or_default().total_cmp(&b.same_r.unwrap_or_default()));
        let changed: Vec<String> = sorted
            .iter()
            .take(NAMED)
            .map(|found| format!("{} ({})", found.channel, part(found.same_r)))
            .collect();
        output::line(format_args!("\nleast like the channel of their own number: {}", changed.join(", ")))
    }
}

/// The layer of the second index.
fn other_layer(args: &CompareArgs, index: &OpenedIndex, first: &IndexedLayer) -> Result<IndexedLayer> {
    match (&args.other_layer, &index.manifest.layers[..]) {
        (Some(name), _) => index.layer(Some(name)),
        (None, [only]) => Ok(only.clone()),
        (None, _) if index.manifest.layer(&first.layer).is_some() => index.layer(Some(&first.layer)),
        (None, all) => {
            let names: Vec<&str> = all.iter().map(|layer| layer.layer.as_str()).collect();
            Err(Usage(format!(
                "name the layer of B with --other-layer; the index in {} has {}",
                index.folder.display(),
                names.join(", ")
            ))
            .into())
        }
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.get(sorted.len().saturating_sub(1) / 2)?, sorted.get(sorted.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}
