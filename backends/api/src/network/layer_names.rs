//! Finds the layers of a network by their names, its own or another framework's.

use super::{LayerId, Network};
use crate::nearest::nearest;
use crate::{Error, Result};

impl Network {
    /// The layer called `name`, by its own name or another framework's, or an error that names the nearest. The
    /// preprocessing is no layer. Lucent writes the dots of PyTorch's names as underscores, and TensorFlow has slashes:
    /// where one layer alone is called so but for these, it is meant.
    pub fn layer(&self, name: &str) -> Result<LayerId> {
        if let Some(&id) = self.called(|known| known == name).first() {
            return Ok(id);
        }
        let is_lost = self.lost.iter().any(|(lost, _)| lost == name);
        let meant = words(name);
        match self.called(|known| words(known) == meant)[..] {
            [id, ref others @ ..] if !is_lost && others.iter().all(|other| *other == id) => Ok(id),
            _ => Err(self.no_layer(name)),
        }
    }

    /// The layers with a name that `is_meant` takes, aliases first.
    fn called(&self, is_meant: impl Fn(&str) -> bool) -> Vec<LayerId> {
        let aliases = self.aliases.iter().filter(|(alias, _)| is_meant(alias));
        let own = |name: &str| self.layers().find(|id| self.nodes[id.0].name == name);
        let layers = self.layers().filter(|id| is_meant(&self.nodes[id.0].name));
        aliases.filter_map(|(_, layer)| own(layer)).chain(layers).collect()
    }

    fn no_layer(&self, name: &str) -> Error {
        let (network, layer) = (self.name.clone(), name.to_owned());
        match self.lost.iter().find(|(lost, _)| lost == name) {
            Some((_, reason)) => Error::LostLayer { network, layer, reason: reason.clone() },
            None => Error::UnknownLayer { network, layer, nearest: nearest(name, self.names()) },
        }
    }

    /// The names of layers that the network had before it was read and has no longer, each with the reason as a clause.
    pub fn lost(&self) -> &[(String, String)] {
        &self.lost
    }

    /// The other names of the layer called `name`.
    pub fn aliases_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.aliases.iter().filter(move |(_, own)| own == name).map(|(alias, _)| alias.as_str())
    }

    /// The names of all layers, their own and then other frameworks'.
    fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.nodes.iter().skip(1).map(|node| node.name.as_str());
        own.chain(self.aliases.iter().map(|(alias, _)| alias.as_str()))
    }
}

/// A name without what programs write differently: capitals, dots, slashes and underscores.
fn words(name: &str) -> String {
    name.replace(['.', '/'], "_").to_lowercase()
}

#[cfg(test)]
mod tests {
    use crate::Op;
    use crate::network::tests::builder;

    #[test]
    fn a_misspelt_layer_names_the_nearest() {
        let mut b = builder();
        let from = b.input();
        b.conv_relu("block1_conv1", [3, 4], 3, from);
        let network = b.finish().unwrap();
        let error = network.layer("block1_conv").unwrap_err().to_string();
        assert_eq!(error, "tiny has no layer \"block1_conv\"; did you mean \"block1_conv1\"?");
        assert!(!network.layer("fc7").unwrap_err().to_string().contains("did you mean"));
        assert!(network.layer("input").is_err(), "the preprocessing is no layer");
    }

    #[test]
    fn underscores_stand_for_dots_where_one_layer_is_meant() {
        let mut b = builder();
        let from = b.input();
        for name in ["layer4.1.conv1", "a.b_c", "a_b.c"] {
            b.add(name, Op::Relu, &[from]);
        }
        b.alias("block4/unit_1", "layer4.1.conv1");
        let network = b.finish().unwrap();
        let first = network.layer("layer4.1.conv1").unwrap();
        for name in ["layer4_1_conv1", "Layer4.1_conv1", "block4_unit_1"] {
            assert_eq!(network.layer(name).unwrap(), first, "{name}");
        }
        assert!(network.layer("a_b_c").is_err(), "either could be meant");
        assert_ne!(network.layer("a.b_c").unwrap(), network.layer("a_b.c").unwrap());
    }
}
