//! The helper table: what compiled code calls. One row a helper: its number, address, argument types, what it may do.

use lh_abi::*;
use lh_interp::frame::{self, Frame};
use lh_jit_ir::*;
use lh_runtime::prelude::*;
use lh_runtime::slots::CompareOp as Cmp;
use std::ptr::null_mut;

unsafe fn obj<'a>(p: *mut PyObject) -> &'a Object {
    // SAFETY: compiled code passes live objects.
    unsafe { Object::from_ptr(p) }
}

unsafe extern "C" fn box_int(v: i64) -> *mut PyObject {
    Int::from_i64(v).into_raw()
}
unsafe extern "C" fn box_float(v: f64) -> *mut PyObject {
    Float::new(v).into_raw()
}
unsafe extern "C" fn box_unsigned(v: i64) -> *mut PyObject {
    Int::from_u64(v as u64).into_raw()
}
/// How [`native_result`] boxes: an address (0: `None`), by a function of a pointer (null: `None`), of the callable and the
/// bits, of a byte, of a wide character.
pub const BOX_ADDRESS: i64 = 0;
pub const BOX_POINTER: i64 = 1;
pub const BOX_WRAP: i64 = 2;
pub const BOX_BYTE: i64 = 3;
pub const BOX_WIDE: i64 = 4;

/// The object for a native result, made by one of its signature's boxing functions; null if that raises.
unsafe extern "C" fn native_result(how: i64, f: u64, callable: u64, bits: i64) -> *mut PyObject {
    type Out = *mut PyObject;
    // SAFETY: `f` is the function of its kind.
    unsafe {
        use std::mem::transmute as as_fn;
        match how {
            BOX_ADDRESS | BOX_POINTER if bits == 0 => none_ref().own().into_raw(),
            BOX_ADDRESS => Int::from_u64(bits as u64).into_raw(),
            BOX_POINTER => as_fn::<u64, unsafe extern "C" fn(i64) -> Out>(f)(bits),
            BOX_WRAP => as_fn::<u64, unsafe extern "C" fn(u64, i64) -> Out>(f)(callable, bits),
            BOX_BYTE => as_fn::<u64, unsafe extern "C" fn(u8) -> Out>(f)(bits as u8),
            _ => as_fn::<u64, unsafe extern "C" fn(i32) -> Out>(f)(bits as i32),
        }
    }
}
unsafe extern "C" fn dealloc(o: *mut PyObject) {
    // SAFETY: the count has just reached zero.
    unsafe { lh_runtime::object::dealloc(o) }
}
/// Gives back a reference that memory held.
unsafe extern "C" fn release(o: *mut PyObject) {
    // SAFETY: the caller owned the reference.
    unsafe { xdecref(o) }
}
unsafe extern "C" fn binary(op: i64, a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
    // SAFETY: live operands.
    lh_runtime::border::object(|| unsafe { lh_runtime::number::binary_op(op as u32, obj(a), obj(b)) })
}
unsafe extern "C" fn compare(op: i64, a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
    // SAFETY: live operands.
    lh_runtime::border::object(|| unsafe { obj(a).rich_compare(obj(b), Cmp::from_c(op as i32)) })
}
/// 1 true, 0 false, -1 raised.
unsafe extern "C" fn truth(o: *mut PyObject) -> i64 {
    // SAFETY: a live operand.
    lh_runtime::border::int(|| unsafe { obj(o) }.is_true().map(|b| b as i64), -1)
}
unsafe extern "C" fn subscript(o: *mut PyObject, k: *mut PyObject) -> *mut PyObject {
    // SAFETY: live operands.
    lh_runtime::border::object(|| unsafe { obj(o).get_item(obj(k)) })
}
unsafe extern "C" fn store_subscript(o: *mut PyObject, k: *mut PyObject, v: *mut PyObject) -> i64 {
    // SAFETY: live operands.
    lh_runtime::border::int(|| unsafe { obj(o).set_item_of(obj(k), obj(v)) }.map(|()| 1), 0)
}
unsafe extern "C" fn get_attr(o: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: live operands; the name is a string.
    lh_runtime::border::object(|| unsafe { obj(o).get_attr(obj(name).downcast_unchecked()) })
}
unsafe extern "C" fn set_attr(o: *mut PyObject, name: *mut PyObject, v: *mut PyObject) -> i64 {
    // SAFETY: live operands; the name is a string.
    lh_runtime::border::int(
        || unsafe { obj(o).set_attr(obj(name).downcast_unchecked(), obj(v)) }.map(|()| 1),
        0,
    )
}
unsafe extern "C" fn contains(o: *mut PyObject, x: *mut PyObject) -> i64 {
    // SAFETY: live operands.
    lh_runtime::border::int(|| unsafe { obj(o).contains_item(obj(x)) }.map(|b| b as i64), -1)
}
/// The next item, or null (with or without an exception).
unsafe extern "C" fn iter_next(it: *mut PyObject) -> *mut PyObject {
    // SAFETY: a live iterator.
    unsafe { ((*(*it).ob_type).tp_iternext.unwrap_unchecked())(it) }
}
unsafe extern "C" fn store_global(globals: *mut PyObject, name: *mut PyObject, v: *mut PyObject) -> i64 {
    // SAFETY: the frame's globals are a dict.
    lh_runtime::border::int(
        || unsafe { obj(globals).downcast_unchecked::<Dict>().set_item(obj(name), obj(v)) }.map(|()| 1),
        0,
    )
}
unsafe extern "C" fn unary(op: i64, a: *mut PyObject) -> *mut PyObject {
    // SAFETY: a live operand.
    let a = unsafe { obj(a) };
    lh_runtime::border::object(|| match op {
        0 => lh_runtime::number::negative(a),
        1 => lh_runtime::number::invert(a),
        2 => lh_runtime::number::positive(a),
        _ => a.is_true().map(|b| bool_obj(!b)),
    })
}
/// Calls what stands in the frame's stack: at `base` the method or null, the callable or self, then `n` arguments; the
/// result goes to `base`. All of them are taken over. 1 or 0 (raised; the slots are empty then).
unsafe extern "C" fn call_stack(f: *mut Frame, base: i64, n: i64, kwnames: *mut PyObject) -> i64 {
    // SAFETY: the trace wrote the frame's slots to memory before the call.
    unsafe {
        let s = frame::localsplus(f).add(base as usize);
        let total = n as usize;
        let is_method = !(*s).is_null();
        let (callable, args, count) =
            if is_method { (*s, s.add(1), total + 1) } else { (*s.add(1), s.add(2), total) };
        let nkw = if kwnames.is_null() { 0 } else { (*kwnames.cast::<PyVarObject>()).ob_size as usize };
        // The word in front of the arguments is the callable's slot or the null: free for the callee's use.
        let r =
            obj(callable).vectorcall(args, (count - nkw) | PY_VECTORCALL_ARGUMENTS_OFFSET as usize, kwnames);
        for i in 0..total + 2 {
            let p = s.add(i);
            let v = std::mem::replace(&mut *p, null_mut());
            xdecref(v);
        }
        if r.is_null() {
            return 0;
        }
        *s = r;
        1
    }
}
/// Builds a list from `n` stack slots (taken over); the list goes to the first.
unsafe extern "C" fn build(f: *mut Frame, base: i64, n: i64, what: i64) -> i64 {
    // SAFETY: as `call_stack`.
    unsafe {
        let s = frame::localsplus(f).add(base as usize);
        let items: Vec<Owned<Object>> =
            (0..n as usize).map(|i| Owned::from_raw(std::mem::replace(&mut *s.add(i), null_mut()))).collect();
        *s = if what == 0 { Tuple::from_vec(items).into_raw() } else { List::from_vec(items).into_raw() };
        1
    }
}
unsafe extern "C" fn list_append(l: *mut PyObject, v: *mut PyObject) {
    // SAFETY: an exact list; the reference to the value is taken over.
    unsafe { obj(l).downcast_unchecked::<List>().push(Owned::from_raw(v)) }
}

macro_rules! helpers {
    ($($num:ident = $f:expr, [$($arg:ident),*] -> $ret:ident, steals $st:expr, new $new:expr, $eff:expr;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum No { $($num),* }
        $(pub const $num: u32 = No::$num as u32;)*
        pub fn table() -> Vec<HelperDesc> {
            vec![$(HelperDesc {
                name: stringify!($num).to_lowercase(),
                addr: $f as *const () as u64,
                args: vec![$(Ty::$arg),*],
                steals: $st,
                ret: Ty::$ret,
                ret_kind: match Ty::$ret { Ty::I64 => MemKind::I64, Ty::F64 => MemKind::F64, Ty::Ptr => MemKind::Ptr, _ => MemKind::Ref },
                ret_new: $new,
                ret_nonnull: matches!($num, BOX_INT | BOX_FLOAT | BOX_UNSIGNED),
                pass_ts: false,
                effects: $eff,
            }),*]
        }
    };
}
const FREES: Effects = Effects { reads: 0, writes: 0, flags: MAY_DEALLOC };
const FRAME: Effects = Effects { reads: !0, writes: !0, flags: Effects::ARBITRARY.flags | USES_FRAME };
const ALLOC: Effects = Effects { reads: 0, writes: 0, flags: ALLOCATES };
const LISTS: Effects = Effects {
    reads: 1 << crate::descs::A_LIST | 1 << crate::descs::A_ITEMS,
    writes: 1 << crate::descs::A_LIST | 1 << crate::descs::A_ITEMS,
    flags: ALLOCATES,
};
helpers! {
    BOX_INT = box_int, [I64] -> Ref, steals 0, new true, ALLOC;
    BOX_FLOAT = box_float, [F64] -> Ref, steals 0, new true, ALLOC;
    BOX_UNSIGNED = box_unsigned, [I64] -> Ref, steals 0, new true, ALLOC;
    NATIVE_RESULT = native_result, [I64, Ptr, Ptr, I64] -> Ref, steals 0, new true, ALLOC;
    DEALLOC = dealloc, [Ref] -> Void, steals 0, new false, FREES;
    RELEASE_SILENT = release, [Ptr] -> Void, steals 0, new false, FREES;
    RELEASE = release, [Ptr] -> Void, steals 0, new false, Effects::ARBITRARY;
    BINARY = binary, [I64, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    COMPARE = compare, [I64, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    TRUTH = truth, [Ref] -> I64, steals 0, new false, Effects::ARBITRARY;
    SUBSCRIPT = subscript, [Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    STORE_SUBSCRIPT = store_subscript, [Ref, Ref, Ref] -> I64, steals 0, new false, Effects::ARBITRARY;
    GET_ATTR = get_attr, [Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    SET_ATTR = set_attr, [Ref, Ref, Ref] -> I64, steals 0, new false, Effects::ARBITRARY;
    CONTAINS = contains, [Ref, Ref] -> I64, steals 0, new false, Effects::ARBITRARY;
    ITER_NEXT = iter_next, [Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    STORE_GLOBAL = store_global, [Ptr, Ref, Ref] -> I64, steals 0, new false, Effects::ARBITRARY;
    UNARY = unary, [I64, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    CALL_STACK = call_stack, [Ptr, I64, I64, Ref] -> I64, steals 0, new false, FRAME;
    BUILD = build, [Ptr, I64, I64, I64] -> I64, steals 0, new false, FRAME;
    LIST_APPEND = list_append, [Ref, Ref] -> Void, steals 2, new false, LISTS;
}
