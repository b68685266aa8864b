//! Which piece of memory holds each activation and each gradient of a plan, and for how long.

use super::{ExecutionPlan, Value};

impl ExecutionPlan {
    /// Goes through the run as it will be, and gives every activation and every gradient a slot for as long as it is read.
    pub(super) fn assign(&mut self, lanes: usize, pulls_back: bool) {
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
            let mut placed = vec![false; self.values.len()];
            let mut place = |value: usize, values: &mut [Value], slots: &mut Slots| {
                if !std::mem::replace(&mut placed[value], true) {
                    values[value].gradient = slots.take(len(&values[value]));
                }
            };
            for &value in &self.asked {
                place(value, &mut self.values, &mut slots);
            }
            for step in self.steps.iter().rev() {
                step.reads.iter().for_each(|&read| place(read, &mut self.values, &mut slots));
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
        let slot = if let Some(index) = best {
            self.free.swap_remove(index)
        } else {
            self.sizes.push(0);
            self.sizes.len() - 1
        };
        self.sizes[slot] = self.sizes[slot].max(len);
        slot
    }

    fn give(&mut self, slot: usize) {
        self.free.push(slot);
    }
}
