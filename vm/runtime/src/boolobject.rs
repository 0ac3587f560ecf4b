//! `bool`: two ints, `True` and `False` (`singletons.rs`), with their own repr and logical operators.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::pymethods;
use crate::singletons::*;

/// Both operands' truth, if both are bools.
fn both(a: &Object, b: &Object) -> Option<(bool, bool)> {
    let truth = |o: &Object| {
        if o.is_true_object() {
            Some(true)
        } else if o.is_false_object() {
            Some(false)
        } else {
            None
        }
    };
    Some((truth(a)?, truth(b)?))
}

fn as_ints(a: &Object, b: &Object, f: fn(&Int, &Int) -> Owned<Int>) -> PyResult<Owned<Object>> {
    match (a.downcast::<Int>(), b.downcast::<Int>()) {
        (Some(a), Some(b)) => Ok(f(a, b).into_object()),
        _ => Ok(not_implemented()),
    }
}

fn more(b: &mut crate::builder::TypeBuilder) {
    b.doc(
        c"bool(x) -> bool

True when the argument x is true, False otherwise.
True and False are the only two instances of the class bool, which is a
subclass of int and cannot be subclassed.",
    )
}

#[pymethods(extra = more)]
impl Bool {
    #[new(signature = "(x=None, /)")]
    fn new(_cls: &Type, x: Option<&Object>) -> PyResult<bool> {
        x.map_or(Ok(false), |x| x.is_true())
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut lh_abi::PyObject) {
        // Only a reference count gone wrong leads here: the two objects are static.
        // SAFETY: a static object.
        unsafe { (*o).ob_refcnt = 1 << 40 }
    }
    #[slot(tp_repr)]
    fn repr_slot(&self) -> &'static Str {
        if self.is_true_object() { crate::intern!("True") } else { crate::intern!("False") }
    }
    #[slot(nb_and)]
    fn nb_and(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        both(a, b).map_or_else(|| as_ints(a, b, Int::and), |(a, b)| Ok(bool_obj(a & b)))
    }
    #[slot(nb_or)]
    fn nb_or(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        both(a, b).map_or_else(|| as_ints(a, b, Int::or), |(a, b)| Ok(bool_obj(a | b)))
    }
    #[slot(nb_xor)]
    fn nb_xor(a: &Object, b: &Object) -> PyResult<Owned<Object>> {
        both(a, b).map_or_else(|| as_ints(a, b, Int::xor), |(a, b)| Ok(bool_obj(a ^ b)))
    }
}
