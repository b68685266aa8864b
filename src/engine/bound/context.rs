//! The input of the terms of a bound objective, and the arrays in which their cotangents are gathered.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use trepang_api::Array;

use crate::engine::gram::Gram;

/// The order of the images of a batch: image by image, each with all of its views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLayout {
    /// The number of images that are optimised together.
    pub images: usize,
    /// The number of views of each that the network sees.
    pub views: usize,
}

impl BatchLayout {
    /// One image, seen as it is.
    pub const SINGLE: Self = Self { images: 1, views: 1 };

    /// The number of items that the network sees: images times views.
    pub fn len(self) -> usize {
        self.images * self.views
    }

    /// Tells whether there is nothing to see.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The input of an objective: a run of items of a batch.
#[derive(Debug)]
pub(super) struct ObjectiveContext<'a> {
    /// A batch of views, `[N, 3, H, W]`, that holds the objective's own and perhaps others.
    pub(super) views: &'a Array,
    /// The activations of each layer read, of the same batch.
    pub(super) activations: &'a [Array],
    /// The index in the batch of the objective's first item.
    pub(super) first: usize,
    pub(super) layout: BatchLayout,
    /// The activations of each reference picture at each layer read, an item for each view.
    pub(super) references: &'a [Vec<Array>],
    /// By layer slot and item: every pair of images needs the Gram matrices of both.
    grams: RefCell<BTreeMap<(usize, usize), Rc<Gram>>>,
}

impl<'a> ObjectiveContext<'a> {
    pub(super) fn new(
        views: &'a Array,
        activations: &'a [Array],
        first: usize,
        layout: BatchLayout,
        references: &'a [Vec<Array>],
    ) -> Self {
        Self { views, activations, first, layout, references, grams: RefCell::default() }
    }

    /// The index in the batch of one view of one image.
    pub(super) fn item(&self, image: usize, view: usize) -> usize {
        self.first + image * self.layout.views + view
    }

    /// The Gram matrix of the item's channels at a layer; it is computed once.
    pub(super) fn gram(&self, slot: usize, item: usize, channels: usize) -> Rc<Gram> {
        let mut grams = self.grams.borrow_mut();
        let made = || Rc::new(Gram::new(self.activations[slot].item(item), channels));
        Rc::clone(grams.entry((slot, item)).or_insert_with(made))
    }

    /// The images other than `image`.
    pub(super) fn others(&self, image: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.layout.images).filter(move |&other| other != image)
    }
}

/// The cotangents of an objective, in arrays of the shapes that its context has.
#[derive(Debug)]
pub(super) struct CotangentBuffers<'a> {
    /// d(value)/d(activations), by layer slot.
    pub(super) activations: &'a mut [Array],
    /// d(value)/d(views) of the terms that read the views themselves; empty if there are none.
    pub(super) views: &'a mut Array,
}
