//! Sequence iterators and `callable_iterator`; `zip`, `map`, `filter`.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;

/// `builtins.NAME`.
pub fn builtin(name: &str) -> PyResult {
    match crate::sysobject::builtins_dict().get_str(name)? {
        Some(f) => Ok(f),
        None => crate::raise!(AttributeError, "{}", name),
    }
}

/// What `__reduce__` of an index iterator answers: `(name, (seq,), index)`, or an iterator over nothing once exhausted.
pub(crate) fn reduce_iter(name: &str, seq: Option<&Object>, index: isize, tuple: bool) -> PyResult {
    let f = builtin(name)?;
    Ok(match seq {
        Some(s) => {
            let args = Tuple::from_refs(&[s]).into_object();
            Tuple::from_vec(vec![f, args, Int::from_i64(index as i64).into_object()]).into_object()
        }
        None => {
            let empty = if tuple { Tuple::empty().into_object() } else { List::new().into_object() };
            Tuple::pair(f, Tuple::from_refs(&[&*empty]).into_object()).into_object()
        }
    })
}
