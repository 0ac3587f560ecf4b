//! What a ctypes class knows about its C type ([`Info`]), kept in the type object itself.
//!
//! All ctypes metaclasses derive from one ([`CTypeMeta`]) whose instances, being type objects, have one more word behind
//! the heap type: the class's `Info`. Static types (`Structure` itself) are shorter and have none: they are abstract.
//!
//! ```text
//!   type <- CType_Type <- PyCStructType, UnionType, PyCPointerType, PyCArrayType, PyCSimpleType, PyCFuncPtrType
//! ```

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::{CString, c_int, c_void};
use std::sync::{Arc, OnceLock};

use lh_abi::*;
use lh_foreign::ctype::{CType, Prim};
use lh_runtime::prelude::*;

use crate::convert::Scalar;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClassKind {
    Struct,
    Union,
    Array,
    Pointer,
    Simple,
    Func,
}

pub const IS_POINTER: u32 = 0x100;
pub const HAS_POINTER: u32 = 0x200;
pub const HAS_UNION: u32 = 0x400;
pub const HAS_BITFIELD: u32 = 0x800;
/// The layout was used and can't be given any more.
pub const FINAL: u32 = 0x1000;

pub const FUNC_STDCALL: i32 = 0;
pub const FUNC_CDECL: i32 = 1;
pub const FUNC_PYTHONAPI: i32 = 4;
pub const FUNC_USE_ERRNO: i32 = 8;
pub const FUNC_USE_LASTERROR: i32 = 16;

pub struct Info {
    pub kind: ClassKind,
    pub ctype: RefCell<Arc<CType>>,
    pub flags: Cell<u32>,
    /// Items of an array, fields of a record.
    pub length: Cell<usize>,
    /// Item or target class; the `_type_` string of a simple class.
    pub proto: Slot,
    pub scalar: Option<Scalar>,
    /// The same, if instances turn into plain Python values by themselves when read from fields, items or results.
    pub value: Option<Scalar>,
    /// PEP 3118 format and shape. Exported buffers point into them; both are set once, before the class has instances.
    pub format: RefCell<CString>,
    pub shape: RefCell<Box<[isize]>>,
    /// Names of the class's own fields in order, for positional initialisation.
    pub names: RefCell<Vec<Owned<Str>>>,
    /// Of a function class.
    pub func: FuncInfo,
}

pub struct FuncInfo {
    pub flags: Cell<i32>,
    pub argtypes: Slot<Tuple>,
    pub converters: Slot<Tuple>,
    pub restype: Slot,
    pub checker: Slot,
}

impl Info {
    pub fn new(kind: ClassKind, ctype: Arc<CType>) -> Info {
        Info {
            kind,
            ctype: RefCell::new(ctype),
            flags: Cell::new(0),
            length: Cell::new(0),
            proto: Slot::empty(),
            scalar: None,
            value: None,
            format: RefCell::new(CString::from(c"B")),
            shape: RefCell::new(Box::new([])),
            names: RefCell::new(Vec::new()),
            func: FuncInfo {
                flags: Cell::new(0),
                argtypes: Slot::empty(),
                converters: Slot::empty(),
                restype: Slot::empty(),
                checker: Slot::empty(),
            },
        }
    }

    pub fn ctype(&self) -> Arc<CType> {
        self.ctype.borrow().clone()
    }

    pub fn size(&self) -> usize {
        self.ctype.borrow().size
    }

    pub fn align(&self) -> usize {
        self.ctype.borrow().align
    }

    pub fn has(&self, flag: u32) -> bool {
        self.flags.get() & flag != 0
    }

    pub fn add(&self, flags: u32) {
        self.flags.set(self.flags.get() | flags);
    }

    /// The target or item class.
    pub fn proto_class(&self) -> Option<Owned<Type>> {
        self.proto.get()?.downcast_owned::<Type>().ok()
    }

    pub fn set_format(&self, text: impl Into<Vec<u8>>) {
        *self.format.borrow_mut() = CString::new(text).unwrap_or_default();
    }
}

impl Trace for Info {
    fn trace(&self, v: &mut Visitor) {
        self.proto.trace(v);
        self.func.argtypes.trace(v);
        self.func.converters.trace(v);
        self.func.restype.trace(v);
        self.func.checker.trace(v);
    }
    fn clear_refs(&self) {
        self.proto.clear_refs();
        self.func.argtypes.clear_refs();
        self.func.converters.clear_refs();
        self.func.restype.clear_refs();
        self.func.checker.clear_refs();
    }
}

/// The word behind a ctypes class's type object: null until the class has its info.
#[repr(transparent)]
pub struct InfoCell(UnsafeCell<Option<Box<Info>>>);

impl Trace for InfoCell {
    fn trace(&self, v: &mut Visitor) {
        // SAFETY: set once, under the GIL, and never replaced while the type lives.
        if let Some(i) = unsafe { &*self.0.get() } {
            i.trace(v)
        }
    }
    fn clear_refs(&self) {
        // SAFETY: as above.
        if let Some(i) = unsafe { &*self.0.get() } {
            i.clear_refs()
        }
    }
}

/// Metatype of all C type classes.
#[pyclass(name = "CType_Type", module = "_ctypes", base = Type, basetype)]
pub struct CTypeMeta {
    pub info: InfoCell,
}

#[pymethods(extra = own_dealloc)]
impl CTypeMeta {}

/// The payload's ordinary deallocator would also drop what `type` itself cares for: dict and weak references.
fn own_dealloc(b: &mut TypeBuilder) {
    unsafe extern "C" fn dealloc(o: *mut PyObject) {
        // SAFETY: only heap types die, and those have the payload; `type` frees the rest.
        unsafe {
            core::ptr::drop_in_place(o.cast::<u8>().add(CTypeMeta::OFFSET).cast::<InfoCell>());
            o.cast::<u8>().add(CTypeMeta::OFFSET).cast::<usize>().write(0);
            ((*Type::type_ptr()).tp_dealloc.expect("type has a deallocator"))(o)
        }
    }
    b.slot(Py_tp_dealloc, dealloc as *mut c_void);
}

macro_rules! metas {
    ($($name:ident $py:literal $install:path;)*) => { $(
        #[pyclass(name = $py, module = "_ctypes", base = CTypeMeta, basetype)]
        pub struct $name {}
        #[pymethods(extra = (|b: &mut TypeBuilder| {
            own_dealloc(b);
            $install(b)
        }))]
        impl $name {}
    )* };
}
metas! {
    StructMeta "PyCStructType" crate::record::install_struct_meta;
    UnionMeta "UnionType" crate::record::install_union_meta;
    PointerMeta "PyCPointerType" crate::pointer::install_meta;
    ArrayMeta "PyCArrayType" crate::array::install_meta;
    SimpleMeta "PyCSimpleType" crate::simple::install_meta;
    FuncPtrMeta "PyCFuncPtrType" crate::funcptr::install_meta;
}

/// Whether `t` is a class made by one of our metaclasses (or a static base).
pub fn is_ctypes_class(t: &Object) -> bool {
    let Some(t) = t.downcast::<Type>() else { return false };
    t.as_object().ty().is_subtype(CTypeMeta::class())
}

fn cell(t: &Type) -> Option<&UnsafeCell<Option<Box<Info>>>> {
    if !t.has_flag(Py_TPFLAGS_HEAPTYPE) || !is_ctypes_class(t) {
        return None;
    }
    // SAFETY: a heap type made by a metaclass with CTypeMeta's layout has the cell, zeroed at first.
    Some(unsafe { &*t.as_ptr().cast::<u8>().add(CTypeMeta::OFFSET).cast() })
}

/// A bit of `tp_flags` in its unused upper half: the class has an info. One test instead of a look at its metaclasses.
const TPFLAGS_HAS_INFO: u64 = 1 << 41;
/// Another: instances are `CData` objects. (A class can be made by one of our metaclasses without deriving from `_CData`.)
pub const TPFLAGS_IS_CDATA: u64 = 1 << 42;

/// The info of a class; `None` for abstract classes and for anything that is no ctypes class.
#[inline]
pub fn info_of(t: &Object) -> Option<&Info> {
    let t = t.downcast::<Type>()?;
    if !t.has_flag(TPFLAGS_HAS_INFO) {
        return None;
    }
    // SAFETY: only `set_info` sets the flag; the info lives as long as the type, which the borrow keeps alive.
    unsafe { (*t.as_ptr().cast::<u8>().add(CTypeMeta::OFFSET).cast::<Option<Box<Info>>>()).as_deref() }
}

/// Gives a new class its info.
pub fn set_info(t: &Type, info: Info) {
    if let Some(c) = cell(t) {
        // SAFETY: the class was just made: nobody borrows its (absent) info.
        unsafe {
            *c.get() = Some(Box::new(info));
            (*t.tp()).tp_flags |= TPFLAGS_HAS_INFO;
            if lh_runtime::object::is_subtype(t.tp(), crate::cdata::CData::type_ptr()) {
                (*t.tp()).tp_flags |= TPFLAGS_IS_CDATA;
            }
        }
    }
}

/// Whether instances of a simple class stand for themselves, i.e. the class is not one of the plain types that
/// convert to Python values on their own.
pub fn keeps_instances(t: &Type) -> bool {
    // SAFETY: tp_base of a ready type is a type or null.
    let base = unsafe { (*t.tp()).tp_base };
    t.as_object().ty().is_subtype(SimpleMeta::class()) && base != crate::cdata::SimpleCData::type_ptr()
}

/// The shared C type of a simple code.
pub fn prim_type(code: u8) -> Arc<CType> {
    static TABLE: OnceLock<Vec<Option<Arc<CType>>>> = OnceLock::new();
    let table = TABLE.get_or_init(|| (0..=255u8).map(|c| Prim::from_code(c).map(CType::prim)).collect());
    table[code as usize].clone().expect("a known type code")
}

/// `type.__new__(meta, name, bases, dict)`.
pub fn type_new(meta: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Type>> {
    // SAFETY: `type` can make classes; the arguments are live.
    unsafe {
        let new = (*Type::type_ptr()).tp_new.expect("type can be called");
        from_c(new(meta.tp(), args.ptr_of(), kwargs.map_or(core::ptr::null_mut(), |d| d.raw())))
    }
}

trait PtrOf {
    fn ptr_of(&self) -> *mut PyObject;
}
impl PtrOf for Tuple {
    fn ptr_of(&self) -> *mut PyObject {
        self.as_object().as_ptr()
    }
}

/// Makes a class: `meta(name, (base,), dict)`.
pub fn make_class(meta: &Object, name: &str, base: &Object, dict: &Dict) -> PyResult<Owned<Type>> {
    let bases = Tuple::from_refs(&[base]);
    let made = meta.call(&[&Str::new(name), &bases, dict])?;
    made.downcast_owned::<Type>().map_err(|_| raised!(TypeError, "a metaclass did not make a class"))
}

/// `tp_setattro` of `type`, for metaclasses that add to it.
pub fn type_setattr(t: &Type, name: &Object, value: Option<&Object>) -> PyResult<()> {
    // SAFETY: `type` has tp_setattro; all pointers are live (null value: delete).
    let r: c_int = unsafe {
        let f = (*Type::type_ptr()).tp_setattro.expect("type has tp_setattro");
        f(t.as_ptr(), name.as_ptr(), value.map_or(core::ptr::null_mut(), |v| v.as_ptr()))
    };
    if r < 0 { Err(Raised::already_set()) } else { Ok(()) }
}
