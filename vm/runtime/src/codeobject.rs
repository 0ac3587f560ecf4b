//! Code objects: made from their parts (by `marshal`, the compiler, `types.CodeType(...)`), their attributes, lines and positions.
//!
//! Layout is CPython 3.11's: the instructions lie at the end of the object, in `co_code_adaptive`. That copy is what runs: the
//! interpreter rewrites opcodes there (*quick* opcodes, numbered in `quick`) and keeps its inline caches in the CACHE units.
//! What Python sees is always the original: `original_code` maps quick opcodes back and zeroes the caches.
//!
//! Two fields are used in our own way: `_co_linearray` holds one line number (i32) per code unit once tracing asked for it;
//! `co_warmup` is free for the interpreter.

use crate::prelude::*;
use core::ffi::c_int;
use lh_abi::*;
use lh_bytecode::location::{self, Location};
use lh_bytecode::{CodeUnit, Const, opcode as op};
use std::mem::offset_of;
use std::ptr::null_mut;

/// Kinds of fast locals (`co_localspluskinds`).
pub const FAST_LOCAL: u8 = 0x20;
pub const FAST_CELL: u8 = 0x40;
pub const FAST_FREE: u8 = 0x80;

/// Internal opcodes: specialised forms that only occur in `co_code_adaptive`. One row each: name, number, original opcode.
pub mod quick {
    use lh_bytecode::opcode as op;
    macro_rules! quick {
        ($($name:ident = $num:literal of $base:ident;)*) => {
            $(pub const $name: u8 = $num;)*
            /// The original opcode of every number (itself, if it is no quick one).
            pub static BASE: [u8; 256] = {
                let mut t = [0u8; 256];
                let mut i = 0;
                while i < 256 {
                    t[i] = i as u8;
                    i += 1;
                }
                $(t[$num] = op::$base;)*
                t
            };
            /// Name of a quick opcode, for dumps.
            pub fn name(op: u8) -> Option<&'static str> {
                match op { $($num => Some(stringify!($name)),)* _ => None }
            }
        };
    }
    quick! {
        BINARY_OP_ADD_INT = 3 of BINARY_OP;
        BINARY_OP_SUB_INT = 4 of BINARY_OP;
        BINARY_OP_MUL_INT = 5 of BINARY_OP;
        BINARY_OP_ADD_FLOAT = 6 of BINARY_OP;
        BINARY_OP_SUB_FLOAT = 7 of BINARY_OP;
        BINARY_OP_MUL_FLOAT = 8 of BINARY_OP;
        BINARY_OP_DIV_FLOAT = 13 of BINARY_OP;
        BINARY_OP_ADD_STR = 14 of BINARY_OP;
        BINARY_OP_INT = 16 of BINARY_OP;
        BINARY_OP_FLOAT = 17 of BINARY_OP;
        BINARY_SUBSCR_LIST = 18 of BINARY_SUBSCR;
        BINARY_SUBSCR_TUPLE = 19 of BINARY_SUBSCR;
        BINARY_SUBSCR_DICT = 20 of BINARY_SUBSCR;
        BINARY_SUBSCR_PY = 21 of BINARY_SUBSCR;
        STORE_SUBSCR_LIST = 22 of STORE_SUBSCR;
        STORE_SUBSCR_DICT = 23 of STORE_SUBSCR;
        COMPARE_INT_JUMP = 24 of COMPARE_OP;
        COMPARE_FLOAT_JUMP = 26 of COMPARE_OP;
        COMPARE_STR_JUMP = 27 of COMPARE_OP;
        COMPARE_INT = 28 of COMPARE_OP;
        COMPARE_FLOAT = 29 of COMPARE_OP;
        COMPARE_STR = 34 of COMPARE_OP;
        LOAD_ATTR_VALUE = 38 of LOAD_ATTR;
        LOAD_ATTR_SLOT = 39 of LOAD_ATTR;
        LOAD_ATTR_MODULE = 40 of LOAD_ATTR;
        LOAD_ATTR_MEMBER = 41 of LOAD_ATTR;
        LOAD_ATTR_GETSET = 42 of LOAD_ATTR;
        STORE_ATTR_MEMBER = 43 of STORE_ATTR;
        STORE_ATTR_VALUE = 44 of STORE_ATTR;
        STORE_ATTR_SLOT = 45 of STORE_ATTR;
        LOAD_METHOD_PLAIN = 46 of LOAD_METHOD;
        LOAD_METHOD_VALUES = 47 of LOAD_METHOD;
        LOAD_METHOD_DICT = 48 of LOAD_METHOD;
        LOAD_METHOD_CLASS = 55 of LOAD_METHOD;
        LOAD_METHOD_MODULE = 56 of LOAD_METHOD;
        LOAD_GLOBAL_MODULE = 57 of LOAD_GLOBAL;
        LOAD_GLOBAL_BUILTIN = 58 of LOAD_GLOBAL;
        PRECALL_PY = 59 of PRECALL;
        PRECALL_PY_BOUND = 62 of PRECALL;
        PRECALL_BUILTIN_O = 63 of PRECALL;
        PRECALL_BUILTIN_FAST = 64 of PRECALL;
        PRECALL_METHOD_O = 65 of PRECALL;
        PRECALL_METHOD_FAST = 66 of PRECALL;
        PRECALL_METHOD_NOARGS = 67 of PRECALL;
        PRECALL_TYPE_1 = 72 of PRECALL;
        PRECALL_LEN = 73 of PRECALL;
        PRECALL_ISINSTANCE = 76 of PRECALL;
        PRECALL_LIST_APPEND = 77 of PRECALL;
        PRECALL_CLASS = 78 of PRECALL;
        PRECALL_PY_CLASS = 79 of PRECALL;
        UNPACK_TWO_TUPLE = 80 of UNPACK_SEQUENCE;
        UNPACK_TUPLE = 81 of UNPACK_SEQUENCE;
        UNPACK_LIST = 113 of UNPACK_SEQUENCE;
        FOR_ITER_RANGE = 121 of FOR_ITER;
        FOR_ITER_LIST = 127 of FOR_ITER;
        FOR_ITER_TUPLE = 141 of FOR_ITER;
        FOR_ITER_GEN = 143 of FOR_ITER;
        LOAD_FAST__LOAD_FAST = 150 of LOAD_FAST;
        STORE_FAST__LOAD_FAST = 153 of STORE_FAST;
        LOAD_FAST__LOAD_CONST = 154 of LOAD_FAST;
        LOAD_CONST__LOAD_FAST = 158 of LOAD_CONST;
        STORE_FAST__STORE_FAST = 159 of STORE_FAST;
        STORE_ATTR_GETSET = 180 of STORE_ATTR;
        PRECALL_NATIVE = 181 of PRECALL;
        PRECALL_HASH = 182 of PRECALL;
        PRECALL_ITER = 183 of PRECALL;
        PRECALL_NEXT = 184 of PRECALL;
        LOAD_METHOD_BOUND = 185 of LOAD_METHOD;
        LOAD_METHOD_CLASS_BOUND = 186 of LOAD_METHOD;
        JIT_LOOP = 240 of JUMP_BACKWARD;
        JIT_RESUME = 241 of RESUME;
        JIT_WHILE_TRUE = 242 of POP_JUMP_BACKWARD_IF_TRUE;
        JIT_WHILE_FALSE = 243 of POP_JUMP_BACKWARD_IF_FALSE;
        JIT_WHILE_NONE = 244 of POP_JUMP_BACKWARD_IF_NONE;
        JIT_WHILE_NOT_NONE = 245 of POP_JUMP_BACKWARD_IF_NOT_NONE;
    }
    /// In place of every opcode while tracing or recording: never stored in code.
    pub const TRACED: u8 = 255;
    /// No instruction at all.
    pub const NONE: u8 = 254;
    const _: () = assert!(op::HAVE_ARGUMENT == 90);
}

/// What a code object is made of.
pub struct CodeParts<'a> {
    pub argcount: i32,
    pub posonlyargcount: i32,
    pub kwonlyargcount: i32,
    pub stacksize: i32,
    pub flags: i32,
    pub code: &'a [u8],
    pub consts: &'a Tuple,
    pub names: &'a Tuple,
    pub localsplusnames: &'a Tuple,
    pub localspluskinds: &'a Bytes,
    pub filename: &'a Str,
    pub name: &'a Str,
    pub qualname: &'a Str,
    pub firstlineno: i32,
    pub linetable: &'a Bytes,
    pub exceptiontable: &'a Bytes,
}

/// The tuple with all its (exact) strings interned.
fn intern_names(t: &Tuple) -> Owned<Tuple> {
    let need = t.iter().any(|o| o.downcast_exact::<Str>().is_some_and(|s| !s.is_interned()));
    if !need {
        return t.own();
    }
    let v = t
        .iter()
        .map(|o| match o.downcast_exact::<Str>() {
            Some(s) => Str::intern(s.own()).into_object(),
            None => o.own(),
        })
        .collect();
    Tuple::from_vec(v)
}

fn looks_like_name(s: &Str) -> bool {
    s.as_ascii().is_some_and(|t| t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// Interns the constants that look like names, also inside tuples.
fn intern_consts(t: &Tuple) -> Owned<Tuple> {
    let mut changed = false;
    let v: Vec<Owned<Object>> = t
        .iter()
        .map(|o| {
            if let Some(s) = o.downcast_exact::<Str>() {
                if !s.is_interned() && looks_like_name(s) {
                    changed = true;
                    return Str::intern(s.own()).into_object();
                }
            } else if let Some(inner) = o.downcast_exact::<Tuple>() {
                let new = intern_consts(inner);
                if new.ptr() != o.as_ptr() {
                    changed = true;
                }
                return new.into_object();
            } else if let Some(set) = o.downcast_exact::<FrozenSet>()
                && let Ok(items) = set.to_items()
                && items.iter().any(|x| {
                    x.downcast_exact::<Str>().is_some_and(|s| !s.is_interned() && looks_like_name(s))
                })
                && let Ok(new) = FrozenSet::from_iterable(&intern_consts(&Tuple::from_vec(items)))
            {
                changed = true;
                return new.into_object();
            }
            o.own()
        })
        .collect();
    if changed { Tuple::from_vec(v) } else { t.own() }
}

impl Code {
    /// A code object from its parts, which are checked for consistency only.
    pub fn from_parts(p: &CodeParts<'_>) -> PyResult<Owned<Code>> {
        let n = p.localsplusnames.len();
        let kinds = p.localspluskinds.as_bytes();
        if p.argcount < p.posonlyargcount
            || p.posonlyargcount < 0
            || p.kwonlyargcount < 0
            || p.stacksize < 0
            || p.flags < 0
            || kinds.len() != n
            || !p.code.len().is_multiple_of(2)
        {
            return raise!(ValueError, "code: co_code is malformed or arguments are inconsistent");
        }
        if p.localsplusnames.iter().chain(p.names.iter()).any(|o| !o.is_instance_of::<Str>()) {
            return raise!(TypeError, "name tuples must contain only strings");
        }
        let total_args = p.argcount
            + p.kwonlyargcount
            + (p.flags & CO_VARARGS != 0) as i32
            + (p.flags & CO_VARKEYWORDS != 0) as i32;
        let nlocals = kinds.iter().filter(|k| **k & FAST_LOCAL != 0).count();
        if total_args as usize > nlocals {
            return raise!(ValueError, "code: varnames is too small");
        }
        let ncell = kinds.iter().filter(|k| **k & FAST_CELL != 0).count();
        let nplain = kinds.iter().filter(|k| **k & FAST_CELL != 0 && **k & FAST_LOCAL == 0).count();
        let nfree = kinds.iter().filter(|k| **k & FAST_FREE != 0).count();
        let (consts, names) = (intern_consts(p.consts), intern_names(p.names));
        let locals = intern_names(p.localsplusnames);
        let intern = |s: &Str| {
            if s.is_exact::<Str>() { Str::intern(s.own()).into_raw() } else { s.own().into_raw() }
        };
        let units = p.code.len() / 2;
        // SAFETY: the object has room for `units` two-byte items behind its fixed part; every field is written before use.
        unsafe {
            // Code without instructions (extensions make such for tracebacks) still has one behind its end: what is invalid is refused.
            let o = crate::typeobject::alloc(Code::type_ptr(), units.max(1) as isize)?;
            (*o.cast::<PyVarObject>()).ob_size = units as isize;
            let c = o.cast::<PyCodeObject>();
            (*c).co_consts = consts.into_raw();
            (*c).co_names = names.into_raw();
            (*c).co_exceptiontable = p.exceptiontable.own().into_raw();
            (*c).co_flags = p.flags;
            (*c).co_argcount = p.argcount;
            (*c).co_posonlyargcount = p.posonlyargcount;
            (*c).co_kwonlyargcount = p.kwonlyargcount;
            (*c).co_stacksize = p.stacksize;
            (*c).co_firstlineno = p.firstlineno;
            (*c).co_nlocalsplus = n as c_int;
            (*c).co_nlocals = nlocals as c_int;
            (*c).co_nplaincellvars = nplain as c_int;
            (*c).co_ncellvars = ncell as c_int;
            (*c).co_nfreevars = nfree as c_int;
            (*c).co_localsplusnames = locals.into_raw();
            (*c).co_localspluskinds = p.localspluskinds.own().into_raw();
            (*c).co_filename = p.filename.own().into_raw();
            (*c).co_name = intern(p.name);
            (*c).co_qualname = intern(p.qualname);
            (*c).co_linetable = if crate::sysobject::config().no_debug_ranges {
                Bytes::new(&location::without_columns(p.linetable.as_bytes(), p.firstlineno)).into_raw()
            } else {
                p.linetable.own().into_raw()
            };
            std::ptr::copy_nonoverlapping(
                p.code.as_ptr(),
                (&raw mut (*c).co_code_adaptive).cast(),
                p.code.len(),
            );
            let adaptive =
                std::slice::from_raw_parts_mut((&raw mut (*c).co_code_adaptive).cast(), p.code.len());
            zero_caches(adaptive);
            pair_loads(adaptive);
            if units == 0 {
                // No instruction has this number.
                *(&raw mut (*c).co_code_adaptive).cast::<u8>() = quick::NONE;
            }
            let mut first = 0;
            while first < units && p.code[2 * first] != op::RESUME {
                first += 1;
            }
            (*c)._co_firsttraceable = first as c_int;
            Ok(Owned::from_raw(o))
        }
    }

    /// A code object from the compiler's model.
    pub fn from_unit(u: &CodeUnit) -> PyResult<Owned<Code>> {
        let names = |v: &[String]| {
            Tuple::from_vec(v.iter().map(|s| Str::intern(Str::new(s)).into_object()).collect())
        };
        let mut consts = Vec::with_capacity(u.consts.len());
        for c in &u.consts {
            consts.push(const_object(c)?);
        }
        let name = Str::intern(Str::new(&u.name));
        let qualname = Str::intern(Str::new(&u.qualname));
        Code::from_parts(&CodeParts {
            argcount: u.argcount as i32,
            posonlyargcount: u.posonlyargcount as i32,
            kwonlyargcount: u.kwonlyargcount as i32,
            stacksize: u.stacksize as i32,
            flags: u.flags as i32,
            code: &u.code,
            consts: &Tuple::from_vec(consts),
            names: &names(&u.names),
            localsplusnames: &names(&u.localsplusnames),
            localspluskinds: &Bytes::new(&u.localspluskinds),
            filename: &Str::intern(Str::new(&u.filename)),
            name: &name,
            qualname: &qualname,
            firstlineno: u.firstlineno,
            linetable: &Bytes::new(&u.linetable),
            exceptiontable: &Bytes::new(&u.exceptiontable),
        })
    }

    /// A code object that isn't meant to run (it raises), for made-up traceback entries (`PyCode_NewEmpty`).
    pub fn empty(filename: &str, name: &str, firstlineno: i32) -> PyResult<Owned<Code>> {
        let name = Str::new(name);
        let (t, b) = (Tuple::empty(), Bytes::new(&[]));
        Code::from_parts(&CodeParts {
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            stacksize: 1,
            flags: CO_OPTIMIZED | CO_NEWLOCALS,
            code: &[op::RESUME, 0, op::LOAD_ASSERTION_ERROR, 0, op::RAISE_VARARGS, 1],
            consts: &t,
            names: &t,
            localsplusnames: &t,
            localspluskinds: &b,
            filename: &Str::new(filename),
            name: &name,
            qualname: &name,
            firstlineno,
            // One entry without columns, line delta 0, for the three units.
            linetable: &Bytes::new(&[0x80 | 13 << 3 | 2, 0]),
            exceptiontable: &b,
        })
    }

    fn c(&self) -> *mut PyCodeObject {
        self.as_struct()
    }
    /// The instructions that run, in code units.
    #[inline]
    pub fn units(&self) -> *mut u16 {
        // SAFETY: the instructions lie inside the object.
        unsafe { (&raw mut (*self.c()).co_code_adaptive).cast() }
    }
    /// Number of code units.
    #[inline]
    pub fn len_units(&self) -> usize {
        // SAFETY: a live code object.
        unsafe { (*self.c()).ob_base.ob_size as usize }
    }
    pub fn flags(&self) -> i32 {
        // SAFETY: a live code object.
        unsafe { (*self.c()).co_flags }
    }
    fn field<T: Kind>(&self, f: impl Fn(*mut PyCodeObject) -> *mut PyObject) -> &T {
        // SAFETY: the object fields of a code object never change and are of their fixed types.
        unsafe { Object::from_ptr(f(self.c())).downcast_unchecked() }
    }
    pub fn consts(&self) -> &Tuple {
        // SAFETY: fields of a live code object (as in the rest of this group).
        self.field(|c| unsafe { (*c).co_consts })
    }
    pub fn names(&self) -> &Tuple {
        // SAFETY: as above.
        self.field(|c| unsafe { (*c).co_names })
    }
    pub fn localsplusnames(&self) -> &Tuple {
        // SAFETY: as above.
        self.field(|c| unsafe { (*c).co_localsplusnames })
    }
    pub fn localspluskinds(&self) -> &[u8] {
        // SAFETY: as above.
        self.field::<Bytes>(|c| unsafe { (*c).co_localspluskinds }).as_bytes()
    }
    pub fn filename(&self) -> &Str {
        // SAFETY: as above.
        self.field(|c| unsafe { (*c).co_filename })
    }
    pub fn name(&self) -> &Str {
        // SAFETY: as above.
        self.field(|c| unsafe { (*c).co_name })
    }
    pub fn qualname(&self) -> &Str {
        // SAFETY: as above.
        self.field(|c| unsafe { (*c).co_qualname })
    }
    pub fn linetable(&self) -> &Bytes {
        // SAFETY: as above.
        self.field(|c| unsafe { (*c).co_linetable })
    }
    pub fn exceptiontable(&self) -> &Bytes {
        // SAFETY: as above.
        self.field(|c| unsafe { (*c).co_exceptiontable })
    }
    pub fn firstlineno(&self) -> i32 {
        // SAFETY: a live code object.
        unsafe { (*self.c()).co_firstlineno }
    }

    /// The instructions as Python sees them: original opcodes, caches zero.
    pub fn original_code(&self) -> Vec<u8> {
        // SAFETY: `len_units` units of two bytes.
        let mut v =
            unsafe { std::slice::from_raw_parts(self.units().cast::<u8>(), 2 * self.len_units()) }.to_vec();
        let mut i = 0;
        while i < v.len() {
            let base = quick::BASE[v[i] as usize];
            v[i] = base;
            let caches = op::cache_entries(base);
            for b in v.iter_mut().skip(i + 2).take(2 * caches) {
                *b = 0;
            }
            i += 2 + 2 * caches;
        }
        v
    }
    /// The original opcode and raw argument at a unit.
    pub fn unit_at(&self, i: usize) -> (u8, u8) {
        // SAFETY: the caller asks for a unit inside the code.
        let w = unsafe { *self.units().add(i) }.to_le_bytes();
        (quick::BASE[w[0] as usize], w[1])
    }
    /// The line of a code unit (`None`: artificial instruction); a negative unit is the `def` line.
    pub fn line_at(&self, unit: isize) -> Option<i32> {
        if unit < 0 {
            return Some(self.firstlineno());
        }
        // SAFETY: the line array, once there, has an entry for each unit.
        unsafe {
            let a = (*self.c())._co_linearray.cast::<i32>();
            if !a.is_null() && (unit as usize) < self.len_units() {
                let l = *a.add(unit as usize);
                return (l >= 0).then_some(l);
            }
        }
        location::line_at(self.linetable().as_bytes(), self.firstlineno(), unit as usize)
    }
    pub fn location_at(&self, unit: usize) -> Location {
        location::at(self.linetable().as_bytes(), self.firstlineno(), unit)
    }
    /// One line number per code unit (-1: none), made on first use and kept.
    #[inline]
    pub fn line_array(&self) -> *const i32 {
        // SAFETY: a live code object.
        let known = unsafe { (*self.c())._co_linearray };
        if known.is_null() { self.make_line_array() } else { known.cast() }
    }
    #[cold]
    fn make_line_array(&self) -> *const i32 {
        // SAFETY: the array is owned by the code object and freed with it.
        unsafe {
            let c = self.c();
            let n = self.len_units();
            let mut v: Vec<i32> = location::positions(self.linetable().as_bytes(), self.firstlineno())
                .map(|l| l.line)
                .collect();
            v.resize(n, -1);
            (*c)._co_linearray = Box::into_raw(v.into_boxed_slice()).cast();
            (*c)._co_linearray_entry_size = 4;
            (*c)._co_linearray.cast()
        }
    }
    fn names_of(&self, kind: u8) -> Owned<Tuple> {
        let v = self.localsplusnames().iter().zip(self.localspluskinds());
        Tuple::from_vec(v.filter(|(_, k)| **k & kind != 0).map(|(n, _)| n.own()).collect())
    }
    pub fn varnames(&self) -> Owned<Tuple> {
        self.names_of(FAST_LOCAL)
    }
    pub fn cellvars(&self) -> Owned<Tuple> {
        self.names_of(FAST_CELL)
    }
    pub fn freevars(&self) -> Owned<Tuple> {
        self.names_of(FAST_FREE)
    }
}

fn zero_caches(code: &mut [u8]) {
    let mut i = 0;
    while i < code.len() {
        let base = quick::BASE[code[i] as usize];
        code[i] = base;
        let caches = op::cache_entries(base);
        for b in code.iter_mut().skip(i + 2).take(2 * caches) {
            *b = 0;
        }
        i += 2 + 2 * caches;
    }
}

/// Makes one quick instruction of two LOAD_FASTs in a row, as far as running them goes.
fn pair_loads(code: &mut [u8]) {
    let mut i = 0;
    while i + 2 < code.len() {
        if code[i] == op::LOAD_FAST && code[i + 2] == op::LOAD_FAST {
            code[i] = quick::LOAD_FAST__LOAD_FAST;
            i += 4;
        } else {
            i += 2 + 2 * op::cache_entries(code[i]);
        }
    }
}

/// A constant of the compiler's model as an object.
pub fn const_object(c: &Const) -> PyResult<Owned<Object>> {
    Ok(match c {
        Const::None => none(),
        Const::True => bool_obj(true),
        Const::False => bool_obj(false),
        Const::Ellipsis => ellipsis(),
        Const::Int(i) => match i {
            lh_bytecode::PyInt::Small(v) => Int::from_i64(*v).into_object(),
            big => {
                let (negative, bytes) = big.to_bytes_le();
                let sign = if negative { num_bigint::Sign::Minus } else { num_bigint::Sign::Plus };
                Int::from_bigint(&num_bigint::BigInt::from_bytes_le(sign, &bytes)).into_object()
            }
        },
        Const::Float(v) => Float::new(*v).into_object(),
        Const::Complex(re, im) => Complex::new(*re, *im).into_object(),
        Const::Str(s) => match s.as_str() {
            Some(t) => Str::new(t).into_object(),
            None => Str::from_code_points(&s.code_points().collect::<Vec<_>>()).into_object(),
        },
        Const::Bytes(b) => Bytes::new(b).into_object(),
        Const::Tuple(v) => {
            let mut items = Vec::with_capacity(v.len());
            for x in v {
                items.push(const_object(x)?);
            }
            Tuple::from_vec(items).into_object()
        }
        Const::FrozenSet(v) if v.is_empty() => crate::set_methods::empty_frozenset().into_object(),
        Const::FrozenSet(v) => {
            let mut items = Vec::with_capacity(v.len());
            for x in v {
                items.push(const_object(x)?);
            }
            FrozenSet::from_iterable(&Tuple::from_vec(items))?.into_object()
        }
        Const::Code(u) => Code::from_unit(u)?.into_object(),
    })
}

/// A key under which equal constants of code objects compare equal: type and value, `0.0` and `-0.0` apart.
fn const_equal(a: &Object, b: &Object) -> PyResult<bool> {
    if a.is(b) {
        return Ok(true);
    }
    if a.ob_type() != b.ob_type() {
        return Ok(false);
    }
    if let (Some(x), Some(y)) = (a.downcast_exact::<Float>(), b.downcast_exact::<Float>()) {
        return Ok(x.value().to_bits() == y.value().to_bits());
    }
    if let (Some(x), Some(y)) = (a.downcast_exact::<Complex>(), b.downcast_exact::<Complex>()) {
        // SAFETY: a complex number's value never changes.
        let v = |c: &Complex| unsafe { (*c.as_struct()).cval };
        let (x, y) = (v(x), v(y));
        return Ok(x.real.to_bits() == y.real.to_bits() && x.imag.to_bits() == y.imag.to_bits());
    }
    if let (Some(x), Some(y)) = (a.downcast_exact::<Tuple>(), b.downcast_exact::<Tuple>()) {
        if x.len() != y.len() {
            return Ok(false);
        }
        for i in 0..x.len() {
            if !const_equal(x.item_ref(i), y.item_ref(i))? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    a.equals_obj(b)
}

fn members(b: &mut TypeBuilder) {
    for (name, at) in [
        (c"co_argcount", offset_of!(PyCodeObject, co_argcount)),
        (c"co_posonlyargcount", offset_of!(PyCodeObject, co_posonlyargcount)),
        (c"co_kwonlyargcount", offset_of!(PyCodeObject, co_kwonlyargcount)),
        (c"co_stacksize", offset_of!(PyCodeObject, co_stacksize)),
        (c"co_flags", offset_of!(PyCodeObject, co_flags)),
        (c"co_nlocals", offset_of!(PyCodeObject, co_nlocals)),
        (c"co_firstlineno", offset_of!(PyCodeObject, co_firstlineno)),
    ] {
        b.member(name, T_INT, at, READONLY);
    }
    for (name, at) in [
        (c"co_names", offset_of!(PyCodeObject, co_names)),
        (c"co_filename", offset_of!(PyCodeObject, co_filename)),
        (c"co_name", offset_of!(PyCodeObject, co_name)),
        (c"co_qualname", offset_of!(PyCodeObject, co_qualname)),
        (c"co_consts", offset_of!(PyCodeObject, co_consts)),
        (c"co_linetable", offset_of!(PyCodeObject, co_linetable)),
        (c"co_exceptiontable", offset_of!(PyCodeObject, co_exceptiontable)),
    ] {
        b.member(name, T_OBJECT, at, READONLY);
    }
}

/// Localsplus names and kinds from the public four name tuples.
fn localsplus(varnames: &Tuple, cellvars: &Tuple, freevars: &Tuple) -> (Owned<Tuple>, Owned<Bytes>) {
    let (mut names, mut kinds) = (vec![], vec![]);
    let same = |a: &Object, b: &Object| match (a.downcast::<Str>(), b.downcast::<Str>()) {
        (Some(a), Some(b)) => a.equals(b),
        _ => false,
    };
    for v in varnames.iter() {
        let cell = cellvars.iter().any(|c| same(c, v));
        names.push(v.own());
        kinds.push(FAST_LOCAL | if cell { FAST_CELL } else { 0 });
    }
    for c in cellvars.iter() {
        if !varnames.iter().any(|v| same(c, v)) {
            names.push(c.own());
            kinds.push(FAST_CELL);
        }
    }
    for f in freevars.iter() {
        names.push(f.own());
        kinds.push(FAST_FREE);
    }
    (Tuple::from_vec(names), Bytes::new(&kinds))
}

impl Code {
    /// Another file's name for this code and all code in it that has the same (`_imp._fix_co_filename`).
    pub fn set_filename(&self, path: &Str) {
        // SAFETY: a code object's co_filename is a string, owned by it.
        let old =
            unsafe { Object::from_ptr((*self.as_struct()).co_filename).downcast_unchecked::<Str>().own() };
        if !old.equals(path) {
            self.replace_filename(path, &old);
        }
    }
    fn replace_filename(&self, path: &Str, old: &Str) {
        // SAFETY: as above, and co_consts is a tuple; the replaced string is dropped after the new one is in place.
        unsafe {
            let c = self.as_struct();
            if !Object::from_ptr((*c).co_filename).downcast_unchecked::<Str>().equals(old) {
                return;
            }
            let dead = std::mem::replace(&mut (*c).co_filename, path.own().into_raw());
            decref(dead);
            let consts = Object::from_ptr((*c).co_consts).downcast_unchecked::<Tuple>();
            for k in consts.iter().filter_map(|k| k.downcast::<Code>()) {
                k.replace_filename(path, old);
            }
        }
    }
}

#[pymethods(extra = members)]
impl Code {
    #[new(
        name = "code",
        signature = "(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names, varnames, filename, name, qualname, firstlineno, linetable, exceptiontable, freevars=(), cellvars=(), /)"
    )]
    fn tp_new(
        _cls: &Type,
        argcount: i32,
        posonlyargcount: i32,
        kwonlyargcount: i32,
        nlocals: i32,
        stacksize: i32,
        flags: i32,
        codestring: &Bytes,
        constants: &Tuple,
        names: &Tuple,
        varnames: &Tuple,
        filename: &Str,
        name: &Str,
        qualname: &Str,
        firstlineno: i32,
        linetable: &Bytes,
        exceptiontable: &Bytes,
        freevars: Option<&Tuple>,
        cellvars: Option<&Tuple>,
    ) -> PyResult<Owned<Code>> {
        for (v, what) in [
            (argcount, "argcount"),
            (posonlyargcount, "posonlyargcount"),
            (kwonlyargcount, "kwonlyargcount"),
            (nlocals, "nlocals"),
        ] {
            if v < 0 {
                return raise!(ValueError, "code: {} must not be negative", what);
            }
        }
        let empty = Tuple::empty();
        if nlocals as usize != varnames.len() {
            return raise!(ValueError, "code: co_nlocals != len(co_varnames)");
        }
        let (ln, lk) = localsplus(varnames, cellvars.unwrap_or(&empty), freevars.unwrap_or(&empty));
        let code = codestring.as_bytes();
        if !code.len().is_multiple_of(2) {
            return raise!(ValueError, "code: co_code is malformed");
        }
        Code::from_parts(&CodeParts {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            code,
            consts: constants,
            names,
            localsplusnames: &ln,
            localspluskinds: &lk,
            filename,
            name,
            qualname,
            firstlineno,
            linetable,
            exceptiontable,
        })
    }

    #[getter]
    fn co_code(&self) -> Owned<Bytes> {
        // SAFETY: the cached bytes object belongs to the code object.
        unsafe {
            let c = self.c();
            if (*c)._co_code.is_null() {
                (*c)._co_code = Bytes::new(&self.original_code()).into_raw();
            }
            Object::from_ptr((*c)._co_code).downcast_unchecked::<Bytes>().own()
        }
    }
    #[getter]
    fn _co_code_adaptive(&self) -> Owned<Bytes> {
        // SAFETY: `len_units` units of two bytes.
        Bytes::new(unsafe { std::slice::from_raw_parts(self.units().cast::<u8>(), 2 * self.len_units()) })
    }
    #[getter]
    fn co_varnames(&self) -> Owned<Tuple> {
        self.varnames()
    }
    #[getter]
    fn co_cellvars(&self) -> Owned<Tuple> {
        self.cellvars()
    }
    #[getter]
    fn co_freevars(&self) -> Owned<Tuple> {
        self.freevars()
    }
    /// Line number table in the form of Python 3.9 and earlier.
    #[getter]
    fn co_lnotab(&self) -> Owned<Bytes> {
        let (mut out, mut line, mut at) = (vec![], self.firstlineno(), 0usize);
        for (start, _, l) in location::lines(self.linetable().as_bytes(), self.firstlineno()) {
            let Some(l) = l else { continue };
            if l == line && (!out.is_empty() || start == 0) {
                continue;
            }
            let (mut db, mut dl) = (start - at, l - line);
            while db > 254 {
                out.extend([254, 0]);
                db -= 254;
            }
            while dl < -128 {
                out.extend([db as u8, (-128i8) as u8]);
                (db, dl) = (0, dl + 128);
            }
            while dl > 127 {
                out.extend([db as u8, 127]);
                (db, dl) = (0, dl - 127);
            }
            out.extend([db as u8, dl as i8 as u8]);
            (line, at) = (l, start);
        }
        Bytes::new(&out)
    }
    #[pymethod]
    fn co_lines(&self) -> PyResult {
        let mut v = vec![];
        for r in location::ranges(self.linetable().as_bytes(), self.firstlineno()) {
            let line = (r.loc.line >= 0).then_some(r.loc.line);
            v.push((2 * r.start, 2 * r.end, line).into_py()?);
        }
        List::from_vec(v).iterator()
    }
    #[pymethod]
    fn co_positions(&self) -> PyResult {
        let mut v = vec![];
        let some = |x: i32| (x >= 0).then_some(x);
        for l in location::positions(self.linetable().as_bytes(), self.firstlineno()) {
            v.push((some(l.line), some(l.end_line), some(l.col), some(l.end_col)).into_py()?);
        }
        List::from_vec(v).iterator()
    }
    #[pymethod(raw, signature = "(**kwargs)")]
    fn replace(&self, a: Args<'_>) -> PyResult<Owned<Code>> {
        if a.len() > 0 {
            return raise!(TypeError, "replace() takes no positional arguments");
        }
        let mut given: Vec<(String, Owned<Object>)> = vec![];
        for (k, v) in a.kwargs() {
            given.push((k.to_str_lossy().into_owned(), v.own()));
        }
        const NAMES: &[&str] = &[
            "co_argcount",
            "co_posonlyargcount",
            "co_kwonlyargcount",
            "co_nlocals",
            "co_stacksize",
            "co_flags",
            "co_code",
            "co_consts",
            "co_names",
            "co_varnames",
            "co_filename",
            "co_name",
            "co_qualname",
            "co_firstlineno",
            "co_linetable",
            "co_exceptiontable",
            "co_freevars",
            "co_cellvars",
        ];
        for (k, _) in &given {
            if !NAMES.contains(&k.as_str()) {
                return raise!(TypeError, "'{}' is an invalid keyword argument for replace()", k);
            }
        }
        crate::sysobject::audit("code.__new__", &[])?;
        let get = |name: &str| -> PyResult {
            match given.iter().find(|(k, _)| k == name) {
                Some((_, v)) => Ok(v.clone()),
                None => self.get_attr_str(name),
            }
        };
        let mut args = vec![];
        for n in [
            "co_argcount",
            "co_posonlyargcount",
            "co_kwonlyargcount",
            "co_nlocals",
            "co_stacksize",
            "co_flags",
            "co_code",
            "co_consts",
            "co_names",
            "co_varnames",
            "co_filename",
            "co_name",
            "co_qualname",
            "co_firstlineno",
            "co_linetable",
            "co_exceptiontable",
            "co_freevars",
            "co_cellvars",
        ] {
            args.push(get(n)?);
        }
        // A changed set of variable names changes their number too, unless that was given.
        if given.iter().any(|(k, _)| k == "co_varnames")
            && !given.iter().any(|(k, _)| k == "co_nlocals")
            && let Some(t) = args[9].downcast::<Tuple>()
            && t.len() != self.varnames().len()
        {
            return raise!(ValueError, "code: co_nlocals != len(co_varnames)");
        }
        let refs: Vec<&Object> = args.iter().map(|a| &**a).collect();
        let made = Code::class().call(&refs)?;
        made.downcast_owned::<Code>().map_err(|_| raised!(TypeError, "code expected"))
    }
    #[pymethod(signature = "(oparg)")]
    fn _varname_from_oparg(&self, oparg: usize) -> PyResult {
        if oparg >= self.localsplusnames().len() {
            return raise!(IndexError, "tuple index out of range");
        }
        Ok(self.localsplusnames().get(oparg))
    }
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        184 + 2 * self.len_units() + 16
    }
    #[slot(tp_repr)]
    fn tp_repr(&self) -> String {
        format!(
            "<code object {} at {:p}, file \"{}\", line {}>",
            self.name().to_str_lossy(),
            self.raw(),
            self.filename().to_str_lossy(),
            if self.firstlineno() != 0 { self.firstlineno() } else { -1 }
        )
    }
    #[slot(tp_hash)]
    fn tp_hash(&self) -> PyResult<isize> {
        // SAFETY: plain fields of a live code object.
        let nums = unsafe {
            let c = &*self.c();
            [c.co_argcount, c.co_posonlyargcount, c.co_kwonlyargcount, c.co_flags, c.co_firstlineno]
        };
        let mut h: isize = 20221211;
        for n in nums {
            h = h.wrapping_mul(1000003) ^ n as isize;
        }
        for o in [&**self.name(), &**self.consts(), &**self.names(), &**self.localsplusnames()] {
            h = h.wrapping_mul(1000003) ^ o.hash_obj()?;
        }
        for b in self.original_code() {
            h = h.wrapping_mul(1000003) ^ b as isize;
        }
        Ok(if h == -1 { -2 } else { h })
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(o) = other.downcast::<Code>() else { return Ok(not_implemented()) };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented());
        }
        // SAFETY: plain fields of live code objects.
        let nums = |c: &Code| unsafe {
            let c = &*c.c();
            [c.co_argcount, c.co_posonlyargcount, c.co_kwonlyargcount, c.co_flags, c.co_firstlineno]
        };
        let eq = nums(self) == nums(o)
            && self.name().equals(o.name())
            && self.original_code() == o.original_code()
            && const_equal(self.consts(), o.consts())?
            && self.names().equals_obj(o.names())?
            && self.localsplusnames().equals_obj(o.localsplusnames())?
            && self.localspluskinds() == o.localspluskinds()
            && self.linetable().as_bytes() == o.linetable().as_bytes()
            && self.exceptiontable().as_bytes() == o.exceptiontable().as_bytes();
        Ok(bool_obj(eq == (op == CompareOp::Eq)))
    }
    #[slot(tp_dealloc)]
    unsafe fn tp_dealloc(o: *mut PyObject) {
        // SAFETY: the deallocator: every owned field is dropped once.
        unsafe {
            let c = o.cast::<PyCodeObject>();
            CODE_DEATH.with(o);
            if !(*c).co_weakreflist.is_null() {
                crate::weakref::clear_weakrefs(o);
            }
            for p in [
                &raw mut (*c).co_consts,
                &raw mut (*c).co_names,
                &raw mut (*c).co_exceptiontable,
                &raw mut (*c).co_localsplusnames,
                &raw mut (*c).co_localspluskinds,
                &raw mut (*c).co_filename,
                &raw mut (*c).co_name,
                &raw mut (*c).co_qualname,
                &raw mut (*c).co_linetable,
                &raw mut (*c)._co_code,
            ] {
                xdecref(std::mem::replace(&mut *p, null_mut()));
            }
            let lines = (*c)._co_linearray.cast::<i32>();
            if !lines.is_null() {
                let n = (*c).ob_base.ob_size as usize;
                drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(lines, n)));
            }
            crate::typeobject::free_instance(o);
        }
    }
}

/// What the layers above want to hear of a dying code object (the JIT drops its traces; `co_extra` of the C API is freed).
pub struct DeathHooks(std::sync::Mutex<Vec<unsafe fn(*mut PyObject)>>);
pub static CODE_DEATH: DeathHooks = DeathHooks(std::sync::Mutex::new(Vec::new()));
impl DeathHooks {
    pub fn add(&self, f: unsafe fn(*mut PyObject)) {
        self.0.lock().expect("never poisoned").push(f)
    }
    fn with(&self, o: *mut PyObject) {
        let hooks = self.0.lock().expect("never poisoned").clone();
        for f in hooks {
            // SAFETY: the object's fields are still whole.
            unsafe { f(o) }
        }
    }
}

pub fn init() -> PyResult<()> {
    ready::<Code>()?;
    Ok(())
}
