//! The lab: against Captum (`tests/golden/make_lab.py`), its own identities, and `trepang lab` as a user meets it.

mod commands;
mod compare;
mod controls;
mod examples;
mod golden;
mod identities;
mod index;
mod maps;
mod means;
mod natural;
mod project;
mod projections;
mod report;
mod seed;
mod small;
mod stats;
