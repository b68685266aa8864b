//! The networks Trepang knows, one short file a family. Data only: where their weights come from is the
//! `weights` crate's business.

mod efficientnet;
mod inception;
mod minivgg;
mod resnet;
mod vgg;

pub use efficientnet::efficientnet_lite0;
pub use inception::inception_v3;
pub use minivgg::minivgg;
pub use resnet::{Strides, resnet50};
pub use vgg::{vgg16, vgg19};
