//! An allocator that counts on request.

#![allow(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// The system's allocator with counters. While counting is off it costs one load and one branch.
pub struct Counting;

static IS_ON: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// The counts so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heap {
    /// Calls that allocate. Calls that free are not counted.
    pub calls: u64,
    /// Bytes allocated.
    pub bytes: u64,
    /// Bytes not freed. Negative if bytes from before the start were freed.
    pub live: i64,
    /// The most bytes that were live at once since [`rest`].
    pub peak: i64,
}

/// Starts counting.
pub fn count() {
    IS_ON.store(true, Relaxed);
}

/// The counts so far.
pub fn counted() -> Heap {
    Heap {
        calls: CALLS.load(Relaxed),
        bytes: BYTES.load(Relaxed),
        live: LIVE.load(Relaxed),
        peak: PEAK.load(Relaxed),
    }
}

/// Resets the peak to the bytes that are live now.
pub fn rest() {
    PEAK.store(LIVE.load(Relaxed), Relaxed);
}

fn note(taken: usize, given: usize) {
    if !IS_ON.load(Relaxed) {
        return;
    }
    if taken > 0 {
        CALLS.fetch_add(1, Relaxed);
        BYTES.fetch_add(taken as u64, Relaxed);
    }
    // No allocation is larger than isize::MAX.
    let change = taken as i64 - given as i64;
    let live = LIVE.fetch_add(change, Relaxed) + change;
    if live > PEAK.load(Relaxed) {
        PEAK.fetch_max(live, Relaxed);
    }
}

// SAFETY: every call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size, layout.size());
        // SAFETY: guaranteed by the caller.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, layout.size());
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(block, layout) }
    }
}
