//! `_pickle`: the pickle protocols 0 to 5.
//!
//! `pickler.rs` holds the `Pickler` and the forms of the built-in types, `reduce.rs` what `__reduce_ex__` and globals come to, `unpickle.rs` the
//! `Unpickler`. Both machines keep their state in cells that are never borrowed while Python code runs.

use crate::os::util::new_exception;
use lh_runtime::prelude::*;

pub mod memo;
pub mod pickler;
pub mod reduce;
pub mod unpickle;

pub const HIGHEST: i32 = 5;
const DEFAULT: i32 = 4;

/// Opcodes of the pickle machine.
pub mod code {
    pub const MARK: u8 = b'(';
    pub const STOP: u8 = b'.';
    pub const POP: u8 = b'0';
    pub const POP_MARK: u8 = b'1';
    pub const DUP: u8 = b'2';
    pub const FLOAT: u8 = b'F';
    pub const INT: u8 = b'I';
    pub const BININT: u8 = b'J';
    pub const BININT1: u8 = b'K';
    pub const LONG: u8 = b'L';
    pub const BININT2: u8 = b'M';
    pub const NONE: u8 = b'N';
    pub const PERSID: u8 = b'P';
    pub const BINPERSID: u8 = b'Q';
    pub const REDUCE: u8 = b'R';
    pub const STRING: u8 = b'S';
    pub const BINSTRING: u8 = b'T';
    pub const SHORT_BINSTRING: u8 = b'U';
    pub const UNICODE: u8 = b'V';
    pub const BINUNICODE: u8 = b'X';
    pub const APPEND: u8 = b'a';
    pub const BUILD: u8 = b'b';
    pub const GLOBAL: u8 = b'c';
    pub const DICT: u8 = b'd';
    pub const EMPTY_DICT: u8 = b'}';
    pub const APPENDS: u8 = b'e';
    pub const GET: u8 = b'g';
    pub const BINGET: u8 = b'h';
    pub const INST: u8 = b'i';
    pub const LONG_BINGET: u8 = b'j';
    pub const LIST: u8 = b'l';
    pub const EMPTY_LIST: u8 = b']';
    pub const OBJ: u8 = b'o';
    pub const PUT: u8 = b'p';
    pub const BINPUT: u8 = b'q';
    pub const LONG_BINPUT: u8 = b'r';
    pub const SETITEM: u8 = b's';
    pub const TUPLE: u8 = b't';
    pub const EMPTY_TUPLE: u8 = b')';
    pub const SETITEMS: u8 = b'u';
    pub const BINFLOAT: u8 = b'G';
    pub const PROTO: u8 = 0x80;
    pub const NEWOBJ: u8 = 0x81;
    pub const EXT1: u8 = 0x82;
    pub const EXT2: u8 = 0x83;
    pub const EXT4: u8 = 0x84;
    pub const TUPLE1: u8 = 0x85;
    pub const TUPLE2: u8 = 0x86;
    pub const TUPLE3: u8 = 0x87;
    pub const NEWTRUE: u8 = 0x88;
    pub const NEWFALSE: u8 = 0x89;
    pub const LONG1: u8 = 0x8a;
    pub const LONG4: u8 = 0x8b;
    pub const BINBYTES: u8 = b'B';
    pub const SHORT_BINBYTES: u8 = b'C';
    pub const SHORT_BINUNICODE: u8 = 0x8c;
    pub const BINUNICODE8: u8 = 0x8d;
    pub const BINBYTES8: u8 = 0x8e;
    pub const EMPTY_SET: u8 = 0x8f;
    pub const ADDITEMS: u8 = 0x90;
    pub const FROZENSET: u8 = 0x91;
    pub const NEWOBJ_EX: u8 = 0x92;
    pub const STACK_GLOBAL: u8 = 0x93;
    pub const MEMOIZE: u8 = 0x94;
    pub const FRAME: u8 = 0x95;
    pub const BYTEARRAY8: u8 = 0x96;
    pub const NEXT_BUFFER: u8 = 0x97;
    pub const READONLY_BUFFER: u8 = 0x98;
}

// ---- Exceptions ----

fn error_class(i: usize) -> &'static Type {
    static CLASSES: std::sync::OnceLock<[usize; 3]> = std::sync::OnceLock::new();
    let all = CLASSES.get_or_init(|| {
        let make = |name, base: &Type| -> usize {
            match new_exception("_pickle", name, base) {
                Ok(c) => c.into_raw() as usize,
                Err(e) => {
                    e.clear();
                    exc::Exception().own().into_object().into_raw() as usize
                }
            }
        };
        let base = make("PickleError", exc::Exception());
        // SAFETY: the class just made is kept for ever.
        let class: &Type = unsafe { Object::from_ptr(base as *mut _).downcast_unchecked() };
        [base, make("PicklingError", class), make("UnpicklingError", class)]
    });
    // SAFETY: as above.
    unsafe { Object::from_ptr(all[i] as *mut _).downcast_unchecked() }
}
pub fn pickling_error() -> &'static Type {
    error_class(1)
}
pub fn unpickling_error() -> &'static Type {
    error_class(2)
}
#[macro_export]
#[doc(hidden)]
macro_rules! pickling {
    ($($arg:tt)+) => { Err(lh_runtime::errors::raise_fmt($crate::text::pickle::pickling_error(), format_args!($($arg)+))) };
}
#[macro_export]
#[doc(hidden)]
macro_rules! unpickling {
    ($($arg:tt)+) => { Err(lh_runtime::errors::raise_fmt($crate::text::pickle::unpickling_error(), format_args!($($arg)+))) };
}

/// The protocol that a `protocol` argument asks for.
pub fn protocol_of(o: Option<&Object>) -> PyResult<i32> {
    let Some(o) = o.filter(|o| !o.is_none()) else { return Ok(DEFAULT) };
    let p = lh_runtime::number::as_isize(o, Some(exc::OverflowError()))?;
    if p < 0 {
        return Ok(HIGHEST);
    }
    if p > HIGHEST as isize {
        return raise!(ValueError, "pickle protocol must be <= {}", HIGHEST);
    }
    Ok(p as i32)
}

/// An attribute of `copyreg` or `_compat_pickle`.
pub fn of_module(module: &str, name: &str) -> PyResult {
    let m = match lh_runtime::import::loaded_module(module) {
        Some(m) => m,
        None => lh_runtime::import::import_module(module)?,
    };
    m.get_attr_str(name)
}
pub fn dict_of_module(module: &str, name: &str) -> PyResult<Owned<Dict>> {
    match of_module(module, name)?.downcast_owned::<Dict>() {
        Ok(d) => Ok(d),
        Err(o) => raise!(RuntimeError, "{}.{} should be a dict, not {}", module, name, o.ty().name()),
    }
}

// ---- Functions ----

/// Write a pickled representation of obj to the open file object file.
///
/// This is equivalent to ``Pickler(file, protocol).dump(obj)``, but may
/// be more efficient.
///
/// The optional *protocol* argument tells the pickler to use the given
/// protocol; supported protocols are 0, 1, 2, 3, 4 and 5.  The default
/// protocol is 4.
#[pyfunction(signature = "(obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)")]
fn dump(
    obj: &Object,
    file: &Object,
    protocol: Option<&Object>,
    fix_imports: bool,
    buffer_callback: Option<&Object>,
) -> PyResult<()> {
    let p = pickler::Pickler::unset().build();
    p.set_up(protocol, fix_imports, buffer_callback)?;
    p.set_file(file)?;
    p.dump_object(obj)?;
    p.flush_file()
}
/// Return the pickled representation of the object as a bytes object.
///
/// The optional *protocol* argument tells the pickler to use the given
/// protocol; supported protocols are 0, 1, 2, 3, 4 and 5.  The default
/// protocol is 4.
#[pyfunction(signature = "(obj, protocol=None, *, fix_imports=True, buffer_callback=None)")]
fn dumps(
    obj: &Object,
    protocol: Option<&Object>,
    fix_imports: bool,
    buffer_callback: Option<&Object>,
) -> PyResult<Owned<Bytes>> {
    let p = pickler::Pickler::unset().build();
    p.set_up(protocol, fix_imports, buffer_callback)?;
    p.dump_object(obj)?;
    Ok(Bytes::new(&p.take_output()))
}
/// Read and return an object from the pickle data stored in a file.
///
/// This is equivalent to ``Unpickler(file).load()``, but may be more
/// efficient.
///
/// The protocol version of the pickle is detected automatically, so no
/// protocol argument is needed.  Bytes past the pickled object's
/// representation are ignored.
#[pyfunction(signature = "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
fn load(
    file: &Object,
    fix_imports: bool,
    encoding: Option<&Str>,
    errors: Option<&Str>,
    buffers: Option<&Object>,
) -> PyResult {
    let u = unpickle::Unpickler::unset().build();
    u.set_up(fix_imports, encoding, errors, buffers)?;
    u.set_file(file)?;
    u.load_object()
}
/// Read and return an object from the given pickle data.
///
/// The protocol version of the pickle is detected automatically, so no
/// protocol argument is needed.  Bytes past the pickled object's
/// representation are ignored.
#[pyfunction(signature = "(data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())")]
fn loads(
    data: &Object,
    fix_imports: bool,
    encoding: Option<&Str>,
    errors: Option<&Str>,
    buffers: Option<&Object>,
) -> PyResult {
    let u = unpickle::Unpickler::unset().build();
    u.set_up(fix_imports, encoding, errors, buffers)?;
    u.set_data(Buffer::simple(data)?.to_vec());
    u.load_object()
}

module! {
    "_pickle",
    doc: "Optimized C implementation for the Python pickle module.",
    functions: [dump, dumps, load, loads],
    types: [pickler::Pickler, unpickle::Unpickler],
    init: setup
}
fn setup(m: &Module) -> PyResult<()> {
    for (i, name) in ["PickleError", "PicklingError", "UnpicklingError"].into_iter().enumerate() {
        m.add(name, error_class(i))?;
    }
    m.add("PickleBuffer", lh_runtime::picklebuf::PickleBuffer::class())?;
    ready::<memo::PicklerMemoProxy>()?;
    ready::<memo::UnpicklerMemoProxy>()?;
    Ok(())
}
