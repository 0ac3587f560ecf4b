//! The helper table: what compiled code calls. One row a helper: its number, address, argument types, what it may do.

use lh_abi::*;
use lh_interp::frame::{self, Frame};
use lh_jit_ir::*;
use lh_runtime::dict_table::{EMPTY_IX, Probe, Table, index_at};
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
/// An object for a part of `base`'s memory. Takes `base` over.
unsafe extern "C" fn make_part(class: u64, make: u64, base: *mut PyObject, i: i64, at: u64) -> *mut PyObject {
    // SAFETY: class and maker are what the place's owner named.
    unsafe {
        let make = std::mem::transmute::<u64, lh_foreign::place::PartMaker>(make);
        let r = make(class as _, base.cast(), i as usize, at as _);
        decref(base);
        made(r.cast())
    }
}
/// A pointer object to an address.
unsafe extern "C" fn make_pointer(class: u64, make: u64, at: u64) -> *mut PyObject {
    // SAFETY: as make_part.
    unsafe {
        let make = std::mem::transmute::<u64, lh_foreign::place::PointerMaker>(make);
        made(make(class as _, at as _).cast())
    }
}
/// Compiled code counts on getting an object; only a lack of memory can keep it from one.
fn made(o: *mut PyObject) -> *mut PyObject {
    if o.is_null() {
        std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 128]>());
    }
    o
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
/// Is a string a key of a dict whose keys are all strings? -1: not so simple. Nothing can be seen of it.
unsafe extern "C" fn contains_plain(d: *mut PyObject, k: *mut PyObject) -> i64 {
    // SAFETY: an exact dict and an exact string; comparing strings runs no code.
    unsafe {
        let d = obj(d).downcast_unchecked::<Dict>();
        if !d.keys_are_strings() {
            return -1;
        }
        match d.get_item(obj(k)) {
            Ok(v) => v.is_some() as i64,
            Err(e) => {
                e.clear();
                -1
            }
        }
    }
}
/// The item of a string key in a dict whose keys are all strings; null: not there or not so simple.
unsafe extern "C" fn dict_get_plain(d: *mut PyObject, k: *mut PyObject) -> *mut PyObject {
    // SAFETY: as `contains_plain`.
    unsafe {
        let d = obj(d).downcast_unchecked::<Dict>();
        if !d.keys_are_strings() {
            return null_mut();
        }
        match d.get_item(obj(k)) {
            Ok(v) => v.map_or(null_mut(), Owned::into_raw),
            Err(e) => {
                e.clear();
                null_mut()
            }
        }
    }
}
/// Is this a built-in value that compares and hashes without running anybody's code?
unsafe fn is_plain(o: *mut PyObject, depth: u32) -> bool {
    // SAFETY: a live object.
    unsafe {
        let t = (*o).ob_type;
        if t == Tuple::type_ptr() {
            let items = obj(o).downcast_unchecked::<Tuple>().as_slice_raw();
            return depth < 3 && items.len() <= 8 && items.iter().all(|x| is_plain(*x, depth + 1));
        }
        [Int::type_ptr(), Str::type_ptr(), Float::type_ptr(), Bytes::type_ptr(), Bool::type_ptr()]
            .contains(&t)
            || obj(o).is_none()
    }
}
/// Are two objects equal? `None` if finding out may run code.
unsafe fn plain_equal(a: *mut PyObject, b: *mut PyObject) -> Option<bool> {
    // SAFETY: live objects.
    unsafe {
        if a == b {
            return Some(true);
        }
        if !is_plain(a, 0) || !is_plain(b, 0) {
            return None;
        }
        obj(a).rich_compare_bool(obj(b), Cmp::Eq).map_err(|e| e.clear()).ok()
    }
}
/// The entry of a key in a dict, negative if there is none; `None` if finding out may run code.
unsafe fn plain_entry(d: *mut PyObject, k: *mut PyObject) -> Option<(*mut Table, isize)> {
    // SAFETY: an exact dict; nothing runs while its table is looked at.
    unsafe {
        if !is_plain(k, 0) {
            return None;
        }
        let hash = obj(k).hash_obj().map_err(|e| e.clear()).ok()?;
        let t = obj(d).downcast_unchecked::<Dict>().table();
        let mut p = Probe::new(t, hash);
        loop {
            let ix = index_at(t, p.i);
            if ix >= 0 {
                let e = (*t).entries.add(ix as usize);
                if (*e).key == k || (*e).hash == hash && plain_equal((*e).key, k)? {
                    return Some((t, ix));
                }
            } else if ix == EMPTY_IX {
                return Some((t, -1));
            }
            p.step();
        }
    }
}
/// As `contains_plain`, for any built-in key.
unsafe extern "C" fn dict_has_key(d: *mut PyObject, k: *mut PyObject) -> i64 {
    // SAFETY: an exact dict.
    unsafe { plain_entry(d, k).map_or(-1, |(_, ix)| (ix >= 0) as i64) }
}
/// As `dict_get_plain`, for any built-in key.
unsafe extern "C" fn dict_get_key(d: *mut PyObject, k: *mut PyObject) -> *mut PyObject {
    // SAFETY: an exact dict; the entry was found just now.
    unsafe {
        match plain_entry(d, k) {
            Some((t, ix)) if ix >= 0 => obj((*(*t).entries.add(ix as usize)).value).own().into_raw(),
            _ => null_mut(),
        }
    }
}
/// As `dict_get_default`, for any built-in key.
unsafe extern "C" fn dict_get_key_default(
    d: *mut PyObject,
    k: *mut PyObject,
    default: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: as `dict_get_key`.
    unsafe {
        match plain_entry(d, k) {
            Some((t, ix)) if ix >= 0 => obj((*(*t).entries.add(ix as usize)).value).own().into_raw(),
            Some(_) => obj(default).own().into_raw(),
            None => null_mut(),
        }
    }
}
/// Is a value among the items of a list or tuple? -1: finding out may run code.
unsafe extern "C" fn items_have(seq: *mut PyObject, x: *mut PyObject) -> i64 {
    // SAFETY: an exact list or tuple, which nothing changes meanwhile.
    unsafe {
        let n = (*seq.cast::<PyVarObject>()).ob_size as usize;
        let items = if (*seq).ob_type == Tuple::type_ptr() {
            (&raw const (*seq.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>()
        } else {
            (*seq.cast::<PyListObject>()).ob_item.cast_const()
        };
        for i in 0..n {
            match plain_equal(*items.add(i), x) {
                Some(false) => {}
                Some(true) => return 1,
                None => return -1,
            }
        }
        0
    }
}
/// Is one exact string part of another?
unsafe extern "C" fn str_has(hay: *mut PyObject, needle: *mut PyObject) -> i64 {
    // SAFETY: exact strings.
    unsafe {
        let (h, n) = (obj(hay).downcast_unchecked::<Str>(), obj(needle).downcast_unchecked::<Str>());
        (n.is_empty() || lh_runtime::str_search::find(h.text(), n.text()).is_some()) as i64
    }
}
/// -1, 0 or 1: how two exact strings are ordered.
unsafe extern "C" fn str_order(a: *mut PyObject, b: *mut PyObject) -> i64 {
    // SAFETY: exact strings.
    unsafe { obj(a).downcast_unchecked::<Str>().cmp(obj(b).downcast_unchecked()) as i64 }
}
/// The character at an index that is inside the string.
unsafe extern "C" fn str_item(s: *mut PyObject, i: i64) -> *mut PyObject {
    // SAFETY: an exact string.
    unsafe { Str::from_char(obj(s).downcast_unchecked::<Str>().char_at(i as usize)).into_raw() }
}
/// A slice object; takes its parts over.
unsafe extern "C" fn new_slice(
    start: *mut PyObject,
    stop: *mut PyObject,
    step: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's references.
    unsafe {
        let [a, b, c] = [start, stop, step].map(|x| Owned::<Object>::from_raw(x));
        Slice::new(&a, &b, &c).into_raw()
    }
}
/// Part of an exact string, bytes object, list or tuple; the bounds are ints or None. Null: the interpreter does it.
unsafe extern "C" fn slice_of(
    o: *mut PyObject,
    start: *mut PyObject,
    stop: *mut PyObject,
    step: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: live operands.
    unsafe {
        match obj(o).get_item(&Slice::new(obj(start), obj(stop), obj(step))) {
            Ok(r) => r.into_raw(),
            Err(e) => {
                e.clear();
                null_mut()
            }
        }
    }
}
/// As `call_c_o`, where nothing can be seen of the call; null: the interpreter does it again.
unsafe extern "C" fn ask_c_o(
    f: unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject,
    this: *mut PyObject,
    a: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: as `call_c_o`.
    unsafe { or_clear(f(this, a)) }
}
/// As `call_c_fast`, where nothing can be seen of the call.
unsafe extern "C" fn ask_c_fast(
    f: Fast,
    this: *mut PyObject,
    n: i64,
    a: *mut PyObject,
    b: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: as `call_c_fast`.
    unsafe { or_clear(call_c_fast(f, this, n, a, b)) }
}
unsafe fn or_clear(r: *mut PyObject) -> *mut PyObject {
    if r.is_null() {
        clear();
    }
    r
}
unsafe extern "C" fn get_iter(o: *mut PyObject) -> *mut PyObject {
    // SAFETY: a live operand.
    lh_runtime::border::object(|| unsafe { obj(o).iterator() })
}
/// An instance of a class whose `__new__` is object's.
unsafe extern "C" fn new_object(t: *mut PyObject) -> *mut PyObject {
    // SAFETY: a live heap type.
    unsafe { ((*t.cast::<PyTypeObject>()).tp_alloc.unwrap_unchecked())(t.cast(), 0) }
}
/// Replaces the value of an entry of a dict whose keys are as they were when the index was found.
unsafe extern "C" fn store_entry(d: *mut PyObject, index: i64, v: *mut PyObject) {
    // SAFETY: an exact dict; the index is inside its entries.
    unsafe { obj(d).downcast_unchecked::<Dict>().set_value_at(index as usize, obj(v)) }
}
/// Concatenates; the left operand is taken over and grows in place when nobody else has it.
unsafe extern "C" fn append_str(a: *mut PyObject, b: *mut PyObject) -> *mut PyObject {
    // SAFETY: exact strings.
    unsafe {
        let mut left = Owned::<Str>::from_raw(a);
        match Str::append_in_place(&mut left, obj(b).downcast_unchecked()) {
            Ok(()) => left.into_raw(),
            Err(_) => null_mut(),
        }
    }
}
/// Gives an instance's value `i` its first value if it and all behind it are unset; 0: not so.
unsafe extern "C" fn set_first(o: *mut PyObject, i: i64, v: *mut PyObject) -> i64 {
    // SAFETY: an instance with managed attributes.
    unsafe {
        use lh_runtime::instance;
        let (i, n) = (i as usize, instance::capacity(o));
        if !(*instance::dict_word(o)).is_null()
            || i >= n
            || (i..n).any(|j| !(*instance::value_at(o, j)).is_null())
        {
            return 0;
        }
        incref(v);
        *instance::value_at(o, i) = v;
        1
    }
}
unsafe extern "C" fn str_equal(a: *mut PyObject, b: *mut PyObject) -> i64 {
    // SAFETY: exact strings.
    unsafe { (a == b || obj(a).downcast_unchecked::<Str>().equals(obj(b).downcast_unchecked())) as i64 }
}
unsafe extern "C" fn ord(s: *mut PyObject) -> i64 {
    // SAFETY: an exact string of length 1.
    unsafe { obj(s).downcast_unchecked::<Str>().char_at(0) as i64 }
}
unsafe extern "C" fn chr(c: i64) -> *mut PyObject {
    Str::from_char(c as u32).into_raw()
}
extern "C" fn sin(x: f64) -> f64 {
    x.sin()
}
extern "C" fn cos(x: f64) -> f64 {
    x.cos()
}
extern "C" fn exp(x: f64) -> f64 {
    x.exp()
}
extern "C" fn log(x: f64) -> f64 {
    x.ln()
}
/// The last item of a list that is not empty.
unsafe extern "C" fn list_pop(l: *mut PyObject) -> *mut PyObject {
    // SAFETY: an exact list.
    unsafe { obj(l).downcast_unchecked::<List>().pop().map_or(null_mut(), Owned::into_raw) }
}
/// As `dict_get_plain`, with a value for a key that is not there.
unsafe extern "C" fn dict_get_default(
    d: *mut PyObject,
    k: *mut PyObject,
    default: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: as `contains_plain`.
    unsafe {
        let d = obj(d).downcast_unchecked::<Dict>();
        if !d.keys_are_strings() {
            return null_mut();
        }
        match d.get_item(obj(k)) {
            Ok(Some(v)) => v.into_raw(),
            Ok(None) => obj(default).own().into_raw(),
            Err(e) => {
                e.clear();
                null_mut()
            }
        }
    }
}
extern "C" fn decimal(v: i64) -> *mut PyObject {
    lh_runtime::intobject::text::decimal(v).into_raw()
}
unsafe extern "C" fn float_text(v: *mut PyObject) -> *mut PyObject {
    // SAFETY: an exact float.
    lh_runtime::border::object(|| unsafe { Ok(obj(v).str()?.into_object()) })
}
extern "C" fn make_range(start: i64, stop: i64) -> *mut PyObject {
    lh_runtime::rangeobject::Range::from_ints(
        Int::from_i64(start).into_object(),
        Int::from_i64(stop).into_object(),
        Int::from_i64(1).into_object(),
    )
    .into_raw()
}
type Fast = unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, isize, *mut PyObject) -> *mut PyObject;
/// A C function that takes an array of arguments (and perhaps keyword names, none here).
unsafe extern "C" fn call_c_fast(
    f: Fast,
    this: *mut PyObject,
    n: i64,
    a: *mut PyObject,
    b: *mut PyObject,
) -> *mut PyObject {
    let args = [a, b];
    // SAFETY: the function's calling convention was looked up; one that takes no names ignores the fourth argument.
    unsafe { f(this, args.as_ptr(), n as isize, null_mut()) }
}
/// As `call_c_fast`, with three arguments.
unsafe extern "C" fn call_c_fast3(
    f: Fast,
    this: *mut PyObject,
    n: i64,
    a: *mut PyObject,
    b: *mut PyObject,
    c: *mut PyObject,
) -> *mut PyObject {
    let args = [a, b, c];
    // SAFETY: as `call_c_fast`.
    unsafe { f(this, args.as_ptr(), n as isize, null_mut()) }
}
/// As `call_c_fast`, with more arguments.
#[allow(clippy::too_many_arguments)]
unsafe extern "C" fn call_c_fast6(
    f: Fast,
    this: *mut PyObject,
    n: i64,
    a: *mut PyObject,
    b: *mut PyObject,
    c: *mut PyObject,
    d: *mut PyObject,
    e: *mut PyObject,
    g: *mut PyObject,
) -> *mut PyObject {
    let args = [a, b, c, d, e, g];
    // SAFETY: as `call_c_fast`.
    unsafe { f(this, args.as_ptr(), n as isize, null_mut()) }
}
/// Calls an object by its vectorcall function.
unsafe extern "C" fn call_vector(
    f: unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject,
    callee: *mut PyObject,
    n: i64,
    a: *mut PyObject,
    b: *mut PyObject,
    c: *mut PyObject,
) -> *mut PyObject {
    // A spare word in front lets bound methods put their self there.
    let mut args = [null_mut(), a, b, c];
    // SAFETY: the function was read from the object.
    unsafe {
        f(callee, args.as_mut_ptr().add(1), n as usize | lh_abi::PY_VECTORCALL_ARGUMENTS_OFFSET, null_mut())
    }
}
/// A call with an exact tuple and an exact dictionary or null.
unsafe extern "C" fn call_ex(
    callee: *mut PyObject,
    args: *mut PyObject,
    kwargs: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: their types have been guarded.
    lh_runtime::border::object(|| unsafe {
        let kwargs = Object::from_ptr_opt(kwargs).map(|d| d.downcast_unchecked::<Dict>());
        obj(callee).call_tuple(obj(args).downcast_unchecked(), kwargs)
    })
}
/// Adds keyword arguments for `callee` to the dictionary `d`; -1: raised.
unsafe extern "C" fn dict_merge(d: *mut PyObject, v: *mut PyObject, callee: *mut PyObject) -> i64 {
    // SAFETY: the compiler made the dictionary for the call.
    lh_runtime::border::int(
        || unsafe {
            lh_interp::ops::dict_merge(obj(d).downcast_unchecked(), obj(v), obj(callee)).map(|()| 0)
        },
        -1,
    )
}
/// Adds the items of an exact list or tuple to a list.
unsafe extern "C" fn list_extend(l: *mut PyObject, v: *mut PyObject) -> i64 {
    // SAFETY: the types have been guarded.
    lh_runtime::border::int(
        || unsafe { lh_interp::ops::list_extend(obj(l).downcast_unchecked(), obj(v)).map(|()| 0) },
        -1,
    )
}
unsafe extern "C" fn tuple_of_list(l: *mut PyObject) -> *mut PyObject {
    // SAFETY: an exact list.
    unsafe { obj(l).downcast_unchecked::<List>().to_tuple().into_raw() }
}
/// As `call_c_fast`, with the names of the last arguments.
unsafe extern "C" fn call_c_names(
    f: Fast,
    this: *mut PyObject,
    n: i64,
    names: *mut PyObject,
    a: *mut PyObject,
    b: *mut PyObject,
    c: *mut PyObject,
) -> *mut PyObject {
    let args = [a, b, c];
    // SAFETY: as `call_c_fast`; `n` arguments come in front of the named ones.
    unsafe { f(this, args.as_ptr(), n as isize, names) }
}
/// As `call_c_fast`, of a method that is told its class.
unsafe extern "C" fn call_c_method(
    f: lh_abi::PyCMethod,
    this: *mut PyObject,
    class: *mut PyTypeObject,
    n: i64,
    a: *mut PyObject,
    b: *mut PyObject,
    c: *mut PyObject,
) -> *mut PyObject {
    let args = [a, b, c];
    // SAFETY: as `call_c_fast`.
    unsafe { f(this, class, args.as_ptr(), n as usize, null_mut()) }
}
/// A C function that takes its arguments as a tuple (and a dict, none here).
unsafe extern "C" fn call_c_tuple(
    f: lh_abi::PyCFunctionWithKeywords,
    this: *mut PyObject,
    n: i64,
    a: *mut PyObject,
    b: *mut PyObject,
    c: *mut PyObject,
) -> *mut PyObject {
    let args = [a, b, c];
    // SAFETY: as `call_c_fast`; one that takes no dict ignores the third argument.
    unsafe {
        let Ok(t) = Tuple::from_raw_items(args.as_ptr(), n as usize) else { return null_mut() };
        let r = f(this, t.ptr(), null_mut());
        drop(t);
        r
    }
}
/// As `call_c_tuple`, with the names of the last arguments, which come as a dict.
unsafe extern "C" fn call_c_dict(
    f: lh_abi::PyCFunctionWithKeywords,
    this: *mut PyObject,
    n: i64,
    names: *mut PyObject,
    a: *mut PyObject,
    b: *mut PyObject,
    c: *mut PyObject,
) -> *mut PyObject {
    let args = [a, b, c];
    // SAFETY: as `call_c_names`.
    unsafe {
        let n = n as usize;
        let Ok(t) = Tuple::from_raw_items(args.as_ptr(), n) else { return null_mut() };
        lh_runtime::border::object(|| {
            let d = lh_runtime::protocols::dict_of_kwnames(args.as_ptr().add(n), names)?;
            from_c::<Object>(f(this, t.ptr(), d.ptr()))
        })
    }
}
/// The call of a class whose instances C functions make.
unsafe extern "C" fn call_c_class(
    class: *mut PyObject,
    n: i64,
    a: *mut PyObject,
    b: *mut PyObject,
    c: *mut PyObject,
) -> *mut PyObject {
    let args = [a, b, c];
    // SAFETY: live operands; the class has no metaclass of its own.
    unsafe {
        if let Some(f) = (*class.cast::<PyTypeObject>()).tp_vectorcall {
            return f(class, args.as_ptr(), n as usize, null_mut());
        }
        let Ok(t) = Tuple::from_raw_items(args.as_ptr(), n as usize) else { return null_mut() };
        lh_runtime::border::object(|| {
            lh_runtime::type_attrs::type_call(obj(class).downcast_unchecked(), &t, None)
        })
    }
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
        _ => lh_runtime::number::positive(a),
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
        let r = obj(callable).vectorcall(args, (count - nkw) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
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
type Ob = *mut PyObject;
unsafe fn taken<const N: usize>(items: [Ob; N]) -> Vec<Owned<Object>> {
    // SAFETY: the caller gives its references.
    items.map(|p| unsafe { Owned::from_raw(p) }).into()
}
unsafe extern "C" fn tuple1(a: Ob) -> Ob {
    // SAFETY: references given (so in all of these).
    Tuple::from_vec(unsafe { taken([a]) }).into_raw()
}
unsafe extern "C" fn tuple2(a: Ob, b: Ob) -> Ob {
    // SAFETY: as above.
    Tuple::from_vec(unsafe { taken([a, b]) }).into_raw()
}
unsafe extern "C" fn tuple3(a: Ob, b: Ob, c: Ob) -> Ob {
    // SAFETY: as above.
    Tuple::from_vec(unsafe { taken([a, b, c]) }).into_raw()
}
unsafe extern "C" fn tuple4(a: Ob, b: Ob, c: Ob, d: Ob) -> Ob {
    // SAFETY: as above.
    Tuple::from_vec(unsafe { taken([a, b, c, d]) }).into_raw()
}
unsafe extern "C" fn list0() -> Ob {
    List::from_vec(vec![]).into_raw()
}
unsafe extern "C" fn list1(a: Ob) -> Ob {
    // SAFETY: as above.
    List::from_vec(unsafe { taken([a]) }).into_raw()
}
unsafe extern "C" fn list2(a: Ob, b: Ob) -> Ob {
    // SAFETY: as above.
    List::from_vec(unsafe { taken([a, b]) }).into_raw()
}
unsafe extern "C" fn list3(a: Ob, b: Ob, c: Ob) -> Ob {
    // SAFETY: as above.
    List::from_vec(unsafe { taken([a, b, c]) }).into_raw()
}
unsafe extern "C" fn list4(a: Ob, b: Ob, c: Ob, d: Ob) -> Ob {
    // SAFETY: as above.
    List::from_vec(unsafe { taken([a, b, c, d]) }).into_raw()
}
unsafe extern "C" fn new_dict() -> Ob {
    Dict::new().into_raw()
}
/// Puts a value under a name into a dictionary that nobody else has seen.
unsafe extern "C" fn put_name(d: Ob, name: Ob, v: Ob) {
    // SAFETY: an exact dict, an interned string and a reference given; comparing strings runs no code.
    unsafe {
        let v = Owned::<Object>::from_raw(v);
        if let Err(e) = obj(d).downcast_unchecked::<Dict>().set_item(obj(name), &v) {
            e.clear();
        }
    }
}
/// The helpers that build tuples and lists, by the number of items.
pub const TUPLES: [u32; 4] = [TUPLE1, TUPLE2, TUPLE3, TUPLE4];
pub const LISTS_OF: [u32; 5] = [LIST0, LIST1, LIST2, LIST3, LIST4];
/// The method of this definition, bound to an object whose reference it takes over.
unsafe extern "C" fn new_bound_method(def: *mut lh_abi::PyMethodDef, o: *mut PyObject) -> *mut PyObject {
    // SAFETY: a definition of the object's own type.
    unsafe {
        let o = Owned::<Object>::from_raw(o);
        CFunction::new(def, Some(&o), None).into_raw()
    }
}
/// Gives back a container that is empty, or whose items all have other references.
unsafe extern "C" fn drop_shell(o: *mut PyObject) {
    // SAFETY: the reference is taken over.
    unsafe { decref(o) }
}
unsafe extern "C" fn list_append(l: *mut PyObject, v: *mut PyObject) {
    // SAFETY: an exact list; the reference to the value is taken over.
    unsafe { obj(l).downcast_unchecked::<List>().push(Owned::from_raw(v)) }
}

/// An instance of a Python class with these attributes, whose references (null: unset) it takes over.
unsafe fn make_instance<const N: usize>(t: *mut PyTypeObject, values: [Ob; N]) -> Ob {
    use lh_runtime::instance;
    // SAFETY: the recorder chose the class by the type's layout: room for the values is where it says.
    unsafe {
        let o = ((*t).tp_alloc.unwrap_unchecked())(t, 0);
        assert!(!o.is_null(), "out of memory");
        let to = if (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 {
            instance::value_at(o, 0)
        } else {
            o.add(1).cast::<Ob>()
        };
        for (i, v) in values.into_iter().enumerate() {
            *to.add(i) = v;
        }
        o
    }
}
macro_rules! instances {
    ($($name:ident $($v:ident)*;)*) => { $(
        #[allow(clippy::too_many_arguments)]
        unsafe extern "C" fn $name(t: *mut PyTypeObject, $($v: Ob),*) -> Ob {
            // SAFETY: as above.
            unsafe { make_instance(t, [$($v),*]) }
        }
    )* };
}
instances! {
    instance4 a b c d; instance5 a b c d e; instance6 a b c d e f; instance7 a b c d e f g; instance8 a b c d e f g h;
    slotted1 a; slotted2 a b; slotted3 a b c; slotted4 a b c d; slotted5 a b c d e; slotted6 a b c d e f;
    slotted7 a b c d e f g; slotted8 a b c d e f g h;
}
/// The helpers that make instances, by the number of values (from four on) and of slots (from one on).
pub const INSTANCES: [u32; 5] = [INSTANCE4, INSTANCE5, INSTANCE6, INSTANCE7, INSTANCE8];
pub const SLOTTEDS: [u32; 8] =
    [SLOTTED1, SLOTTED2, SLOTTED3, SLOTTED4, SLOTTED5, SLOTTED6, SLOTTED7, SLOTTED8];

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
                ret_nonnull: matches!($num, PUSH_EXC | BOX_INT | BOX_FLOAT | BOX_UNSIGNED | MAKE_ITER | CHR | STR_ITEM | NEW_SLICE | NEW_SUPER | NEW_METHOD | LIST_POP | MAKE_RANGE | TUPLE1 | TUPLE2 | TUPLE3 | TUPLE4 | LIST0 | LIST1 | LIST2 | LIST3 | LIST4 | NEW_DICT | TUPLE_OF_LIST | NEW_BOUND_METHOD | DECIMAL | FLOAT_TEXT),
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
/// Looks, allocates at most.
const READS: Effects = Effects { reads: !0, writes: 0, flags: ALLOCATES };
const LOOKS: Effects = Effects { reads: !0, writes: 0, flags: 0 };
const APPEND: Effects = Effects { reads: 0, writes: 0, flags: ALLOCATES | OBSERVES_REFCOUNT | MAY_DEALLOC };
const HANDLED: Effects = Effects { reads: 0, writes: 0, flags: ALLOCATES | OBSERVES_REFCOUNT };
const VALUES: Effects =
    Effects { reads: 1 << crate::descs::A_VALUES, writes: 1 << crate::descs::A_VALUES, flags: 0 };
const ENTRY: Effects =
    Effects { reads: 1 << crate::descs::A_DICT, writes: 1 << crate::descs::A_DICT, flags: MAY_DEALLOC };
helpers! {
    BOX_INT = box_int, [I64] -> Ref, steals 0, new true, ALLOC;
    BOX_FLOAT = box_float, [F64] -> Ref, steals 0, new true, ALLOC;
    BOX_UNSIGNED = box_unsigned, [I64] -> Ref, steals 0, new true, ALLOC;
    NATIVE_RESULT = native_result, [I64, Ptr, Ptr, I64] -> Ref, steals 0, new true, ALLOC;
    MAKE_PART = make_part, [Ptr, Ptr, Ref, I64, Ptr] -> Ref, steals 4, new true, ALLOC;
    MAKE_POINTER = make_pointer, [Ptr, Ptr, Ptr] -> Ref, steals 0, new true, ALLOC;
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
    RUN_FUNCTION = crate::functions::run_function, [Ptr, Ptr] -> Ref, steals 0, new true, FRAME;
    CATCH = crate::record_exc::catch, [Ptr, I64] -> Void, steals 0, new false, FRAME;
    UNWIND_FRAME = crate::record_exc::unwind_frame, [Ptr, I64] -> Void, steals 0, new false, FRAME;
    RAISE_IN = crate::record_exc::raise_in, [Ptr, Ref, Ref] -> Void, steals 6, new false, Effects::ARBITRARY;
    RERAISE_IN = crate::record_exc::reraise_in, [Ptr, Ref, Ref] -> Void, steals 2, new false, Effects::ARBITRARY;
    PUSH_EXC = crate::record_exc::push_exc, [Ref] -> Ref, steals 0, new true, HANDLED;
    POP_EXC = crate::record_exc::pop_exc, [Ref] -> Void, steals 1, new false, Effects::ARBITRARY;
    DROP_FRAME_OBJECT = crate::record_exc::drop_frame_object, [Ptr] -> I64, steals 0, new false, Effects::ARBITRARY;
    CALL_STACK = call_stack, [Ptr, I64, I64, Ref] -> I64, steals 0, new false, FRAME;
    BUILD = build, [Ptr, I64, I64, I64] -> I64, steals 0, new false, FRAME;
    CONTAINS_PLAIN = contains_plain, [Ref, Ref] -> I64, steals 0, new false, LOOKS;
    DICT_GET_PLAIN = dict_get_plain, [Ref, Ref] -> Ref, steals 0, new true, LOOKS;
    GET_ITER = get_iter, [Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    MAKE_ITER = get_iter, [Ref] -> Ref, steals 0, new true, READS;
    DICT_HAS_KEY = dict_has_key, [Ref, Ref] -> I64, steals 0, new false, LOOKS;
    DICT_GET_KEY = dict_get_key, [Ref, Ref] -> Ref, steals 0, new true, LOOKS;
    DICT_GET_KEY_DEFAULT = dict_get_key_default, [Ref, Ref, Ref] -> Ref, steals 0, new true, LOOKS;
    ITEMS_HAVE = items_have, [Ref, Ref] -> I64, steals 0, new false, LOOKS;
    STR_HAS = str_has, [Ref, Ref] -> I64, steals 0, new false, LOOKS;
    STR_ORDER = str_order, [Ref, Ref] -> I64, steals 0, new false, LOOKS;
    STR_ITEM = str_item, [Ref, I64] -> Ref, steals 0, new true, READS;
    NEW_SLICE = new_slice, [Ref, Ref, Ref] -> Ref, steals 7, new true, ALLOC;
    SLICE_OF = slice_of, [Ref, Ref, Ref, Ref] -> Ref, steals 0, new true, READS;
    ASK_C_O = ask_c_o, [Ptr, Ref, Ref] -> Ref, steals 0, new true, READS;
    ASK_C_FAST = ask_c_fast, [Ptr, Ref, I64, Ref, Ref] -> Ref, steals 0, new true, READS;
    NEW_OBJECT = new_object, [Ref] -> Ref, steals 0, new true, ALLOC;
    STORE_ENTRY = store_entry, [Ref, I64, Ref] -> Void, steals 0, new false, ENTRY;
    STORE_ENTRY_ANY = store_entry, [Ref, I64, Ref] -> Void, steals 0, new false, Effects::ARBITRARY;
    APPEND_STR = append_str, [Ref, Ref] -> Ref, steals 1, new true, APPEND;
    SET_FIRST = set_first, [Ref, I64, Ref] -> I64, steals 0, new false, VALUES;
    STR_EQUAL = str_equal, [Ref, Ref] -> I64, steals 0, new false, LOOKS;
    ORD = ord, [Ref] -> I64, steals 0, new false, LOOKS;
    CHR = chr, [I64] -> Ref, steals 0, new true, ALLOC;
    SIN = sin, [F64] -> F64, steals 0, new false, Effects::NONE;
    COS = cos, [F64] -> F64, steals 0, new false, Effects::NONE;
    EXP = exp, [F64] -> F64, steals 0, new false, Effects::NONE;
    LOG = log, [F64] -> F64, steals 0, new false, Effects::NONE;
    LIST_POP = list_pop, [Ref] -> Ref, steals 0, new true, LISTS;
    DICT_GET_DEFAULT = dict_get_default, [Ref, Ref, Ref] -> Ref, steals 0, new true, LOOKS;
    MAKE_RANGE = make_range, [I64, I64] -> Ref, steals 0, new true, ALLOC;
    CALL_C_FAST = call_c_fast, [Ptr, Ref, I64, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    CALL_C_FAST3 = call_c_fast3, [Ptr, Ref, I64, Ref, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    CALL_C_FAST6 = call_c_fast6, [Ptr, Ref, I64, Ref, Ref, Ref, Ref, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    CALL_VECTOR = call_vector, [Ptr, Ref, I64, Ref, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    CALL_EX = call_ex, [Ref, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    DICT_MERGE = dict_merge, [Ref, Ref, Ref] -> I64, steals 0, new false, Effects::ARBITRARY;
    LIST_EXTEND = list_extend, [Ref, Ref] -> I64, steals 0, new false, LISTS;
    NEW_BOUND_METHOD = new_bound_method, [Ptr, Ref] -> Ref, steals 2, new true, ALLOC;
    TUPLE_OF_LIST = tuple_of_list, [Ref] -> Ref, steals 0, new true, READS;
    DROP_SHELL = drop_shell, [Ref] -> Void, steals 1, new false, FREES;
    CALL_C_NAMES = call_c_names, [Ptr, Ref, I64, Ref, Ref, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    CALL_C_METHOD = call_c_method, [Ptr, Ref, Ptr, I64, Ref, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    CALL_C_TUPLE = call_c_tuple, [Ptr, Ref, I64, Ref, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    CALL_C_DICT = call_c_dict, [Ptr, Ref, I64, Ref, Ref, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    CALL_C_CLASS = call_c_class, [Ref, I64, Ref, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    SLOT_BINARY = crate::record_slots::slot_binary, [Ptr, I64, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    SLOT_OTHER = crate::record_slots::slot_other, [Ptr, I64, I64, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    GEN_FINISH = crate::record_gen::finish, [Ptr] -> Void, steals 0, new false, Effects::ARBITRARY;
    INSTANCE4 = instance4, [Ptr, Ref, Ref, Ref, Ref] -> Ref, steals 30, new true, ALLOC;
    INSTANCE5 = instance5, [Ptr, Ref, Ref, Ref, Ref, Ref] -> Ref, steals 62, new true, ALLOC;
    INSTANCE6 = instance6, [Ptr, Ref, Ref, Ref, Ref, Ref, Ref] -> Ref, steals 126, new true, ALLOC;
    INSTANCE7 = instance7, [Ptr, Ref, Ref, Ref, Ref, Ref, Ref, Ref] -> Ref, steals 254, new true, ALLOC;
    INSTANCE8 = instance8, [Ptr, Ref, Ref, Ref, Ref, Ref, Ref, Ref, Ref] -> Ref, steals 510, new true, ALLOC;
    SLOTTED1 = slotted1, [Ptr, Ref] -> Ref, steals 2, new true, ALLOC;
    SLOTTED2 = slotted2, [Ptr, Ref, Ref] -> Ref, steals 6, new true, ALLOC;
    SLOTTED3 = slotted3, [Ptr, Ref, Ref, Ref] -> Ref, steals 14, new true, ALLOC;
    SLOTTED4 = slotted4, [Ptr, Ref, Ref, Ref, Ref] -> Ref, steals 30, new true, ALLOC;
    SLOTTED5 = slotted5, [Ptr, Ref, Ref, Ref, Ref, Ref] -> Ref, steals 62, new true, ALLOC;
    SLOTTED6 = slotted6, [Ptr, Ref, Ref, Ref, Ref, Ref, Ref] -> Ref, steals 126, new true, ALLOC;
    SLOTTED7 = slotted7, [Ptr, Ref, Ref, Ref, Ref, Ref, Ref, Ref] -> Ref, steals 254, new true, ALLOC;
    SLOTTED8 = slotted8, [Ptr, Ref, Ref, Ref, Ref, Ref, Ref, Ref, Ref] -> Ref, steals 510, new true, ALLOC;
    AFTER_METHOD = crate::record_methods::after_method, [I64, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    AFTER_COMPARE = crate::record_methods::after_compare, [I64, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    NEW_SUPER = crate::record_methods::new_super, [Ref, Ref, Ref] -> Ref, steals 7, new true, ALLOC;
    NEW_METHOD = crate::record_methods::new_method, [Ref, Ref] -> Ref, steals 3, new true, ALLOC;
    SLOT_COMPARE = crate::record_slots::slot_compare, [Ptr, I64, Ref, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    SLOT_FLOAT = crate::record_slots::slot_float, [Ptr, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    SLOT_TEXT = crate::record_slots::slot_text, [Ptr, Ref, I64] -> Ref, steals 0, new true, Effects::ARBITRARY;
    DECIMAL = decimal, [I64] -> Ref, steals 0, new true, ALLOC;
    FLOAT_TEXT = float_text, [Ref] -> Ref, steals 0, new true, READS;
    SLOT_NEXT = crate::record_slots::slot_next, [Ptr, Ref] -> Ref, steals 0, new true, Effects::ARBITRARY;
    GENERIC = crate::generic::exec_generic, [Ptr, I64, I64, I64] -> I64, steals 0, new false, FRAME;
    TUPLE1 = tuple1, [Ref] -> Ref, steals 1, new true, ALLOC;
    TUPLE2 = tuple2, [Ref, Ref] -> Ref, steals 3, new true, ALLOC;
    TUPLE3 = tuple3, [Ref, Ref, Ref] -> Ref, steals 7, new true, ALLOC;
    TUPLE4 = tuple4, [Ref, Ref, Ref, Ref] -> Ref, steals 15, new true, ALLOC;
    LIST0 = list0, [] -> Ref, steals 0, new true, ALLOC;
    LIST1 = list1, [Ref] -> Ref, steals 1, new true, ALLOC;
    LIST2 = list2, [Ref, Ref] -> Ref, steals 3, new true, ALLOC;
    LIST3 = list3, [Ref, Ref, Ref] -> Ref, steals 7, new true, ALLOC;
    LIST4 = list4, [Ref, Ref, Ref, Ref] -> Ref, steals 15, new true, ALLOC;
    NEW_DICT = new_dict, [] -> Ref, steals 0, new true, ALLOC;
    PUT_NAME = put_name, [Ref, Ref, Ref] -> Void, steals 4, new false, ENTRY;
    LIST_APPEND = list_append, [Ref, Ref] -> Void, steals 2, new false, LISTS;
}
