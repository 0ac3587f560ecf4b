//! `InterpreterID`: an interpreter's number as an object. While it lives the interpreter knows that somebody names it.

use crate::interpreter::{self, Interp};
use crate::prelude::*;
use lh_abi::*;

#[repr(C)]
pub struct IdObject {
    ob_base: PyObject,
    id: i64,
}
crate::kind!(/** `_PyInterpreterID` */ InterpreterId: IdObject, crate::type_table::_PyInterpreterID_Type);

/// The interpreter with that number; `RuntimeError` if there is none.
pub fn look_up(id: i64) -> PyResult<*mut Interp> {
    match interpreter::by_id(id) {
        Some(i) => Ok(i),
        None => raise!(RuntimeError, "unrecognized interpreter ID {}", id),
    }
}
/// The number that an argument means: an `InterpreterID` or an index.
pub fn id_of(o: &Object) -> PyResult<i64> {
    if let Some(i) = o.downcast::<InterpreterId>() {
        return Ok(i.id());
    }
    if !crate::number::has_index(o) {
        return raise!(TypeError, "interpreter ID must be an int, got {}", o.ty().name());
    }
    let n = crate::number::index(o)?;
    match n.to_i64() {
        Some(id) if id >= 0 => Ok(id),
        Some(_) => {
            raise!(ValueError, "interpreter ID must be a non-negative int, got {}", o.repr()?.to_str_lossy())
        }
        None => raise!(OverflowError, "int too big to convert"),
    }
}

impl InterpreterId {
    pub fn id(&self) -> i64 {
        // SAFETY: a plain field that never changes.
        unsafe { (*self.as_struct()).id }
    }
    /// An object for the interpreter; with `force` also for one that is not there.
    pub fn new(cls: &Type, id: i64, force: bool) -> PyResult {
        match interpreter::by_id(id) {
            // SAFETY: a listed interpreter is live.
            Some(i) => unsafe { (*i).id_refs += 1 },
            None if force => {}
            None => {
                look_up(id)?;
            }
        }
        // SAFETY: a fresh instance.
        unsafe {
            let p = crate::typeobject::alloc(cls.tp(), 0)?;
            (*p.cast::<IdObject>()).id = id;
            Ok(Owned::from_raw(p))
        }
    }
}

pub fn init() -> PyResult<()> {
    let t = ready::<InterpreterId>()?;
    // Without the signature that its constructor's messages speak of.
    let doc = c"A interpreter ID identifies a interpreter and may be used as an int.";
    // SAFETY: a static type; the text lives for ever.
    unsafe { (*t.tp()).tp_doc = doc.as_ptr() };
    t.set_builtin_attr("__doc__", &Str::new(&doc.to_string_lossy()))
}

#[pymethods]
impl InterpreterId {
    #[new(name = "InterpreterID.__init__", signature = "(id, *, force=False)")]
    fn tp_new(cls: &Type, id: &Object, force: bool) -> PyResult {
        InterpreterId::new(cls, id_of(id)?, force)
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator of an `InterpreterID`.
        unsafe {
            let id = (*o.cast::<IdObject>()).id;
            crate::typeobject::free_instance(o);
            if let Some(i) = interpreter::by_id(id) {
                interpreter::id_decref(i);
            }
        }
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        format!("{}({})", self.ty().short_name(), self.id())
    }
    #[slot(tp_str)]
    fn tp_str(&self) -> String {
        self.id().to_string()
    }
    #[slot(tp_hash)]
    fn tp_hash(&self) -> PyResult<isize> {
        Int::from_i64(self.id()).as_object().hash_obj()
    }
    #[slot(nb_int)]
    fn nb_int(&self) -> Owned<Int> {
        Int::from_i64(self.id())
    }
    #[slot(nb_index)]
    fn nb_index(&self) -> Owned<Int> {
        Int::from_i64(self.id())
    }
    #[slot(tp_richcompare)]
    fn tp_richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented());
        }
        let same = if let Some(o) = other.downcast::<InterpreterId>() {
            o.id() == self.id()
        } else if let Some(i) = other.downcast_exact::<Int>() {
            i.to_i64() == Some(self.id())
        } else if crate::number::is_number(other) {
            return Int::from_i64(self.id()).as_object().rich_compare(other, op);
        } else {
            return Ok(not_implemented());
        };
        Ok(bool_obj(same == matches!(op, CompareOp::Eq)))
    }
}
