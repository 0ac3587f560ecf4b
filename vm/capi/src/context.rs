//! `cpython/context.h`: contexts and their variables.

use crate::prelude::*;
use lh_runtime::contextobject::{Context, ContextVar, Token};

fn context(o: &Object) -> PyResult<&Context> {
    match o.downcast_exact::<Context>() {
        Some(c) => Ok(c),
        None => raise!(TypeError, "an instance of Context was expected"),
    }
}
fn variable(o: &Object) -> PyResult<&ContextVar> {
    match o.downcast_exact::<ContextVar>() {
        Some(v) => Ok(v),
        None => raise!(TypeError, "an instance of ContextVar was expected"),
    }
}

capi! {
    fn PyContext_New() -> obj { Ok(Context::new()) }
    fn PyContext_Copy(c: &Object) -> obj { Ok(context(c)?.copy_of()) }
    fn PyContext_CopyCurrent() -> obj { Ok(Context::current().copy_of()) }
    fn PyContext_Enter(c: &Object) -> status { context(c)?.enter() }
    fn PyContext_Exit(c: &Object) -> status { context(c)?.exit() }
    fn PyContextVar_New(name: &CStr, default: Option<&Object>) -> obj { Ok(ContextVar::new(&str_of(name), default)) }
    fn PyContextVar_Get(v: &Object, default: Option<&Object>, out: *mut *mut PyObject) -> status {
        *out = null_mut();
        *out = variable(v)?.value(default)?.map_or(null_mut(), Owned::into_raw);
        Ok(())
    }
    fn PyContextVar_Set(v: &Object, x: &Object) -> obj { variable(v)?.set_value(x) }
    fn PyContextVar_Reset(v: &Object, token: &Object) -> status {
        match token.downcast_exact::<Token>() {
            Some(t) => variable(v)?.reset_to(t),
            None => raise!(TypeError, "an instance of Token was expected"),
        }
    }
    fn _PyContext_NewHamtForTests() -> obj { Ok(lh_runtime::hamt::Hamt::new().into_object()) }
}
