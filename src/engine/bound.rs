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
use super::size::PictureSize;

pub use self::context::BatchLayout;

/// An objective that can be evaluated on images of one size.
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
    /// The network's input, `[N, 3, H, W]`: all views of the first image, then of the next. Views of others may lie before
    /// and after them.
    pub views: &'a Array,
    /// The index in `views` of the objective's first view.
    pub first: usize,
    /// The number of the objective's images, and of views of each.
    pub layout: BatchLayout,
    /// The activations of each of [`Bound::pictures`] at each of [`Bound::at`], an item for each view.
    pub references: &'a [Vec<Array>],
}

impl Objective {
    /// Finds the layers in `network` and checks channels and positions for images of this size.
    pub fn bind(&self, network: &Network, size: impl Into<PictureSize>) -> Result<Bound> {
        let sides = size.into().sides();
        let whole = Bound::new(self, network, sides, None)?;
        let Some(neurons) = self.neurons(network) else { return Ok(whole) };
        let Some(field) = network.receptive_field(sides, &neurons)? else { return Ok(whole) };
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
        ObjectiveInput { bound: self, views: image, first: 0, layout: BatchLayout::SINGLE, references: &[] }
            .evaluate(model)
    }

    /// The objective's value on one image, and d(value)/d(image). Only what it reads of the image is computed; the gradient
    /// elsewhere is 0. For objectives that compare with no picture.
    pub fn pull_back(&self, image: &Array, model: &mut dyn Model) -> Result<(f64, Array)> {
        let input = ObjectiveInput {
            bound: self,
            views: image,
            first: 0,
            layout: BatchLayout::SINGLE,
            references: &[],
        };
        let (values, gradient) = pull_back_together(&[input], ReluGradient::True, model)?;
        Ok((values[0], gradient))
    }

    /// The height and the width of the part of the images that is enough, where that is not all.
    pub(super) fn seen_size(&self) -> Option<[usize; 2]> {
        self.field.as_ref().map(|field| [field.height, field.width])
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
        evaluate_together(&[*self], model)?.pop().ok_or(Error::MissingGradient)
    }

    fn context<'a>(&'a self, activations: &'a [Array]) -> ObjectiveContext<'a> {
        ObjectiveContext::new(self.views, activations, self.first, self.layout, self.references)
    }
}

/// The value of each, from one batch. All must go with each other, and have the same views.
pub(super) fn evaluate_together(inputs: &[ObjectiveInput], model: &mut dyn Model) -> Result<Vec<f64>> {
    let Some(first) = inputs.first() else { return Ok(Vec::new()) };
    let activations = if first.bound.at.is_empty() {
        Vec::new()
    } else {
        model.activations(first.bound.seen(first.views)?.as_ref(), &first.bound.at)?
    };
    Ok(inputs.iter().map(|input| input.bound.expr.mean(&input.context(&activations))).collect())
}

/// The value of each, and d(sum of the values)/d(views), from one batch. All must go with each other, and have the same
/// views.
pub(super) fn pull_back_together(
    inputs: &[ObjectiveInput],
    relu: ReluGradient,
    model: &mut dyn Model,
) -> Result<(Vec<f64>, Array)> {
    let first = inputs.first().ok_or(Error::MissingGradient)?;
    let (bound, batch) = (first.bound, first.bound.seen(first.views)?);
    let mut values = vec![0.0; inputs.len()];
    let reads_views = inputs.iter().any(|input| input.bound.expr.reads_views());
    let mut of_views = Array::zeros(if reads_views { first.views.shape() } else { &[0] });
    let mut cotangents = |activations: &[Array]| {
        let mut all: Vec<Array> = activations.iter().map(|a| Array::zeros(a.shape())).collect();
        for (input, value) in inputs.iter().zip(&mut values) {
            let context = input.context(activations);
            *value = input.bound.expr.mean(&context);
            let into = &mut CotangentBuffers { activations: &mut all, views: &mut of_views };
            input.bound.expr.add_mean_cotangents(&context, into);
        }
        all
    };
    let through = if bound.at.is_empty() {
        cotangents(&[]);
        Array::zeros(batch.shape())
    } else {
        model.pull_back(&batch, &bound.at, relu, &mut |activations| Ok(cotangents(activations)))?
    };
    let mut gradient = bound.spread(through, first.views.shape());
    if reads_views {
        gradient.data_mut().iter_mut().zip(of_views.data()).for_each(|(g, v)| *g += v);
    }
    Ok((values, gradient))
}
