//! The interface of Trepang's backends, and the networks that they interpret.
//!
//! A CNN is described once, as data ([`Network`]); a backend only interprets that description, so two
//! backends cannot disagree about an architecture. The one numeric primitive is the pull-back: run the
//! images up to some layers, hand the activations to the caller, take cotangents back, return the gradient
//! with respect to the images. Objectives, optimizers and pictures are the caller's business.
//!
//! This crate is *not* for anything that needs an ML framework, C++, a terminal or a file.
//!
//! # Map
//! - [`Array`], [`Shape`]: plain host data at the seam; every activation is `[N, C, H, W]`.
//! - [`Network`], [`Node`], [`Op`]: a CNN as data, its shapes inferred and checked before anything runs;
//!   [`networks`] holds the descriptions.
//! - [`Weights`]: named tensors, checked against a network when it is loaded.
//! - [`Backend`], [`Model`]: the seam. [`Kernels`] and [`Interpreter`]: the walk over a network that every
//!   backend shares, so that a new backend writes operations only.
//! - [`ComputePool`]: a backend's threads, lent for the caller's own work.
//! - [`Reference`]: the naive backend, each operation's forward and backward side by side. It is the oracle.
//! - [`guide`]: how to write a backend.
//! - [`did_you_mean`]: the known names that a mistyped one may stand for.
//! - [`printable`]: text of strangers, made safe for a terminal; [`excerpt`]: cut to what a message can quote.
//! - `conformance` (behind the feature of that name): the suite that every backend must pass.

mod array;
mod backend;
mod compute_pool;
#[cfg(feature = "conformance")]
pub mod conformance;
mod curve;
mod device;
mod error;
#[doc = include_str!("../GUIDE.md")]
#[allow(clippy::test_attr_in_doctest, reason = "it shows a test to be written elsewhere")]
pub mod guide {}
mod interpreter;
mod nearest;
mod network;
pub mod networks;
mod op;
mod printable;
mod receptive;
mod reference;
mod request;
mod upsample;
mod weights;

pub use array::{Array, Shape, SharedNumbers};
pub use backend::{Backend, Cotangents, Model, ReluGradient};
pub use compute_pool::{CallingThread, ComputePool};
pub use curve::ActivationCurve;
pub use device::{Device, DeviceKind, Precision, find_device, gpu_uuid};
pub use error::{Error, Result};
pub use interpreter::{Interpreter, Kernels, PullBack, WithPullBack};
pub use nearest::did_you_mean;
pub use network::{InputSize, LayerId, Network, NetworkBuilder, Node};
pub use op::{Conv2d, Linear, Lrn, Op, Padding, Pool, Preprocess};
pub use printable::{excerpt, excerpt_of_message, is_control, printable, printable_json};
pub use receptive::{ReceptiveField, Region};
pub use reference::Reference;
pub use request::check_cotangents;
pub use upsample::{Upsample, UpsampleMode, UpsampleTap};
pub use weights::Weights;
