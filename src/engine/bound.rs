//! An objective whose layers were found, on the activations of a network: its value, its cotangents, and through a model
//! its gradient. Not here: the objectives' names and printed forms, and what single parts compute.

mod context;
mod expr;
mod term;

use std::borrow::Cow;

use trepang_api::{Array, LayerId, Model, Network, ReceptiveField, ReluGradient};

use self::context::{CotangentBuffers, ObjectiveContext};
use self::expr::{Binder, BoundExpr};
use super::error::{Error, Result};
use super::objective::Objective;

pub use self::context::BatchLayout;

/// An objective that can be evaluated on square images of one size.
#[derive(Debug, Clone)]
pub struct Bound {
    expr: BoundExpr,
    at: Vec<LayerId>,
    pictures: Vec<String>,
    /// The part of the image that is enough, where the objective reads only single neurons.
    field: Option<ReceptiveField>,
}

/// The input of an objective: views of the images of one ascent, and the pictures they are compared with.
#[derive(Debug, Clone, Copy)]
pub struct ObjectiveInput<'a> {
    /// The objective, bound to the layers of the network.
    pub bound: &'a Bound,
    /// The network's input, `[images * views, 3, S, S]`: all views of the first image, then of the next.
    pub views: &'a Array,
    /// The number of images in `views`, and of views of each.
    pub layout: BatchLayout,
    /// The activations of each of [`Bound::pictures`] at each of [`Bound::at`], an item for each view.
    pub references: &'a [Vec<Array>],
}

impl Objective {
    /// Finds the layers in `network` and checks channels and positions for square images of `size` pixels.
    pub fn bind(&self, network: &Network, size: usize) -> Result<Bound> {
        let whole = Bound::new(self, network, [size; 2], None)?;
        let Some(neurons) = self.neurons(network) else { return Ok(whole) };
        let Some(field) = network.receptive_field([size; 2], &neurons)? else { return Ok(whole) };
        let moved = self.moved(&mut field.origins.iter().copied());
        Bound::new(&moved, network, [field.height, field.width], Some(field))
    }
}

impl Bound {
    fn new(
        objective: &Objective,
        network: &Network,
        size: [usize; 2],
        field: Option<ReceptiveField>,
    ) -> Result<Self> {
        let mut binder = Binder::new(network, size);
        let expr = binder.bind(objective)?;
        let Binder { at, pictures, .. } = binder;
        Ok(Self { expr, at, pictures, field })
    }

    /// The layers whose activations it reads, in the order it reads them.
    pub fn at(&self) -> &[LayerId] {
        &self.at
    }

    /// The files of the pictures whose activations it compares with, in the order it names them.
    pub fn pictures(&self) -> &[String] {
        &self.pictures
    }

    /// The objective's value on one image, without a gradient. Only what it reads of the image is computed. For objectives
    /// that compare with no picture.
    pub fn evaluate(&self, image: &Array, model: &mut dyn Model) -> Result<f64> {
        ObjectiveInput { bound: self, views: image, layout: BatchLayout::SINGLE, references: &[] }
            .evaluate(model)
    }

    /// The objective's value on one image, and d(value)/d(image). Only what it reads of the image is computed; the gradient
    /// elsewhere is 0. For objectives that compare with no picture.
    pub fn pull_back(&self, image: &Array, model: &mut dyn Model) -> Result<(f64, Array)> {
        let input =
            ObjectiveInput { bound: self, views: image, layout: BatchLayout::SINGLE, references: &[] };
        input.pull_back(ReluGradient::True, model)
    }

    /// Tells whether the views of both can go through a network as one batch.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        self.at == other.at && self.field.is_none() && other.field.is_none()
    }

    /// The part of the images that it reads.
    fn seen<'a>(&self, images: &'a Array) -> Result<Cow<'a, Array>> {
        let Some(field) = &self.field else { return Ok(Cow::Borrowed(images)) };
        let (n, shape) = images.dims4()?;
        let rows = images.data().chunks_exact(shape.width).collect::<Vec<_>>();
        let planes = rows.chunks_exact(shape.height);
        let kept = planes.flat_map(|rows| &rows[field.top..][..field.height]);
        let data = kept.flat_map(|row| &row[field.left..][..field.width]).copied().collect();
        Ok(Cow::Owned(Array::new([n, shape.channels, field.height, field.width], data)?))
    }

    /// The adjoint of [`seen`](Self::seen): a gradient of the part among zeros.
    fn spread(&self, part: Array, shape: &[usize]) -> Array {
        let (Some(field), &[.., height, width]) = (&self.field, shape) else { return part };
        let mut whole = Array::zeros(shape);
        let planes = whole.data_mut().chunks_exact_mut(height * width);
        for (plane, part) in planes.zip(part.data().chunks_exact(field.height * field.width)) {
            let rows = plane.chunks_exact_mut(width).skip(field.top);
            for (row, part) in rows.zip(part.chunks_exact(field.width)) {
                row[field.left..][..field.width].copy_from_slice(part);
            }
        }
        whole
    }
}

impl ObjectiveInput<'_> {
    /// The objective's value: the mean over images and views.
    pub fn evaluate(&self, model: &mut dyn Model) -> Result<f64> {
        let activations = if self.bound.at.is_empty() {
            Vec::new()
        } else {
            model.activations(self.bound.seen(self.views)?.as_ref(), &self.bound.at)?
        };
        let context = ObjectiveContext::new(self.views, &activations, 0, self.layout, self.references);
        Ok(self.bound.expr.mean(&context))
    }

    /// The objective's value, and d(value)/d(views).
    pub(super) fn pull_back(&self, relu: ReluGradient, model: &mut dyn Model) -> Result<(f64, Array)> {
        pull_back_together(&[*self], relu, model)?.pop().ok_or(Error::MissingGradient)
    }
}

/// The value of each, and its d(value)/d(views), from one batch. All must go with each other and be of one size.
pub(super) fn pull_back_together(
    inputs: &[ObjectiveInput],
    relu: ReluGradient,
    model: &mut dyn Model,
) -> Result<Vec<(f64, Array)>> {
    let Some(first) = inputs.first() else { return Ok(Vec::new()) };
    let batch = match inputs {
        [one] => one.bound.seen(one.views)?,
        _ => Cow::Owned(joined(inputs.iter().map(|input| input.views))?),
    };
    let mut values = vec![0.0; inputs.len()];
    let mut of_views: Vec<Array> = inputs.iter().map(|input| Array::zeros(input.views.shape())).collect();
    let mut cotangents = |activations: &[Array]| {
        let mut all: Vec<Array> = activations.iter().map(|a| Array::zeros(a.shape())).collect();
        let mut begin = 0;
        for ((input, value), views) in inputs.iter().zip(&mut values).zip(&mut of_views) {
            let context =
                ObjectiveContext::new(input.views, activations, begin, input.layout, input.references);
            *value = input.bound.expr.mean(&context);
            let into = &mut CotangentBuffers { activations: &mut all, views };
            input.bound.expr.add_mean_cotangents(&context, into);
            begin += input.layout.len();
        }
        all
    };
    let gradient = if first.bound.at.is_empty() {
        cotangents(&[]);
        Array::zeros(batch.shape())
    } else {
        model.pull_back(&batch, &first.bound.at, relu, &mut |activations| Ok(cotangents(activations)))?
    };
    let through = split(inputs, gradient)?;
    let whole = inputs.iter().zip(through).map(|(input, part)| input.bound.spread(part, input.views.shape()));
    let both = whole.zip(of_views).map(|(mut gradient, views)| {
        gradient.data_mut().iter_mut().zip(views.data()).for_each(|(g, v)| *g += v);
        gradient
    });
    Ok(values.into_iter().zip(both).collect())
}

/// Batches one after the other as one.
fn joined<'a>(parts: impl Iterator<Item = &'a Array>) -> Result<Array> {
    let (mut shape, mut data, mut count) = (Vec::new(), Vec::new(), 0);
    for part in parts {
        shape = part.shape().to_vec();
        count += shape[0];
        data.extend_from_slice(part.data());
    }
    shape[0] = count;
    Ok(Array::new(shape, data)?)
}

/// The gradient of each input's own views.
fn split(inputs: &[ObjectiveInput], gradient: Array) -> Result<Vec<Array>> {
    if inputs.len() == 1 {
        return Ok(vec![gradient]);
    }
    let mut rest = gradient.data();
    inputs
        .iter()
        .map(|input| {
            let (own, after) = rest.split_at(input.views.data().len());
            rest = after;
            Ok(Array::new(input.views.shape(), own.to_vec())?)
        })
        .collect()
}
