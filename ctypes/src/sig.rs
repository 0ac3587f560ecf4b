//! From a ctypes prototype to a `NativeSig`, and the call stub that goes with it.
//!
//! Only what Python's own conversion would do in the plain case is described: exact `int`, `float`, `bytes`, `None`,
//! instances of exactly the declared class, `byref` of them. The class's `from_param` must be ctypes' own. Anything else
//! makes the stub decline, and the generic path converts.
//!
//! Without `argtypes` the signature is made from the arguments last seen, so that `libc.abs(-3)` is fast too; other
//! arguments decline.

use std::ffi::{CStr, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lh_abi::PyObject;
use lh_foreign::sig::*;
use lh_foreign::stub::{BoxHelpers, CallHooks, stub_for};
use lh_runtime::prelude::*;
use lh_runtime::thread;

use crate::call::{CARG_OBJ, CARG_VALUE, CArg};
use crate::cdata::*;
use crate::convert::{wide_len, wide_str};
use crate::funcptr::CFuncPtr;
use crate::info::*;

/// The generic path runs this often before a stub is made.
const STUB_AFTER: u32 = 2;

// ---- Parameters ----

fn raw(t: &Type) -> RawObj {
    t.tp().cast()
}

/// How a class converts arguments.
#[derive(PartialEq)]
enum From {
    /// Its metaclass's way.
    Meta,
    /// As `c_char_p` does: its own, or what `POINTER(c_char)` borrows from it.
    Chars,
    /// As `c_void_p` does.
    Anything,
    /// As `c_wchar_p` does, or some other way.
    Other,
}

fn conversion(cls: &Type) -> From {
    let meta = cls.as_object().ty();
    let ours = [
        StructMeta::class(),
        UnionMeta::class(),
        PointerMeta::class(),
        ArrayMeta::class(),
        SimpleMeta::class(),
    ];
    if !ours.iter().any(|m| m.tp() == meta.tp()) && meta.tp() != FuncPtrMeta::type_ptr() {
        return From::Other;
    }
    // A class attribute shadows the metaclass's method.
    let Some(f) = cls.lookup_str("from_param") else { return From::Meta };
    // The three special ones are class methods of the base types; elsewhere one of them may be found bound to its type.
    let owner = if f.downcast_exact::<ClassMethod>().is_some() {
        Some(cls.as_object().own())
    } else {
        // SAFETY: a bound method holds its object.
        f.downcast_exact::<Method>().map(|m| unsafe { Object::from_ptr((*m.as_struct()).im_self) }.own())
    };
    let special = owner.filter(|o| o.downcast::<Type>().is_some_and(|t| !keeps_instances(t)));
    let own = special.and_then(|o| {
        let found = o.downcast::<Type>()?.dict().get_str("from_param").ok().flatten()?;
        // Somebody may have replaced it.
        found.downcast_exact::<ClassMethod>().filter(|c| crate::simple::is_special(c))?;
        info_of(&o).and_then(|i| i.scalar).map(|s| s.code)
    });
    match own {
        Some(b'z') => From::Chars,
        Some(b'P') => From::Anything,
        _ => From::Other,
    }
}

/// Any array, or any pointer instance, of items of a class (of any class if there is none).
fn by_meta(meta: &Type, item: Option<&Object>, deref: bool) -> Accept {
    Accept::ByMeta {
        meta: raw(meta),
        info_at: CTypeMeta::OFFSET as u32,
        key_at: std::mem::offset_of!(Info, proto) as u32,
        key: item.map_or(std::ptr::null_mut(), |i| i.as_ptr().cast()),
        at: PTR_OFFSET,
        deref,
    }
}

fn byref_of(target: &Object) -> Accept {
    Accept::WordAbout { ty: raw(CArg::class()), about: CARG_OBJ, of: target.as_ptr().cast(), at: CARG_VALUE }
}

/// `ctypes.c_char`, once that module is there.
fn char_class() -> Option<Owned<Object>> {
    let found = lh_runtime::hooks::import_module("ctypes").and_then(|m| m.get_attr(intern!("c_char")));
    found.map_err(Raised::clear).ok().filter(|c| info_of(c).is_some())
}

/// How a parameter of a declared class is passed by a stub.
fn declared(cls: &Type, types: &mut Vec<Owned<Object>>) -> Option<Param> {
    let info = info_of(cls)?;
    let from = conversion(cls);
    let by_value = Accept::Pointee { ty: raw(cls), at: PTR_OFFSET };
    let (value, accepts) = match (from, info.kind) {
        (From::Other, _) => return None,
        (From::Chars, _) => {
            let mut a = vec![Accept::Bytes, by_value, Accept::NoneAsNull];
            if let Some(c) = char_class() {
                a.push(by_meta(ArrayMeta::class(), Some(&c), false));
                a.push(by_meta(PointerMeta::class(), Some(&c), true));
                a.push(byref_of(&c));
                types.push(c);
            }
            if info.kind == ClassKind::Pointer {
                // `POINTER(c_char)` takes what `c_char_p` takes; its own instances are char pointers anyway.
                a.retain(|x| *x != by_value);
            }
            (MachineValue::Ptr, a)
        }
        (From::Anything, _) => {
            let tag_at = crate::call::CARG_TAG;
            let a = vec![
                Accept::Int(RangeRule::Truncate),
                Accept::NoneAsNull,
                Accept::Bytes,
                by_meta(ArrayMeta::class(), None, false),
                by_meta(PointerMeta::class(), None, true),
                Accept::WordTagged { ty: raw(CArg::class()), tag_at, tag: b'P', at: CARG_VALUE },
                by_value,
            ];
            (MachineValue::Ptr, a)
        }
        (From::Meta, ClassKind::Simple) => {
            let s = info.scalar?;
            // A value of a swapped class is passed swapped; not worth a stub.
            if s.swapped {
                return None;
            }
            let value = MachineValue::of(&info.ctype())?;
            match s.code {
                b'f' | b'd' => (value, vec![Accept::Float, Accept::IntAsFloat, by_value]),
                b'?' => (value, vec![Accept::Bool, by_value]),
                b'c' => (value, vec![Accept::OneByte, by_value]),
                b'O' => (value, vec![by_value, Accept::Object]),
                b'u' | b'v' | b'g' | b'z' | b'Z' | b'P' => return None,
                _ => (value, vec![Accept::Int(RangeRule::Truncate), by_value]),
            }
        }
        (From::Meta, ClassKind::Pointer) => {
            let mut a = vec![by_value];
            if let Some(t) = info.proto_class() {
                a.push(byref_of(&t));
                // An instance of the target goes by reference, an array of such decays.
                a.push(Accept::Word { ty: raw(&t), at: PTR_OFFSET });
                a.push(by_meta(ArrayMeta::class(), Some(&t), false));
                types.push(t.into_object());
            }
            a.push(Accept::NoneAsNull);
            (MachineValue::Ptr, a)
        }
        (From::Meta, ClassKind::Array) => {
            (MachineValue::Ptr, vec![Accept::Word { ty: raw(cls), at: PTR_OFFSET }])
        }
        (From::Meta, ClassKind::Func) => (MachineValue::Ptr, vec![by_value]),
        (From::Meta, ClassKind::Struct | ClassKind::Union) => (MachineValue::Record, vec![by_value]),
    };
    let record = (value == MachineValue::Record).then(|| info.ctype());
    types.push(cls.as_object().own());
    Some(Param { value, record, accepts, default: None })
}

/// How an argument like this one is passed without declaration.
fn observed(o: &Object) -> Option<Param> {
    let (value, accept) = if o.downcast_exact::<Int>().is_some() {
        (MachineValue::I32, Accept::Int(RangeRule::Word))
    } else if o.downcast_exact::<Bytes>().is_some() {
        (MachineValue::Ptr, Accept::Bytes)
    } else if o.is_none() {
        (MachineValue::Ptr, Accept::NoneAsNull)
    } else {
        let info = as_cdata(o)?.info();
        let (ty, at) = (raw(o.ty()), PTR_OFFSET);
        match info.kind {
            ClassKind::Array => (MachineValue::Ptr, Accept::Word { ty, at }),
            ClassKind::Pointer | ClassKind::Func => (MachineValue::Ptr, Accept::Pointee { ty, at }),
            // As the generic path does, bytes travel as they lie in memory.
            ClassKind::Simple if !info.scalar?.swapped => {
                (MachineValue::of(&info.ctype())?, Accept::Pointee { ty, at })
            }
            ClassKind::Struct | ClassKind::Union => (MachineValue::Record, Accept::Pointee { ty, at }),
            _ => return None,
        }
    };
    let record = (value == MachineValue::Record).then(|| as_cdata(o).map(|d| d.info().ctype())).flatten();
    Some(Param { value, record, accepts: vec![accept], default: None })
}

fn result_kind(restype: Option<&Object>) -> Option<ResultKind> {
    let Some(r) = restype else { return Some(ResultKind::Int(MachineValue::I32)) };
    if r.is_none() {
        return Some(ResultKind::Void);
    }
    // Any other callable gets an int.
    let Some(info) = info_of(r) else { return Some(ResultKind::Int(MachineValue::I32)) };
    let cls = r.downcast::<Type>()?;
    match info.kind {
        ClassKind::Pointer | ClassKind::Func => return Some(ResultKind::Wrap),
        ClassKind::Struct | ClassKind::Union => return Some(ResultKind::Record),
        ClassKind::Simple => {}
        ClassKind::Array => return None,
    }
    let s = info.scalar?;
    if s.swapped || keeps_instances(cls) {
        return None;
    }
    Some(match s.code {
        b'f' => ResultKind::F32,
        b'd' => ResultKind::F64,
        b'?' => ResultKind::Bool,
        b'c' => ResultKind::Char,
        b'u' => ResultKind::WChar,
        b'z' => ResultKind::CharP,
        b'Z' => ResultKind::WCharP,
        b'P' => ResultKind::AddressOrNone,
        b'O' => ResultKind::Object,
        b'g' | b'v' => return None,
        _ => ResultKind::Int(MachineValue::of(&info.ctype())?),
    })
}

/// The signature of a function instance, for arguments like `args` where nothing is declared. `None` if the generic
/// path is needed.
pub fn native_sig(f: &CFuncPtr, args: &[&Object]) -> Option<(NativeSig, Vec<Owned<Object>>)> {
    let mut types: Vec<Owned<Object>> = Vec::new();
    let params = match f.effective_argtypes() {
        Some(t) => {
            let mut v = Vec::with_capacity(t.len());
            for cls in t.iter() {
                let cls = cls.downcast::<Type>()?;
                v.push(declared(cls, &mut types)?);
            }
            v
        }
        None => {
            let mut v = Vec::with_capacity(args.len());
            for a in args {
                v.push(observed(a)?);
                types.push(a.ty().as_object().own());
            }
            v
        }
    };
    let restype = f.effective_restype();
    let flags = f.data().info().func.flags.get();
    let mut effects = Effects::default();
    if flags & FUNC_PYTHONAPI != 0 {
        effects = effects.with(Effects::MAY_RAISE).with(Effects::CALLS_BACK);
    } else if f.leaf.get() {
        effects = effects.with(Effects::LEAF);
    } else {
        effects = effects.with(Effects::RELEASES_GIL).with(Effects::CALLS_BACK);
    }
    if flags & FUNC_USE_ERRNO != 0 {
        effects = effects.with(Effects::ERRNO);
    }
    let checks = Checks {
        errcheck: f.errcheck.is_some() || f.effective_checker().is_some(),
        restype_callable: restype.as_ref().is_some_and(|r| !r.is_none() && info_of(r).is_none()),
        out_params: f.paramflags.is_some(),
        transfers_ownership: false,
    };
    let result = result_kind(restype.as_deref())?;
    let record = if result == ResultKind::Record {
        restype.as_ref().and_then(|r| info_of(r)).map(|i| i.ctype())
    } else {
        None
    };
    let sig = NativeSig {
        target: Target::Loaded { holder: PTR_OFFSET },
        params,
        variadic: false,
        result,
        record,
        effects,
        checks,
    };
    Some((sig, types))
}

/// Makes the stub after a few calls through the generic path, if the prototype allows one.
pub fn maybe_make_stub(f: &CFuncPtr, args: &[&Object]) -> PyResult<()> {
    let n = f.slow_calls.get() + 1;
    f.slow_calls.set(n);
    // Undeclared arguments may change: look again now and then, ever more rarely.
    let again = f.effective_argtypes().is_none() && n.is_power_of_two();
    if n != STUB_AFTER && !(again && n > STUB_AFTER) {
        return Ok(());
    }
    let Some((sig, types)) = native_sig(f, args) else { return Ok(()) };
    if sig.checks.any() {
        let alone = NativeSig { checks: Checks::default(), ..sig };
        f.inner.set(stub_for(&alone, helpers()));
        let old = f.sig_types.replace(types);
        drop(old);
        return Ok(());
    }
    let stub = stub_for(&sig, helpers());
    f.stub.set(stub);
    *f.sig.borrow_mut() = Some(Arc::new(sig));
    static VERSIONS: AtomicU64 = AtomicU64::new(1);
    f.version.set(VERSIONS.fetch_add(1, Ordering::Relaxed));
    let old = f.sig_types.replace(types);
    drop(old);
    Ok(())
}

// ---- Known leaves ----

/// Short functions of the C library that never call back, block or keep pointers: not worth giving the GIL up for.
const LEAVES: &[&str] = &[
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "copysign",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "fdim",
    "floor",
    "fma",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "hypot",
    "isalnum",
    "isalpha",
    "isdigit",
    "isspace",
    "labs",
    "ldexp",
    "lgamma",
    "llabs",
    "log",
    "log10",
    "log1p",
    "log2",
    "logb",
    "lrint",
    "lround",
    "modf",
    "nearbyint",
    "pow",
    "remainder",
    "rint",
    "round",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "tgamma",
    "tolower",
    "toupper",
    "trunc",
    "acosf",
    "asinf",
    "atanf",
    "atan2f",
    "ceilf",
    "cosf",
    "expf",
    "fabsf",
    "floorf",
    "fmodf",
    "hypotf",
    "logf",
    "powf",
    "roundf",
    "sinf",
    "sqrtf",
    "tanf",
    "truncf",
    "rand",
    "toascii",
    "ffs",
];

/// Whether this is the C library's own function of a known short name, not a namesake elsewhere.
pub fn is_known_leaf(name: &CStr, addr: *const c_void) -> bool {
    if !name.to_str().is_ok_and(|n| LEAVES.contains(&n)) {
        return false;
    }
    // SAFETY: dladdr accepts any address and fills in the struct.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(addr, &mut info) == 0 || info.dli_fname.is_null() {
            return false;
        }
        let file = CStr::from_ptr(info.dli_fname).to_string_lossy();
        let base = file.rsplit('/').next().unwrap_or("");
        base.starts_with("libm.so")
            || base.starts_with("libm-")
            || base.starts_with("libc.so")
            || base.starts_with("libc-")
    }
}

// ---- Boxing ----

fn object(f: impl FnOnce() -> PyResult<Owned<Object>>) -> RawObj {
    lh_runtime::border::object(f).cast()
}

unsafe extern "C" fn box_i64(v: i64) -> RawObj {
    Int::from_i64(v).into_raw().cast()
}
unsafe extern "C" fn box_u64(v: u64) -> RawObj {
    Int::from_u64(v).into_raw().cast()
}
unsafe extern "C" fn box_f64(v: f64) -> RawObj {
    Float::new(v).into_raw().cast()
}
unsafe extern "C" fn box_char(v: u8) -> RawObj {
    Bytes::new(&[v]).into_raw().cast()
}
unsafe extern "C" fn box_char_p(p: *const c_void) -> RawObj {
    // SAFETY: the function declared a C string as its result; stubs handle null.
    object(|| Ok(Bytes::new(unsafe { CStr::from_ptr(p.cast()) }.to_bytes()).into_object()))
}
unsafe extern "C" fn box_wchar(v: i32) -> RawObj {
    // SAFETY: one character on our stack.
    object(|| Ok(unsafe { wide_str(&(v as u32), 1)? }.into_object()))
}
unsafe extern "C" fn box_wchar_p(p: *const c_void) -> RawObj {
    // SAFETY: the function declared a wide C string as its result.
    object(|| Ok(unsafe { wide_str(p.cast(), wide_len(p.cast()))? }.into_object()))
}
unsafe extern "C" fn box_object(p: RawObj) -> RawObj {
    if !p.is_null() {
        return p;
    }
    object(|| {
        if lh_runtime::errors::occurred() {
            return Err(Raised::already_set());
        }
        raise!(ValueError, "PyObject is NULL")
    })
}
unsafe extern "C" fn wrap(callable: RawObj, bits: u64) -> RawObj {
    object(|| {
        // SAFETY: stubs pass the function instance they were called for.
        let f = unsafe { Object::from_ptr(callable.cast()).downcast_unchecked::<CFuncPtr>() };
        let restype = f.effective_restype();
        crate::call::result_value(restype.as_deref(), &[bits as u128], None)
    })
}

unsafe extern "C" fn wrap_record(callable: RawObj, record: *const c_void) -> RawObj {
    object(|| {
        // SAFETY: stubs pass the function instance they were called for, and a record of its result type.
        unsafe {
            let f = Object::from_ptr(callable.cast()).downcast_unchecked::<CFuncPtr>();
            match f.effective_restype().as_deref().and_then(|r| r.downcast::<Type>()) {
                Some(cls) => Ok(from_base(cls, None, 0, record.cast_mut().cast())?.into_object()),
                None => {
                    raise!(SystemError, "the result type of a foreign function has changed during the call")
                }
            }
        }
    })
}

unsafe extern "C" fn release_gil() -> *mut c_void {
    let ts = thread::Thread::current_ptr();
    thread::gil_release();
    ts.cast()
}
unsafe extern "C" fn reacquire_gil(ts: *mut c_void) {
    thread::gil_acquire_for(ts.cast());
}
unsafe extern "C" fn error_is_set() -> i32 {
    lh_runtime::errors::occurred() as i32
}

/// The table for stubs over this object model.
pub fn helpers() -> &'static BoxHelpers {
    struct Shared(BoxHelpers);
    // SAFETY: addresses of static objects and functions, the same for all threads.
    unsafe impl Send for Shared {}
    // SAFETY: as above.
    unsafe impl Sync for Shared {}
    static TABLE: std::sync::OnceLock<Shared> = std::sync::OnceLock::new();
    fn of<T: Kind>() -> RawObj {
        T::type_ptr().cast()
    }
    fn singleton(o: &Object) -> RawObj {
        let p: *mut PyObject = o.as_ptr();
        p.cast()
    }
    &TABLE
        .get_or_init(|| {
            Shared(BoxHelpers {
                int_type: of::<Int>(),
                bool_type: of::<Bool>(),
                float_type: of::<Float>(),
                bytes_type: of::<Bytes>(),
                str_type: of::<Str>(),
                bytearray_type: of::<ByteArray>(),
                none: singleton(none_ref()),
                true_: singleton(&bool_obj(true)),
                false_: singleton(&bool_obj(false)),
                small_ints: lh_runtime::intobject::small_ptr(-5).cast(),
                box_i64,
                box_u64,
                box_f64,
                box_char,
                box_char_p,
                box_wchar,
                box_wchar_p,
                box_object,
                wrap,
                wrap_record,
                hooks: CallHooks {
                    release_gil,
                    reacquire_gil,
                    swap_errno: lh_foreign::errno::swap_errno,
                    error_is_set,
                },
            })
        })
        .0
}
