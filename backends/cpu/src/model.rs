//! A network with its weights on the CPU: checks calls, and finds the plan of each or makes one.

use std::fmt;
use std::sync::Arc;

use rayon::ThreadPool;
use trepang_api::{
    Array, ComputePool, Cotangents, LayerId, Model, Network, ReluGradient, Result, Weights, check_cotangents,
};

use crate::CpuOptions;
use crate::grid::BatchShape;
use crate::lanes::Lanes;
use crate::plan::{ExecutionPlan, PlanKey, PlanSource};
use crate::runner::PlanRunner;

/// Plans that are kept: an ascent asks in turns for a layer, for the layer before its ReLU, and for a classifier.
const PLANS: usize = 6;

/// A [`Model`] for vectors of one width.
pub(crate) struct CpuModel<S> {
    runner: PlanRunner<S>,
    plans: Vec<(PlanKey, ExecutionPlan)>,
    pool: Arc<ThreadPool>,
}

impl<S> fmt::Debug for CpuModel<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuModel").field("network", &self.runner.network.name()).finish_non_exhaustive()
    }
}

impl<S: Lanes> CpuModel<S> {
    /// Packs the weights, which have been checked against the network.
    pub(crate) fn new(
        simd: S,
        network: &Network,
        weights: &Weights,
        pool: Arc<ThreadPool>,
        options: CpuOptions,
    ) -> Result<Self> {
        let runner = PlanRunner::new(simd, network, weights, options)?;
        Ok(Self { runner, plans: Vec::new(), pool })
    }

    /// Numbers that there is memory for.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.runner.room()
    }

    /// Makes the plan for a call the last of those that are kept.
    fn plan(&mut self, source: PlanSource, at: &[LayerId], pulls_back: bool) -> Result<()> {
        let key = PlanKey { at: at.to_vec(), source, pulls_back };
        let found = if let Some(index) = self.plans.iter().position(|(made_for, _)| *made_for == key) {
            self.plans.remove(index)
        } else {
            let plan = self.runner.planner().plan(&key)?;
            (key, plan)
        };
        if self.plans.len() == PLANS {
            self.plans.remove(0);
        }
        self.plans.push(found);
        Ok(())
    }

    fn run<T: Send>(
        &mut self,
        source: PlanSource,
        at: &[LayerId],
        pulls_back: bool,
        run: impl FnOnce(&mut PlanRunner<S>, &mut ExecutionPlan) -> Result<T> + Send,
    ) -> Result<T> {
        self.plan(source, at, pulls_back)?;
        let Self { runner, plans, pool } = self;
        if plans.last().is_some_and(|(_, plan)| runner.give_back(plan)) {
            // Plans keep memory of their own.
            plans.drain(..plans.len() - 1);
        }
        match plans.last_mut() {
            Some((_, plan)) => pool.install(|| {
                runner.make_room(plan);
                run(runner, plan)
            }),
            None => unreachable!("it has just been made"),
        }
    }

    /// The activations of a run whose request has been checked.
    fn forward(&mut self, source: PlanSource, from: &[&Array], at: &[LayerId]) -> Result<Vec<Array>> {
        if at.is_empty() {
            return Ok(Vec::new());
        }
        self.run(source, at, false, |runner, plan| {
            runner.forward(from, plan, ReluGradient::True);
            Ok(runner.asked(plan))
        })
    }

    /// The gradients of `from`, of a run whose request has been checked.
    fn gradients(
        &mut self,
        source: PlanSource,
        from: &[&Array],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Vec<Array>> {
        if at.is_empty() {
            check_cotangents(&self.runner.network, at, &[], &cotangents(&[])?)?;
            return Ok(from.iter().map(|array| Array::zeros(array.shape())).collect());
        }
        self.run(source, at, true, |runner, plan| {
            runner.forward(from, plan, relu);
            let activations = runner.asked(plan);
            let cotangents = cotangents(&activations)?;
            check_cotangents(&runner.network, at, &activations, &cotangents)?;
            Ok(runner.back(plan, relu, &cotangents, from))
        })
    }

    /// The images of a request, which is checked.
    fn images(&self, images: &Array, at: &[LayerId]) -> Result<PlanSource> {
        self.runner.network.check_request(images, at)?;
        let (n, shape) = images.dims4()?;
        Ok(PlanSource::Images([n, shape.height, shape.width]))
    }

    /// The values of layers of a request, which is checked.
    fn layers(&self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<PlanSource> {
        self.runner.network.check_start(start, at)?;
        let sides = |(id, values): &(LayerId, Array)| Ok((*id, BatchShape::of(values)?.dims()));
        Ok(PlanSource::Layers(start.iter().map(sides).collect::<Result<_>>()?))
    }
}

impl<S: Lanes> Model for CpuModel<S> {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        let source = self.images(images, at)?;
        self.forward(source, &[images], at)
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        let source = self.images(images, at)?;
        Ok(self.gradients(source, &[images], at, relu, cotangents)?.swap_remove(0))
    }

    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<Vec<Array>> {
        let source = self.layers(start, at)?;
        self.forward(source, &arrays(start), at)
    }

    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Vec<Array>> {
        let source = self.layers(start, at)?;
        self.gradients(source, &arrays(start), at, relu, cotangents)
    }

    fn memory(&self, images: [usize; 3], at: &[LayerId]) -> Result<u64> {
        if at.is_empty() {
            return Ok(0);
        }
        let source = PlanSource::Images(images);
        let plan = self.runner.planner().plan(&PlanKey { at: at.to_vec(), source, pulls_back: true })?;
        Ok(plan.bytes(S::F32_LANES, self.pool.current_num_threads()))
    }

    fn pool(&self) -> Arc<dyn ComputePool> {
        Arc::<ThreadPool>::clone(&self.pool)
    }
}

/// The values of a start.
fn arrays(start: &[(LayerId, Array)]) -> Vec<&Array> {
    start.iter().map(|(_, values)| values).collect()
}
