//! The generic call path: any arguments, Python's own conversions, libffi.
//!
//! An argument becomes a [`RawArg`]: the C type to pass, up to 16 bytes of value or the address of a larger one, and what
//! must live until the call is over. Parameters with a declared type are first converted by their class's `from_param`.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::sync::Arc;

use lh_foreign::ctype::CType;
use lh_foreign::ffi::Cif;
use lh_runtime::prelude::*;

use crate::cdata::*;
use crate::convert::{self, Scalar};
use crate::info::*;

pub const MAX_ARGS: usize = 1024;

/// A converted argument: what `from_param` and `byref` make.
#[repr(C)]
#[pyclass(name = "CArgObject", no_new)]
pub struct CArg {
    /// Kept first: call stubs read it at a fixed offset.
    #[notrace]
    value: UnsafeCell<[u64; 2]>,
    /// Kept second, for the same reason: what the pointer points into, or what must live.
    pub obj: Slot,
    /// A type code, or `V` for a record by value (then `obj` is the instance).
    #[notrace]
    pub tag: Cell<u8>,
}

pub const CARG_VALUE: u32 = CArg::OFFSET as u32;
pub const CARG_OBJ: u32 = (CArg::OFFSET + std::mem::offset_of!(CArg, obj)) as u32;

pub const CARG_TAG: u32 = (CArg::OFFSET + std::mem::offset_of!(CArg, tag)) as u32;

pub fn carg(tag: u8) -> Owned<CArg> {
    CArg { value: UnsafeCell::new([0; 2]), obj: Slot::empty(), tag: Cell::new(tag) }.build()
}

/// The address of an instance's memory plus an offset, as a pointer argument.
pub fn byref_arg(d: &CData, offset: isize) -> Owned<Object> {
    let a = carg(b'P');
    a.set_word(d.ptr.get().wrapping_offset(offset) as u64);
    a.obj.set(Some(d.as_object().own()));
    a.into_object()
}

impl CArg {
    pub fn bytes(&self) -> *mut u8 {
        self.value.get().cast()
    }

    pub fn word(&self) -> u64 {
        // SAFETY: only this thread touches the object while it holds the GIL.
        unsafe { (*self.value.get())[0] }
    }

    pub fn set_word(&self, v: u64) {
        // SAFETY: as above.
        unsafe { (*self.value.get())[0] = v }
    }
}

#[pymethods]
impl CArg {
    /// the wrapped object
    #[getter]
    fn _obj(&self) -> Option<Owned<Object>> {
        self.obj.get()
    }

    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<String> {
        let (tag, w) = (self.tag.get(), self.word());
        let shown = tag as char;
        Ok(match tag {
            b'b' => format!("<cparam '{shown}' ({})>", w as i8),
            b'B' => format!("<cparam '{shown}' ({})>", w as u8),
            b'h' => format!("<cparam '{shown}' ({})>", w as i16),
            b'H' => format!("<cparam '{shown}' ({})>", w as u16),
            b'i' => format!("<cparam '{shown}' ({})>", w as i32),
            b'I' => format!("<cparam '{shown}' ({})>", w as u32),
            b'l' | b'q' => format!("<cparam '{shown}' ({})>", w as i64),
            b'L' | b'Q' => format!("<cparam '{shown}' ({w})>"),
            b'f' | b'd' => {
                // SAFETY: the value is of this code.
                let v = unsafe { Scalar { code: tag, swapped: false }.get(self.bytes(), None)? };
                format!("<cparam '{shown}' ({})>", v.repr()?.to_str_lossy())
            }
            b'c' => match w as u8 {
                b'\'' | b'\\' => format!("<cparam '{shown}' ('\\{}')>", w as u8 as char),
                c @ 0x20..=0x7e => format!("<cparam '{shown}' ('{}')>", c as char),
                c => format!("<cparam '{shown}' ('\\x{c:02x}')>"),
            },
            b'z' | b'Z' | b'P' => format!("<cparam '{shown}' ({:p})>", w as *const c_void),
            c if (0x20..0x7f).contains(&c) => {
                format!("<cparam '{shown}' at {:p}>", self.as_object().as_ptr() as *const c_void)
            }
            c => format!("<cparam 0x{c:02x} at {:p}>", self.as_object().as_ptr() as *const c_void),
        })
    }
}

// ---- Arguments ----

pub struct RawArg {
    pub ty: Arc<CType>,
    /// The value, unless `at` points to it.
    pub value: [u64; 2],
    pub at: *mut c_void,
    pub keep: Option<Owned<Object>>,
}

impl RawArg {
    fn word(code: u8, value: u64, keep: Option<Owned<Object>>) -> RawArg {
        RawArg { ty: prim_type(code), value: [value, 0], at: std::ptr::null_mut(), keep }
    }
}

/// An instance passed by value: pointers and simple values by their content, arrays as pointers, records as a whole.
fn instance_arg(d: &CData) -> RawArg {
    let info = d.info();
    let keep = Some(d.as_object().own());
    match info.kind {
        ClassKind::Array => RawArg::word(b'P', d.ptr.get() as u64, keep),
        ClassKind::Struct | ClassKind::Union => {
            RawArg { ty: info.ctype(), value: [0; 2], at: d.ptr.get().cast(), keep }
        }
        ClassKind::Pointer | ClassKind::Func => {
            // SAFETY: the memory holds an address.
            RawArg::word(b'P', unsafe { d.ptr.get().cast::<u64>().read_unaligned() }, keep)
        }
        ClassKind::Simple => {
            let mut value = [0u64; 2];
            // SAFETY: simple values have at most 16 bytes.
            unsafe {
                std::ptr::copy_nonoverlapping(d.ptr.get(), value.as_mut_ptr().cast(), info.size().min(16));
            }
            // The bytes travel as they are; the swapped types differ only in memory order.
            let code = info.scalar.map_or(b'P', |s| s.code);
            RawArg { ty: prim_type(code), value, at: std::ptr::null_mut(), keep }
        }
    }
}

/// Converts an argument without (further) declared type. `index` counts from 1.
pub fn raw_arg(o: &Object, index: usize) -> PyResult<RawArg> {
    if let Some(d) = as_cdata(o) {
        return Ok(instance_arg(d));
    }
    if let Some(a) = o.downcast::<CArg>() {
        if a.tag.get() == b'V'
            && let Some(d) = a.obj.get()
            && let Some(d) = as_cdata(&d)
        {
            return Ok(instance_arg(d));
        }
        // SAFETY: the object's value is 16 readable bytes.
        let value = unsafe { *a.value.get() };
        return Ok(RawArg {
            ty: prim_type(a.tag.get()),
            value,
            at: std::ptr::null_mut(),
            keep: Some(o.own()),
        });
    }
    if o.is_none() {
        return Ok(RawArg::word(b'P', 0, None));
    }
    if let Some(i) = o.downcast::<Int>() {
        return match i.to_i128() {
            Some(v) if v >= i64::MIN as i128 && v <= u64::MAX as i128 => {
                Ok(RawArg::word(b'i', v as i32 as i64 as u64, None))
            }
            _ => raise!(OverflowError, "int too long to convert"),
        };
    }
    if let Some(b) = o.downcast::<Bytes>() {
        return Ok(RawArg::word(b'P', convert::bytes_ptr(b) as u64, Some(o.own())));
    }
    if let Some(s) = o.downcast::<Str>() {
        let buffer = convert::wide_buffer(s);
        return Ok(RawArg::word(b'P', convert::bytes_ptr(&buffer) as u64, Some(buffer.into_object())));
    }
    if let Some(p) = o.get_attr_opt(intern!("_as_parameter_"))? {
        let _r = lh_runtime::thread::enter_recursive(" while processing _as_parameter_")?;
        let mut a = raw_arg(&p, index)?;
        a.keep = match a.keep {
            Some(k) => Some(Tuple::from_refs(&[&k, &p]).into_object()),
            None => Some(p),
        };
        return Ok(a);
    }
    raise!(TypeError, "Don't know how to convert parameter {}", index)
}

/// `ctypes.ArgumentError`.
pub fn argument_error() -> PyResult<Owned<Object>> {
    lh_runtime::hooks::import_module("_ctypes")?.get_attr(intern!("ArgumentError"))
}

/// `ArgumentError: argument n: TypeError: text`.
fn blame_argument(e: Raised, n: usize) -> Raised {
    let exc = e.take();
    let text = exc.as_object().str().map(|s| s.to_str_lossy().into_owned());
    let text = text.unwrap_or_else(|e| {
        e.clear();
        "???".into()
    });
    let text = format!("argument {}: {}: {}", n, exc.as_object().ty().name(), text);
    match argument_error() {
        Ok(t) => lh_runtime::errors::set_object(&t, Some(Str::new(&text).into_object())),
        Err(e) => e,
    }
}

/// Converts all arguments: those with a converter through it.
pub fn convert_args(args: &[&Object], converters: Option<&Tuple>) -> PyResult<Vec<RawArg>> {
    if args.len() > MAX_ARGS {
        let t = argument_error()?;
        let text = format!("too many arguments ({}), maximum is {}", args.len(), MAX_ARGS);
        return Err(lh_runtime::errors::set_object(&t, Some(Str::new(&text).into_object())));
    }
    let mut out = Vec::with_capacity(args.len());
    for (i, a) in args.iter().enumerate() {
        let one = || -> PyResult<RawArg> {
            match converters.filter(|c| i < c.len()) {
                Some(c) => {
                    let v = c.item_ref(i).call1(a)?;
                    let mut raw = raw_arg(&v, i + 1)?;
                    // The converted object must outlive the call, whatever it keeps itself.
                    raw.keep = match raw.keep {
                        Some(k) if k.ptr() != v.ptr() => Some(Tuple::from_refs(&[&k, &v]).into_object()),
                        _ => Some(v),
                    };
                    Ok(raw)
                }
                None => raw_arg(a, i + 1),
            }
        };
        out.push(one().map_err(|e| blame_argument(e, i + 1))?);
    }
    Ok(out)
}

// ---- The call ----

/// Calls `f`; the result's bytes, at least 8 of them.
pub fn call_native(
    f: *const c_void,
    flags: i32,
    args: &mut [RawArg],
    fixed: Option<usize>,
    result: Option<&CType>,
) -> PyResult<Vec<u128>> {
    // Empty structs are not passed at all.
    let fixed = fixed.map(|n| args.iter().take(n).filter(|a| a.ty.size > 0).count());
    let mut args: Vec<&mut RawArg> = args.iter_mut().filter(|a| a.ty.size > 0).collect();
    let types: Vec<&CType> = args.iter().map(|a| &*a.ty).collect();
    let Some(cif) = Cif::new(&types, result, fixed.filter(|n| *n < args.len())) else {
        return raise!(RuntimeError, "ffi_prep_cif failed");
    };
    let values: Vec<*mut c_void> =
        args.iter_mut().map(|a| if a.at.is_null() { a.value.as_mut_ptr().cast() } else { a.at }).collect();
    let mut room = vec![0u128; result.map_or(1, |t| t.size.div_ceil(16).max(1))];
    let out = room.as_mut_ptr().cast::<c_void>();
    let run = || {
        if flags & FUNC_USE_ERRNO != 0 {
            lh_foreign::errno::swap();
        }
        // SAFETY: the user vouches for the prototype; values and result have the described types.
        unsafe { cif.call(f, &values, out) };
        if flags & FUNC_USE_ERRNO != 0 {
            lh_foreign::errno::swap();
        }
    };
    if flags & FUNC_PYTHONAPI != 0 {
        run();
        if lh_runtime::errors::occurred() {
            return Err(Raised::already_set());
        }
    } else {
        lh_runtime::thread::allow_threads(run);
    }
    Ok(room)
}

/// The C type that a `restype` stands for; `None` is void.
pub fn result_ctype(restype: Option<&Object>) -> Option<Arc<CType>> {
    match restype {
        None => Some(prim_type(b'i')),
        Some(r) if r.is_none() => None,
        Some(r) => Some(info_of(r).map_or_else(|| prim_type(b'i'), Info::ctype)),
    }
}

/// The Python value of a result.
pub fn result_value(restype: Option<&Object>, room: &[u128], checker: Option<&Object>) -> PyResult {
    let p = room.as_ptr().cast::<u8>().cast_mut();
    // SAFETY: the room holds the result, of the C type that belongs to `restype`.
    let value = unsafe {
        let int = || Int::from_i64(p.cast::<i32>().read() as i64);
        match restype {
            None => return Ok(int().into_object()),
            Some(r) if r.is_none() => return Ok(none()),
            Some(r) => match info_of(r) {
                None => return r.call1(&int()),
                Some(i) => {
                    let cls = r.downcast::<Type>().expect("classes have infos");
                    match i.value {
                        Some(s) if s.code == b'O' => {
                            // The function gave us a reference.
                            match Owned::<Object>::from_raw_opt(p.cast::<*mut lh_abi::PyObject>().read()) {
                                Some(o) => o,
                                None => return raise!(ValueError, "PyObject is NULL"),
                            }
                        }
                        Some(s) => s.get(p, None)?,
                        _ => from_base(cls, None, 0, p)?.into_object(),
                    }
                }
            },
        }
    };
    match checker {
        Some(c) => c.call1(&value),
        None => Ok(value),
    }
}
