//! `pystate.h`, `internal/pycore_interp.h`: interpreters beside the main one, and data that goes from one to another.

use crate::prelude::*;
use lh_runtime::interpreter::{self, Interp, Own};
use lh_runtime::interpreterid::{self, InterpreterId};
use lh_runtime::sysobject::modules_of;
use lh_runtime::thread;
use std::sync::Mutex;

type NewObject = unsafe extern "C" fn(*mut CrossData) -> *mut PyObject;
type FreeData = unsafe extern "C" fn(*mut c_void);
type GetData = unsafe extern "C" fn(*mut PyObject, *mut CrossData) -> c_int;

/// `_PyCrossInterpreterData`: what an object is on its way to another interpreter.
#[repr(C)]
pub struct CrossData {
    data: *mut c_void,
    /// Kept by the sender until the data is released.
    obj: *mut PyObject,
    interp: i64,
    new_object: Option<NewObject>,
    free: Option<FreeData>,
}

// ---- Which classes can go ----

/// Types (which stay for ever) and what makes data of their instances; later ones win.
static CLASSES: Mutex<Vec<(usize, GetData)>> = Mutex::new(Vec::new());

fn get_data_of(o: &Object) -> Option<GetData> {
    let t = o.ob_type();
    let found = CLASSES.lock().expect("never poisoned").iter().rev().find(|c| c.0 == t as usize).map(|c| c.1);
    found.or_else(|| {
        Some(if o.is_none() {
            none_data
        } else if o.is_exact::<Int>() {
            int_data
        } else if o.is_exact::<Bytes>() {
            bytes_data
        } else if o.is_exact::<Str>() {
            str_data
        } else {
            return None;
        })
    })
}
fn unsupported(o: &Object) -> Raised {
    if occurred() {
        return Raised::already_set();
    }
    match o.str() {
        Ok(s) => raised!(ValueError, "{} does not support cross-interpreter data", s.to_str_lossy()),
        Err(e) => e,
    }
}

unsafe extern "C" fn new_none(_d: *mut CrossData) -> *mut PyObject {
    none().into_raw()
}
unsafe extern "C" fn none_data(_o: *mut PyObject, d: *mut CrossData) -> c_int {
    // SAFETY: the caller's struct.
    unsafe { (*d).new_object = Some(new_none) }
    0
}
unsafe extern "C" fn new_int(d: *mut CrossData) -> *mut PyObject {
    // SAFETY: made by `int_data`.
    Int::from_i64(unsafe { (*d).data } as i64).into_raw()
}
unsafe extern "C" fn int_data(o: *mut PyObject, d: *mut CrossData) -> c_int {
    // SAFETY: an int and the caller's struct.
    unsafe {
        let Some(v) = Object::from_ptr(o).downcast::<Int>().and_then(|i| i.to_i64()) else {
            let _ = raised!(OverflowError, "try sending as bytes");
            return -1;
        };
        (*d).data = v as *mut c_void;
        (*d).new_object = Some(new_int);
    }
    0
}
/// Makes the sender keep the object: its contents are read from there.
///
/// # Safety
/// An object and the caller's struct.
unsafe fn keep(o: *mut PyObject, d: *mut CrossData, new: NewObject) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        (*o).ob_refcnt += 1;
        (*d).obj = o;
        (*d).data = o.cast();
        (*d).new_object = Some(new);
    }
    0
}
unsafe extern "C" fn new_bytes(d: *mut CrossData) -> *mut PyObject {
    // SAFETY: made by `bytes_data`: the object is kept.
    let b = unsafe { Object::from_ptr((*d).data.cast()).downcast_unchecked::<Bytes>() };
    Bytes::new(b.as_bytes()).into_raw()
}
unsafe extern "C" fn bytes_data(o: *mut PyObject, d: *mut CrossData) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { keep(o, d, new_bytes) }
}
unsafe extern "C" fn new_str(d: *mut CrossData) -> *mut PyObject {
    // SAFETY: made by `str_data`: the object is kept.
    let s = unsafe { Object::from_ptr((*d).data.cast()).downcast_unchecked::<Str>() };
    Str::from_text(s.text()).into_raw()
}
unsafe extern "C" fn str_data(o: *mut PyObject, d: *mut CrossData) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { keep(o, d, new_str) }
}

/// Gives back what the sender kept, in its interpreter if that is still there.
///
/// # Safety
/// The GIL is held; data of `_PyObject_GetCrossInterpreterData`, or zeros.
unsafe fn release(d: *mut CrossData) {
    // SAFETY: the caller's promise.
    unsafe {
        if (*d).data.is_null() && (*d).obj.is_null() {
            return;
        }
        let Some(i) = interpreter::by_id((*d).interp) else { return };
        let other = (i != interpreter::current()).then(|| thread::states_of(i).first().copied()).flatten();
        let before = other.map(|ts| thread::swap(ts));
        if let Some(f) = (*d).free {
            f((*d).data);
        }
        xdecref(std::mem::replace(&mut (*d).obj, null_mut()));
        (*d).data = null_mut();
        if let Some(ts) = before {
            thread::swap(ts);
        }
    }
}

fn own_dict() -> &'static Dict {
    DICT.get_or_init(Dict::new)
}
/// `PyInterpreterState_GetDict`.
static DICT: Own<Owned<Dict>> = Own::new();

impl Arg for Option<GetData> {
    type C = Option<GetData>;
    unsafe fn take(c: Self::C) -> PyResult<Self> {
        Ok(c)
    }
}

capi! {
    // ---- Looking at interpreters ----
    fn PyInterpreterState_Get() -> [*mut Interp] { interpreter::current() }
    fn PyInterpreterState_Main() -> [*mut Interp] { interpreter::main() }
    fn PyInterpreterState_Head() -> [*mut Interp] { interpreter::head() }
    fn PyInterpreterState_Next(i: *mut Interp) -> [*mut Interp] { (*i).next }
    fn PyInterpreterState_GetID(i: *mut Interp) -> (i64, -1) {
        if i.is_null() {
            return raise!(RuntimeError, "no interpreter provided");
        }
        Ok((*i).id)
    }
    fn PyInterpreterState_ThreadHead(i: *mut Interp) -> [*mut PyThreadState] {
        thread::states_of(i).first().copied().unwrap_or(null_mut())
    }
    fn PyThreadState_Next(ts: *mut PyThreadState) -> [*mut PyThreadState] {
        let all = thread::states_of((*ts).interp.cast());
        all.iter().position(|t| *t == ts).and_then(|i| all.get(i + 1)).copied().unwrap_or(null_mut())
    }
    fn PyThreadState_GetInterpreter(ts: *mut PyThreadState) -> [*mut Interp] { (*ts).interp.cast() }
    fn PyInterpreterState_GetDict(i: *mut Interp) -> [*mut PyObject] {
        if i == interpreter::current() { own_dict().raw() } else { DICT.of(i).map_or(null_mut(), |d| d.raw()) }
    }
    fn _PyInterpreterState_GetMainModule(i: *mut Interp) -> obj {
        let Some(modules) = modules_of(i) else { return raise!(RuntimeError, "interpreter not initialized") };
        match modules.get_str("__main__")? {
            Some(m) => Ok(m),
            None => raise!(KeyError, "__main__"),
        }
    }

    // ---- Making and ending them ----
    fn PyInterpreterState_Clear(i: *mut Interp) -> void { if i != interpreter::main() { interpreter::clear(i) } }
    fn PyInterpreterState_Delete(i: *mut Interp) -> void { if i != interpreter::main() { interpreter::delete(i) } }

    // ---- Their numbers ----
    fn _PyInterpreterState_LookUpID(id: i64) -> (*mut Interp, null_mut()) { interpreterid::look_up(id) }
    fn _PyInterpreterState_IDInitref(_i: *mut Interp) -> [c_int] { 0 }
    fn _PyInterpreterState_IDIncref(i: *mut Interp) -> [c_int] { (*i).id_refs += 1; 0 }
    fn _PyInterpreterState_IDDecref(i: *mut Interp) -> void { interpreter::id_decref(i) }
    fn _PyInterpreterState_RequiresIDRef(i: *mut Interp) -> [c_int] { (*i).requires_idref }
    fn _PyInterpreterState_RequireIDRef(i: *mut Interp, on: c_int) -> void { (*i).requires_idref = (on != 0) as c_int }
    fn _PyInterpreterState_GetIDObject(i: *mut Interp) -> obj { InterpreterId::new(InterpreterId::class(), (*i).id, false) }
    fn _PyInterpreterID_New(id: i64) -> obj { InterpreterId::new(InterpreterId::class(), id, false) }
    fn _PyInterpreterID_LookUp(o: &Object) -> (*mut Interp, null_mut()) { interpreterid::look_up(interpreterid::id_of(o)?) }

    // ---- Data for others ----
    fn _PyCrossInterpreterData_RegisterClass(t: &Object, f: Option<GetData>) -> status {
        if !t.is_instance_of::<Type>() {
            return raise!(ValueError, "only classes may be registered");
        }
        let Some(f) = f else { return raise!(ValueError, "missing 'getdata' func") };
        CLASSES.lock().expect("never poisoned").push((t.own().into_raw() as usize, f));
        Ok(())
    }
    fn _PyCrossInterpreterData_Lookup(o: &Object) -> [Option<GetData>] { get_data_of(o) }
    fn _PyObject_CheckCrossInterpreterData(o: &Object) -> status {
        if get_data_of(o).is_some() { Ok(()) } else { Err(unsupported(o)) }
    }
    fn _PyObject_GetCrossInterpreterData(o: &Object, d: *mut CrossData) -> status {
        d.write(CrossData { data: null_mut(), obj: null_mut(), interp: 0, new_object: None, free: None });
        let Some(f) = get_data_of(o) else { return Err(unsupported(o)) };
        if f(o.as_ptr(), d) != 0 {
            return Err(Raised::already_set());
        }
        (*d).interp = (*interpreter::current()).id;
        if (*d).new_object.is_none() {
            release(d);
            return raise!(SystemError, "missing new_object func");
        }
        Ok(())
    }
    fn _PyCrossInterpreterData_NewObject(d: *mut CrossData) -> borrowed {
        match (*d).new_object {
            Some(f) => {
                let o = f(d);
                if o.is_null() { Err(Raised::already_set()) } else { Ok(o) }
            }
            None => raise!(SystemError, "missing new_object func"),
        }
    }
    fn _PyCrossInterpreterData_Release(d: *mut CrossData) -> void { release(d) }
}

/// An interpreter without a thread, and without modules until somebody fills them in. C calls it without the GIL.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_New() -> *mut Interp {
    interpreter::alloc(false)
}
/// The current thread goes on in a new interpreter.
#[unsafe(no_mangle)]
pub extern "C" fn Py_NewInterpreter() -> *mut PyThreadState {
    interpreter::create(false)
}
#[unsafe(no_mangle)]
pub extern "C" fn _Py_NewInterpreter(isolated: c_int) -> *mut PyThreadState {
    interpreter::create(isolated != 0)
}
/// # Safety
/// `ts` is the current thread's state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_EndInterpreter(ts: *mut PyThreadState) {
    // SAFETY: the caller's promise.
    unsafe { interpreter::end(ts) }
}
