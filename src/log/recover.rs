//! Segments become parts: one as it is due, or all that a process left behind when it died, side by side; through the store and the
//! spool.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::segment::Contents;
use super::spool::{self, Due};
use super::{LogError, parts};
use crate::store::Store;

/// What is read out of a segment is held in memory while it is sealed, twice: more at once would save little and weigh much.
const AT_ONCE: usize = 4;

/// One segment becomes one part for each model.
pub(super) fn seal(store: &dyn Store, segment: &Due) -> Result<(), LogError> {
    let (bytes, lines) = spool::read(segment)?;
    let contents = Contents::read(&segment.path.display().to_string(), bytes, lines)?;
    parts::seal(store, &segment.name, &contents)
}

/// Seal segments of a process that is gone, and take each away once its parts were read back. One that cannot be sealed stays, and
/// is the error.
pub(super) fn seal_all(store: &dyn Store, segments: &[Due]) -> Result<(), LogError> {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(segment) = segments.get(next.fetch_add(1, Ordering::Relaxed)) {
            seal(store, segment)?;
            spool::remove(segment)?;
        }
        Ok(())
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(AT_ONCE).min(segments.len());
    thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        others.fold(own, Result::and)
    })
}
