//! `trepang lab`: why a network sees a class in a picture. One file a question; what they share is in `subject`.

mod ablate;
mod attribute;
mod compare;
mod control;
mod decoding;
mod distance;
mod examples;
mod figure_files;
mod framed;
mod held_out;
mod index;
mod map;
mod means;
mod opened_index;
mod photographs;
mod project;
mod report;
mod report_index;
mod retaken;
mod seed;
mod selective;
mod subject;
mod typed;

use anyhow::Result;

use crate::config::args::{LabArgs, LabCommand};

pub(super) fn run(args: &LabArgs) -> Result<()> {
    match &args.command {
        LabCommand::Attribute(args) => attribute::run(args),
        LabCommand::Ablate(args) => ablate::run(args),
        LabCommand::Index(args) => index::run(args),
        LabCommand::Examples(args) => examples::run(args),
        LabCommand::Distance(args) => distance::run(args),
        LabCommand::Compare(args) => compare::run(args),
        LabCommand::Project(args) => project::run(args),
        LabCommand::Map(args) => map::run(args),
        LabCommand::Means(args) => means::run(args),
        LabCommand::Report(args) => report::run(args),
        LabCommand::Seed(args) => seed::run(args),
    }
}
