//! The libffi path: any C signature, described at run time. Serves what call stubs don't: variadic calls, structs by
//! value, `long double`, callbacks, and hosts without stubs.
//!
//! Nothing else in the project touches libffi. Aggregates are described to it not by their members but by the ABI classes
//! of their eightbytes (`abi.rs`), with the true size and alignment filled in; libffi then takes them as they are. That
//! covers what libffi has no words for (unions, bit-fields, packed members) with the one classification that stubs and JIT
//! use too. A result of at most 16 bytes that the ABI nevertheless returns in memory (a packed struct) is passed as the
//! hidden pointer argument that it is.

// Boxes because libffi holds the aggregates' addresses while the vector grows.
#![allow(clippy::vec_box)]

use std::ffi::c_void;
use std::ptr;

use libffi::raw::{
    self, ffi_abi_FFI_DEFAULT_ABI, ffi_cif, ffi_status_FFI_OK, ffi_type, ffi_type_enum_STRUCT,
    ffi_type_pointer, ffi_type_void,
};

use crate::abi::{Class, classify};
use crate::ctype::{CType, Prim, Shape};

/// An aggregate as libffi sees it; `elements` is kept alive because `ty` points to it.
struct Aggregate {
    ty: ffi_type,
    _elements: Box<[*mut ffi_type]>,
}

/// A prepared call interface.
pub struct Cif {
    cif: Box<ffi_cif>,
    _args: Box<[*mut ffi_type]>,
    _aggregates: Vec<Box<Aggregate>>,
    nargs: usize,
    /// The result comes through a pointer passed as first argument.
    hidden_result: bool,
}

// SAFETY: after construction a `Cif` is only read, and all it points to belongs to it or is static.
unsafe impl Send for Cif {}
// SAFETY: as above.
unsafe impl Sync for Cif {}

fn prim_type(p: Prim) -> *mut ffi_type {
    match p {
        Prim::Bool | Prim::U8 => &raw mut raw::ffi_type_uint8,
        Prim::Char | Prim::I8 => &raw mut raw::ffi_type_sint8,
        Prim::I16 => &raw mut raw::ffi_type_sint16,
        Prim::U16 => &raw mut raw::ffi_type_uint16,
        Prim::I32 | Prim::WChar => &raw mut raw::ffi_type_sint32,
        Prim::U32 => &raw mut raw::ffi_type_uint32,
        Prim::Long | Prim::LongLong => &raw mut raw::ffi_type_sint64,
        Prim::ULong | Prim::ULongLong => &raw mut raw::ffi_type_uint64,
        Prim::F32 => &raw mut raw::ffi_type_float,
        Prim::F64 => &raw mut raw::ffi_type_double,
        Prim::LongDouble => &raw mut raw::ffi_type_longdouble,
        Prim::CharP | Prim::WCharP | Prim::VoidP | Prim::Object => &raw mut ffi_type_pointer,
    }
}

fn aggregate(ty: &CType) -> Box<Aggregate> {
    let classes = classify(ty);
    let mut elements = Vec::with_capacity(3);
    let mut align = ty.align.max(1);
    if ty.size > 16 {
        // One integer word is enough to make anything of this size go to memory.
        elements.push(&raw mut raw::ffi_type_uint64);
    } else if classes[0] == Class::Memory {
        // libffi sends x87 arguments to memory; the alignment keeps the argument in the plain eightbyte grid.
        elements.push(&raw mut raw::ffi_type_longdouble);
        align = align.min(8);
    } else {
        for (i, class) in classes.iter().enumerate() {
            let left = ty.size.saturating_sub(i * 8);
            match class {
                Class::Integer => elements.push(match left {
                    1 => &raw mut raw::ffi_type_uint8,
                    2..=3 => &raw mut raw::ffi_type_uint16,
                    4..=7 => &raw mut raw::ffi_type_uint32,
                    _ => &raw mut raw::ffi_type_uint64,
                }),
                Class::Sse if left <= 4 => elements.push(&raw mut raw::ffi_type_float),
                Class::Sse => elements.push(&raw mut raw::ffi_type_double),
                Class::X87 if i == 0 => elements.push(&raw mut raw::ffi_type_longdouble),
                _ => {}
            }
        }
    }
    elements.push(ptr::null_mut());
    let mut elements = elements.into_boxed_slice();
    let ty = ffi_type {
        size: ty.size,
        alignment: align as u16,
        type_: ffi_type_enum_STRUCT,
        elements: elements.as_mut_ptr(),
    };
    Box::new(Aggregate { ty, _elements: elements })
}

fn describe(ty: &CType, own: &mut Vec<Box<Aggregate>>) -> *mut ffi_type {
    match &ty.shape {
        Shape::Prim(p) => prim_type(*p),
        Shape::Pointer(_) | Shape::Func(_) => &raw mut ffi_type_pointer,
        Shape::Array(..) | Shape::Record(_) => {
            let mut a = aggregate(ty);
            let p = &raw mut a.ty;
            own.push(a);
            p
        }
    }
}

impl Cif {
    /// `None` when libffi refuses the signature. `variadic_from` is the number of fixed arguments of a variadic call.
    /// Empty aggregates must not be passed.
    pub fn new(args: &[&CType], ret: Option<&CType>, variadic_from: Option<usize>) -> Option<Cif> {
        let mut own = Vec::new();
        let is_record = |t: &CType| matches!(t.shape, Shape::Record(_) | Shape::Array(..));
        let hidden_result = ret
            .is_some_and(|t| is_record(t) && t.size <= 16 && t.size > 0 && classify(t)[0] == Class::Memory);
        let mut list: Vec<*mut ffi_type> = Vec::with_capacity(args.len() + 1);
        if hidden_result {
            list.push(&raw mut ffi_type_pointer);
        }
        list.extend(args.iter().map(|t| describe(t, &mut own)));
        let ret = match ret {
            _ if hidden_result => &raw mut ffi_type_pointer,
            Some(t) if t.size > 0 => describe(t, &mut own),
            _ => &raw mut ffi_type_void,
        };
        let mut list = list.into_boxed_slice();
        let mut cif: Box<ffi_cif> = Box::default();
        let total = list.len() as u32;
        // SAFETY: the type array and all aggregates live as long as the cif, in the value returned below.
        let status = unsafe {
            match variadic_from {
                Some(fixed) => {
                    let fixed = fixed as u32 + hidden_result as u32;
                    raw::ffi_prep_cif_var(
                        &mut *cif,
                        ffi_abi_FFI_DEFAULT_ABI,
                        fixed,
                        total,
                        ret,
                        list.as_mut_ptr(),
                    )
                }
                None => raw::ffi_prep_cif(&mut *cif, ffi_abi_FFI_DEFAULT_ABI, total, ret, list.as_mut_ptr()),
            }
        };
        (status == ffi_status_FFI_OK).then_some(Cif {
            cif,
            _args: list,
            _aggregates: own,
            nargs: args.len(),
            hidden_result,
        })
    }

    /// Calls `f`. Integer results narrower than 8 bytes are widened, so `ret` must have room for at least 8 bytes.
    ///
    /// # Safety
    /// `f` is a C function of the described type; `args` point to values of the described types; `ret` is writable, big
    /// enough and aligned for the result.
    pub unsafe fn call(&self, f: *const c_void, args: &[*mut c_void], ret: *mut c_void) {
        debug_assert_eq!(args.len(), self.nargs, "argument count differs from the prepared interface");
        let cif = (&raw const *self.cif).cast_mut();
        // SAFETY: libffi only reads the cif and the argument vector; the rest is the caller's contract.
        unsafe {
            let f = Some(std::mem::transmute::<*const c_void, unsafe extern "C" fn()>(f));
            if self.hidden_result {
                let mut address = ret;
                let mut with_result: Vec<*mut c_void> = Vec::with_capacity(args.len() + 1);
                with_result.push((&raw mut address).cast());
                with_result.extend_from_slice(args);
                let mut unused = 0u64;
                raw::ffi_call(cif, f, (&raw mut unused).cast(), with_result.as_mut_ptr());
            } else {
                raw::ffi_call(cif, f, ret, args.as_ptr().cast_mut());
            }
        }
    }

    pub(crate) fn raw(&self) -> *mut ffi_cif {
        (&raw const *self.cif).cast_mut()
    }

    pub(crate) fn has_hidden_result(&self) -> bool {
        self.hidden_result
    }
}
