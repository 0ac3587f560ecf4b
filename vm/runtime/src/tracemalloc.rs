//! Tracing of memory blocks: who allocated what, for `_tracemalloc` and the C API.
//!
//! While nothing is traced the allocator looks at one flag. While tracing, each block of the allocator has an entry: its size and the number of
//! the traceback that was running. Tracebacks are kept once each. Lists of spare blocks are emptied at the start and stay empty, so that every
//! object's block comes from the allocator and goes back to it.
//!
//! What Rust code allocates for itself is not traced, nor are the tables of this file.

use crate::kinds::*;
use crate::object::*;
use lh_abi::*;
use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

static TRACING: AtomicBool = AtomicBool::new(false);
/// Does anybody want to know of blocks that are freed: this file, or `quarantine.rs`?
static FREES: AtomicBool = AtomicBool::new(false);

/// What the interpreter lends: `f` gets the file name and the line of each running frame, innermost first.
pub static FRAMES: OnceLock<fn(f: &mut dyn FnMut(*mut PyObject, u32))> = OnceLock::new();
/// Tells the layers above that tracing begins or ends.
pub static SWITCH: OnceLock<fn(on: bool)> = OnceLock::new();

#[inline(always)]
pub fn is_tracing() -> bool {
    TRACING.load(Ordering::Relaxed)
}
#[inline(always)]
pub fn frees_watched() -> bool {
    FREES.load(Ordering::Relaxed)
}
/// For the debug mode of the C API, which never ends.
pub fn watch_frees() {
    FREES.store(true, Ordering::SeqCst);
}

/// Pointers are as good as random already, but for their low bits.
#[derive(Default)]
struct PointerHash(u64);
impl Hasher for PointerHash {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, b: &[u8]) {
        for c in b {
            self.write_u64(*c as u64);
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(n as u64);
    }
}
type Map<K, V> = HashMap<K, V, BuildHasherDefault<PointerHash>>;

#[derive(Clone, Copy)]
pub struct Block {
    pub domain: u32,
    pub size: usize,
    pub traceback: u32,
}

/// File names (each with a count of its own) and lines, innermost first.
#[derive(Clone)]
pub struct Traceback {
    pub frames: Box<[(usize, u32)]>,
    /// How many frames there were, with those that the limit cut off.
    pub total: u16,
}

#[derive(Default)]
pub struct State {
    limit: usize,
    blocks: Map<(usize, u32), Block>,
    tracebacks: Vec<Traceback>,
    known: HashMap<(Box<[(usize, u32)]>, u16), u32>,
    current: usize,
    peak: usize,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn state() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(|e| e.into_inner())
}

thread_local! {
    /// The tables are being read or changed by this thread: its own blocks do not count.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` untraced.
pub fn untraced<R>(f: impl FnOnce() -> R) -> R {
    let before = BUSY.replace(true);
    let r = f();
    BUSY.set(before);
    r
}

impl State {
    fn traceback(&mut self) -> u32 {
        let mut frames = vec![];
        let mut total = 0u16;
        // Frames may be looked at only by who holds the GIL.
        if crate::thread::holds_gil()
            && let Some(walk) = FRAMES.get()
        {
            let limit = self.limit;
            walk(&mut |file, line| {
                if frames.len() < limit {
                    frames.push((file as usize, line));
                }
                total = total.saturating_add(1);
            });
        }
        let key = (frames.into_boxed_slice(), total);
        if let Some(n) = self.known.get(&key) {
            return *n;
        }
        for (file, _) in &key.0 {
            // SAFETY: the name belongs to a running frame's code; the count is given back in `forget_all`.
            unsafe { incref(*file as *mut PyObject) }
        }
        let n = self.tracebacks.len() as u32;
        self.tracebacks.push(Traceback { frames: key.0.clone(), total });
        self.known.insert(key, n);
        n
    }
    fn add(&mut self, domain: u32, p: usize, size: usize) {
        let traceback = self.traceback();
        if let Some(old) = self.blocks.insert((p, domain), Block { domain, size, traceback }) {
            self.current -= old.size;
        }
        self.current += size;
        self.peak = self.peak.max(self.current);
    }
    fn remove(&mut self, domain: u32, p: usize) {
        if let Some(old) = self.blocks.remove(&(p, domain)) {
            self.current -= old.size;
        }
    }
    /// Empties the tables; the answer holds the file names to give back.
    fn forget_all(&mut self) -> Vec<Traceback> {
        (self.current, self.peak) = (0, 0);
        self.blocks = Map::default();
        self.known = HashMap::new();
        std::mem::take(&mut self.tracebacks)
    }
}

fn release(tracebacks: Vec<Traceback>) {
    for t in tracebacks {
        for (file, _) in t.frames {
            // SAFETY: the count taken in `traceback`.
            unsafe { decref(file as *mut PyObject) }
        }
    }
}

fn with(f: impl FnOnce(&mut State)) {
    if BUSY.replace(true) {
        return;
    }
    if let Some(s) = &mut *state() {
        f(s);
    }
    BUSY.set(false);
}

/// A block of the allocator was made.
#[cold]
#[inline(never)]
pub fn made(p: *mut core::ffi::c_void, size: usize) {
    if !p.is_null() {
        with(|s| s.add(0, p as usize, size));
    }
}
/// A block of the allocator is about to be freed.
#[cold]
#[inline(never)]
pub fn freed(p: *mut core::ffi::c_void) {
    with(|s| s.remove(0, p as usize));
}
/// A block was resized.
#[cold]
#[inline(never)]
pub fn moved(old: *mut core::ffi::c_void, new: *mut core::ffi::c_void, size: usize) {
    if !new.is_null() {
        with(|s| {
            s.remove(0, old as usize);
            s.add(0, new as usize, size);
        });
    }
}

/// Starts tracing (or goes on with another limit).
pub fn start(limit: usize) {
    if is_tracing() {
        return;
    }
    untraced(|| {
        *state() = Some(State { limit, ..State::default() });
        crate::alloc::keep_spare(false);
        crate::dict_table::keep_spare(false);
    });
    if let Some(f) = SWITCH.get() {
        f(true);
    }
    TRACING.store(true, Ordering::SeqCst);
    FREES.store(true, Ordering::SeqCst);
}
pub fn stop() {
    if !is_tracing() {
        return;
    }
    TRACING.store(false, Ordering::SeqCst);
    let old = state().take();
    if let Some(mut s) = old {
        release(s.forget_all());
    }
    if crate::capidebug::on() {
        return;
    }
    FREES.store(false, Ordering::SeqCst);
    crate::alloc::keep_spare(true);
    crate::dict_table::keep_spare(true);
    if let Some(f) = SWITCH.get() {
        f(false);
    }
}
pub fn clear() {
    let old = untraced(|| state().as_mut().map(|s| s.forget_all()));
    release(old.unwrap_or_default());
}
pub fn limit() -> usize {
    state().as_ref().map_or(1, |s| s.limit)
}
/// (now, at most)
pub fn memory() -> (usize, usize) {
    state().as_ref().map_or((0, 0), |s| (s.current, s.peak))
}
pub fn reset_peak() {
    if let Some(s) = &mut *state() {
        s.peak = s.current;
    }
}
/// What the tables take.
pub fn own_memory() -> usize {
    state().as_ref().map_or(0, |s| {
        s.blocks.capacity() * size_of::<((usize, u32), Block)>()
            + s.tracebacks.iter().map(|t| 2 * (t.frames.len() * 16 + 48)).sum::<usize>()
    })
}
/// All blocks and the tracebacks they name. The file names stay alive while nobody clears the traces.
pub fn snapshot() -> (Vec<Block>, Vec<Traceback>) {
    state()
        .as_ref()
        .map_or((vec![], vec![]), |s| (s.blocks.values().copied().collect(), s.tracebacks.clone()))
}
/// Where a block was allocated.
pub fn traceback_of(domain: u32, p: usize) -> Option<Traceback> {
    let s = state();
    let s = s.as_ref()?;
    let b = s.blocks.get(&(p, domain))?;
    Some(s.tracebacks[b.traceback as usize].clone())
}
/// Blocks that other allocators report (`PyTraceMalloc_Track`); false: nothing is traced.
pub fn track(domain: u32, p: usize, size: usize) -> bool {
    if is_tracing() {
        with(|s| s.add(domain, p, size));
    }
    is_tracing()
}
pub fn untrack(domain: u32, p: usize) -> bool {
    if is_tracing() {
        with(|s| s.remove(domain, p));
    }
    is_tracing()
}

impl Traceback {
    /// `((file, line), ...)`
    pub fn to_tuple(&self) -> Owned<Tuple> {
        let frames = self.frames.iter().map(|(file, line)| {
            // SAFETY: the tables hold a count of the name.
            let file = unsafe { Object::from_ptr(*file as *mut PyObject).own() };
            Tuple::pair(file, Int::from_i64(*line as i64).into_object()).into_object()
        });
        let mut v: Vec<Owned<Object>> = frames.collect();
        if v.is_empty() {
            let unknown = Str::new("<unknown>").into_object();
            v.push(Tuple::pair(unknown, Int::from_i64(0).into_object()).into_object());
        }
        Tuple::from_vec(v)
    }
}
