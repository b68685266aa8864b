//! Runs plans, forwards and back: the packed weights, and the memory that all plans of a model share.

use trepang_api::{Array, Error, Linear, Network, Op, ReluGradient, Result, Weights};

use crate::buffer::Buffer;
use crate::conv::finish::{Activation, Finish, Input, Output};
use crate::conv::{Convolution, Direction, Scratch};
use crate::grid::BatchShape;
use crate::lanes::Lanes;
use crate::numbers::PulledNumbers;
use crate::plan::{ExecutionPlan, PlanStep, Planner, StepKind};
use crate::pointwise::{self, Joint};
use crate::redirect;
use crate::vector::{self, LinearWeights};
use crate::{Algorithm, CpuOptions};

/// Memory of more than so many times what a run needs is too much.
const TOO_MUCH: usize = 4;

/// Runs in a row that need little, after which memory that is too much is given back. Who looks at drafts while a run goes on has both
/// computed in turns, and they would wait for memory each time.
const RUNS_BEFORE_GIVING_BACK: u32 = 64;

/// The executor of plans: the packed weights, and the memory that all plans share.
pub(crate) struct PlanRunner<S> {
    simd: S,
    pub(crate) network: Network,
    /// For each node, its convolution if it is one.
    convolutions: Vec<Option<Convolution>>,
    linears: Vec<Option<LinearWeights>>,
    algorithm: Algorithm,
    slots: Vec<Buffer>,
    scratch: Scratch,
    /// The runs in a row that memory was too much for.
    small_runs: u32,
}

impl<S: Lanes> PlanRunner<S> {
    /// Packs the weights, which have been checked against the network.
    pub(crate) fn new(simd: S, network: &Network, weights: &Weights, options: CpuOptions) -> Result<Self> {
        let tensor = |prefix: &str, part: &str| {
            let name = format!("{prefix}.{part}");
            weights.get(&name).ok_or_else(|| Error::MissingWeight {
                network: network.name().into(),
                tensor: name.clone(),
                found: weights.iter().count(),
            })
        };
        let (mut convolutions, mut linears) = (Vec::new(), Vec::new());
        for node in network.nodes() {
            let (mut convolution, mut linear) = (None, None);
            if let Op::Conv2d(conv) = &node.op {
                let (w, b) = (tensor(&conv.weights, "weight")?, tensor(&conv.weights, "bias")?);
                convolution = Some(Convolution::new(conv, w, b, S::F32_LANES, options.algorithm));
            }
            if let Op::Linear(Linear { weights, .. }) = &node.op {
                let (weights, bias) = (tensor(weights, "weight")?.clone(), tensor(weights, "bias")?.clone());
                linear = Some(LinearWeights { weights, bias });
            }
            convolutions.push(convolution);
            linears.push(linear);
        }
        Ok(Self {
            simd,
            network: network.clone(),
            convolutions,
            linears,
            algorithm: options.algorithm,
            slots: Vec::new(),
            scratch: Scratch::default(),
            small_runs: 0,
        })
    }

    pub(crate) fn planner(&self) -> Planner<'_> {
        Planner {
            network: &self.network,
            convolutions: &self.convolutions,
            lanes: S::F32_LANES,
            algorithm: self.algorithm,
        }
    }

    /// Numbers that there is memory for.
    pub(crate) fn room(&self) -> usize {
        self.slots.iter().map(Buffer::len).sum()
    }

    /// Gives memory back of which runs have long needed only a small part; true if it did.
    pub(crate) fn give_back(&mut self, plan: &ExecutionPlan) -> bool {
        let is_small = self.room() > TOO_MUCH * plan.slots.iter().sum::<usize>();
        self.small_runs = if is_small { self.small_runs + 1 } else { 0 };
        let gives = self.small_runs > RUNS_BEFORE_GIVING_BACK;
        if gives {
            (self.slots, self.scratch, self.small_runs) = (Vec::new(), Scratch::default(), 0);
        }
        gives
    }

    pub(crate) fn make_room(&mut self, plan: &mut ExecutionPlan) {
        self.scratch.grow(plan.scratch, rayon::current_num_threads());
        let slots = self.slots.len().max(plan.slots.len());
        self.slots.resize_with(slots, Buffer::default);
        self.slots.iter_mut().zip(&plan.slots).for_each(|(slot, &len)| slot.grow(len));
        plan.steps.iter_mut().for_each(|step| step.kept.make_room(&step.keeps));
    }

    pub(crate) fn asked(&self, plan: &ExecutionPlan) -> Vec<Array> {
        let values = plan.asked.iter().map(|&value| &plan.values[value]);
        values.map(|value| value.grid.download(S::F32_LANES, self.slots[value.slot].numbers())).collect()
    }

    /// Runs a plan from the images, or from the values of layers, in their order.
    pub(crate) fn forward(&mut self, from: &[&Array], plan: &mut ExecutionPlan, relu: ReluGradient) {
        let ExecutionPlan { steps, values, .. } = plan;
        for step in steps {
            let value = &values[step.writes];
            let mut y = std::mem::take(&mut self.slots[value.slot]);
            let inputs: Vec<(BatchShape, usize)> =
                step.reads.iter().map(|&r| (values[r].grid, values[r].slot)).collect();
            self.step(from, step, &inputs, value.grid, &mut y.numbers_mut()[..value.grid.len(S::F32_LANES)]);
            if relu == ReluGradient::Redirected && step.kind.activation() == Activation::Relu6 {
                // Another step will write over y: what redirecting needs of it is kept now.
                redirect::find_high(self.simd, value.grid, y.numbers(), &mut step.kept.high);
            }
            self.slots[value.slot] = y;
        }
    }

    /// One step: `inputs` are the sides and the slots of what it reads.
    fn step(
        &mut self,
        from: &[&Array],
        step: &mut PlanStep,
        inputs: &[(BatchShape, usize)],
        grid: BatchShape,
        y: &mut [f32],
    ) {
        let (simd, lanes) = (self.simd, S::F32_LANES);
        let x = inputs.first().map_or(&[][..], |&(_, slot)| self.slots[slot].numbers());
        let x_grid = inputs.first().map_or(grid, |&(grid, _)| grid);
        let gates = Some(&mut step.kept.gates[..]).filter(|gates| !gates.is_empty());
        match &step.kind {
            StepKind::Given(place) => grid.pack(lanes, from[*place].data(), y, |_, x| x),
            StepKind::Preprocess => {
                let p = self.network.preprocess();
                grid.pack(lanes, from[0].data(), y, |c, x| p.scale[c] * x + p.shift[c]);
            }
            StepKind::Convolve { forward, activation, .. } => {
                let Some(convolution) = &self.convolutions[step.node] else { return };
                let finish =
                    Finish { bias: Some(convolution.bias()), activation: *activation, accumulate: false };
                let (input, output) = (Input { data: x, gates: None }, Output { data: y, gates });
                let kernel = (forward, Direction::Forward);
                convolution.run(simd, kernel, input, output, finish, &mut self.scratch);
            }
            StepKind::Sum(activation) => {
                let inputs: Vec<&[f32]> =
                    inputs.iter().map(|&(_, slot)| self.slots[slot].numbers()).collect();
                pointwise::sum(simd, grid, &inputs, *activation, Output { data: y, gates });
            }
            StepKind::Numbers(number_step) => {
                let inputs: Vec<&[f32]> =
                    inputs.iter().map(|&(_, slot)| self.slots[slot].numbers()).collect();
                number_step.forward(simd, &inputs, (grid, y), &mut step.kept);
            }
            StepKind::MaxPool(windows) => windows.max(simd, x, y, &mut step.kept.winners),
            StepKind::Average { windows, count_padding } => windows.average(simd, *count_padding, x, y),
            StepKind::GlobalAverage => pointwise::global_average(simd, x_grid, x, y),
            StepKind::Concat => {
                y.fill(0.0);
                for (joint, slot) in joints(inputs) {
                    joint.join(lanes, self.slots[slot].numbers(), y);
                }
            }
            StepKind::Flatten | StepKind::Linear | StepKind::Softmax => {
                self.vector_step(step, inputs, grid, y);
            }
        }
    }

    /// A step on row-major numbers, which its only input is unpacked to.
    fn vector_step(
        &mut self,
        step: &mut PlanStep,
        inputs: &[(BatchShape, usize)],
        grid: BatchShape,
        y: &mut [f32],
    ) {
        let (lanes, linear) = (S::F32_LANES, &self.linears[step.node]);
        let Some(&(x_grid, slot)) = inputs.first() else { return };
        let (plain_x, plain_y) = plain(&mut self.scratch.shared, x_grid, grid);
        x_grid.unpack(lanes, self.slots[slot].numbers(), plain_x, |_, x| x);
        match linear {
            Some(linear) => linear.forward(self.simd, grid.n, plain_x, plain_y),
            None => plain_y.copy_from_slice(plain_x),
        }
        if matches!(step.kind, StepKind::Softmax) {
            vector::softmax(grid, plain_y);
            let kept = step.kept.numbers.numbers_mut();
            kept.iter_mut().zip(&*plain_y).for_each(|(kept, &y)| *kept = y);
        }
        grid.pack(lanes, plain_y, y, |_, y| y);
    }

    /// Pulls the caller's cotangents back to what the run started from; zero where nothing comes.
    pub(crate) fn back(
        &mut self,
        plan: &ExecutionPlan,
        relu: ReluGradient,
        cotangents: &[Array],
        from: &[&Array],
    ) -> Vec<Array> {
        let lanes = S::F32_LANES;
        let mut written = vec![false; plan.values.len()];
        for (&value, cotangent) in plan.asked.iter().zip(cotangents) {
            let (grid, slot) = (plan.values[value].grid, plan.values[value].gradient);
            let into = self.slots[slot].numbers_mut();
            if std::mem::replace(&mut written[value], true) {
                let mut packed = Buffer::new(grid.len(lanes));
                grid.pack(lanes, cotangent.data(), packed.numbers_mut(), |_, x| x);
                into.iter_mut().zip(packed.numbers()).for_each(|(sum, &x)| *sum += x);
            } else {
                grid.pack(lanes, cotangent.data(), into, |_, x| x);
            }
        }
        let mut gradients: Vec<Array> = from.iter().map(|array| Array::zeros(array.shape())).collect();
        for step in plan.steps.iter().rev() {
            let value = &plan.values[step.writes];
            if let Some((place, scale)) = self.origin(&step.kind) {
                let dy = self.slots[value.gradient].numbers();
                value
                    .grid
                    .unpack(lanes, dy, gradients[place].data_mut(), |c, dy| scale.map_or(dy, |s| s[c] * dy));
                continue;
            }
            let redirected = match relu {
                ReluGradient::True => None,
                ReluGradient::Redirected => {
                    redirect::gates(self.simd, value.grid, self.slots[value.gradient].numbers(), &step.kept)
                }
            };
            let gates = redirected.as_deref().unwrap_or(&step.kept.gates);
            let mut first = 0;
            for (place, &read) in step.reads.iter().enumerate() {
                let to = &plan.values[read];
                let accumulate = std::mem::replace(&mut written[read], true);
                let mut dx = std::mem::take(&mut self.slots[to.gradient]);
                let shapes = StepShapes { x: to.grid, y: value.grid, place, first };
                self.step_back(step, shapes, (value.gradient, gates), dx.numbers_mut(), accumulate);
                self.slots[to.gradient] = dx;
                first += to.grid.channels;
            }
        }
        gradients
    }

    /// For a step at which a run begins: the place of its array, and the factors of its channels if it has some.
    fn origin(&self, kind: &StepKind) -> Option<(usize, Option<[f32; 3]>)> {
        match kind {
            StepKind::Given(place) => Some((*place, None)),
            StepKind::Preprocess => Some((0, Some(self.network.preprocess().scale))),
            StepKind::Convolve { .. }
            | StepKind::Sum(_)
            | StepKind::Numbers(_)
            | StepKind::MaxPool(_)
            | StepKind::Average { .. }
            | StepKind::GlobalAverage
            | StepKind::Concat
            | StepKind::Flatten
            | StepKind::Linear
            | StepKind::Softmax => None,
        }
    }

    /// The pull-back of one step to one of its inputs: of the gradient in a slot, through gates if there are any.
    fn step_back(
        &mut self,
        step: &PlanStep,
        shapes: StepShapes,
        (dy, gates): (usize, &[u16]),
        dx: &mut [f32],
        accumulate: bool,
    ) {
        let (simd, lanes) = (self.simd, S::F32_LANES);
        let dy = self.slots[dy].numbers();
        let gates = Some(gates).filter(|gates| !gates.is_empty());
        let dx = &mut dx[..shapes.x.len(lanes)];
        match &step.kind {
            StepKind::Given(_) | StepKind::Preprocess => {}
            StepKind::Convolve { back, .. } => {
                let (Some(convolution), Some(back)) = (&self.convolutions[step.node], back) else { return };
                let (input, output) = (Input { data: dy, gates }, Output { data: dx, gates: None });
                let finish = Finish::plain(accumulate);
                convolution.run(simd, (back, Direction::Back), input, output, finish, &mut self.scratch);
            }
            StepKind::Sum(_) => {
                pointwise::pass_back(simd, shapes.y, Input { data: dy, gates }, dx, accumulate);
            }
            StepKind::Numbers(number_step) => {
                let StepShapes { x, y, place, .. } = shapes;
                let scratch = self.scratch.shared.numbers_mut();
                let pulled = PulledNumbers { place, x, y, dy, scratch };
                number_step.back(simd, &step.kept, pulled, (dx, accumulate));
            }
            StepKind::MaxPool(windows) => windows.max_back(simd, dy, &step.kept.winners, dx, !accumulate),
            StepKind::Average { windows, count_padding } => {
                windows.average_back(simd, *count_padding, dy, dx, !accumulate);
            }
            StepKind::GlobalAverage => pointwise::global_average_back(simd, shapes.x, dy, dx, accumulate),
            StepKind::Concat => {
                Joint { part: shapes.x, first: shapes.first }.part_back(lanes, dy, dx, accumulate);
            }
            StepKind::Flatten | StepKind::Linear | StepKind::Softmax => {
                let (plain_dx, plain_dy) = plain(&mut self.scratch.shared, shapes.x, shapes.y);
                shapes.y.unpack(lanes, dy, plain_dy, |_, dy| dy);
                if matches!(step.kind, StepKind::Softmax) {
                    vector::softmax_back(shapes.y, step.kept.numbers.numbers(), plain_dy);
                }
                match &self.linears[step.node] {
                    Some(linear) => linear.back(simd, shapes.y.n, plain_dy, plain_dx),
                    None => plain_dx.copy_from_slice(plain_dy),
                }
                shapes.x.put_back(lanes, plain_dx, dx, accumulate);
            }
        }
    }
}

/// The shapes of a step's input and output, for its pull-back.
#[derive(Clone, Copy)]
struct StepShapes {
    x: BatchShape,
    y: BatchShape,
    /// The input's place among the inputs.
    place: usize,
    /// The input's first channel among the output's: of a concatenation.
    first: usize,
}

/// The first channel of each input of a concatenation.
fn joints(inputs: &[(BatchShape, usize)]) -> impl Iterator<Item = (Joint, usize)> {
    inputs.iter().scan(0, |first, &(part, slot)| {
        let joint = Joint { part, first: *first };
        *first += part.channels;
        Some((joint, slot))
    })
}

/// Row-major memory for a step's input and its output.
fn plain(shared: &mut Buffer, x: BatchShape, y: BatchShape) -> (&mut [f32], &mut [f32]) {
    let [x, y] = [x, y].map(|grid| grid.dims().iter().product::<usize>());
    shared.numbers_mut()[..x + y].split_at_mut(x)
}
