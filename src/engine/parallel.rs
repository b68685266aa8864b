//! Work on many items side by side, on the threads of a backend's compute pool. Every result is the same as one after the
//! other.

use std::sync::{Mutex, PoisonError};

use trepang_api::ComputePool;

/// Does `work` on each item.
pub(super) fn for_each<T: Send>(
    pool: &dyn ComputePool,
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) + Sync,
) {
    map(pool, items, work);
}

/// The results of `work` on each item, in the items' order.
pub(super) fn map<T: Send, R: Send>(
    pool: &dyn ComputePool,
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let items: Vec<Mutex<Slot<T, R>>> = items.into_iter().map(|item| Mutex::new(Slot::Item(item))).collect();
    pool.run(items.len(), &|index| fill(&items[index], &work));
    let done = items.into_iter().filter_map(|slot| match slot.into_inner() {
        Ok(Slot::Result(result)) => Some(result),
        // A task that panics never comes here: the pool passes its panic on.
        Ok(Slot::Item(_) | Slot::Taken) | Err(_) => None,
    });
    done.collect()
}

/// The result of `work`, done by a thread of the pool. To give out work from there costs less than from outside, where
/// each time a thread of the pool has to wake up.
pub(super) fn inside<R: Send>(pool: &dyn ComputePool, work: impl FnOnce() -> R + Send) -> R {
    match map(pool, [work], |work| work()).pop() {
        Some(result) => result,
        None => unreachable!("a pool runs each task, or panics"),
    }
}

/// An item before, while and after it is worked on.
enum Slot<T, R> {
    Item(T),
    Taken,
    Result(R),
}

fn fill<T, R>(slot: &Mutex<Slot<T, R>>, work: impl Fn(T) -> R) {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Slot::Item(item) = std::mem::replace(&mut *slot, Slot::Taken) {
        *slot = Slot::Result(work(item));
    }
}
