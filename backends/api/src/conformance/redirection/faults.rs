//! The checks of redirection tell a right backend from wrong ones: the reference, with other pull-backs of its ReLUs.

use std::sync::Arc;

use super::{
    dead_relus_are_redirected, limit, living_images_keep_their_gradient, redirected_pull_backs_agree,
};
use crate::conformance::Measured;
use crate::reference::Loops;
use crate::{
    Array, Backend, Device, Interpreter, Kernels, Model, Network, Node, Op, PullBack, Reference,
    ReluGradient, Result, Weights, find_device,
};

/// A way to redirect.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// The count of numbers, of `[n, c, h, w]`, that are treated alike: if anything gets through, none of them is
    /// redirected.
    together: fn([usize; 4]) -> usize,
    /// The part of dy that is redirected to an x outside the bounds.
    part: fn(x: f32, dy: f32) -> f32,
}

fn an_image([_, c, h, w]: [usize; 4]) -> usize {
    c * h * w
}

fn towards_the_bounds(x: f32, dy: f32) -> f32 {
    if x > 0.0 { dy.min(0.0) } else { dy.max(0.0) }
}

impl Way {
    fn pull_back(self, x: &Array, limit: f32, dy: &Array) -> Result<Array> {
        let (n, shape) = x.dims4()?;
        let together = (self.together)(shape.batch(n));
        let is_open = |x: f32| x > 0.0 && x < limit;
        let mut dx = dy.clone();
        for (dx, x) in dx.data_mut().chunks_mut(together).zip(x.data().chunks(together)) {
            let through = dx.iter().zip(x).any(|(&dx, &x)| is_open(x) && dx != 0.0);
            for (dx, &x) in dx.iter_mut().zip(x).filter(|(_, x)| !is_open(**x)) {
                *dx = if through { 0.0 } else { (self.part)(x, *dx) };
            }
        }
        Ok(dx)
    }
}

impl Backend for Way {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn devices(&self) -> Vec<Device> {
        Reference.devices()
    }

    fn threads(&self) -> usize {
        1
    }

    fn load(&self, network: &Network, weights: &Weights, _: &Device) -> Result<Box<dyn Model>> {
        let inner = Loops { weights: weights.clone() };
        Ok(Box::new(Interpreter::new(network.clone(), OtherLoops { inner, way: *self })))
    }
}

#[derive(Debug)]
struct OtherLoops {
    inner: Loops,
    way: Way,
}

impl Kernels for OtherLoops {
    type Tensor = Arc<Array>;

    fn upload(&self, array: &Array) -> Result<Arc<Array>> {
        self.inner.upload(array)
    }

    fn download(&self, tensor: &Arc<Array>) -> Result<Array> {
        self.inner.download(tensor)
    }

    fn forward<'a>(
        &'a self,
        node: &'a Node,
        inputs: &[&Arc<Array>],
        relu: ReluGradient,
    ) -> Result<(Arc<Array>, PullBack<'a, Arc<Array>>)> {
        let (y, pull_back) = self.inner.forward(node, inputs, ReluGradient::True)?;
        if relu == ReluGradient::True || !matches!(node.op, Op::Relu | Op::Relu6) {
            return Ok((y, pull_back));
        }
        let x = Arc::clone(inputs[0]);
        let other = move |dy: Arc<Array>| Ok(vec![Arc::new(self.way.pull_back(&x, limit(&node.op), &dy)?)]);
        Ok((y, Box::new(other)))
    }

    fn add(&self, a: &Arc<Array>, b: &Arc<Array>) -> Result<Arc<Array>> {
        self.inner.add(a, b)
    }
}

/// The results of the three checks: with the reference, with the true pull-back, and of living images.
fn check(together: fn([usize; 4]) -> usize, part: fn(f32, f32) -> f32, pass: [bool; 3]) {
    let cpu = find_device(&Reference, "cpu").unwrap();
    let checks = [redirected_pull_backs_agree, dead_relus_are_redirected, living_images_keep_their_gradient];
    let found = checks.map(|check| check(&Way { together, part }, &cpu).unwrap());
    assert_eq!(found.map(Measured::passes), pass, "{found:?}");
}

#[test]
fn the_rule_passes() {
    check(an_image, towards_the_bounds, [true; 3]);
}

#[test]
fn a_backend_that_ignores_the_field_is_found_out() {
    check(an_image, |_, _| 0.0, [false, false, true]);
}

#[test]
fn a_backend_that_redirects_living_images_is_found_out() {
    check(|_| 1, towards_the_bounds, [false; 3]);
}

#[test]
fn a_backend_that_decides_for_each_channel_is_found_out() {
    check(|[_, _, h, w]| h * w, towards_the_bounds, [false; 3]);
}

#[test]
fn a_backend_that_decides_for_the_whole_batch_is_found_out() {
    check(|[n, c, h, w]| n * c * h * w, towards_the_bounds, [false, false, true]);
}

#[test]
fn a_backend_that_lets_everything_through_is_found_out() {
    check(an_image, |_, dy| dy, [false, false, true]);
}

#[test]
fn a_backend_that_forgets_the_upper_bound_is_found_out() {
    check(an_image, |_, dy| dy.max(0.0), [false, false, true]);
}

#[test]
fn a_backend_that_turns_the_sign_round_is_found_out() {
    check(an_image, |x, dy| towards_the_bounds(-x, dy), [false, false, true]);
}
