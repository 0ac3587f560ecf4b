//! Inline caches: turning a lookup plan into a quick opcode with its cache, and reading such caches.
//!
//! The first cache unit of every adaptive instruction is a counter, used alike in base and quick form: the base form counts up
//! to `WARM`, then asks for a quick form. After success it starts at `-PATIENCE`: each miss runs the base form, which
//! counts; after that many misses the instruction is specialised anew. After failure it starts at `-COOL`.
//!
//! Cache layouts (code units after the instruction; 0 is the counter):
//! ```text
//!   BINARY_SUBSCR_PY                     1-2 type version (the class's shared keys remember its `__getitem__`)
//!   LOAD_ATTR_VALUE, STORE_ATTR_VALUE    1-2 type version   3 index
//!   LOAD_ATTR_SLOT, STORE_ATTR_SLOT      1-2 type version   3 offset
//!   LOAD_ATTR_MEMBER, …_GETSET (and STORE) 1-2 type version   3 which descriptor (`described`)
//!   LOAD_ATTR_MODULE                     1-2 keys version   3 index
//!   LOAD_METHOD_*                        1-2 type version   3 index/offset   4-5 keys version   6-9 function
//!   LOAD_GLOBAL_MODULE                   1 index   2-3 keys version   4 what it saw (`seen`)
//!   LOAD_GLOBAL_BUILTIN                  2-3 keys version of the globals   4 what it saw, where in the builtins (`seen`)
//!   PRECALL_PY, PRECALL_PY_BOUND         (of CALL) 1-2 function version
//!   PRECALL_PY_CLASS                     (of CALL) 1-2 version of `__init__`, which the class's shared keys remember
//! ```

use crate::frame::Frame;
use crate::plans::*;
use crate::prelude::*;
use lh_runtime::instance;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

pub const WARM: i16 = 3;
const PATIENCE: i16 = 40;
const COOL: i16 = 300;

/// The definition of `list.append`, once a call of it has been specialised.
pub static LIST_APPEND: AtomicPtr<PyMethodDef> = AtomicPtr::new(null_mut());
/// As `LIST_APPEND`, of the built-in `len`.
pub static LEN: AtomicPtr<PyMethodDef> = AtomicPtr::new(null_mut());
/// As `LIST_APPEND`, of the built-ins `hash`, `iter` and `next`.
pub static HASH: AtomicPtr<PyMethodDef> = AtomicPtr::new(null_mut());
pub static ITER: AtomicPtr<PyMethodDef> = AtomicPtr::new(null_mut());
pub static NEXT: AtomicPtr<PyMethodDef> = AtomicPtr::new(null_mut());
/// As `LIST_APPEND`, of the built-in `isinstance`.
pub static ISINSTANCE: AtomicPtr<PyMethodDef> = AtomicPtr::new(null_mut());

#[inline(always)]
pub unsafe fn read_u32(at: *mut u16) -> u32 {
    // SAFETY: two units of the instruction's cache.
    unsafe { at.cast::<u32>().read_unaligned() }
}
unsafe fn write_u32(at: *mut u16, v: u32) {
    // SAFETY: as above.
    unsafe { at.cast::<u32>().write_unaligned(v) }
}
#[inline(always)]
pub unsafe fn read_ptr(at: *mut u16) -> *mut PyObject {
    // SAFETY: four units of the instruction's cache.
    unsafe { at.cast::<*mut PyObject>().read_unaligned() }
}
unsafe fn write_ptr(at: *mut u16, v: *mut PyObject) {
    // SAFETY: as above.
    unsafe { at.cast::<*mut PyObject>().write_unaligned(v) }
}

unsafe fn set_op(at: *mut u16, opcode: u8, counter: i16) {
    // SAFETY: the instruction and its counter.
    unsafe {
        *at = (*at & 0xff00) | opcode as u16;
        *at.add(1) = counter as u16;
    }
}
unsafe fn success(at: *mut u16, opcode: u8) {
    // SAFETY: as above.
    unsafe { set_op(at, opcode, -PATIENCE) }
}
unsafe fn failure(at: *mut u16) {
    // SAFETY: as above.
    unsafe { set_op(at, quick::BASE[(*at & 0xff) as usize], -COOL) }
}
/// A quick form's assumption failed. (The base form that runs now does the counting.)
#[inline(always)]
pub unsafe fn missed(_at: *mut u16) {}

unsafe fn name_of<'a>(f: *mut Frame, i: usize) -> &'a Str {
    // SAFETY: the running frame's code has the name.
    unsafe { crate::frame::code_ref(f).names().item_ref(i).downcast_unchecked::<Str>() }
}

// ---- Operators ----

#[cold]
pub unsafe fn binary_op(_f: *mut Frame, at: *mut u16, arg: usize, sp: *mut *mut PyObject) {
    // SAFETY: two operands on the stack.
    unsafe {
        let (a, b) = (r(*sp.sub(2)), r(*sp.sub(1)));
        // In-place forms of immutable types are the plain ones.
        let o = if arg >= 13 { arg - 13 } else { arg };
        let quick_op = if a.is_exact::<Int>() && b.is_exact::<Int>() {
            match o {
                0 => quick::BINARY_OP_ADD_INT,
                10 => quick::BINARY_OP_SUB_INT,
                5 => quick::BINARY_OP_MUL_INT,
                1 | 2 | 3 | 6 | 7 | 9 | 12 => quick::BINARY_OP_INT,
                11 => quick::BINARY_OP_FLOAT,
                _ => 0,
            }
        } else if a.is_exact::<Float>() && b.is_exact::<Float>() {
            match o {
                0 => quick::BINARY_OP_ADD_FLOAT,
                10 => quick::BINARY_OP_SUB_FLOAT,
                5 => quick::BINARY_OP_MUL_FLOAT,
                11 => quick::BINARY_OP_DIV_FLOAT,
                _ => 0,
            }
        } else if (a.is_exact::<Int>() && b.is_exact::<Float>()
            || a.is_exact::<Float>() && b.is_exact::<Int>())
            && matches!(o, 0 | 5 | 10 | 11)
        {
            quick::BINARY_OP_FLOAT
        } else if a.is_exact::<Str>() && b.is_exact::<Str>() && o == 0 {
            quick::BINARY_OP_ADD_STR
        } else {
            0
        };
        if quick_op == 0 { failure(at) } else { success(at, quick_op) }
    }
}
#[cold]
pub unsafe fn compare_op(_f: *mut Frame, at: *mut u16, arg: usize, sp: *mut *mut PyObject) {
    // SAFETY: two operands on the stack; an instruction follows the cache.
    unsafe {
        let (a, b) = (r(*sp.sub(2)), r(*sp.sub(1)));
        let jumps = matches!(
            *at.add(3) as u8,
            // Backward jumps run by themselves: they are where loops are counted and traces entered.
            op::POP_JUMP_FORWARD_IF_FALSE | op::POP_JUMP_FORWARD_IF_TRUE
        );
        let pick = |j: u8, p: u8| if jumps { j } else { p };
        if a.is_exact::<Int>()
            && b.is_exact::<Int>()
            && crate::ops::compare_small(a.as_ptr(), b.as_ptr()).is_some()
        {
            success(at, pick(quick::COMPARE_INT_JUMP, quick::COMPARE_INT))
        } else if a.is_exact::<Float>() && b.is_exact::<Float>() {
            success(at, pick(quick::COMPARE_FLOAT_JUMP, quick::COMPARE_FLOAT))
        } else if a.is_exact::<Str>() && b.is_exact::<Str>() && (arg == 2 || arg == 3) {
            success(at, pick(quick::COMPARE_STR_JUMP, quick::COMPARE_STR))
        } else {
            failure(at)
        }
    }
}
#[cold]
pub unsafe fn binary_subscr(_f: *mut Frame, at: *mut u16, _arg: usize, sp: *mut *mut PyObject) {
    // SAFETY: two operands on the stack.
    unsafe {
        let (a, b) = (r(*sp.sub(2)), r(*sp.sub(1)));
        if a.is_exact::<List>() && b.is_exact::<Int>() {
            success(at, quick::BINARY_SUBSCR_LIST)
        } else if a.is_exact::<Tuple>() && b.is_exact::<Int>() {
            success(at, quick::BINARY_SUBSCR_TUPLE)
        } else if a.is_exact::<Dict>() {
            success(at, quick::BINARY_SUBSCR_DICT)
        } else if let Some((func, version)) = plan_getitem(a) {
            let keys = instance::shared_keys(a.ob_type());
            (*keys).getitem = func;
            (*keys).getitem_version = version;
            write_u32(at.add(2), version);
            success(at, quick::BINARY_SUBSCR_PY)
        } else {
            failure(at)
        }
    }
}
#[cold]
pub unsafe fn store_subscr(_f: *mut Frame, at: *mut u16, _arg: usize, sp: *mut *mut PyObject) {
    // SAFETY: container and key on the stack.
    unsafe {
        let (c, k) = (r(*sp.sub(2)), r(*sp.sub(1)));
        if c.is_exact::<List>() && k.is_exact::<Int>() {
            success(at, quick::STORE_SUBSCR_LIST)
        } else if c.is_exact::<Dict>() {
            success(at, quick::STORE_SUBSCR_DICT)
        } else {
            failure(at)
        }
    }
}

// ---- Names ----

#[cold]
pub unsafe fn load_global(f: *mut Frame, at: *mut u16, arg: usize, _sp: *mut *mut PyObject) {
    // SAFETY: a running frame.
    unsafe {
        match plan_global(r((*f).globals), r((*f).builtins), name_of(f, arg >> 1)) {
            GlobalPlan::Module { keys_version, index } if index < 0xffff => {
                *at.add(2) = index as u16;
                write_u32(at.add(3), keys_version);
                claim(at);
                success(at, quick::LOAD_GLOBAL_MODULE)
            }
            GlobalPlan::Builtin { globals_version, builtins_version, index }
                if index <= u32::MAX as usize =>
            {
                write_u32(at.add(3), globals_version);
                let s = claim(at);
                (*s).keys_version = builtins_version;
                (*s).index = index as u32;
                success(at, quick::LOAD_GLOBAL_BUILTIN)
            }
            _ => failure(at),
        }
    }
}
/// What a LOAD_GLOBAL has seen. The value is a guess that lets the instructions behind go on (out of order, in the processor) while the
/// way to the real one through the dict is still being followed: the two are compared, and nothing is done with a wrong one.
pub struct Seen {
    value: *mut PyObject,
    /// The instruction whose record this is. (There are more instructions than records: a record may have gone to another one.)
    site: *mut u16,
    keys_version: u32,
    index: u32,
}
const NOTHING_SEEN: Seen = Seen { value: null_mut(), site: null_mut(), keys_version: 0, index: 0 };
static mut SEEN: [Seen; 1 << 16] = [NOTHING_SEEN; 1 << 16];
static mut LAST_SEEN: u16 = 0;

/// The record of the LOAD_GLOBAL at `at`.
#[inline(always)]
unsafe fn seen(at: *mut u16) -> *mut Seen {
    // SAFETY: any number has a record.
    unsafe { (&raw mut SEEN).cast::<Seen>().add(*at.add(5) as usize) }
}
/// Gives the LOAD_GLOBAL at `at` a record if it has none.
unsafe fn claim(at: *mut u16) -> *mut Seen {
    // SAFETY: the GIL is held.
    unsafe {
        if (*seen(at)).site != at {
            LAST_SEEN = LAST_SEEN.wrapping_add(1);
            *at.add(5) = LAST_SEEN;
            *seen(at) = Seen { site: at, ..NOTHING_SEEN };
        }
        seen(at)
    }
}
/// The keys of a dict.
#[inline(always)]
unsafe fn table(d: *mut PyObject) -> *mut lh_runtime::dict_table::Table {
    // SAFETY: a live dict.
    unsafe { (*d.cast::<PyDictObject>()).ma_keys.cast() }
}
/// The value of a dict's entry if its keys version is the one at `version`; null: missed. Borrowed.
#[inline(always)]
pub unsafe fn cached_global(d: *mut PyObject, version: *mut u16, index: u16) -> *mut PyObject {
    // SAFETY: a live dict; the version says that the entry is the key's.
    unsafe {
        let t = table(d);
        if (*t).version != read_u32(version) {
            return null_mut();
        }
        (*(*t).entries.add(index as usize)).value
    }
}
/// What the instruction at hand finds.
pub enum Found {
    /// What it saw last time. Borrowed.
    Known(*mut PyObject),
    /// Another value than last time, which is to be remembered. (By a call at the end: one in the middle would cost registers.)
    Changed,
    Missed,
}
/// `real` is what the way through the dict has led to.
#[inline(always)]
fn found(seen: *mut PyObject, real: *mut PyObject) -> Found {
    if seen != real {
        Found::Changed
    } else if seen.is_null() {
        Found::Missed
    } else {
        Found::Known(seen)
    }
}
/// The value of the global that the LOAD_GLOBAL_MODULE at `at` reads.
#[inline(always)]
pub unsafe fn global_in_module(f: *mut Frame, at: *mut u16) -> Found {
    // SAFETY: the cache is this instruction's.
    unsafe { found((*seen(at)).value, cached_global((*f).globals, at.add(3), *at.add(2))) }
}
/// As `global_in_module`, of the LOAD_GLOBAL_BUILTIN at `at`.
#[inline(always)]
pub unsafe fn global_in_builtins(f: *mut Frame, at: *mut u16) -> Found {
    // SAFETY: live dicts; both versions say that the name is still absent here and present there.
    unsafe {
        let s = seen(at);
        let (g, b) = (table((*f).globals), table((*f).builtins));
        if (*g).version != read_u32(at.add(3)) || (*b).version != (*s).keys_version || (*s).site != at {
            return Found::Missed;
        }
        found((*s).value, (*(*b).entries.add((*s).index as usize)).value)
    }
}
/// Remembers what the LOAD_GLOBAL_MODULE at `at` has found.
#[cold]
pub unsafe fn changed_in_module(f: *mut Frame, at: *mut u16) {
    // SAFETY: the cache is this instruction's.
    unsafe {
        let real = cached_global((*f).globals, at.add(3), *at.add(2));
        (*claim(at)).value = real
    }
}
/// As `changed_in_module`, of the LOAD_GLOBAL_BUILTIN at `at`, whose record is its own.
#[cold]
pub unsafe fn changed_in_builtins(f: *mut Frame, at: *mut u16) {
    // SAFETY: as above; the versions have just been compared.
    unsafe {
        let s = seen(at);
        (*s).value = (*(*table((*f).builtins)).entries.add((*s).index as usize)).value
    }
}
/// The function that the LOAD_METHOD_MODULE at `at` finds in the module `o`.
#[inline(always)]
pub unsafe fn method_in_module(o: *mut PyObject, at: *mut u16) -> Found {
    // SAFETY: a module; the cache is this instruction's.
    unsafe { found(read_ptr(at.add(7)), in_module(o, at)) }
}
#[inline(always)]
unsafe fn in_module(o: *mut PyObject, at: *mut u16) -> *mut PyObject {
    // SAFETY: as above.
    unsafe { cached_global((*o.cast::<PyModuleObject>()).md_dict, at.add(5), *at.add(4)) }
}
/// Remembers what the LOAD_METHOD_MODULE at `at` has found in the module `o`.
#[cold]
pub unsafe fn changed_method(o: *mut PyObject, at: *mut u16) {
    // SAFETY: as above.
    unsafe { write_ptr(at.add(7), in_module(o, at)) }
}

// ---- Attributes ----

#[cold]
pub unsafe fn load_attr(f: *mut Frame, at: *mut u16, arg: usize, sp: *mut *mut PyObject) {
    // SAFETY: a running frame, the object on the stack.
    unsafe {
        match plan_attr(r(*sp.sub(1)), name_of(f, arg)) {
            AttrPlan::Value { version, index } => {
                write_u32(at.add(2), version);
                *at.add(4) = index as u16;
                success(at, quick::LOAD_ATTR_VALUE)
            }
            AttrPlan::Slot { version, offset } if offset < 0xffff => {
                write_u32(at.add(2), version);
                *at.add(4) = offset as u16;
                success(at, quick::LOAD_ATTR_SLOT)
            }
            AttrPlan::Module { keys_version, index } if index < 0xffff => {
                write_u32(at.add(2), keys_version);
                *at.add(4) = index as u16;
                success(at, quick::LOAD_ATTR_MODULE)
            }
            _ => match plan_described(r(*sp.sub(1)), name_of(f, arg), false) {
                Some((version, d, member)) => {
                    let q = if member { quick::LOAD_ATTR_MEMBER } else { quick::LOAD_ATTR_GETSET };
                    describe(at, version, d, q)
                }
                None => failure(at),
            },
        }
    }
}
/// The descriptors that caches name. A cache's type version says that its descriptor lives.
static mut DESCRIPTORS: Vec<*mut PyObject> = Vec::new();
/// The descriptor of that number.
#[inline(always)]
pub unsafe fn described(i: u16) -> *mut PyObject {
    // SAFETY: a number that `describe` gave out; the GIL is held.
    unsafe {
        let all: *const Vec<*mut PyObject> = &raw const DESCRIPTORS;
        let all = &*all;
        *all.as_ptr().add(i as usize)
    }
}
/// Makes the instruction a quick one about the descriptor `d`.
unsafe fn describe(at: *mut u16, version: u32, d: *mut PyObject, quick_op: u8) {
    // SAFETY: the GIL is held.
    unsafe {
        let all: *mut Vec<*mut PyObject> = &raw mut DESCRIPTORS;
        let all = &mut *all;
        let i = all.iter().rposition(|x| *x == d).unwrap_or(all.len());
        if i == all.len() {
            if i > u16::MAX as usize {
                return failure(at);
            }
            all.push(d);
        }
        write_u32(at.add(2), version);
        *at.add(4) = i as u16;
        success(at, quick_op)
    }
}
#[cold]
pub unsafe fn store_attr(f: *mut Frame, at: *mut u16, arg: usize, sp: *mut *mut PyObject) {
    // SAFETY: a running frame, the object on the stack.
    unsafe {
        match plan_store(r(*sp.sub(1)), name_of(f, arg)) {
            AttrPlan::Value { version, index } => {
                write_u32(at.add(2), version);
                *at.add(4) = index as u16;
                success(at, quick::STORE_ATTR_VALUE)
            }
            AttrPlan::Slot { version, offset } if offset < 0xffff => {
                write_u32(at.add(2), version);
                *at.add(4) = offset as u16;
                success(at, quick::STORE_ATTR_SLOT)
            }
            _ => match plan_described(r(*sp.sub(1)), name_of(f, arg), true) {
                Some((version, d, member)) => {
                    let q = if member { quick::STORE_ATTR_MEMBER } else { quick::STORE_ATTR_GETSET };
                    describe(at, version, d, q)
                }
                None => failure(at),
            },
        }
    }
}
/// Address of the cached inline value of `o`, if type and storage are as expected; null: missed. `at` is the first cache unit.
#[inline(always)]
unsafe fn value_place(o: *mut PyObject, at: *mut u16) -> *mut *mut PyObject {
    // SAFETY: the version tag belongs to a type with managed attributes; the index was below some instance's capacity.
    unsafe {
        if (*(*o).ob_type).tp_version_tag != read_u32(at.add(1)) || !(*instance::dict_word(o)).is_null() {
            return null_mut();
        }
        let i = *at.add(3) as usize;
        if i >= instance::capacity(o) {
            return null_mut();
        }
        instance::value_at(o, i)
    }
}
/// The cached inline value of `o`, borrowed; null: missed.
#[inline(always)]
pub unsafe fn instance_value(o: *mut PyObject, at: *mut u16) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let p = value_place(o, at);
        if p.is_null() { null_mut() } else { *p }
    }
}
/// Where a store to the cached value may write: only over a value that is set already, or behind all set ones.
#[inline(always)]
pub unsafe fn instance_place(o: *mut PyObject, at: *mut u16) -> *mut *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let p = value_place(o, at);
        if !p.is_null() && (*p).is_null() && !instance::is_next(o, *at.add(3) as usize) {
            return null_mut();
        }
        p
    }
}

#[cold]
pub unsafe fn load_method(f: *mut Frame, at: *mut u16, arg: usize, sp: *mut *mut PyObject) {
    // SAFETY: a running frame, the object on the stack.
    unsafe {
        match plan_method(r(*sp.sub(1)), name_of(f, arg)) {
            MethodPlan::Plain { version, func } => {
                write_u32(at.add(2), version);
                write_ptr(at.add(7), func);
                success(at, quick::LOAD_METHOD_PLAIN)
            }
            MethodPlan::Values { version, func, index } => {
                write_u32(at.add(2), version);
                *at.add(4) = index.map_or(0xffff, |i| i as u16);
                // A name that is not shared yet must stay so: remember how many there are.
                let n = (*instance::shared_keys((**sp.sub(1)).ob_type)).len();
                write_u32(at.add(5), n as u32);
                write_ptr(at.add(7), func);
                success(at, quick::LOAD_METHOD_VALUES)
            }
            MethodPlan::NoDict { version, func, offset } if offset < 0xffff => {
                write_u32(at.add(2), version);
                *at.add(4) = offset as u16;
                write_ptr(at.add(7), func);
                success(at, quick::LOAD_METHOD_DICT)
            }
            MethodPlan::Class { version, func } => {
                write_u32(at.add(2), version);
                write_ptr(at.add(7), func);
                success(at, quick::LOAD_METHOD_CLASS)
            }
            MethodPlan::Bound { version, def, of_class } => {
                write_u32(at.add(2), version);
                write_ptr(at.add(7), def.cast());
                success(at, if of_class { quick::LOAD_METHOD_CLASS_BOUND } else { quick::LOAD_METHOD_BOUND })
            }
            MethodPlan::Module { keys_version, index } if index < 0xffff => {
                *at.add(4) = index as u16;
                write_u32(at.add(5), keys_version);
                success(at, quick::LOAD_METHOD_MODULE)
            }
            _ => failure(at),
        }
    }
}
/// The cached method, borrowed from the type, if it still stands; null: missed. `at` is the first cache unit.
#[inline(always)]
pub unsafe fn cached_method(opcode: u8, o: *mut PyObject, at: *mut u16) -> *mut PyObject {
    // SAFETY: the version tag says that the type (and so the method) is the one seen.
    unsafe {
        let t = (*o).ob_type;
        if (*t).tp_version_tag != read_u32(at.add(1)) {
            return null_mut();
        }
        match opcode {
            quick::LOAD_METHOD_VALUES => {
                if !(*instance::dict_word(o)).is_null() {
                    return null_mut();
                }
                let i = *at.add(3);
                if i == 0xffff {
                    if (*instance::shared_keys(t)).len() != read_u32(at.add(4)) as usize {
                        return null_mut();
                    }
                } else if (i as usize) < instance::capacity(o)
                    && !(*instance::value_at(o, i as usize)).is_null()
                {
                    return null_mut();
                }
            }
            quick::LOAD_METHOD_DICT => {
                let d = o.cast::<u8>().add(*at.add(3) as usize).cast::<*mut PyObject>();
                if !(*d).is_null() {
                    return null_mut();
                }
            }
            _ => {}
        }
        read_ptr(at.add(6))
    }
}

// ---- Calls ----

#[cold]
pub unsafe fn precall(_f: *mut Frame, at: *mut u16, arg: usize, sp: *mut *mut PyObject) {
    // SAFETY: callable and arguments on the stack; the CALL lies two units on.
    unsafe {
        if arg > 255 || *at.add(2) as u8 != op::CALL {
            return failure(at);
        }
        let is_method = !(*sp.sub(arg + 2)).is_null();
        let total = arg + is_method as usize;
        let callee = r(*sp.sub(total + 1));
        if *at.sub(1) as u8 == op::KW_NAMES {
            // The names come from the instruction before.
            let native = callee.is_exact::<CFunction>() || callee.is_exact::<MethodDescr>();
            if native && !lh_runtime::capidebug::on() {
                return success(at, quick::PRECALL_NATIVE);
            }
            return failure(at);
        }
        match plan_call(callee, total) {
            CallPlan::Function { version, .. } => {
                write_u32(at.add(4), version);
                success(at, quick::PRECALL_PY)
            }
            CallPlan::Bound { version, .. } if !is_method => {
                write_u32(at.add(4), version);
                success(at, quick::PRECALL_PY_BOUND)
            }
            CallPlan::Builtin { def, is_descr } => {
                let flags = (*def).ml_flags & !(METH_COEXIST | METH_CLASS | METH_STATIC);
                let n = if is_descr { total.wrapping_sub(1) } else { total };
                const FAST_KEYWORDS: i32 = METH_FASTCALL | METH_KEYWORDS;
                let is_static = (*def).ml_flags & METH_STATIC != 0;
                let is = |name: &core::ffi::CStr| core::ffi::CStr::from_ptr((*def).ml_name) == name;
                let known = |whose: &AtomicPtr<PyMethodDef>, q: u8| {
                    whose.store(def, Ordering::Relaxed);
                    q
                };
                let built_in = |name: &core::ffi::CStr| !is_method && is(name) && is_builtins(callee);
                let q = match (is_descr, flags) {
                    (false, METH_O) if n == 1 && built_in(c"len") => known(&LEN, quick::PRECALL_LEN),
                    (false, METH_O) if n == 1 && built_in(c"hash") => known(&HASH, quick::PRECALL_HASH),
                    (false, METH_FASTCALL | FAST_KEYWORDS) if n == 1 && built_in(c"iter") => {
                        known(&ITER, quick::PRECALL_ITER)
                    }
                    (false, METH_FASTCALL | FAST_KEYWORDS) if n == 1 && built_in(c"next") => {
                        known(&NEXT, quick::PRECALL_NEXT)
                    }
                    (false, METH_O) if n == 1 && !is_method => quick::PRECALL_BUILTIN_O,
                    (false, METH_FASTCALL | FAST_KEYWORDS) if n == 2 && built_in(c"isinstance") => {
                        known(&ISINSTANCE, quick::PRECALL_ISINSTANCE)
                    }
                    (false, f) if f & !METH_KEYWORDS == METH_FASTCALL && !is_method && !is_static => {
                        quick::PRECALL_BUILTIN_FAST
                    }
                    (true, METH_O) if n == 1 && is_method => {
                        if is(c"append") && descr_of(callee) == List::type_ptr() {
                            known(&LIST_APPEND, quick::PRECALL_LIST_APPEND)
                        } else {
                            quick::PRECALL_METHOD_O
                        }
                    }
                    (true, METH_NOARGS) if n == 0 && is_method => quick::PRECALL_METHOD_NOARGS,
                    (true, f) if f & !METH_KEYWORDS == METH_FASTCALL && is_method => {
                        quick::PRECALL_METHOD_FAST
                    }
                    _ => quick::PRECALL_NATIVE,
                };
                success(at, q)
            }
            CallPlan::TypeOf => success(at, quick::PRECALL_TYPE_1),
            CallPlan::PyClass { init, init_version, version } if !is_method => {
                let keys = instance::shared_keys(callee.as_ptr().cast());
                (*keys).init = init.cast();
                (*keys).init_version = version;
                write_u32(at.add(4), init_version);
                success(at, quick::PRECALL_PY_CLASS)
            }
            CallPlan::Class if total == 1 && !is_method && crate::fast::converts(callee.as_ptr()) => {
                success(at, quick::PRECALL_TYPE_1)
            }
            CallPlan::Class => success(at, quick::PRECALL_CLASS),
            _ => failure(at),
        }
    }
}
unsafe fn is_builtins(f: &Object) -> bool {
    // SAFETY: an exact built-in function.
    unsafe {
        let m = (*f.as_ptr().cast::<PyCFunctionObject>()).m_self;
        !m.is_null() && m == lh_runtime::sysobject::builtins_module().raw()
    }
}
unsafe fn descr_of(f: &Object) -> *mut PyTypeObject {
    // SAFETY: an exact method descriptor.
    unsafe { (*f.as_ptr().cast::<PyMethodDescrObject>()).d_common.d_type }
}

type Fast = unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, isize) -> *mut PyObject;
type FastKw =
    unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, isize, *mut PyObject) -> *mut PyObject;

/// Runs a quick call; `None`: missed. The arguments stay the caller's.
#[inline(always)]
pub unsafe fn quick_call(
    opcode: u8,
    callee: *mut PyObject,
    args: *mut *mut PyObject,
    total: usize,
    kwnames: *mut PyObject,
    _at: *mut u16,
) -> Option<*mut PyObject> {
    // SAFETY: each form checks the callable's kind and flags before it casts the function.
    unsafe {
        if !kwnames.is_null() {
            return None;
        }
        match opcode {
            quick::PRECALL_BUILTIN_O
            | quick::PRECALL_BUILTIN_FAST
            | quick::PRECALL_LEN
            | quick::PRECALL_ISINSTANCE => {
                if (*callee).ob_type != CFunction::type_ptr() {
                    return None;
                }
                let c = callee.cast::<PyCFunctionObject>();
                let def = (*c).m_ml;
                let f = (*def).ml_meth?;
                let flags = (*def).ml_flags & !(METH_COEXIST | METH_CLASS | METH_STATIC);
                if opcode == quick::PRECALL_BUILTIN_O || opcode == quick::PRECALL_LEN {
                    return if flags == METH_O && total == 1 {
                        Some(guarded(|| f((*c).m_self, *args)))
                    } else {
                        None
                    };
                }
                match flags {
                    METH_FASTCALL => {
                        let f: Fast = std::mem::transmute(f);
                        Some(guarded(|| f((*c).m_self, args, total as isize)))
                    }
                    x if x == METH_FASTCALL | METH_KEYWORDS => {
                        let f: FastKw = std::mem::transmute(f);
                        Some(guarded(|| f((*c).m_self, args, total as isize, null_mut())))
                    }
                    _ => None,
                }
            }
            quick::PRECALL_METHOD_O | quick::PRECALL_METHOD_NOARGS | quick::PRECALL_METHOD_FAST => {
                if (*callee).ob_type != MethodDescr::type_ptr() || total == 0 {
                    return None;
                }
                let d = callee.cast::<PyMethodDescrObject>();
                let this = *args;
                let of = (*d).d_common.d_type;
                if (*this).ob_type != of && !is_subtype((*this).ob_type, of) {
                    return None;
                }
                let def = (*d).d_method;
                let f = (*def).ml_meth?;
                let flags = (*def).ml_flags & !(METH_COEXIST | METH_CLASS | METH_STATIC);
                if opcode == quick::PRECALL_METHOD_O {
                    return if flags == METH_O && total == 2 {
                        Some(guarded(|| f(this, *args.add(1))))
                    } else {
                        None
                    };
                }
                if opcode == quick::PRECALL_METHOD_NOARGS {
                    return if flags == METH_NOARGS && total == 1 {
                        Some(guarded(|| f(this, null_mut())))
                    } else {
                        None
                    };
                }
                match flags {
                    METH_FASTCALL => {
                        let f: Fast = std::mem::transmute(f);
                        Some(guarded(|| f(this, args.add(1), total as isize - 1)))
                    }
                    x if x == METH_FASTCALL | METH_KEYWORDS => {
                        let f: FastKw = std::mem::transmute(f);
                        Some(guarded(|| f(this, args.add(1), total as isize - 1, null_mut())))
                    }
                    _ => None,
                }
            }
            quick::PRECALL_TYPE_1 if callee == Type::type_ptr().cast() => {
                if total != 1 {
                    return None;
                }
                let t = (**args).ob_type;
                incref(t.cast());
                Some(t.cast())
            }
            quick::PRECALL_TYPE_1 | quick::PRECALL_CLASS => {
                if (*callee).ob_type != Type::type_ptr() {
                    return None;
                }
                let Some(f) = (*callee.cast::<PyTypeObject>()).tp_vectorcall else {
                    if callee == Type::type_ptr().cast()
                        || lh_runtime::type_attrs::made_in_python(callee.cast()).is_some()
                    {
                        return None;
                    }
                    return Some(guarded(|| call_class(callee, args, total)));
                };
                Some(guarded(|| f(callee, args, total | PY_VECTORCALL_ARGUMENTS_OFFSET, null_mut())))
            }
            _ => None,
        }
    }
}

/// Calls a built-in class that has no vectorcall. (Out of line: its caller must be able to end in a tail call.)
#[inline(never)]
pub unsafe fn call_class(callee: *mut PyObject, args: *mut *mut PyObject, total: usize) -> *mut PyObject {
    // SAFETY: a live class and live arguments.
    unsafe {
        let Ok(t) = Tuple::from_raw_items(args, total) else { return null_mut() };
        let res = raw(lh_runtime::type_attrs::type_call(Type::from_raw_ref(callee.cast()), &t, None));
        drop(t);
        res
    }
}

/// Calls a built-in function with its recursion accounted for.
#[inline(always)]
unsafe fn guarded(f: impl FnOnce() -> *mut PyObject) -> *mut PyObject {
    // SAFETY: the current thread's own counters.
    unsafe {
        let ts = Thread::current_ptr();
        if !lh_runtime::thread::descend(ts, " while calling a Python object") {
            return null_mut();
        }
        let res = f();
        (*ts).recursion_remaining += 1;
        res
    }
}
