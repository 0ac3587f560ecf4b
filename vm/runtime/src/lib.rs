//! Lancehead's object model: objects and types in CPython 3.11's layout, reference counts, the cycle collector, exceptions,
//! attribute lookup, calls, threads. See docs/runtime.md.
//!
//! The runtime knows no interpreter: it reaches upwards only through slots in objects and `hooks`.

#![allow(non_upper_case_globals)]

extern crate self as lh_runtime;
pub use lh_abi as abi;
pub use lh_bytecode as bytecode;
pub use lh_macros::{pyclass, pyfunction, pymethods};

pub mod alloc;
pub mod args;
pub mod boolobject;
pub mod border;
pub mod buffer;
pub mod builder;
pub mod bytearrayobject;
pub mod bytes_methods;
pub mod bytes_types;
pub mod bytesobject;
pub mod capidebug;
pub mod capsule;
pub mod classobject;
pub mod codecs;
pub mod codeobject;
pub mod complexobject;
pub mod consume;
pub mod container_calls;
pub mod contextobject;
pub mod convert;
pub mod descrobject;
pub mod dict_table;
pub mod dict_views;
pub mod dictobject;
pub mod enumobject;
pub mod errors;
pub mod exc_fields;
pub mod exceptions;
pub mod exitfuncs;
pub mod extension;
pub mod faultdump;
pub mod floatobject;
pub mod format;
pub mod funcobject;
pub mod gc;
pub mod genericalias;
pub mod hamt;
pub mod hashing;
pub mod hooks;
pub mod import;
pub mod init;
pub mod instance;
pub mod interpreter;
pub mod interpreterid;
pub mod intobject;
pub mod iterobject;
pub mod kinds;
pub mod layouts;
pub mod listobject;
pub mod listsort;
pub mod marshal;
pub mod memoryview;
pub mod methodobject;
pub mod moduleobject;
pub mod namespaceobject;
pub mod number;
pub mod object;
pub mod object_type;
pub mod odictobject;
pub mod percent;
pub mod picklebuf;
pub mod property;
pub mod protocols;
pub mod pyruntime;
pub mod quarantine;
pub mod rangeobject;
pub mod readline;
pub mod reprguard;
pub mod set_methods;
pub mod setobject;
pub mod singletons;
pub mod sliceobject;
pub mod slot_calls;
pub mod slot_wrappers;
pub mod slots;
pub mod str_format;
pub mod str_methods;
pub mod str_search;
pub mod strbuilder;
pub mod strobject;
pub mod structseq;
pub mod sysobject;
pub mod thread;
pub mod tracemalloc;
pub mod trash;
pub mod tupleobject;
pub mod type_attrs;
pub mod type_new;
pub mod type_slots;
pub mod type_spec;
pub mod type_table;
pub mod typeobject;
pub mod unicode;
pub mod warnings;
pub mod weakref;

/// What nearly every file that implements Python types or functions wants.
pub mod prelude {
    pub use crate::args::Args;
    pub use crate::buffer::Buffer;
    pub use crate::builder::{ClassDef, Payload, TypeBuilder, ready};
    pub use crate::convert::{ArgCtx, FromPy, IntoPy, Nullable};
    pub use crate::errors::*;
    pub use crate::exceptions::exc;
    pub use crate::kinds::*;
    pub use crate::object::*;
    pub use crate::singletons::*;
    pub use crate::slots::CompareOp;
    pub use crate::strobject::StrBuilder;
    pub use crate::{intern, module, pyclass, pyfunction, pymethods, raise, raised};
}

/// The interned string of a literal: `intern!("__init__")`, a `&'static Str` looked up once.
#[macro_export]
macro_rules! intern {
    ($s:literal) => {{
        static CELL: std::sync::atomic::AtomicPtr<$crate::abi::PyObject> =
            std::sync::atomic::AtomicPtr::new(std::ptr::null_mut());
        let p = CELL.load(std::sync::atomic::Ordering::Relaxed);
        #[allow(unused_unsafe)]
        let s: &'static $crate::kinds::Str = if p.is_null() {
            let s = $crate::kinds::Str::interned($s);
            CELL.store($crate::object::Kind::raw(s), std::sync::atomic::Ordering::Relaxed);
            s
        } else {
            // SAFETY: interned by `Str::interned`, which keeps its strings for ever.
            unsafe { $crate::object::Object::from_ptr(p).downcast_unchecked() }
        };
        s
    }};
}
