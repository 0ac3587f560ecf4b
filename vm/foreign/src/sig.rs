//! [`NativeSig`]: the one description of something callable natively.
//!
//! Whoever made the callable (a ctypes prototype, a C++ overload, a builtin) describes it here; the interpreter compiles
//! the description to a call stub (`stub.rs`), the recorder turns it into guards and one native call. Neither asks where
//! it came from. Type pointers are raw: the maker keeps those types alive as long as the signature lives.
//!
//! Everything is data, and comparing two signatures for equality of *code* ([`NativeSig::shape_key`]) leaves out the
//! target, so that a thousand functions `int(int)` share one stub.

use std::ffi::c_void;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::abi::CallPlacement;
use crate::ctype::{CType, Prim};

/// A type object or other Python object; this crate compares the pointers and reads fixed offsets, nothing more.
pub type RawObj = *mut c_void;

/// Where the code is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Constant(*const c_void),
    /// `*(*(callable + holder))`: the callable holds at `holder` a pointer to memory that holds the address. To be
    /// guarded in traces.
    Loaded {
        holder: u32,
    },
}

/// How a value is represented in the native call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum MachineValue {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    /// An address; on the machine the same as `U64`.
    Ptr,
    /// A `PyObject *`, borrowed for the call.
    Object,
    /// A struct or union by value; `Param::record` says which.
    Record,
}

impl MachineValue {
    pub fn is_float(self) -> bool {
        matches!(self, MachineValue::F32 | MachineValue::F64)
    }

    pub fn size(self) -> u32 {
        match self {
            MachineValue::I8 | MachineValue::U8 => 1,
            MachineValue::I16 | MachineValue::U16 => 2,
            MachineValue::I32 | MachineValue::U32 | MachineValue::F32 => 4,
            _ => 8,
        }
    }

    /// The C type to place a value of this kind (not for records).
    pub fn prim(self) -> Prim {
        match self {
            MachineValue::I8 => Prim::I8,
            MachineValue::U8 => Prim::U8,
            MachineValue::I16 => Prim::I16,
            MachineValue::U16 => Prim::U16,
            MachineValue::I32 => Prim::I32,
            MachineValue::U32 => Prim::U32,
            MachineValue::I64 => Prim::LongLong,
            MachineValue::U64 => Prim::ULongLong,
            MachineValue::F32 => Prim::F32,
            MachineValue::F64 => Prim::F64,
            MachineValue::Ptr => Prim::VoidP,
            MachineValue::Object => Prim::Object,
            MachineValue::Record => unreachable!("records are placed by their own type"),
        }
    }

    /// `None` for what does not fit one machine word of a stub (long double, records).
    pub fn of(ty: &CType) -> Option<MachineValue> {
        if ty.swapped {
            return None;
        }
        if ty.is_pointer_like() {
            return Some(if ty.as_prim() == Some(Prim::Object) {
                MachineValue::Object
            } else {
                MachineValue::Ptr
            });
        }
        Some(match ty.as_prim()? {
            Prim::Bool | Prim::U8 | Prim::Char => MachineValue::U8,
            Prim::I8 => MachineValue::I8,
            Prim::I16 => MachineValue::I16,
            Prim::U16 => MachineValue::U16,
            Prim::I32 | Prim::WChar => MachineValue::I32,
            Prim::U32 => MachineValue::U32,
            Prim::Long | Prim::LongLong => MachineValue::I64,
            Prim::ULong | Prim::ULongLong => MachineValue::U64,
            Prim::F32 => MachineValue::F32,
            Prim::F64 => MachineValue::F64,
            _ => return None,
        })
    }
}

/// What an integer argument may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RangeRule {
    /// Any size; the low bits count (ctypes).
    Truncate,
    /// Must fit the generic word that Python code may pass (at most 60 bits, so that what does not fit 64 gets its error);
    /// the low bits count. For ctypes arguments without declared type.
    Word,
    /// Must fit the machine value (cffi, C++ overloads); else the slow path raises.
    Checked,
}

/// One kind of Python object a parameter accepts, and how its machine value is got. All type tests are for the exact
/// type; what is not accepted goes the slow path, which knows all of Python's rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Accept {
    /// `int`.
    Int(RangeRule),
    /// `True`, `False`.
    Bool,
    /// `float`.
    Float,
    /// `int` where a float is wanted (exact up to 2^53; larger takes the slow path).
    IntAsFloat,
    /// `None` as the null pointer.
    NoneAsNull,
    /// `bytes`: the address of its data.
    Bytes,
    /// `bytes` of length 1: its byte.
    OneByte,
    /// `str`, ASCII only: the address of its UTF-8 (NUL-terminated) data.
    AsciiStr,
    /// `bytearray`: the address of its data. It must not be resized meanwhile, so only for leaf functions.
    ByteArray,
    /// An instance of exactly `ty`: the word at `at` is the value (an address, a handle).
    Word { ty: RawObj, at: u32 },
    /// An instance of exactly `ty`: the word at `at` points to the value (a ctypes instance passed by value).
    Pointee { ty: RawObj, at: u32 },
    /// An instance of exactly `ty` whose object at `about` is an instance of exactly `of`: the word at `at` is the value
    /// (ctypes' `byref`).
    WordAbout { ty: RawObj, about: u32, of: RawObj, at: u32 },
    /// An instance of exactly `ty` whose byte at `tag_at` is `tag`: the word at `at` is the value (ctypes' `byref` of
    /// anything, for `void *`).
    WordTagged { ty: RawObj, tag_at: u32, tag: u8, at: u32 },
    /// An instance of a class whose metaclass is exactly `meta` and whose own data (the pointer at `info_at` in the class)
    /// has `key` at `key_at` (null: anything): the word at `at` is the value, or points to it if `deref` (arrays and
    /// pointers of an item type, whatever the length).
    ByMeta { meta: RawObj, info_at: u32, key_at: u32, key: RawObj, at: u32, deref: bool },
    /// Any object, as itself.
    Object,
}

#[derive(Clone, Debug)]
pub struct Param {
    pub value: MachineValue,
    /// The type of a `Record`; it is accepted as `Pointee`.
    pub record: Option<Arc<CType>>,
    /// Tried in order: the likely one first.
    pub accepts: Vec<Accept>,
    /// Bits to pass when the argument is missing.
    pub default: Option<u64>,
}

/// How the native result becomes a Python object. A trace may keep the machine value unboxed instead where
/// [`ResultKind::unboxed`] says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ResultKind {
    /// No value: `None`.
    Void,
    /// Integer of this width and sign: `int`.
    Int(MachineValue),
    /// Non-zero in the low byte: `bool`.
    Bool,
    F32,
    F64,
    /// The low byte as `bytes` of length 1.
    Char,
    /// NUL-terminated data as `bytes`, null as `None`.
    CharP,
    /// NUL-terminated wide data as `str`, null as `None`.
    WCharP,
    /// A code point as `str` of length 1.
    WChar,
    /// Address as `int`, null as `None`.
    AddressOrNone,
    /// A new reference; null means: an exception is set.
    Object,
    /// `BoxHelpers::wrap(callable, bits)` makes the object (an instance of a pointer class, say).
    Wrap,
    /// `BoxHelpers::wrap_record(callable, address)` makes an instance with a copy of the record (`NativeSig::record`).
    Record,
}

impl ResultKind {
    pub fn machine(self) -> Option<MachineValue> {
        Some(match self {
            ResultKind::Void => return None,
            ResultKind::Int(v) => v,
            ResultKind::Bool | ResultKind::Char => MachineValue::U8,
            ResultKind::F32 => MachineValue::F32,
            ResultKind::F64 => MachineValue::F64,
            ResultKind::WChar => MachineValue::I32,
            ResultKind::Object => MachineValue::Object,
            ResultKind::Record => MachineValue::Record,
            _ => MachineValue::Ptr,
        })
    }

    /// Whether a trace may hold the result as an unboxed number.
    pub fn unboxed(self) -> bool {
        matches!(self, ResultKind::Int(_) | ResultKind::Bool | ResultKind::F32 | ResultKind::F64)
    }
}

/// What the call may do besides computing its result. Empty means: assume the worst except what flags say
/// (`runs_python`); see [`Effects::LEAF`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Effects(pub u32);

impl Effects {
    /// The result depends on the arguments alone.
    pub const PURE: Effects = Effects(1);
    /// Reads memory but writes none.
    pub const READS: Effects = Effects(2);
    /// Short, never calls back into Python: the GIL stays held.
    pub const LEAF: Effects = Effects(4);
    /// The thread's private errno is swapped with the real one around the call.
    pub const ERRNO: Effects = Effects(8);
    /// The GIL is released around the call.
    pub const RELEASES_GIL: Effects = Effects(16);
    /// Runs with the GIL held and may set a Python exception (ctypes' `PyDLL`).
    pub const MAY_RAISE: Effects = Effects(32);
    /// May throw a C++ exception; the target is then a wrapper that catches it.
    pub const MAY_THROW: Effects = Effects(64);
    /// May call back into Python.
    pub const CALLS_BACK: Effects = Effects(128);

    pub fn has(self, other: Effects) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub fn with(self, other: Effects) -> Effects {
        Effects(self.0 | other.0)
    }

    /// Whether Python code may run before the call returns.
    pub fn runs_python(self) -> bool {
        !self.has(Effects::LEAF)
    }
}

/// What remains to be done in Python terms around the native call. Anything set here means: no call stub, and a trace
/// must go through the callable's own call slot (or do the step itself).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Checks {
    pub errcheck: bool,
    pub restype_callable: bool,
    pub out_params: bool,
    pub transfers_ownership: bool,
}

impl Checks {
    pub fn any(self) -> bool {
        self.errcheck || self.restype_callable || self.out_params || self.transfers_ownership
    }
}

#[derive(Clone, Debug)]
pub struct NativeSig {
    pub target: Target,
    pub params: Vec<Param>,
    /// Arguments beyond `params` are accepted by the generic path only.
    pub variadic: bool,
    pub result: ResultKind,
    /// The type of a `Record` result.
    pub record: Option<Arc<CType>>,
    pub effects: Effects,
    pub checks: Checks,
}

// SAFETY: a signature is plain data; the pointers in it are compared, not followed.
unsafe impl Send for NativeSig {}
// SAFETY: as above.
unsafe impl Sync for NativeSig {}

impl NativeSig {
    /// How many arguments must be given.
    pub fn required(&self) -> usize {
        self.params.iter().rposition(|p| p.default.is_none()).map_or(0, |i| i + 1)
    }

    pub fn placement(&self) -> CallPlacement {
        let args: Vec<_> = self
            .params
            .iter()
            .map(|p| p.record.clone().unwrap_or_else(|| CType::prim(p.value.prim())))
            .collect();
        let ret = self.record.clone().or_else(|| self.result.machine().map(|m| CType::prim(m.prim())));
        crate::abi::place_call(&args.iter().map(|a| &**a).collect::<Vec<_>>(), ret.as_deref())
    }

    /// Text that is equal for two signatures exactly if the same stub serves both.
    pub fn shape_key(&self) -> String {
        let mut s = String::with_capacity(64);
        // Writing to a String cannot fail.
        for p in &self.params {
            let _ = write!(s, "{:?}{:?}{:?};", p.value, p.accepts, p.default);
        }
        let _ = write!(s, "|{:?}|{:x}", self.result, self.effects.0);
        if self.record.is_some() || self.params.iter().any(|p| p.record.is_some()) {
            let _ = write!(s, "|{:?}", self.placement());
        }
        s
    }
}
