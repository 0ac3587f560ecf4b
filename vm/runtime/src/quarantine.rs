//! `LANCEHEAD_CAPI=debug`: the memory of dead objects is kept for a while, so that whoever still uses one is noticed.
//!
//! A block that the allocator gets back waits in a queue. Meanwhile it looks like an object of the type `freed object`, with a count so large
//! that nothing frees it a second time. Whatever its rightful owners do to it does no harm; a count that is lower when its turn comes to be
//! given back tells that somebody released a reference that no longer was one, and the report says what the object was, and which
//! extension was running when it died: that is where one reference too many was released, if not before.

use crate::type_table::PyType_Type;
use core::ffi::{CStr, c_int, c_void};
use lh_abi::*;
use libmimalloc_sys as mi;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// The count of a dead object.
const COUNT: isize = 1 << 40;
/// How many blocks, and how many bytes in all, are kept.
const BLOCKS: usize = 50_000;
const BYTES: usize = 128 << 20;
/// Where in its block an object may begin: at once, or behind the collector's head.
const STARTS: [usize; 2] = [0, 16];
/// Return addresses looked at for an extension's.
const FRAMES: usize = 12;

static ON: AtomicBool = AtomicBool::new(false);

struct Kept {
    block: usize,
    size: usize,
    /// Where the object began and the name of its type, if it was seen to be one.
    object: Option<(usize, &'static str)>,
    /// The extension's function that was called last, or the return addresses.
    running: *mut PyMethodDef,
    callers: [usize; FRAMES],
}
// SAFETY: the pointers are only looked at.
unsafe impl Send for Kept {}

#[derive(Default)]
struct Queue {
    kept: VecDeque<Kept>,
    bytes: usize,
    /// Types met so far, with their names.
    names: HashMap<usize, &'static str>,
}
static QUEUE: Mutex<Option<Queue>> = Mutex::new(None);

/// The type of dead objects.
struct Freed(core::cell::UnsafeCell<core::mem::MaybeUninit<PyTypeObject>>);
// SAFETY: written once, before the first block is kept.
unsafe impl Sync for Freed {}
static FREED: Freed = Freed(core::cell::UnsafeCell::new(core::mem::MaybeUninit::zeroed()));

fn freed_type() -> *mut PyTypeObject {
    FREED.0.get().cast()
}
/// Has the object been freed?
///
/// # Safety
/// `o` points to readable memory that is or was an object.
pub unsafe fn is_freed(o: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    ON.load(Ordering::Relaxed) && unsafe { (*o).ob_type == freed_type() }
}

/// Begins to keep blocks. Lists of spare blocks are emptied and stay so.
pub fn start() -> crate::errors::PyResult<()> {
    // SAFETY: the type is written before anything refers to it; everything else in it is inherited from `object`.
    unsafe {
        let t = freed_type();
        (*t).ob_base.ob_base.ob_refcnt = 1;
        (*t).tp_name = c"freed object".as_ptr();
        (*t).tp_basicsize = core::mem::size_of::<PyObject>() as isize;
        (*t).tp_flags = Py_TPFLAGS_DEFAULT;
        crate::typeobject::ready(t)?;
    }
    crate::capidebug::hold_singletons();
    crate::alloc::keep_spare(false);
    crate::dict_table::keep_spare(false);
    if let Some(f) = crate::tracemalloc::SWITCH.get() {
        f(true);
    }
    *QUEUE.lock().unwrap_or_else(|e| e.into_inner()) = Some(Queue::default());
    ON.store(true, Ordering::SeqCst);
    crate::tracemalloc::watch_frees();
    Ok(())
}

unsafe extern "C" {
    fn _Unwind_Backtrace(f: extern "C" fn(*mut c_void, *mut c_void) -> c_int, to: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
}
/// The return addresses of the innermost native frames.
fn callers() -> [usize; FRAMES] {
    struct Found([usize; FRAMES], usize);
    extern "C" fn step(context: *mut c_void, to: *mut c_void) -> c_int {
        // SAFETY: called back by the unwinder with what it was given below.
        unsafe {
            let f = &mut *to.cast::<Found>();
            if f.1 == FRAMES {
                return 5;
            }
            f.0[f.1] = _Unwind_GetIP(context);
            f.1 += 1;
        }
        0
    }
    let mut f = Found([0; FRAMES], 0);
    // SAFETY: the function and its argument fit.
    unsafe { _Unwind_Backtrace(step, (&raw mut f).cast()) };
    f.0
}

impl Queue {
    /// The name of the type that `p` points to, if it is one.
    fn type_name(&mut self, p: usize) -> Option<&'static str> {
        if p < 1 << 16 || !p.is_multiple_of(8) {
            return None;
        }
        if let Some(n) = self.names.get(&p) {
            return Some(n);
        }
        let readable = |p: usize| {
            let mut info: libc::Dl_info = unsafe_zeroed();
            // SAFETY: both only compare the address with what they know.
            unsafe {
                mi::mi_is_in_heap_region(p as *const c_void)
                    || libc::dladdr(p as *const c_void, &mut info) != 0
            }
        };
        // SAFETY: heap memory and that of loaded files is readable; a type's type is a type.
        unsafe {
            let t = p as *mut PyTypeObject;
            let meta = if readable(p) { (*t).ob_base.ob_base.ob_type } else { return None };
            let is_type = meta == &raw mut PyType_Type
                || (meta as usize).is_multiple_of(8)
                    && meta as usize > 1 << 16
                    && readable(meta as usize)
                    && (*meta).ob_base.ob_base.ob_type == &raw mut PyType_Type
                    && (*meta).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS != 0;
            if !is_type || (*t).tp_name.is_null() {
                return None;
            }
            // A name outlives its type. There are not many.
            let name = String::leak(CStr::from_ptr((*t).tp_name).to_string_lossy().into_owned());
            self.names.insert(p, name);
            Some(name)
        }
    }
    fn add(&mut self, block: *mut c_void, size: usize) {
        // SAFETY: the block is ours from now on.
        unsafe {
            let word = |at: usize| *block.cast::<usize>().byte_add(at);
            let starts = STARTS.iter().copied().filter(|s| s + 16 <= size);
            let object = starts.clone().find_map(|s| self.type_name(word(s + 8)).map(|n| (s, n)));
            let running = crate::capidebug::running();
            // Types of extensions are named after their modules.
            let foreign = running.is_null() && object.is_some_and(|(_, n)| n.contains('.'));
            for s in starts {
                let o = block.byte_add(s).cast::<PyObject>();
                (*o).ob_refcnt = COUNT;
                (*o).ob_type = freed_type();
            }
            let callers = if foreign { callers() } else { [0; FRAMES] };
            self.kept.push_back(Kept { block: block as usize, size, object, running, callers });
            self.bytes += size;
        }
    }
    fn too_many(&self) -> bool {
        self.kept.len() > BLOCKS || self.bytes > BYTES
    }
}
fn unsafe_zeroed() -> libc::Dl_info {
    // SAFETY: null pointers are valid there.
    unsafe { core::mem::zeroed() }
}

/// A block's turn has come: was it used since?
fn check(k: &Kept) {
    // SAFETY: the block is still ours.
    let missing = |s: usize| unsafe { COUNT - (*((k.block + s) as *mut PyObject)).ob_refcnt };
    let Some((start, name)) = k.object else { return };
    let n = missing(start);
    if n <= 0 || n > 1 << 20 {
        return;
    }
    let while_what = if !k.running.is_null() {
        // SAFETY: definitions are static.
        unsafe { crate::capidebug::describe(k.running) }
    } else {
        k.callers
            .iter()
            .find_map(|&a| {
                let (file, base) = crate::capidebug::foreign_file(a as *const c_void)?;
                Some(format!("code at {:#x} in {file}", a - base))
            })
            .unwrap_or_else(|| "no extension's function".into())
    };
    eprintln!(
        "LANCEHEAD_CAPI=debug: a '{name}' was freed while {while_what} ran, and after that {n} more reference{} to it {} released",
        if n == 1 { "" } else { "s" },
        if n == 1 { "was" } else { "were" },
    );
}

/// Takes a block that is about to be freed, unless it is too small to be an object.
pub(crate) fn kept(p: *mut c_void) -> bool {
    if p.is_null() || !ON.load(Ordering::Relaxed) {
        return false;
    }
    // What this file itself frees meanwhile goes back at once.
    let Ok(mut queue) = QUEUE.try_lock() else { return false };
    let Some(q) = queue.as_mut() else { return false };
    // SAFETY: a block of the allocator.
    let size = unsafe { mi::mi_usable_size(p) };
    if size < core::mem::size_of::<PyObject>() {
        return false;
    }
    q.add(p, size);
    while q.too_many() {
        let Some(k) = q.kept.pop_front() else { break };
        q.bytes -= k.size;
        check(&k);
        // SAFETY: kept above; nobody else gives it back.
        unsafe { mi::mi_free(k.block as *mut c_void) }
    }
    true
}

/// Looks at all blocks at the end of the process.
pub fn finish() {
    if !ON.swap(false, Ordering::SeqCst) {
        return;
    }
    let queue = QUEUE.lock().unwrap_or_else(|e| e.into_inner()).take();
    for k in queue.iter().flat_map(|q| &q.kept) {
        check(k);
    }
}
