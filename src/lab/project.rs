//! Points in the plane: by the two directions in which photographs differ most, or by t-SNE. Both are fitted on photographs
//! alone; what was made is placed afterwards, so that it changes nothing of where photographs are.

mod pca;
mod place;
mod tsne;

pub use pca::Pca;
pub use place::place_among;
pub use tsne::{Neighbours, TsneMap, trustworthiness};
