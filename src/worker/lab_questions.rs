//! The questions that viewers ask the lab, and the part of an answer that is worked out next.

use std::collections::BTreeMap;

use super::protocol::LabFindings;
use super::viewer::ViewerId;

/// The questions of viewers, with what was found for each.
#[derive(Debug, Default)]
pub(super) struct LabQuestions(pub(super) BTreeMap<ViewerId, LabFindings>);

/// A part of the findings, in the order in which they are worked out.
#[derive(Debug, Clone, Copy)]
pub(super) enum LabPart {
    Margin,
    Map,
    Examples,
    Scatter,
}

impl LabQuestions {
    /// Whether an answer is to be worked on.
    pub(super) fn are_due(&self) -> bool {
        self.due().is_some()
    }

    /// The viewer whose question is worked on next, with the part that is missing.
    pub(super) fn due(&self) -> Option<(ViewerId, LabPart)> {
        self.0.iter().find_map(|(viewer, findings)| Some((*viewer, missing(findings)?)))
    }
}

fn missing(findings: &LabFindings) -> Option<LabPart> {
    let LabFindings { margin, map, examples, scatter, .. } = findings;
    let parts = [
        (margin.is_none(), LabPart::Margin),
        (map.is_none(), LabPart::Map),
        (examples.is_none(), LabPart::Examples),
        (scatter.is_none(), LabPart::Scatter),
    ];
    parts.into_iter().find(|(is_missing, _)| *is_missing).map(|(_, part)| part)
}
