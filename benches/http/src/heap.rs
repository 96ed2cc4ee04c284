//! An allocator that counts, when asked to.

#![allow(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// The system's allocator with a counter before it. While it is off it costs one load and one branch.
pub struct Counting;

static IS_ON: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// What was counted so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heap {
    /// Calls that asked for memory; those that give it back are not counted.
    pub calls: u64,
    /// Bytes that were asked for.
    pub bytes: u64,
    /// Bytes that were not given back; negative if they were asked for before counting began.
    pub live: i64,
    /// The most that were live at once since [`rest`].
    pub peak: i64,
}

/// Counts from here on.
pub fn count() {
    IS_ON.store(true, Relaxed);
}

/// What was counted so far.
pub fn counted() -> Heap {
    Heap {
        calls: CALLS.load(Relaxed),
        bytes: BYTES.load(Relaxed),
        live: LIVE.load(Relaxed),
        peak: PEAK.load(Relaxed),
    }
}

/// Forgets how much was live before: the peak begins at what is live now.
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

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size, layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }
}
