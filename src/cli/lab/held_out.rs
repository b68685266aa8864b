//! The photographs of a class that keep their class without channels: the order of the channels comes from every second photograph,
//! and the others are counted.

use std::path::Path;

use anyhow::Result;
use trepang_api::Array;

use super::photographs;
use super::subject::Subject;
use crate::cli::output;
use crate::config::args::AblateArgs;
use crate::lab::{Margin, Recall, RecallGroup, RecallOrder, Remover, slopes};

/// The fewest photographs that have two halves.
const LEAST: usize = 2;

/// The counts on the photographs of `--on`, with channels set to zero: the mean of such photographs would leave the class in them. None
/// where there are too few for two halves.
pub(super) fn recall(
    args: &AblateArgs,
    subject: &mut Subject,
    margin: Margin,
    tops: &[usize],
) -> Result<Option<Recall>> {
    let Some(folder) = &args.subject.on else { return Ok(None) };
    let files = photographs::of_folder(folder)?;
    if files.len() < LEAST {
        output::remark("one photograph has no second half: nothing is counted on photographs");
        return Ok(None);
    }
    let half = |odd: usize| files.iter().skip(odd).step_by(2).map(AsRef::as_ref).collect::<Vec<&Path>>();
    let mut order = RecallOrder::default();
    photographs::for_each(&half(0), |file| {
        let (mut tail, _) = subject.tail_of(file)?;
        order.add(&slopes(&mut tail, margin)?);
        Ok(())
    })?;
    let mut recall = order.recall(tops);
    photographs::for_each(&half(1), |file| {
        let (mut tail, trained) = subject.tail_of(file)?;
        let zero = Array::zeros(tail.activation().shape());
        let remover = Remover::new(&mut tail, &trained.weights, zero)?;
        Ok(recall.count(&mut tail, margin.class, &[&remover], args.subject.seed)?)
    })?;
    Ok(Some(recall))
}

/// The counts as a table.
pub(super) fn report(found: &Recall, class: &str) -> Result<()> {
    let Recall { ordered_on, photographs, right, groups, order } = found;
    output::line(format_args!(
        "\nOn {photographs} photographs of {class}, without the channels that carry it on {ordered_on} others \
         ({}, ...): {right} are seen as it with all channels",
        order.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join(", ")
    ))?;
    let heading = ["seen as it", "at random"].map(|heading| format!("{heading:>15}")).concat();
    output::line(format_args!("\n{:>10}{heading}", "channels"))?;
    for RecallGroup { top, right, right_at_random } in groups {
        let first = format!("first {top}");
        output::line(format_args!("{first:>10}{right:>15}{right_at_random:>15}"))?;
    }
    Ok(())
}
