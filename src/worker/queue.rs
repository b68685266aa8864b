//! The queue: channels of a layer that are maximised one after the other, as long as the worker lives. Channels that nothing
//! wakes are passed over, and those whose run was made before.

use super::protocol::{ChannelQueue, Outcome, QueueView, Status};
use super::worker_loop::WorkerLoop;
use crate::engine::Objective;

/// Steps without any sign of life after which a queue goes on to the next channel.
const DEAD_STEPS: usize = 48;

impl WorkerLoop {
    /// Begins a queue, with its first channel if nothing runs, or ends the one that there is.
    pub(super) fn set_queue(&mut self, queue: Option<ChannelQueue>) -> Outcome {
        self.queue = queue.filter(|queue| queue.next < queue.end);
        match self.snapshot.status {
            Status::Running | Status::Paused => {}
            Status::Loading | Status::Idle | Status::Finished | Status::Stopped | Status::Broken(_) => {
                self.start_next();
            }
        }
        self.republish();
        Outcome::Done
    }

    /// Starts the next channel of the queue, if there is one that is not known to be dead and whose run was not made before.
    pub(super) fn start_next(&mut self) {
        let Some(mut queue) = self.queue.take() else { return };
        while queue.next < queue.end && self.is_passed_over(&queue) {
            queue.next += 1;
        }
        if queue.next >= queue.end {
            self.snapshot.notice = Some("the queue has come to the layer's end".into());
            return self.republish();
        }
        let objective = Objective::channel(&queue.layer, queue.next);
        let (plan, size) = (queue.settings.clone().plan(&objective), queue.settings.size);
        queue.next += 1;
        self.queue = Some(queue);
        let notice = self.snapshot.notice.clone();
        let outcome = match plan {
            Ok(plan) => self.start(plan, Some(size)),
            Err(reason) => self.refuse(reason),
        };
        if outcome == Outcome::Done {
            // Where the one before was saved is still worth reading.
            self.snapshot.notice = self.snapshot.notice.take().or(notice);
        } else {
            self.queue = None;
        }
        self.republish();
    }

    /// Whether the next channel of a queue needs no run.
    fn is_passed_over(&self, queue: &ChannelQueue) -> bool {
        let objective = Objective::channel(&queue.layer, queue.next);
        let plan = queue.settings.clone().plan(&objective);
        let is_made = |plan| self.is_made(plan, queue.settings.size);
        self.drafts.is_dead(&queue.layer, queue.next) || plan.is_ok_and(is_made)
    }

    /// Whether the run belongs to a queue and nothing has woken its channel for so long that the next one is better.
    pub(super) fn is_hopeless(&self) -> bool {
        let ascent = self.run.as_ref().map(|run| run.session.ascent());
        self.queue.is_some()
            && ascent.is_some_and(|ascent| ascent.step_count() >= DEAD_STEPS && ascent.state().is_dead())
    }

    /// The queue as viewers see it.
    pub(super) fn queue_view(&self) -> Option<QueueView> {
        let queue = self.queue.as_ref()?;
        let left = queue.end.saturating_sub(queue.next);
        let run = self.snapshot.run.as_ref();
        let steps =
            run.map_or(0, |run| run.plan.steps.saturating_sub(run.step)) + left * queue.settings.steps;
        let seconds = run.and_then(|run| run.rate).map(|rate| steps as f64 / rate);
        Some(QueueView { layer: queue.layer.clone(), next: queue.next, left, seconds })
    }
}
