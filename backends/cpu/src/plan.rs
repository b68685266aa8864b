//! The plan of a network for given layers, images and sizes: the steps, with each ReLU in the step before it; which
//! kernel computes each convolution; and which piece of memory holds each activation and each gradient, so that a step
//! of an ascent allocates nothing.

mod slots;

use trepang_api::{LayerId, Network, Node, Op, Result, Shape};

use crate::Algorithm;
use crate::conv::finish::Activation;
use crate::conv::{ConvKernel, Convolution, Direction};
use crate::grid::BatchShape;
use crate::kept::{Kept, KeptLengths};
use crate::numbers::NumberStep;
use crate::pool::Windows;

/// The key of a plan: what it is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanKey {
    pub(crate) at: Vec<LayerId>,
    pub(crate) source: PlanSource,
    pub(crate) pulls_back: bool,
}

/// The arrays that a plan's run starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlanSource {
    /// Images, with their N, height and width.
    Images([usize; 3]),
    /// Values of layers, with their sides.
    Layers(Vec<(LayerId, [usize; 4])>),
}

impl PlanSource {
    fn layers(&self) -> &[(LayerId, [usize; 4])] {
        match self {
            Self::Images(_) => &[],
            Self::Layers(layers) => layers,
        }
    }
}

/// The operation of a step, and the kernels that compute it.
#[derive(Debug)]
pub(crate) enum StepKind {
    /// The value of a layer that the run starts from, by its place among those.
    Given(usize),
    Preprocess,
    Convolve {
        forward: ConvKernel,
        back: Option<ConvKernel>,
        activation: Activation,
    },
    Sum(Activation),
    Numbers(NumberStep),
    MaxPool(Windows),
    Average {
        windows: Windows,
        count_padding: bool,
    },
    GlobalAverage,
    Concat,
    Flatten,
    Linear,
    Softmax,
}

impl StepKind {
    /// The ReLU that ends it.
    pub(crate) fn activation(&self) -> Activation {
        match self {
            Self::Convolve { activation, .. } | Self::Sum(activation) => *activation,
            Self::Given(_)
            | Self::Preprocess
            | Self::Numbers(_)
            | Self::MaxPool(_)
            | Self::Average { .. }
            | Self::GlobalAverage
            | Self::Concat
            | Self::Flatten
            | Self::Linear
            | Self::Softmax => Activation::None,
        }
    }
}

/// One step: a node, or a node and its ReLU.
#[derive(Debug)]
pub(crate) struct PlanStep {
    pub(crate) kind: StepKind,
    /// The node whose operation it is, and whose weights it uses.
    pub(crate) node: usize,
    /// The values that it reads, in the order of the node's inputs.
    pub(crate) reads: Vec<usize>,
    /// The value written.
    pub(crate) writes: usize,
    /// Empty until the plan is run.
    pub(crate) kept: Kept,
    pub(crate) keeps: KeptLengths,
}

/// An activation: its sides, and the slots that hold it and its gradient.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) grid: BatchShape,
    pub(crate) slot: usize,
    pub(crate) gradient: usize,
}

/// The steps of a run, and the memory that they work in.
#[derive(Debug)]
pub(crate) struct ExecutionPlan {
    pub(crate) steps: Vec<PlanStep>,
    pub(crate) values: Vec<Value>,
    /// For each layer asked for, its value.
    pub(crate) asked: Vec<usize>,
    /// Numbers that each slot must hold.
    pub(crate) slots: Vec<usize>,
    /// Numbers of scratch memory: shared, and each thread's own.
    pub(crate) scratch: [usize; 2],
}

impl ExecutionPlan {
    /// Bytes of memory that a run takes with so many threads, and the arrays that go in and out.
    pub(crate) fn bytes(&self, lanes: usize, threads: usize) -> u64 {
        let [shared, own] = self.scratch;
        let begins = |step: &&PlanStep| matches!(step.kind, StepKind::Preprocess | StepKind::Given(_));
        let sources = self.steps.iter().filter(begins).map(|step| step.writes);
        let given = self.asked.iter().copied().chain(sources);
        // Activations and cotangents, what the run starts from and its gradient.
        let arrays: usize = given.map(|value| 2 * self.values[value].grid.len(lanes)).sum();
        let numbers = self.slots.iter().sum::<usize>() + shared + own * threads + arrays;
        let kept: usize = self.steps.iter().map(|step| step.keeps.bytes()).sum();
        (numbers * size_of::<f32>() + kept) as u64
    }
}

/// The source of plans.
pub(crate) struct Planner<'a> {
    pub(crate) network: &'a Network,
    /// For each node, its convolution if it is one.
    pub(crate) convolutions: &'a [Option<Convolution>],
    pub(crate) lanes: usize,
    pub(crate) algorithm: Algorithm,
}

impl Planner<'_> {
    /// The layers of `key` have been checked, and so have the shapes that its run starts from.
    pub(crate) fn plan(&self, key: &PlanKey) -> Result<ExecutionPlan> {
        let grids = self.grids(key)?;
        let needed = self.needed(key);
        let mut plan = ExecutionPlan {
            steps: Vec::new(),
            values: Vec::new(),
            asked: Vec::new(),
            slots: Vec::new(),
            scratch: [0; 2],
        };
        let mut value_of = vec![None; grids.len()];
        for index in 0..grids.len() {
            if needed[index] == 0 || value_of[index].is_some() {
                continue;
            }
            let node = &self.network.nodes()[index];
            let given = key.source.layers().iter().position(|(id, _)| id.index() == index);
            let follower = if given.is_some() { None } else { self.follower(index, &needed, key) };
            let activation = follower.map_or(Activation::None, |(_, activation)| activation);
            let grid = grids[index];
            let inputs = if given.is_some() { &[][..] } else { &node.inputs };
            let reads: Vec<usize> = inputs.iter().filter_map(|input| value_of[input.index()]).collect();
            let x_grids: Vec<BatchShape> = inputs.iter().map(|input| grids[input.index()]).collect();
            let x = x_grids.first().copied().unwrap_or(grid);
            let kind = match given {
                Some(place) => StepKind::Given(place),
                None => self.kind(index, (&x_grids, grid), activation, key.pulls_back),
            };
            let keeps = self.keeps(&kind, [x, grid], key.pulls_back);
            self.scratch(&mut plan.scratch, &kind, x, grid);
            let writes = plan.values.len();
            plan.values.push(Value { grid, slot: 0, gradient: 0 });
            value_of[follower.map_or(index, |(follower, _)| follower)] = Some(writes);
            plan.steps.push(PlanStep { kind, node: index, reads, writes, kept: Kept::default(), keeps });
        }
        plan.asked = key.at.iter().filter_map(|id| value_of[id.index()]).collect();
        plan.assign(self.lanes, key.pulls_back);
        Ok(plan)
    }

    /// The sides of each node's output, up to the deepest layer asked for; nothing for those that are not needed.
    fn grids(&self, key: &PlanKey) -> Result<Vec<BatchShape>> {
        let deepest = key.at.iter().max().copied().unwrap_or(trepang_api::NetworkBuilder::FIRST);
        match &key.source {
            PlanSource::Images([n, height, width]) => {
                let shapes = self.network.shapes(*height, *width, deepest)?;
                Ok(shapes.into_iter().map(|shape| BatchShape::new(*n, shape)).collect())
            }
            PlanSource::Layers(layers) => {
                let n = layers.first().map_or(0, |(_, sides)| sides[0]);
                let shape = |&(id, [_, channels, height, width]): &(LayerId, [usize; 4])| {
                    (id, Shape { channels, height, width })
                };
                let start: Vec<_> = layers.iter().map(shape).collect();
                let shapes = self.network.shapes_from(&start, &key.at)?;
                let absent = Shape { channels: 0, height: 0, width: 0 };
                Ok(shapes.into_iter().map(|shape| BatchShape::new(n, shape.unwrap_or(absent))).collect())
            }
        }
    }

    fn needed(&self, key: &PlanKey) -> Vec<usize> {
        let given: Vec<LayerId> = key.source.layers().iter().map(|(id, _)| *id).collect();
        self.network.needed_from(&given, &key.at)
    }

    /// The ReLU that a node's output goes to and nowhere else.
    fn follower(&self, index: usize, needed: &[usize], key: &PlanKey) -> Option<(usize, Activation)> {
        let nodes = self.network.nodes();
        let fuses = matches!(nodes[index].op, Op::Conv2d(_) | Op::Add);
        if !fuses || needed[index] != 1 || key.at.iter().any(|id| id.index() == index) {
            return None;
        }
        let is_given = |node: usize| key.source.layers().iter().any(|(id, _)| id.index() == node);
        let reads = |node: &Node| node.inputs.iter().any(|input| input.index() == index);
        let follower = (index + 1..needed.len())
            .find(|&later| needed[later] > 0 && !is_given(later) && reads(&nodes[later]))?;
        activation(&nodes[follower].op).map(|activation| (follower, activation))
    }

    fn kind(
        &self,
        index: usize,
        (inputs, y): (&[BatchShape], BatchShape),
        activation: Activation,
        pulls_back: bool,
    ) -> StepKind {
        let (op, x) = (&self.network.nodes()[index].op, inputs.first().copied().unwrap_or(y));
        if let Some(step) = NumberStep::of(op, inputs) {
            return StepKind::Numbers(step);
        }
        match op {
            Op::Preprocess(_) => StepKind::Preprocess,
            Op::Conv2d(_) => match &self.convolutions[index] {
                Some(convolution) => {
                    let kernel = |direction| convolution.kernel(direction, x, y, self.algorithm);
                    let back = pulls_back.then(|| kernel(Direction::Back));
                    StepKind::Convolve { forward: kernel(Direction::Forward), back, activation }
                }
                None => unreachable!("every convolution was packed"),
            },
            Op::Relu => StepKind::Sum(Activation::Relu),
            Op::Relu6 => StepKind::Sum(Activation::Relu6),
            Op::Add => StepKind::Sum(activation),
            Op::MaxPool(pool) => StepKind::MaxPool(Windows::new(pool, x, y)),
            Op::AveragePool { pool, count_padding } => {
                StepKind::Average { windows: Windows::new(pool, x, y), count_padding: *count_padding }
            }
            Op::GlobalAverage => StepKind::GlobalAverage,
            Op::Concat => StepKind::Concat,
            Op::Flatten => StepKind::Flatten,
            Op::Linear(_) => StepKind::Linear,
            Op::Softmax => StepKind::Softmax,
            Op::Multiply
            | Op::Unary(_)
            | Op::Lrn(_)
            | Op::LayerNorm { .. }
            | Op::GroupNorm { .. }
            | Op::Upsample(_)
            | Op::Channels(_) => {
                unreachable!("it is a step on numbers")
            }
        }
    }

    fn keeps(&self, kind: &StepKind, [x, grid]: [BatchShape; 2], pulls_back: bool) -> KeptLengths {
        let mut keeps = KeptLengths::default();
        if kind.activation() != Activation::None && pulls_back {
            keeps.gates = grid.vectors(self.lanes);
        }
        match kind {
            StepKind::MaxPool(windows) => keeps.winners = windows.winners(self.lanes),
            StepKind::Numbers(step) => [keeps.numbers, keeps.factors] = step.keeps(x, self.lanes, pulls_back),
            StepKind::Softmax if pulls_back => keeps.numbers = grid.dims().iter().product(),
            StepKind::Given(_)
            | StepKind::Preprocess
            | StepKind::Convolve { .. }
            | StepKind::Sum(_)
            | StepKind::Average { .. }
            | StepKind::GlobalAverage
            | StepKind::Concat
            | StepKind::Flatten
            | StepKind::Linear
            | StepKind::Softmax => {}
        }
        keeps
    }

    fn scratch(&self, scratch: &mut [usize; 2], kind: &StepKind, x: BatchShape, y: BatchShape) {
        let numbers = |grid: BatchShape| grid.dims().iter().product::<usize>();
        let mut need = |[shared, own]: [usize; 2]| *scratch = [scratch[0].max(shared), scratch[1].max(own)];
        match kind {
            StepKind::Convolve { forward, back, .. } => {
                need(forward.scratch(self.lanes));
                if let Some(back) = back {
                    need(back.scratch(self.lanes));
                }
            }
            StepKind::Numbers(step) => need([step.scratch(x, self.lanes), 0]),
            StepKind::Flatten | StepKind::Linear | StepKind::Softmax => need([numbers(x) + numbers(y), 0]),
            StepKind::Given(_)
            | StepKind::Preprocess
            | StepKind::Sum(_)
            | StepKind::MaxPool(_)
            | StepKind::Average { .. }
            | StepKind::GlobalAverage
            | StepKind::Concat => {}
        }
    }
}

/// The part of a node that the step before it can do.
fn activation(op: &Op) -> Option<Activation> {
    match op {
        Op::Relu => Some(Activation::Relu),
        Op::Relu6 => Some(Activation::Relu6),
        Op::Preprocess(_)
        | Op::Conv2d(_)
        | Op::MaxPool(_)
        | Op::AveragePool { .. }
        | Op::GlobalAverage
        | Op::Add
        | Op::Multiply
        | Op::Unary(_)
        | Op::Lrn(_)
        | Op::LayerNorm { .. }
        | Op::GroupNorm { .. }
        | Op::Upsample(_)
        | Op::Channels(_)
        | Op::Concat
        | Op::Flatten
        | Op::Linear(_)
        | Op::Softmax => None,
    }
}
