//! The tail of a network: what it makes of a layer, run from that layer on. The rest of a picture, what passes the layer
//! by in other branches, stays as the picture has it.

use std::fmt::{self, Debug, Formatter};

use trepang_api::{Array, LayerId, Model, Network, ReluGradient};

use super::error::{Error, Result};
use super::margin::{Against, Margin};

/// The most variants of a layer in one batch.
const MOST_IN_A_BATCH: usize = 32;

/// Numbers of the frontier in a batch, at most: 32 MiB, so that what the tail makes of them stays small.
const NUMBERS_IN_A_BATCH: usize = 1 << 23;

/// A function that says whether work is to end early.
struct StopCheck<'m>(&'m dyn Fn() -> bool);

impl Debug for StopCheck<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("StopCheck")
    }
}

/// A network from a layer to its logits, at one picture.
#[derive(Debug)]
pub struct Tail<'m> {
    model: &'m mut dyn Model,
    network: &'m Network,
    layer: LayerId,
    head: LayerId,
    /// The values at the layer's frontier for the picture.
    start: Vec<(LayerId, Array)>,
    /// The layer's place among them.
    place: usize,
    logits: Vec<f32>,
    stop: Option<StopCheck<'m>>,
}

impl<'m> Tail<'m> {
    /// Runs `picture`, `[1, 3, H, W]` in 0..1, up to the logits. Fails for a network without a classifier and for a layer
    /// behind it.
    pub fn new(
        model: &'m mut dyn Model,
        network: &'m Network,
        picture: &Array,
        layer: LayerId,
    ) -> Result<Self> {
        let name = || network.name().to_owned();
        let head = network.logits().ok_or_else(|| Error::NoClassifier { network: name() })?;
        if layer > head {
            let layer = network.node(layer)?.name.clone();
            return Err(Error::AfterLogits { network: name(), layer });
        }
        let frontier = network.frontier(layer)?;
        let mut found = model.activations(picture, &[&frontier[..], &[head]].concat())?;
        let logits = found.pop().ok_or(Error::NoValues)?.into_data();
        let start: Vec<(LayerId, Array)> = frontier.into_iter().zip(found).collect();
        let place = start.iter().position(|(id, _)| *id == layer).ok_or(Error::NoValues)?;
        let finite = |numbers: &[f32]| numbers.iter().all(|number| number.is_finite());
        if !finite(&logits) || !start.iter().all(|(_, values)| finite(values.data())) {
            return Err(Error::NotFinite { network: name(), what: "activations" });
        }
        Ok(Self { model, network, layer, head, start, place, logits, stop: None })
    }

    /// Asks `stop` before each further run of the network, and gives up with [`Error::Stopped`] once it is true.
    #[must_use]
    pub fn until(self, stop: &'m dyn Fn() -> bool) -> Self {
        Self { stop: Some(StopCheck(stop)), ..self }
    }

    fn go_on(&self) -> Result<()> {
        if self.stop.as_ref().is_some_and(|stop| stop.0()) { Err(Error::Stopped) } else { Ok(()) }
    }

    /// The network that it is the tail of.
    pub fn network(&self) -> &'m Network {
        self.network
    }

    /// The layer's name.
    pub fn layer_name(&self) -> &'m str {
        &self.network.nodes()[self.layer.index()].name
    }

    /// The layer that the tail begins at.
    pub fn layer(&self) -> LayerId {
        self.layer
    }

    /// The layer of the logits.
    pub(super) fn head(&self) -> LayerId {
        self.head
    }

    /// The layer's activation for the picture, `[1, C, H, W]`.
    pub fn activation(&self) -> &Array {
        &self.start[self.place].1
    }

    /// The number of the layer's channels.
    pub fn channels(&self) -> usize {
        self.activation().shape()[1]
    }

    /// The picture's logits.
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// The activation of the layer for another picture, of the same size.
    pub fn activation_of(&mut self, picture: &Array) -> Result<Array> {
        let found = self.model.activations(picture, &[self.layer])?.pop().ok_or(Error::NoValues)?;
        self.check_shape("another picture's activation", &found)?;
        Ok(found)
    }

    /// The margin of a class. Fails for classes that the network does not have.
    pub fn margin(&self, class: usize, against: Against) -> Result<Margin> {
        let classes = self.logits.len();
        let missing = |class| Error::NoClass { network: self.network.name().into(), classes, class };
        if class >= classes {
            return Err(missing(class));
        }
        match against {
            Against::Class(rival) if rival >= classes => Err(missing(rival)),
            Against::Class(rival) if rival == class => Err(Error::OwnRival),
            _ if classes < 2 => Err(Error::NoRival { network: self.network.name().into() }),
            Against::Class(_) | Against::LogSumExp => Ok(Margin { class, against }),
        }
    }

    /// The number of variants of the layer that are run at once.
    pub(super) fn batch(&self) -> usize {
        let numbers: usize = self.start.iter().map(|(_, values)| values.data().len()).sum();
        (NUMBERS_IN_A_BATCH / numbers.max(1)).clamp(1, MOST_IN_A_BATCH)
    }

    /// The activations at `at` for variants of the layer, `[N, C, H, W]`.
    pub(super) fn run(&mut self, variants: Array, at: LayerId) -> Result<Array> {
        self.go_on()?;
        let start = self.with(variants)?;
        self.model.activations_from(&start, &[at])?.pop().ok_or(Error::NoValues)
    }

    /// The activations at `at` from a later layer than the tail's own, behind which nothing else is read.
    pub(super) fn run_from(&mut self, from: LayerId, values: Array, at: LayerId) -> Result<Array> {
        self.go_on()?;
        self.model.activations_from(&[(from, values)], &[at])?.pop().ok_or(Error::NoValues)
    }

    /// The margins of variants of the layer, `[N, C, H, W]`, and their gradients with respect to them.
    pub(super) fn gradients(&mut self, variants: Array, margin: Margin) -> Result<(Vec<f64>, Array)> {
        let mut margins = Vec::new();
        let gradient = self.pull_back(variants, |logits| {
            margins.push(margin.of(logits));
            margin.cotangent(logits)
        })?;
        Ok((margins, gradient))
    }

    /// The gradient of a class's logit with respect to the layer at the picture, `[1, C, H, W]`. Fails for a class that the
    /// network does not have.
    pub(super) fn logit_gradient(&mut self, class: usize) -> Result<Array> {
        if class >= self.logits.len() {
            let (network, classes) = (self.network.name().into(), self.logits.len());
            return Err(Error::NoClass { network, classes, class });
        }
        let activation = self.activation().clone();
        self.pull_back(activation, |logits| {
            let mut one = vec![0.0; logits.len()];
            one[class] = 1.0;
            one
        })
    }

    /// The cotangents of variants of the layer, from those that `cotangent` makes of each one's logits.
    fn pull_back(
        &mut self,
        variants: Array,
        mut cotangent: impl FnMut(&[f32]) -> Vec<f32> + Send,
    ) -> Result<Array> {
        self.go_on()?;
        let (start, head) = (self.with(variants)?, self.head);
        let mut cotangents = |found: &[Array]| {
            let logits = &found[0];
            let data = (0..logits.shape()[0]).flat_map(|n| cotangent(logits.item(n))).collect();
            Ok(vec![Array::new(logits.shape(), data)?])
        };
        let mut found = self.model.pull_back_from(&start, &[head], ReluGradient::True, &mut cotangents)?;
        if self.place >= found.len() {
            return Err(Error::NoValues);
        }
        let gradient = found.swap_remove(self.place);
        if gradient.data().iter().any(|number| !number.is_finite()) {
            return Err(Error::NotFinite { network: self.network.name().into(), what: "gradients" });
        }
        Ok(gradient)
    }

    /// The frontier with variants in the layer's place, and the picture's own values, once for each, in the others.
    fn with(&self, variants: Array) -> Result<Vec<(LayerId, Array)>> {
        let n = variants.shape().first().copied().unwrap_or(0);
        self.check_shape("a variant of the layer", &variants)?;
        let repeated = |values: &Array| {
            let shape: Vec<usize> = [&[n], &values.shape()[1..]].concat();
            Array::new(shape, values.data().repeat(n))
        };
        let mut start = Vec::with_capacity(self.start.len());
        for (place, (id, values)) in self.start.iter().enumerate() {
            if place != self.place {
                start.push((*id, repeated(values)?));
            }
        }
        start.insert(self.place, (self.layer, variants));
        Ok(start)
    }

    /// Fails unless an array is a batch of what the layer is for the picture.
    pub(super) fn check_shape(&self, what: &'static str, found: &Array) -> Result<()> {
        let expected = self.activation().shape();
        if found.shape().get(1..) == expected.get(1..) {
            return Ok(());
        }
        Err(Error::Shape { what, expected: expected.to_vec(), found: found.shape().to_vec() })
    }
}
