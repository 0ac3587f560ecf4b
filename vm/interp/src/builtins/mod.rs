//! The `builtins` module.
//!
//! | file | functions |
//! |---|---|
//! | `attrs` | attributes, numbers, characters, type tests |
//! | `iterate` | iteration: `iter`, `next`, `sum`, `min`, `max`, `sorted`, `any`, `all`, `aiter`, `anext` |
//! | `inout` | `print`, `input`, `open`, `breakpoint` |
//! | `code` | `compile`, `eval`, `exec`, `globals`, `locals`, `vars`, `dir`, `__import__` |
//! | `classes` | `__build_class__` |
//!
//! What these need of the evaluation loop and the compiler stands in `EvalApi`, filled in at start-up.

use lh_abi::PyObject;
use lh_runtime::prelude::*;
use std::sync::OnceLock;

pub mod attrs;
pub mod classes;
pub mod code;
pub mod inout;
pub mod iterate;

/// What `compile` turns into code (or, with `PyCF_ONLY_AST` in the flags, into a tree).
pub enum Source<'a> {
    /// Source text. With `PyCF_IGNORE_COOKIE` in the flags it is UTF-8; otherwise its coding cookie counts.
    Text(&'a [u8]),
    /// An instance of `_ast.AST`.
    Tree(&'a Object),
}

/// What `compile` produces; the start symbol of the grammar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Exec,
    Eval,
    Single,
    FuncType,
}

/// A request to the compiler. `flags` are `PyCF_*` and `CO_FUTURE_*` bits, with the caller's future flags already merged in;
/// `optimize` is -1 for the interpreter's own level.
pub struct Compile<'a> {
    pub source: Source<'a>,
    pub filename: &'a Str,
    pub mode: Mode,
    pub flags: i32,
    pub optimize: i32,
    /// Minor version of the grammar to accept, -1 for the present one.
    pub feature_version: i32,
    /// The program's own file, whose bad encodings have other messages.
    pub from_file: bool,
}

/// The running frame's fast locals, for `super()`.
pub struct FrameLocals {
    pub code: Owned<Code>,
    /// `co_nlocalsplus` places: owned objects, cells, or null.
    pub locals: *const *mut PyObject,
}

/// The evaluation loop and the compiler, as the built-in functions see them.
pub struct EvalApi {
    /// Runs a code object. `locals: None` means the globals. `closure` has a cell for each free variable.
    pub eval_code:
        fn(code: &Code, globals: &Dict, locals: Option<&Object>, closure: Option<&Tuple>) -> PyResult,
    /// Runs a Python function without arguments with `namespace` as its locals (a class body); its result.
    pub call_with_locals: fn(function: &Function, namespace: &Object) -> PyResult,
    /// `locals()` of the running frame (fast locals are written to its dictionary first).
    pub current_locals: fn() -> PyResult,
    /// The running frame's globals.
    pub current_globals: fn() -> Option<Owned<Dict>>,
    /// The running frame's builtins (`builtins_dict()` if there is no frame).
    pub current_builtins: fn() -> Owned<Object>,
    /// `co_flags` of the running code, 0 if none runs.
    pub current_code_flags: fn() -> i32,
    /// The running frame's locals; `None` without a frame.
    pub frame_locals: fn() -> Option<FrameLocals>,
    pub compile: fn(Compile<'_>) -> PyResult,
}
pub static EVAL_API: OnceLock<EvalApi> = OnceLock::new();

/// The installed `EvalApi`; a `SystemError` before there is one.
pub fn api() -> PyResult<&'static EvalApi> {
    match EVAL_API.get() {
        Some(a) => Ok(a),
        None => raise!(SystemError, "the evaluation loop is not installed"),
    }
}

const DOC: &str = "Built-in functions, types, exceptions, and other objects.\n\n\
    Every name that no module, class or function defines is looked up here last.";

/// Fills the `builtins` module (once) and answers it.
pub fn make() -> PyResult<Owned<Module>> {
    static DONE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    let m = lh_runtime::sysobject::builtins_module();
    if DONE.swap(true, std::sync::atomic::Ordering::Relaxed) {
        return Ok(m.own());
    }
    ready::<crate::superobject::Super>()?;
    ready::<iterate::AnextAwaitable>()?;
    m.set_doc(DOC)?;
    m.add_functions(functions())?;
    constants(m)?;
    types(m)?;
    if let Some(f) = m.dict().get_str("__import__")? {
        lh_runtime::import::set_import_func(&f);
    }
    Ok(m.own())
}

fn functions() -> Vec<lh_abi::PyMethodDef> {
    macro_rules! defs {
        ($($m:ident: $($f:ident)*;)*) => { vec![$($($m::$f::def(),)*)*] };
    }
    defs! {
        attrs: abs ascii bin callable chr delattr divmod format getattr hasattr hash hex id isinstance issubclass len oct ord pow
               repr round setattr;
        iterate: aiter all anext any iter max min next sorted sum;
        inout: breakpoint input open print;
        code: __import__ compile dir eval exec globals locals vars;
        classes: __build_class__;
    }
}

fn constants(m: &Module) -> PyResult<()> {
    m.add("None", none_ref())?;
    m.add("True", bool_ref(true))?;
    m.add("False", bool_ref(false))?;
    m.add("Ellipsis", ellipsis_ref())?;
    m.add("NotImplemented", not_implemented_ref())?;
    m.add("__debug__", bool_ref(lh_runtime::sysobject::config().optimize == 0))
}

fn types(m: &Module) -> PyResult<()> {
    use lh_runtime::type_table as t;
    // SAFETY: static type objects, readied by `init_types` (and `super` above).
    let add = |name: &str, p: *mut lh_abi::PyTypeObject| m.add(name, unsafe { Object::from_ptr(p.cast()) });
    macro_rules! add_types {
        ($($name:literal $sym:ident;)*) => { $(add($name, &raw mut t::$sym)?;)* };
    }
    add_types! {
        "bool" PyBool_Type; "bytearray" PyByteArray_Type; "bytes" PyBytes_Type; "classmethod" PyClassMethod_Type;
        "complex" PyComplex_Type; "dict" PyDict_Type; "enumerate" PyEnum_Type; "filter" PyFilter_Type; "float" PyFloat_Type;
        "frozenset" PyFrozenSet_Type; "int" PyLong_Type; "list" PyList_Type; "map" PyMap_Type;
        "memoryview" PyMemoryView_Type; "object" PyBaseObject_Type; "property" PyProperty_Type; "range" PyRange_Type;
        "reversed" PyReversed_Type; "set" PySet_Type; "slice" PySlice_Type; "staticmethod" PyStaticMethod_Type;
        "str" PyUnicode_Type; "super" PySuper_Type; "tuple" PyTuple_Type; "type" PyType_Type; "zip" PyZip_Type;
    }
    m.add("BaseException", exc::BaseException())?;
    for (name, p) in lh_runtime::exceptions::all() {
        add(name, p)?;
    }
    m.add("ExceptionGroup", lh_runtime::exc_fields::exception_group_type())?;
    m.add("EnvironmentError", exc::OSError())?;
    m.add("IOError", exc::OSError())
}
