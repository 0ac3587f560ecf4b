//! Built-in functions that consume what Python code makes: `sum`, `list`, `sorted(key=...)` and the like.
//!
//! ```text
//!   sum(g) ──[Watch]── a few items natively ──due──▶ run(Request) ──▶ a Python loop over the rest, which can become one trace
//! ```
//!
//! Each item that native code asks a generator, a `map` or a Python iterator for enters the interpreter anew. A consumer that has met
//! enough of them hands the rest of its loop to the evaluation loop, where consumer and producer are frames of one chain. Who runs such
//! loops (`interp`) installs itself here; without a JIT nobody does.

use crate::iterobject::{Filter, Map};
use crate::prelude::*;
use lh_abi::*;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// What is done with each item `x`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Loop {
    /// `a = a + x`; `a`
    Sum,
    /// Is any item true?
    Any,
    All,
    /// `a.append(x)`
    Append,
    /// `a.append(f(x))`
    Keys,
    /// The least of `a` and the items.
    Least,
    Greatest,
    /// The same by `f(x)`; `b` is `f(a)`.
    LeastBy,
    GreatestBy,
    /// `a = f(a, x)`; `a`
    Fold,
    /// `f(a, x)`
    Each,
}

/// The rest of a consumer's loop.
pub struct Request<'a> {
    pub what: Loop,
    pub it: &'a Object,
    pub f: Option<&'a Object>,
    pub a: Option<&'a Object>,
    pub b: Option<&'a Object>,
}
impl<'a> Request<'a> {
    pub fn new(what: Loop, it: &'a Object) -> Request<'a> {
        Request { what, it, f: None, a: None, b: None }
    }
    pub fn with(what: Loop, it: &'a Object, a: &'a Object) -> Request<'a> {
        Request { what, it, f: None, a: Some(a), b: None }
    }
    /// Runs the loop; `None` where it cannot be run that way now.
    pub fn run(self) -> Option<PyResult> {
        RUN.get().and_then(|run| run(self))
    }
}

/// Runs a consumer's loop as Python code.
pub static RUN: OnceLock<fn(Request<'_>) -> Option<PyResult>> = OnceLock::new();

static ON: AtomicBool = AtomicBool::new(false);
/// Items that are consumed natively first.
static FIRST: AtomicU32 = AtomicU32::new(48);
/// Where fewer items than this are consumed each time the loop stays native.
const LEAST: u32 = 8;

/// Turns watching on, with so many items to be consumed natively first.
pub fn enable(on: bool, first: u32) {
    FIRST.store(first.max(1), Ordering::Relaxed);
    ON.store(on, Ordering::Relaxed);
}

#[derive(Clone, Copy)]
struct Count {
    times: u32,
    items: u32,
}
const SLOTS: usize = 512;
// By the code that makes the items. Two that share a place only meet a decision too early or too late.
static mut COUNTS: [Count; SLOTS] = [Count { times: 0, items: 0 }; SLOTS];

/// The code whose frames a call of `f` runs, as a number; 0 if that is no Python function.
fn code_of(f: &Object) -> usize {
    match f.downcast_exact::<Function>() {
        Some(f) => f.code().as_ptr() as usize,
        None => 0,
    }
}
fn is_generator(o: &Object) -> bool {
    o.ob_type() == &raw mut crate::type_table::PyGen_Type
}

/// What tells one maker of items from another: 0 if no Python code makes them.
pub fn maker(it: &Object) -> usize {
    // SAFETY: fields of live objects of just these types.
    unsafe {
        let t = it.ob_type();
        if is_generator(it) {
            return (*it.as_ptr().cast::<PyGenObject>()).gi_code as usize;
        }
        let (f, inner) = if let Some(m) = it.downcast_exact::<Map>() {
            match m.single() {
                Some(inner) => (m.func(), inner),
                None => return 0,
            }
        } else if let Some(m) = it.downcast_exact::<Filter>() {
            m.parts()
        } else {
            let python = (*t).tp_flags & Py_TPFLAGS_HEAPTYPE != 0
                && (*t).tp_iternext.map(|f| f as usize)
                    == Some(crate::slot_calls::slot_tp_iternext as *const () as usize);
            return if python { t as usize } else { 0 };
        };
        let outer = code_of(f);
        let inner =
            if is_generator(inner) { (*inner.as_ptr().cast::<PyGenObject>()).gi_code as usize } else { 0 };
        if outer == 0 && inner == 0 {
            return 0;
        }
        let called = if outer == 0 { f.as_ptr() as usize } else { outer };
        called.rotate_left(20) ^ inner
    }
}
/// As `maker`, where `f` is called with each item.
pub fn maker_with(it: &Object, f: Option<&Object>) -> usize {
    let called = f.map_or(0, code_of);
    maker(it) ^ called.rotate_left(40)
}

/// Counts the items that a consumer takes.
pub struct Watch {
    left: u32,
    seen: u32,
    place: usize,
}
const NOWHERE: usize = usize::MAX;

impl Watch {
    /// For a loop over what `it` gives, with calls of `f`, if there is one.
    #[inline]
    pub fn new(it: &Object, f: Option<&Object>) -> Watch {
        if ON.load(Ordering::Relaxed) {
            Watch::begin(it, f)
        } else {
            Watch { left: 0, seen: 0, place: NOWHERE }
        }
    }
    fn begin(it: &Object, f: Option<&Object>) -> Watch {
        let key = maker_with(it, f);
        if key == 0 {
            return Watch { left: 0, seen: 0, place: NOWHERE };
        }
        let place = (key >> 4 ^ key >> 13 ^ key >> 37) % SLOTS;
        // SAFETY: only touched with the GIL held.
        let Count { times, items } = unsafe { COUNTS[place] };
        let first = FIRST.load(Ordering::Relaxed);
        let often = items >= first && items / LEAST >= times;
        Watch { left: if often { 1 } else { first }, seen: 0, place }
    }
    /// May the loop be handed over at all?
    #[inline]
    pub fn is_on(&self) -> bool {
        self.left != 0
    }
    /// Before each item: is the rest to be handed over?
    #[inline(always)]
    pub fn is_due(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.seen += 1;
        self.left == 0
    }
}
impl Drop for Watch {
    #[inline]
    fn drop(&mut self) {
        if self.place != NOWHERE {
            // SAFETY: only touched with the GIL held.
            unsafe {
                let c = &raw mut COUNTS[self.place];
                (*c).times += 1;
                (*c).items += self.seen;
                if (*c).items > 1 << 20 {
                    ((*c).times, (*c).items) = ((*c).times / 2, (*c).items / 2);
                }
            }
        }
    }
}

/// A closure that a Python loop calls with each item.
pub struct Sink<'a> {
    pub f: &'a mut dyn FnMut(Owned<Object>) -> PyResult<()>,
}

/// Hands the rest of `it` to a closure: `None` where that has to be done natively.
pub fn drain(it: &Object, f: &mut dyn FnMut(Owned<Object>) -> PyResult<()>) -> Option<PyResult<()>> {
    let mut sink = Sink { f };
    let at = Int::from_i64(&raw mut sink as i64);
    Request::with(Loop::Each, it, &at).run().map(|r| r.map(drop))
}
