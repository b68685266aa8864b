//! The views of a step: made from the images, and their gradients brought back to the images.

use std::borrow::Cow;

use trepang_api::{Array, ComputePool};

use super::Views;
use super::blur::{add_blur_adjoint, blur};
use crate::engine::parallel::{for_each, map};
use crate::engine::resample::Places;
use crate::engine::rng::{SeededRng, Stream};

/// The views of a step, and the places of their pixels in images of one size.
#[derive(Debug)]
pub(in crate::engine) struct PlacedViews {
    views: Views,
    /// The places of each view's pixels; none where a view is the image itself.
    places: Vec<Option<Places>>,
}

impl PlacedViews {
    /// Works out the places of the views' pixels in images of these rows and columns.
    pub(in crate::engine) fn new(views: Views, image: [usize; 2], pool: &dyn ComputePool) -> Self {
        let places = map(pool, &views.draws, |draw| draw.places(image, views.view));
        Self { views, places }
    }

    /// The number of views of each image.
    pub(in crate::engine) fn count(&self) -> usize {
        self.places.len()
    }

    /// The rows and columns of the views.
    pub(in crate::engine) fn view(&self) -> [usize; 2] {
        self.views.view
    }

    /// The number of a view's pixels.
    fn area(&self) -> usize {
        self.views.view.iter().product()
    }

    /// The images as the network sees them: `[images * views, 3, ..]` of the views' size from `[images, 3, ..]` of theirs.
    pub(in crate::engine) fn show(&self, images: &Array, pool: &dyn ComputePool) -> Array {
        let [height, width] = self.views.view;
        let mut views = Array::zeros([images.shape()[0] * self.places.len(), 3, height, width]);
        self.show_in(images, views.data_mut(), pool);
        views
    }

    /// Writes what [`show`](Self::show) returns.
    pub(in crate::engine) fn show_in(&self, images: &Array, views: &mut [f32], pool: &dyn ComputePool) {
        let [area, to] = [images.shape()[2] * images.shape()[3], self.area()];
        let planes = views.chunks_exact_mut(to).enumerate();
        for_each(pool, planes, |(index, view)| {
            let (item, colour) = (index / 3, index % 3);
            let (image, draw) = (item / self.places.len(), item % self.places.len());
            let plane = &images.item(image)[colour * area..][..area];
            match &self.places[draw] {
                Some(places) => places.sample(plane, view),
                None => view.copy_from_slice(plane),
            }
            if let Some(sigma) = self.views.draws[draw].blur {
                blur(view, self.views.view[1], sigma);
            }
        });
        self.add_noise(views, pool);
    }

    fn add_noise(&self, views: &mut [f32], pool: &dyn ComputePool) {
        let Views { draws, context, .. } = &self.views;
        let items = views.chunks_exact_mut(3 * self.area()).enumerate();
        let noisy = items.filter(|(item, _)| draws[item % draws.len()].noise != [0.0; 2]);
        for_each(pool, noisy, |(item, view)| {
            let (image, index) = (item / draws.len(), item % draws.len());
            let stream = Stream::Noise { step: context.step, view: index, image };
            add_noise(view, draws[index].noise, &mut SeededRng::new(context.seed, stream));
        });
    }

    /// The adjoint of [`show`](Self::show): the gradient of `count` images of these rows and columns from that of their views.
    pub(in crate::engine) fn pull_back(
        &self,
        gradient: &[f32],
        (count, [height, width]): (usize, [usize; 2]),
        pool: &dyn ComputePool,
    ) -> Array {
        let mut images = Array::zeros([count, 3, height, width]);
        let len = 3 * self.area();
        let each = images.data_mut().chunks_exact_mut(3 * height * width).enumerate();
        for_each(pool, each, |(image, into)| {
            for (view, places) in self.places.iter().enumerate() {
                let gradient = &gradient[(image * self.places.len() + view) * len..][..len];
                self.add_adjoint(gradient, into, (view, places.as_ref()));
            }
        });
        images
    }

    fn add_adjoint(&self, view: &[f32], image: &mut [f32], (draw, places): (usize, Option<&Places>)) {
        let mut gradient = Cow::Borrowed(view);
        let to = self.area();
        if let Some(sigma) = self.views.draws[draw].blur {
            let planes = gradient.to_mut().chunks_exact_mut(to);
            planes.for_each(|plane| add_blur_adjoint(plane, self.views.view[1], sigma));
        }
        match places {
            Some(places) => {
                let planes = [0, 1, 2].map(|colour| &gradient[colour * to..][..to]);
                let (red, rest) = image.split_at_mut(image.len() / 3);
                let (green, blue) = rest.split_at_mut(red.len());
                places.add_adjoint(planes, [red, green, blue]);
            }
            None => image.iter_mut().zip(&*gradient).for_each(|(image, g)| *image += g),
        }
    }
}

fn add_noise(view: &mut [f32], [gauss, uniform]: [f64; 2], rng: &mut SeededRng) {
    for value in view {
        let wide = if uniform > 0.0 { rng.between(-uniform, uniform) } else { 0.0 };
        *value += (gauss * rng.normal() + wide) as f32;
    }
}
