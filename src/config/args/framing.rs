//! The flags that say how the user's picture becomes an input of the network.

use clap::Args;

/// The flags of every command that shows a network a picture of the user's.
#[derive(Debug, Clone, Copy, Args)]
pub struct FramingArgs {
    /// Take pictures at their own size, which the network must accept, instead of resizing and cropping them as `trepang
    /// predict` does
    #[arg(long)]
    pub exact: bool,
    /// Take picture files that end early; what is missing of them is gray
    #[arg(long)]
    pub allow_cut: bool,
}
