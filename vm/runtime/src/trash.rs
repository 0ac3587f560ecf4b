//! Freeing deeply nested objects without deep native recursion.
//!
//! Any object: `object::dealloc` looks at the native stack. Where that is nearly used up it calls `dealloc_deep`, which goes some levels
//! deeper, then keeps what else dies on a list that the uppermost `dealloc_deep` works off.
//!
//! Containers, also as C extensions see them (`Py_TRASHCAN_BEGIN`): by depth.
//! A container's deallocator drops its items, whose deallocators drop theirs. Below a certain depth `begin` parks the object (its count is
//! zero, it is untracked) on a list threaded through the unused GC head; the outermost `end` frees what was parked. The two fields
//! are the thread state's, because stack-switching extensions save and restore them.

use crate::thread::Thread;
use lh_abi::*;
use std::cell::{Cell, RefCell};

const DEPTH: i32 = 50;

/// The GC head in front of a collectable object.
fn head(o: *mut PyObject) -> *mut PyGC_Head {
    // SAFETY: only called for collectable objects, which have one.
    unsafe { o.cast::<PyGC_Head>().sub(1) }
}

/// Says whether the caller may go on to free `o`; otherwise `o` is parked and must not be touched again.
///
/// # Safety
/// `o` is an untracked, dying instance of tuple, list, dict, set (or a subtype) in its built-in deallocator.
#[inline]
pub unsafe fn begin(o: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { enter(o, || !has_foreign_dealloc(o)) }
}

/// As `begin`, for an extension type's deallocator, which is the type's `tp_dealloc`.
///
/// # Safety
/// `o` is an untracked, dying collectable object in its `tp_dealloc`.
pub unsafe fn begin_foreign(o: *mut PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { enter(o, || true) }
}

#[inline]
unsafe fn enter(o: *mut PyObject, may_park: impl FnOnce() -> bool) -> bool {
    // SAFETY: the current thread state is ours while the GIL is held.
    unsafe {
        let ts = Thread::current_ptr();
        if (*ts).trash_delete_nesting >= DEPTH && may_park() {
            (*head(o))._gc_prev = (*ts).trash_delete_later as usize;
            (*ts).trash_delete_later = o;
            return false;
        }
        (*ts).trash_delete_nesting += 1;
    }
    true
}

/// Is the object's deallocator an extension's? (If it calls a built-in container's, its own part is done: parking would run that again.)
unsafe fn has_foreign_dealloc(o: *mut PyObject) -> bool {
    // SAFETY: the object's head is intact.
    unsafe {
        let own = (*(*o).ob_type).tp_dealloc.map(|f| f as usize);
        own != (*container_type(o)).tp_dealloc.map(|f| f as usize)
            && own != Some(crate::typeobject::subtype_dealloc as *const () as usize)
    }
}

/// Ends what a successful `begin` or `begin_foreign` began.
///
/// # Safety
/// Paired with `begin`.
#[inline]
pub unsafe fn end() {
    // SAFETY: as in `begin`.
    unsafe {
        let ts = Thread::current_ptr();
        (*ts).trash_delete_nesting -= 1;
        if (*ts).trash_delete_nesting <= 0 && !(*ts).trash_delete_later.is_null() {
            drain(ts)
        }
    }
}

#[cold]
unsafe fn drain(ts: *mut PyThreadState) {
    // SAFETY: parked objects are dying containers that nobody else refers to.
    unsafe {
        while !(*ts).trash_delete_later.is_null() {
            let o = (*ts).trash_delete_later;
            (*ts).trash_delete_later = (*head(o))._gc_prev as *mut PyObject;
            (*head(o))._gc_prev = 0;
            let f = core_dealloc(o);
            (*ts).trash_delete_nesting += 1;
            f(o);
            (*ts).trash_delete_nesting -= 1;
        }
    }
}

thread_local! {
    /// Levels of `dealloc_deep` that are running.
    static DEEP: Cell<u32> = const { Cell::new(0) };
    /// Objects that died below the last of those levels.
    static PARKED: RefCell<Vec<*mut PyObject>> = const { RefCell::new(Vec::new()) };
}

/// Frees `o` where the native stack is nearly used up.
///
/// # Safety
/// The count of `o` has just reached zero.
#[cold]
#[inline(never)]
pub unsafe fn dealloc_deep(o: *mut PyObject) {
    // SAFETY: parked objects are dead and untracked; nobody else frees them.
    unsafe {
        let depth = DEEP.get();
        if depth >= DEPTH as u32 {
            if crate::gc::is_gc_object(o) {
                crate::gc::untrack(o);
            }
            return PARKED.with_borrow_mut(|l| l.push(o));
        }
        let free = |o: *mut PyObject| (*(*o).ob_type).tp_dealloc.expect("a ready type has one")(o);
        DEEP.set(depth + 1);
        free(o);
        if depth == 0 {
            while let Some(o) = PARKED.with_borrow_mut(Vec::pop) {
                free(o);
            }
        }
        DEEP.set(depth);
    }
}

/// The deallocator of a parked object that is still to run: an extension's, or a built-in container's (a subtype's own part is done).
unsafe fn core_dealloc(o: *mut PyObject) -> destructor {
    // SAFETY: the object's head is intact.
    unsafe {
        let t = if has_foreign_dealloc(o) { (*o).ob_type } else { container_type(o) };
        (*t).tp_dealloc.expect("a ready type has one")
    }
}
/// The built-in container that the object's type is or derives from; a set if it is none of the others.
unsafe fn container_type(o: *mut PyObject) -> *mut PyTypeObject {
    use crate::type_table::*;
    // SAFETY: the object's head is intact.
    unsafe {
        let flags = (*(*o).ob_type).tp_flags;
        if flags & Py_TPFLAGS_TUPLE_SUBCLASS != 0 {
            &raw mut PyTuple_Type
        } else if flags & Py_TPFLAGS_LIST_SUBCLASS != 0 {
            &raw mut PyList_Type
        } else if flags & Py_TPFLAGS_DICT_SUBCLASS != 0 {
            &raw mut PyDict_Type
        } else if crate::object::is_subtype((*o).ob_type, &raw mut PyFrozenSet_Type) {
            &raw mut PyFrozenSet_Type
        } else {
            &raw mut PySet_Type
        }
    }
}
