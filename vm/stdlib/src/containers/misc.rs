//! Small modules about the machine itself: `_contextvars`, `_opcode`.

pub mod contextvars {
    use lh_runtime::contextobject::{Context, ContextVar, Token};
    use lh_runtime::prelude::*;

    module! {
        "_contextvars",
        doc: "Context Variables",
        functions: [copy_context],
        types: [Context, ContextVar, Token],
    }

    #[pyfunction]
    pub fn copy_context() -> Owned<Context> {
        Context::current().copy_of()
    }
}

pub mod opcode {
    use lh_runtime::prelude::*;

    module! {
        "_opcode",
        doc: "Opcode support module.",
        functions: [stack_effect, get_specialization_stats],
    }

    /// Compute the stack effect of the opcode.
    #[pyfunction(signature = "(opcode, oparg=None, /, *, jump=None)")]
    pub fn stack_effect(opcode: i32, oparg: Option<&Object>, jump: Option<&Object>) -> PyResult<i32> {
        const HAVE_ARGUMENT: i32 = 90;
        let oparg = oparg.filter(|o| !o.is_none());
        if opcode >= HAVE_ARGUMENT && oparg.is_none() {
            return raise!(ValueError, "stack_effect: opcode requires oparg but oparg was not specified");
        }
        if opcode < HAVE_ARGUMENT && oparg.is_some() {
            return raise!(ValueError, "stack_effect: opcode does not permit oparg but oparg was specified");
        }
        let arg = match oparg {
            Some(o) => lh_runtime::number::index(o)?.to_u64_wrapping() as u32,
            None => 0,
        };
        let effect = |jump: bool| {
            u8::try_from(opcode).ok().and_then(|op| lh_runtime::bytecode::opcode::stack_effect(op, arg, jump))
        };
        let r = match jump.filter(|j| !j.is_none()) {
            None => effect(true).zip(effect(false)).map(|(a, b)| a.max(b)),
            Some(j) if j.is_true_object() => effect(true),
            Some(j) if j.is_false_object() => effect(false),
            Some(_) => return raise!(ValueError, "stack_effect: jump must be False, True or None"),
        };
        match r {
            Some(n) => Ok(n),
            None => raise!(ValueError, "invalid opcode or oparg"),
        }
    }
    /// Return the specialization stats
    #[pyfunction]
    pub fn get_specialization_stats() {}
}
