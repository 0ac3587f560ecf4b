//! `repr` of containers that contain themselves: who is being printed in this thread.

use crate::object::Object;
use std::cell::RefCell;

thread_local! {
    static ACTIVE: RefCell<Vec<*mut lh_abi::PyObject>> = const { RefCell::new(Vec::new()) };
}

/// Notes that `repr(o)` has begun. False: it was running already, and the caller prints `...` instead.
pub fn repr_enter(o: &Object) -> bool {
    ACTIVE.with_borrow_mut(|v| {
        let p = o.as_ptr();
        if v.contains(&p) {
            return false;
        }
        v.push(p);
        true
    })
}

/// Undoes a successful `repr_enter`.
pub fn repr_leave(o: &Object) {
    ACTIVE.with_borrow_mut(|v| {
        if let Some(i) = v.iter().rposition(|p| *p == o.as_ptr()) {
            v.remove(i);
        }
    })
}

/// Runs `f` inside the guard; `None` if `o` is being printed already.
pub fn guarded<R>(o: &Object, f: impl FnOnce() -> R) -> Option<R> {
    if !repr_enter(o) {
        return None;
    }
    let r = f();
    repr_leave(o);
    Some(r)
}
