//! What a network comes to for given layers, images and sizes: the steps, with each ReLU in the step before it; which
//! kernel computes each convolution; and which piece of memory holds each activation and each gradient, so that a step
//! of an ascent allocates nothing.

use trepang_api::{LayerId, Network, Node, Op, Result};

use crate::Algorithm;
use crate::buffer::Buffer;
use crate::conv::finish::Activation;
use crate::conv::{Convolution, Direction, Kernel};
use crate::grid::Grid;
use crate::pool::Windows;

/// What a plan is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) at: Vec<LayerId>,
    /// N, height and width of the images.
    pub(crate) images: [usize; 3],
    pub(crate) pulls_back: bool,
}

/// How a step computes.
#[derive(Debug)]
pub(crate) enum Job {
    Preprocess,
    Convolve { forward: Kernel, back: Option<Kernel>, activation: Activation },
    Sum(Activation),
    MaxPool(Windows),
    Average { windows: Windows, count_padding: bool },
    GlobalAverage,
    Concat,
    Flatten,
    Linear,
    Softmax,
}

impl Job {
    /// The ReLU that ends it.
    pub(crate) fn activation(&self) -> Activation {
        match self {
            Self::Convolve { activation, .. } | Self::Sum(activation) => *activation,
            _ => Activation::None,
        }
    }
}

/// One step: a node, or a node and its ReLU.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) job: Job,
    /// Whose weights.
    pub(crate) node: usize,
    /// Values read.
    pub(crate) reads: Vec<usize>,
    /// The value written.
    pub(crate) writes: usize,
    pub(crate) kept: Kept,
}

/// What a step keeps from its forward run for its pull-back.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// A ReLU's, a word a vector.
    pub(crate) gates: Vec<u16>,
    /// Which of a ReLU6's are closed because the number is too large; empty until a pull-back redirects.
    pub(crate) high: Vec<u16>,
    /// A max pool's.
    pub(crate) winners: Vec<u16>,
    /// A softmax's output.
    pub(crate) numbers: Buffer,
}

/// An activation: its sides, and the slots that hold it and its gradient.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) grid: Grid,
    pub(crate) slot: usize,
    pub(crate) gradient: usize,
}

/// The whole.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) values: Vec<Value>,
    /// For each layer asked for, its value.
    pub(crate) asked: Vec<usize>,
    /// Numbers that each slot must hold.
    pub(crate) slots: Vec<usize>,
    /// Numbers of scratch memory: shared, and each thread's own.
    pub(crate) scratch: [usize; 2],
}

/// What plans are made from.
pub(crate) struct Planner<'a> {
    pub(crate) network: &'a Network,
    /// By node.
    pub(crate) convolutions: &'a [Option<Convolution>],
    pub(crate) lanes: usize,
    pub(crate) algorithm: Algorithm,
}

impl Planner<'_> {
    /// The request has been checked.
    pub(crate) fn plan(&self, request: &Request) -> Result<Plan> {
        let deepest = request.at.iter().max().copied().unwrap_or(trepang_api::NetworkBuilder::FIRST);
        let [n, height, width] = request.images;
        let grids: Vec<Grid> = self
            .network
            .shapes(height, width, deepest)?
            .into_iter()
            .map(|shape| Grid::new(n, shape))
            .collect();
        let needed = self.network.needed(&request.at);
        let mut plan = Plan {
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
            let follower = self.follower(index, &needed, request);
            let activation = follower.map_or(Activation::None, |(_, activation)| activation);
            let grid = grids[index];
            let reads: Vec<usize> = node.inputs.iter().filter_map(|input| value_of[input.index()]).collect();
            let x = node.inputs.first().map_or(grid, |input| grids[input.index()]);
            let job = self.job(index, x, grid, activation, request.pulls_back);
            let kept = self.kept(&job, grid, request.pulls_back);
            self.scratch(&mut plan.scratch, &job, x, grid);
            let writes = plan.values.len();
            plan.values.push(Value { grid, slot: 0, gradient: 0 });
            value_of[follower.map_or(index, |(follower, _)| follower)] = Some(writes);
            plan.steps.push(Step { job, node: index, reads, writes, kept });
        }
        plan.asked = request.at.iter().filter_map(|id| value_of[id.index()]).collect();
        plan.assign(self.lanes, request.pulls_back);
        Ok(plan)
    }

    /// The ReLU that a node's output goes to and nowhere else.
    fn follower(&self, index: usize, needed: &[usize], request: &Request) -> Option<(usize, Activation)> {
        let nodes = self.network.nodes();
        let fuses = matches!(nodes[index].op, Op::Conv2d(_) | Op::Add);
        if !fuses || needed[index] != 1 || request.at.iter().any(|id| id.index() == index) {
            return None;
        }
        let reads = |node: &Node| node.inputs.iter().any(|input| input.index() == index);
        let follower = (index + 1..needed.len()).find(|&later| needed[later] > 0 && reads(&nodes[later]))?;
        activation(&nodes[follower].op).map(|activation| (follower, activation))
    }

    fn job(&self, index: usize, x: Grid, y: Grid, activation: Activation, pulls_back: bool) -> Job {
        match &self.network.nodes()[index].op {
            Op::Preprocess(_) => Job::Preprocess,
            Op::Conv2d(_) => match &self.convolutions[index] {
                Some(convolution) => {
                    let kernel = |direction| convolution.kernel(direction, x, y, self.algorithm);
                    let back = pulls_back.then(|| kernel(Direction::Back));
                    Job::Convolve { forward: kernel(Direction::Forward), back, activation }
                }
                None => unreachable!("every convolution was packed"),
            },
            Op::Relu => Job::Sum(Activation::Relu),
            Op::Relu6 => Job::Sum(Activation::Relu6),
            Op::Add => Job::Sum(activation),
            Op::MaxPool(pool) => Job::MaxPool(Windows::new(pool, x, y)),
            Op::AveragePool { pool, count_padding } => {
                Job::Average { windows: Windows::new(pool, x, y), count_padding: *count_padding }
            }
            Op::GlobalAverage => Job::GlobalAverage,
            Op::Concat => Job::Concat,
            Op::Flatten => Job::Flatten,
            Op::Linear(_) => Job::Linear,
            Op::Softmax => Job::Softmax,
        }
    }

    fn kept(&self, job: &Job, grid: Grid, pulls_back: bool) -> Kept {
        let mut kept = Kept::default();
        if job.activation() != Activation::None && pulls_back {
            kept.gates = vec![0; grid.vectors(self.lanes)];
        }
        match job {
            Job::MaxPool(windows) => kept.winners = vec![0; windows.winners(self.lanes)],
            Job::Softmax if pulls_back => kept.numbers.grow(grid.dims().iter().product()),
            _ => {}
        }
        kept
    }

    fn scratch(&self, scratch: &mut [usize; 2], job: &Job, x: Grid, y: Grid) {
        let numbers = |grid: Grid| grid.dims().iter().product::<usize>();
        let mut need = |[shared, own]: [usize; 2]| *scratch = [scratch[0].max(shared), scratch[1].max(own)];
        match job {
            Job::Convolve { forward, back, .. } => {
                need(forward.scratch(self.lanes));
                if let Some(back) = back {
                    need(back.scratch(self.lanes));
                }
            }
            Job::Flatten | Job::Linear | Job::Softmax => need([numbers(x) + numbers(y), 0]),
            _ => {}
        }
    }
}

fn activation(op: &Op) -> Option<Activation> {
    match op {
        Op::Relu => Some(Activation::Relu),
        Op::Relu6 => Some(Activation::Relu6),
        _ => None,
    }
}

impl Plan {
    /// Goes through the run as it will be, and gives every activation and every gradient a slot for as long as it is read.
    fn assign(&mut self, lanes: usize, pulls_back: bool) {
        let mut slots = Slots::default();
        let mut readers = vec![0; self.values.len()];
        for value in self.steps.iter().flat_map(|step| &step.reads).chain(&self.asked) {
            readers[*value] += 1;
        }
        let len = |value: &Value| value.grid.len(lanes);
        for step in &self.steps {
            self.values[step.writes].slot = slots.take(len(&self.values[step.writes]));
            for &read in &step.reads {
                readers[read] -= 1;
                if readers[read] == 0 {
                    slots.give(self.values[read].slot);
                }
            }
        }
        if pulls_back {
            slots.free = (0..slots.sizes.len()).collect();
            let mut born = vec![false; self.values.len()];
            let mut bear = |value: usize, values: &mut [Value], slots: &mut Slots| {
                if !std::mem::replace(&mut born[value], true) {
                    values[value].gradient = slots.take(len(&values[value]));
                }
            };
            for &value in &self.asked {
                bear(value, &mut self.values, &mut slots);
            }
            for step in self.steps.iter().rev() {
                step.reads.iter().for_each(|&read| bear(read, &mut self.values, &mut slots));
                slots.give(self.values[step.writes].gradient);
            }
        }
        self.slots = slots.sizes;
    }
}

/// Pieces of memory that change hands.
#[derive(Default)]
struct Slots {
    sizes: Vec<usize>,
    free: Vec<usize>,
}

impl Slots {
    /// The smallest free slot that is large enough; or the largest, made larger; or a new one.
    fn take(&mut self, len: usize) -> usize {
        let fit = |&slot: &usize| (self.sizes[slot] < len, self.sizes[slot].abs_diff(len));
        let best = (0..self.free.len()).min_by_key(|&index| fit(&self.free[index]));
        let slot = match best {
            Some(index) => self.free.swap_remove(index),
            None => {
                self.sizes.push(0);
                self.sizes.len() - 1
            }
        };
        self.sizes[slot] = self.sizes[slot].max(len);
        slot
    }

    fn give(&mut self, slot: usize) {
        self.free.push(slot);
    }
}
