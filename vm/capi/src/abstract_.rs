//! `abstract.h`: calls, items, numbers, sequences, mappings, iterators, buffers.

use crate::names::Name;
use crate::object::{Identifier, id_str};
use crate::prelude::*;
use lh_runtime::buffer;
use lh_runtime::protocols::{is_iterator, is_mapping, is_sequence};

/// # Safety
/// As the vectorcall protocol passes them.
unsafe fn vectorcall(
    f: &Object,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    // SAFETY: the caller's promise.
    unsafe { from_c(f.vectorcall(args, nargsf, kwnames)) }
}
fn bounds(i: isize) -> Owned<Object> {
    Int::from_i64(i as i64).into_object()
}

/// The vectorcall of a Python function: the shortest way into it.
#[inline(always)]
fn python_function(f: &Object) -> lh_abi::vectorcallfunc {
    // SAFETY: the type says that the object has the layout.
    unsafe {
        if f.ob_type() != Function::type_ptr() {
            return None;
        }
        (*f.as_ptr().cast::<lh_abi::PyFunctionObject>()).vectorcall
    }
}

capi! {
    // ---- Calls ----
    fn PyObject_Call(f: &Object, args: &Tuple, kw: Option<&Dict>) -> [*mut PyObject] {
        match python_function(f) {
            Some(g) if kw.is_none() => g(f.as_ptr(), args.items_ptr(), args.len(), null_mut()),
            _ => f.call_tuple(args, kw)?.into_raw(),
        }
    }
    fn PyObject_CallObject(f: &Object, args: Option<&Object>) -> obj {
        match args {
            None => f.call0(),
            Some(a) => match a.downcast::<Tuple>() {
                Some(t) => f.call_tuple(t, None),
                None => raise!(TypeError, "argument list must be a tuple"),
            },
        }
    }
    fn PyEval_CallObjectWithKeywords(f: &Object, args: Option<&Tuple>, kw: Option<&Dict>) -> obj {
        match args {
            Some(a) => f.call_tuple(a, kw),
            None => f.call_tuple(&Tuple::empty(), kw),
        }
    }
    fn PyObject_CallNoArgs(f: &Object) -> obj { f.call0() }
    fn PyObject_CallOneArg(f: &Object, a: &Object) -> obj { f.call1(a) }
    fn PyObject_Vectorcall(f: &Object, args: *const *mut PyObject, nargsf: usize, kwnames: *mut PyObject) -> obj short {
        let f = Object::from_ptr_opt(f)?;
        Some((f.vectorcall_function()?)(f.as_ptr(), args, nargsf, kwnames))
    } {
        vectorcall(f, args, nargsf, kwnames)
    }
    fn _PyObject_Vectorcall(f: &Object, args: *const *mut PyObject, nargsf: usize, kwnames: *mut PyObject) -> obj short {
        let f = Object::from_ptr_opt(f)?;
        Some((f.vectorcall_function()?)(f.as_ptr(), args, nargsf, kwnames))
    } {
        vectorcall(f, args, nargsf, kwnames)
    }
    fn _PyObject_FastCall(f: &Object, args: *const *mut PyObject, n: isize) -> obj {
        vectorcall(f, args, n as usize, null_mut())
    }
    fn PyVectorcall_Call(f: &Object, args: &Tuple, kw: Option<&Dict>) -> obj {
        // A subclass may lack the flag and yet have the pointer.
        let at = (*f.ob_type()).tp_vectorcall_offset;
        let v = if at > 0 { *f.as_ptr().cast::<u8>().offset(at).cast::<vectorcallfunc>() } else { None };
        match v {
            Some(v) => f.vectorcall_tuple(v, args, kw),
            None => raise!(TypeError, "'{}' object does not support vectorcall", f.ty().name()),
        }
    }
    fn PyVectorcall_Function(f: &Object) -> [*mut c_void] {
        f.vectorcall_function().map_or(null_mut(), |v| v as *mut c_void)
    }
    fn PyObject_VectorcallDict(f: &Object, args: *const *mut PyObject, nargsf: usize, kw: Option<&Dict>) -> obj {
        let n = nargsf & !PY_OFFSET;
        match kw {
            Some(d) if d.len() > 0 => f.call_tuple(&lh_runtime::protocols::tuple_of_raw(args, n), Some(d)),
            _ => vectorcall(f, args, nargsf, null_mut()),
        }
    }
    fn PyObject_VectorcallMethod(name: &Str, args: *const *mut PyObject, nargsf: usize, kwnames: *mut PyObject) -> obj {
        let this = Object::from_ptr(*args);
        match lh_runtime::protocols::plain_method(this, name)? {
            Some(f) => vectorcall(&f, args, nargsf & !PY_OFFSET, kwnames),
            None => {
                let f = this.get_attr(name)?;
                vectorcall(&f, args.add(1), ((nargsf & !PY_OFFSET) - 1) | PY_OFFSET, kwnames)
            }
        }
    }
    fn _PyObject_MakeTpCall(_ts: *mut c_void, f: &Object, args: *const *mut PyObject, n: isize, keywords: Option<&Object>) -> obj {
        let t = lh_runtime::protocols::tuple_of_raw(args, n as usize);
        match keywords {
            None => f.call_tuple(&t, None),
            Some(k) => match k.downcast::<Dict>() {
                Some(d) => f.call_tuple(&t, Some(d)),
                None => {
                    let d = lh_runtime::protocols::dict_of_kwnames(args.add(n as usize), k.as_ptr())?;
                    f.call_tuple(&t, Some(&d))
                }
            },
        }
    }
    fn _PyStack_AsDict(values: *const *mut PyObject, kwnames: *mut PyObject) -> obj {
        lh_runtime::protocols::dict_of_kwnames(values, kwnames)
    }
    fn _Py_CheckFunctionResult(_ts: *mut c_void, f: Option<&Object>, result: *mut PyObject, place: Option<&CStr>) -> [*mut PyObject] {
        lh_runtime::methodobject::check_result(result, || match (f, place) {
            (Some(f), _) => f.repr_lossy(),
            (None, Some(w)) => text(w).into_owned(),
            (None, None) => "a function".into(),
        })
    }
    fn lh_call_method_objs(o: &Object, name: &Object, args: *const *mut PyObject, n: usize) -> obj {
        let Some(name) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        if let Some(f) = lh_runtime::protocols::plain_method(o, name)? {
            // The worker in C leaves a place for the object in front of the arguments.
            *args.sub(1).cast_mut() = o.as_ptr();
            return vectorcall(&f, args.sub(1), n + 1, null_mut());
        }
        let f = o.get_attr(name)?;
        vectorcall(&f, args, n | PY_OFFSET, null_mut())
    }
    fn lh_identifier(id: *const Identifier) -> [*mut PyObject] { id_str(id).raw() }

    // ---- Objects ----
    fn PyObject_Type(o: &Object) -> obj { Ok(o.ty().own()) }
    fn PyObject_Size(o: &Object) -> (isize, -1) short { by_length_slot(o) } { size(o) }
    fn PyObject_Length(o: &Object) -> (isize, -1) short { by_length_slot(o) } { size(o) }
    fn PyObject_LengthHint(o: &Object, default: isize) -> (isize, -1) { o.length_hint(default as usize).map(|n| n as isize) }
    fn PyObject_GetItem(o: &Object, key: &Object) -> borrowed short {
        if key.is_null() {
            return None;
        }
        Some(((*Object::from_ptr_opt(o)?.ob_type()).tp_as_mapping.as_ref()?.mp_subscript?)(o, key))
    } {
        match (*o.ob_type()).tp_as_mapping.as_ref().and_then(|m| m.mp_subscript) {
            Some(f) => Ok(f(o.as_ptr(), key.as_ptr())),
            None => o.get_item(key).map(Owned::into_raw),
        }
    }
    fn PyObject_SetItem(o: &Object, key: &Object, v: &Object) -> (c_int, -1) short {
        if key.is_null() || v.is_null() {
            return None;
        }
        Some(((*Object::from_ptr_opt(o)?.ob_type()).tp_as_mapping.as_ref()?.mp_ass_subscript?)(o, key, v))
    } {
        match (*o.ob_type()).tp_as_mapping.as_ref().and_then(|m| m.mp_ass_subscript) {
            Some(f) => Ok(f(o.as_ptr(), key.as_ptr(), v.as_ptr())),
            None => o.set_item_of(key, v).map(|()| 0),
        }
    }
    fn PyObject_DelItem(o: &Object, key: &Object) -> status { o.del_item_of(key) }
    fn PyObject_DelItemString(o: &Object, key: Name) -> status { o.del_item_of(&*key.string()?) }
    fn PyObject_Format(o: &Object, spec: Option<&Object>) -> obj {
        match spec {
            None => o.format(Str::empty()),
            Some(s) => match s.downcast::<Str>() {
                Some(s) => o.format(s),
                None => raise!(SystemError, "Format specifier must be a string, not {}", s.ty().name()),
            },
        }
    }
    fn PyObject_GetIter(o: &Object) -> obj short {
        let it = ((*Object::from_ptr_opt(o)?.ob_type()).tp_iter?)(o);
        let not_there = lh_runtime::typeobject::next_not_implemented as *const () as usize;
        Some(if !it.is_null() && (*(*it).ob_type).tp_iternext.is_some_and(|f| f as usize != not_there) { it } else { no_iterator(it) })
    } { o.iterator() }
    fn PyObject_GetAIter(o: &Object) -> obj { lh_interp::builtins::iterate::aiter(o) }
    fn PyObject_IsInstance(o: &Object, class: &Object) -> boolean { o.is_instance(class) }
    fn PyObject_IsSubclass(o: &Object, class: &Object) -> boolean short {
        let (c, of) = (quick::<Type>(o)?, quick_exact::<Type>(class)?);
        by_mro(c.tp(), of.tp()).map(|r| r as c_int)
    } { o.is_subclass(class) }
    fn _PyObject_RealIsInstance(o: &Object, class: &Object) -> boolean { o.recursive_is_instance(class) }
    fn _PyObject_RealIsSubclass(o: &Object, class: &Object) -> boolean { o.recursive_is_subclass(class) }

    // ---- Iterators ----
    fn PyIter_Check(o: &Object) -> [c_int] { is_iterator(o) as c_int }
    fn PyAIter_Check(o: &Object) -> [c_int] {
        (*o.ob_type()).tp_as_async.as_ref().is_some_and(|m| m.am_anext.is_some()) as c_int
    }
    fn PyIter_Next(o: &Object) -> borrowed short {
        let r = ((*Object::from_ptr_opt(o)?.ob_type()).tp_iternext?)(o);
        Some(if r.is_null() { exhausted() } else { r })
    } {
        Ok(o.iter_next()?.map_or(null_mut(), Owned::into_raw))
    }
    /// 0: the iterator returned (with that value), 1: it yielded, -1: error.
    fn PyIter_Send(it: &Object, arg: &Object, out: *mut *mut PyObject) -> (c_int, -1) {
        *out = null_mut();
        if let Some(f) = (*it.ob_type()).tp_as_async.as_ref().and_then(|m| m.am_send) {
            return Ok(f(it.as_ptr(), arg.as_ptr(), out));
        }
        let r = if arg.is_none() && is_iterator(it) {
            ((*it.ob_type()).tp_iternext.expect("an iterator"))(it.as_ptr())
        } else {
            match it.call_method("send", &[arg]) { Ok(o) => o.into_raw(), Err(_) => null_mut() }
        };
        if !r.is_null() {
            *out = r;
            return Ok(1);
        }
        if occurred() && !matches(exc::StopIteration()) {
            return Err(Raised::already_set());
        }
        *out = lh_runtime::exceptions::take_stop_iteration_value().unwrap_or_else(none).into_raw();
        Ok(0)
    }
    fn PySeqIter_New(o: &Object) -> obj {
        if !is_sequence(o) {
            return Err(bad_internal_call());
        }
        Ok(lh_runtime::iterobject::new_sequence_iterator(o))
    }
    fn PyCallIter_New(f: &Object, sentinel: &Object) -> obj { Ok(lh_runtime::iterobject::new_call_iterator(f, sentinel)) }

    // ---- Numbers ----
    fn PyNumber_Check(o: Option<&Object>) -> [c_int] {
        o.is_some_and(number::is_number) as c_int
    }
    fn PyIndex_Check(o: &Object) -> [c_int] { number::has_index(o) as c_int }
    fn PyNumber_Index(o: &Object) -> obj short { Some(quick_exact::<Int>(o)?.own().into_raw()) } { number::index_exact(o) }
    fn _PyNumber_Index(o: &Object) -> obj { number::index(o) }
    fn PyNumber_Long(o: &Object) -> obj short {
        if let Some(i) = quick_exact::<Int>(o) {
            return Some(i.own().into_raw());
        }
        let v = quick_exact::<Float>(o)?.value();
        if v.abs() < 1e6 { Some(Int::from_small(v as i64)?.into_raw()) } else { None }
    } { number::to_int(o) }
    fn PyNumber_Float(o: &Object) -> obj short {
        Some(quick_exact::<Float>(o)?.own().into_raw())
    } { number::to_float(o) }
    fn PyNumber_AsSsize_t(o: &Object, exception: Option<&Type>) -> (isize, -1) short { Some(quick::<Int>(o)?.compact()? as isize) } { number::as_isize(o, exception) }
    fn PyNumber_ToBase(o: &Object, base: c_int) -> obj { to_base(o, base) }
    fn PyNumber_Divmod(a: &Object, b: &Object) -> obj { number::divmod(a, b) }
    fn PyNumber_Power(a: &Object, b: &Object, c: &Object) -> obj { number::power(a, b, c) }
    fn PyNumber_InPlacePower(a: &Object, b: &Object, c: &Object) -> obj { number::inplace_power(a, b, c) }
    fn PyNumber_Absolute(a: &Object) -> obj short { number::quick_negative(a, true) } { number::absolute(a) }
    fn PyNumber_Negative(a: &Object) -> obj short { number::quick_negative(a, false) } { number::negative(a) }
    fn PyNumber_Positive(a: &Object) -> obj { number::positive(a) }
    fn PyNumber_Invert(a: &Object) -> obj { number::invert(a) }

    // ---- Sequences ----
    fn PySequence_Check(o: &Object) -> [c_int] { is_sequence(o) as c_int }
    fn PySequence_Size(o: &Object) -> (isize, -1) short { by_length_slot(o) } { seq_size(o) }
    fn PySequence_Length(o: &Object) -> (isize, -1) short { by_length_slot(o) } { seq_size(o) }
    fn PySequence_GetItem(o: &Object, i: isize) -> obj short {
        let (items, n) = match (quick_exact::<List>(o), quick_exact::<Tuple>(o)) {
            (Some(l), _) => (l.items_ptr(), l.len()),
            (_, Some(t)) => (t.items_ptr(), t.len()),
            _ => return None,
        };
        if (i as usize) >= n {
            return None;
        }
        let x = *items.offset(i);
        incref(x);
        Some(x)
    } { o.seq_item(i) }
    fn PySequence_SetItem(o: &Object, i: isize, v: Option<&Object>) -> status {
        if let (Some(l), Some(v)) = (o.downcast_exact::<List>(), v)
            && i >= 0
            && (i as usize) < l.len()
        {
            xdecref(std::mem::replace(&mut *l.items_ptr().add(i as usize), v.own().into_raw()));
            return Ok(());
        }
        o.seq_ass_item(i, v)
    }
    fn PySequence_DelItem(o: &Object, i: isize) -> status { o.seq_ass_item(i, None) }
    fn PySequence_GetSlice(o: &Object, i: isize, j: isize) -> obj {
        if !lh_runtime::protocols::is_mapping(o) {
            return raise!(TypeError, "'{}' object is unsliceable", o.ty().name());
        }
        o.get_item(&Slice::new(&bounds(i), &bounds(j), none_ref()))
    }
    fn PySequence_SetSlice(o: &Object, i: isize, j: isize, v: &Object) -> status {
        if !has_slices(o) {
            return raise!(TypeError, "'{}' object doesn't support slice assignment", o.ty().name());
        }
        o.set_item_of(&Slice::new(&bounds(i), &bounds(j), none_ref()), v)
    }
    fn PySequence_DelSlice(o: &Object, i: isize, j: isize) -> status {
        if !has_slices(o) {
            return raise!(TypeError, "'{}' object doesn't support slice deletion", o.ty().name());
        }
        o.del_item_of(&Slice::new(&bounds(i), &bounds(j), none_ref()))
    }
    fn PySequence_Contains(o: &Object, x: &Object) -> boolean short {
        if x.is_null() {
            return None;
        }
        if let Some(e) = quick_exact::<Dict>(o).and_then(|d| d.first_look(x)) {
            return Some(!e.is_null() as c_int);
        }
        Some(((*Object::from_ptr_opt(o)?.ob_type()).tp_as_sequence.as_ref()?.sq_contains?)(o, x))
    } { o.contains_item(x) }
    fn PySequence_In(o: &Object, x: &Object) -> boolean { o.contains_item(x) }
    fn PySequence_Count(o: &Object, x: &Object) -> (isize, -1) {
        let it = searched(o)?;
        let mut n = 0;
        while let Some(y) = it.iter_next()? {
            n += (y.is(x) || y.equals_obj(x)?) as isize;
        }
        Ok(n)
    }
    fn PySequence_Index(o: &Object, x: &Object) -> (isize, -1) {
        let it = searched(o)?;
        let mut n = 0;
        while let Some(y) = it.iter_next()? {
            if y.is(x) || y.equals_obj(x)? {
                return Ok(n);
            }
            n += 1;
        }
        raise!(ValueError, "sequence.index(x): x not in sequence")
    }
    fn PySequence_Tuple(o: &Object) -> obj { if o.is_exact::<Tuple>() { Ok(o.own()) } else { Ok(Tuple::from_iterable(o)?.into_object()) } }
    fn PySequence_List(o: &Object) -> obj {
        if let Some(t) = o.downcast_exact::<Tuple>() {
            return List::from_raw_items(t.items_ptr(), t.len());
        }
        let l = List::new();
        l.extend(o)?;
        Ok(l)
    }
    /// The message is for an object that cannot be iterated over; callers that know better pass NULL.
    fn PySequence_Fast(o: &Object, message: *const c_char) -> obj short {
        let o = Object::from_ptr_opt(o)?;
        if o.is_exact::<List>() || o.is_exact::<Tuple>() { Some(o.own().into_raw()) } else { None }
    } {
        if o.is_exact::<List>() || o.is_exact::<Tuple>() {
            return Ok(o.own());
        }
        match o.iterator() {
            Ok(it) => Ok(List::from_vec(it.to_items()?).into_object()),
            Err(e) if e.matches(exc::TypeError()) => {
                e.clear();
                if message.is_null() {
                    return Err(null_argument());
                }
                raise!(TypeError, "{}", text(CStr::from_ptr(message)))
            }
            Err(e) => Err(e),
        }
    }
    fn PySequence_Concat(a: &Object, b: &Object) -> obj { number::seq_concat(a, b, false) }
    fn PySequence_InPlaceConcat(a: &Object, b: &Object) -> obj { number::seq_concat(a, b, true) }
    fn PySequence_Repeat(a: &Object, n: isize) -> obj { number::seq_repeat(a, n, false) }
    fn PySequence_InPlaceRepeat(a: &Object, n: isize) -> obj { number::seq_repeat(a, n, true) }

    // ---- Mappings ----
    fn PyMapping_Check(o: Option<&Object>) -> [c_int] { o.is_some_and(is_mapping) as c_int }
    fn PyMapping_Size(o: &Object) -> (isize, -1) short { Some(((*Object::from_ptr_opt(o)?.ob_type()).tp_as_mapping.as_ref()?.mp_length?)(o)) } { map_size(o) }
    fn PyMapping_Length(o: &Object) -> (isize, -1) short { Some(((*Object::from_ptr_opt(o)?.ob_type()).tp_as_mapping.as_ref()?.mp_length?)(o)) } { map_size(o) }
    fn PyMapping_GetItemString(o: &Object, key: Name) -> obj { o.get_item(&*key.string()?) }
    fn PyMapping_SetItemString(o: &Object, key: Name, v: &Object) -> status { o.set_item_of(&*key.string()?, v) }
    fn PyMapping_HasKey(o: &Object, key: &Object) -> [c_int] short { Some(!quick_exact::<Dict>(o)?.first_look(key)?.is_null() as c_int) } { has_key(o, key) }
    fn PyMapping_HasKeyString(o: &Object, key: Name) -> [c_int] {
        match key.string() { Ok(k) => has_key(o, &k), Err(e) => { e.clear(); 0 } }
    }
    fn PyMapping_Keys(o: &Object) -> obj { view(o, "keys") }
    fn PyMapping_Values(o: &Object) -> obj { view(o, "values") }
    fn PyMapping_Items(o: &Object) -> obj { view(o, "items") }

    // ---- Buffers ----
    fn PyObject_CheckBuffer(o: &Object) -> [c_int] { buffer::supports_buffer(o) as c_int }
    fn PyObject_GetBuffer(o: &Object, v: *mut Py_buffer, flags: c_int) -> status short {
        if v.is_null() {
            return None;
        }
        let r = ((*Object::from_ptr_opt(o)?.ob_type()).tp_as_buffer.as_ref()?.bf_getbuffer?)(o, v, flags);
        if r != 0 {
            // What a failing exporter left there means nothing.
            (*v).obj = null_mut();
        }
        Some(r)
    } {
        if v.is_null() {
            return raise!(BufferError, "PyObject_GetBuffer: view==NULL argument is obsolete");
        }
        buffer::get_into(o, &mut *v, flags)
    }
    fn PyBuffer_Release(v: *mut Py_buffer) -> void short {
        let o = (*v).obj;
        if o.is_null() {
            return Some(());
        }
        if (*o).ob_refcnt == 1 || (*(*o).ob_type).tp_as_buffer.as_ref().is_some_and(|b| b.bf_releasebuffer.is_some()) {
            return None;
        }
        (*v).obj = null_mut();
        (*o).ob_refcnt -= 1;
        Some(())
    } { buffer::release(&mut *v) }
    fn PyBuffer_FillInfo(v: *mut Py_buffer, o: Option<&Object>, buf: *mut c_void, len: isize, readonly: c_int, flags: c_int) -> status {
        buffer::fill_info(v, o, buf.cast(), len as usize, readonly != 0, flags)
    }
    fn PyBuffer_IsContiguous(v: *const Py_buffer, order: u8) -> [c_int] { buffer::is_contiguous(&*v, order) as c_int }
    fn PyBuffer_ToContiguous(buf: *mut u8, v: *const Py_buffer, len: isize, order: u8) -> status {
        let b = buffer::to_contiguous(&*v, order);
        if b.len() as isize != len {
            return raise!(ValueError, "PyBuffer_ToContiguous: len != view->len");
        }
        buf.copy_from_nonoverlapping(b.as_ptr(), b.len());
        Ok(())
    }
    fn PyBuffer_FromContiguous(v: *const Py_buffer, buf: *const u8, len: isize, order: u8) -> status {
        let v = &*v;
        let (mut at, item) = (0, v.itemsize as usize);
        let len = (len.min(v.len)).max(0) as usize;
        buffer::each_item(v, order == b'F', |p| if at + item <= len {
            p.copy_from_nonoverlapping(buf.add(at), item);
            at += item;
        });
        Ok(())
    }
    fn PyBuffer_FillContiguousStrides(n: c_int, shape: *const isize, strides: *mut isize, item: c_int, order: u8) -> void {
        let n = n.max(0) as usize;
        let mut step = item as isize;
        for k in 0..n {
            let i = if order == b'F' { k } else { n - 1 - k };
            *strides.add(i) = step;
            step *= *shape.add(i);
        }
    }
    fn PyBuffer_SizeFromFormat(f: &CStr) -> (isize, -1) {
        let m = lh_runtime::import::import_module("struct")?;
        match m.call_method("calcsize", &[&*str_of(f)])?.downcast::<Int>().and_then(|i| i.to_i64()) {
            Some(n) => Ok(n as isize),
            None => Err(bad_internal_call()),
        }
    }
    fn PyObject_CopyData(to: &Object, from: &Object) -> status {
        let (mut a, b) = (Buffer::get(to, PyBUF_FULL)?, Buffer::get(from, PyBUF_FULL_RO)?);
        if a.len() < b.len() {
            return raise!(BufferError, "destination is too small to receive data from source");
        }
        let bytes = b.to_vec();
        a.as_bytes_mut()[..bytes.len()].copy_from_slice(&bytes);
        Ok(())
    }
    fn PyBuffer_GetPointer(v: *const Py_buffer, index: *const isize) -> [*mut c_void] {
        buffer::item_ptr(&*v, std::slice::from_raw_parts(index, (*v).ndim as usize)).cast()
    }
    fn PyObject_AsCharBuffer(o: &Object, p: *mut *const c_char, n: *mut isize) -> status { simple(o, p.cast(), n, false) }
    fn PyObject_AsReadBuffer(o: &Object, p: *mut *const c_void, n: *mut isize) -> status { simple(o, p.cast(), n, false) }
    fn PyObject_AsWriteBuffer(o: &Object, p: *mut *mut c_void, n: *mut isize) -> status { simple(o, p.cast(), n, true) }
    fn PyObject_CheckReadBuffer(o: &Object) -> [c_int] {
        match Buffer::simple(o) { Ok(_) => 1, Err(e) => { e.clear(); 0 } }
    }
}

/// Null, after an iterator gave null: `StopIteration` is forgotten.
#[inline(never)]
unsafe extern "C" fn exhausted() -> *mut PyObject {
    if occurred() && matches(exc::StopIteration()) {
        lh_runtime::errors::clear();
    }
    null_mut()
}
/// What `tp_iter` answered is null, or no iterator.
#[cold]
#[inline(never)]
unsafe extern "C" fn no_iterator(it: *mut PyObject) -> *mut PyObject {
    // SAFETY: null with an exception, or a new reference.
    lh_runtime::border::object::<Object>(|| unsafe {
        let it = from_c::<Object>(it)?;
        raise!(TypeError, "iter() returned non-iterator of type '{}'", it.ty().name())
    })
}
/// `PY_VECTORCALL_ARGUMENTS_OFFSET`.
pub const PY_OFFSET: usize = 1 << 63;

/// The obsolete buffer functions: the pointer outlives the view, as they always did.
unsafe fn simple(o: &Object, p: *mut *mut c_void, n: *mut isize, write: bool) -> PyResult<()> {
    let mut v = buffer::empty_view();
    buffer::get_into(o, &mut v, if write { PyBUF_WRITABLE } else { 0 })?;
    // SAFETY: the caller passes places to write to.
    unsafe {
        *p = v.buf;
        *n = v.len;
    }
    buffer::release(&mut v);
    Ok(())
}
/// What `sq_length` answers, for short ways.
#[inline(always)]
unsafe fn by_length_slot(o: *mut PyObject) -> Option<isize> {
    // SAFETY: the slot of the object's type.
    unsafe { Some(((*Object::from_ptr_opt(o)?.ob_type()).tp_as_sequence.as_ref()?.sq_length?)(o)) }
}
/// The length of what has one as a sequence.
fn seq_size(o: &Object) -> PyResult<isize> {
    match length_slots(o) {
        // SAFETY: the slot of the object's type.
        (Some(f), _) => Ok(unsafe { f(o.as_ptr()) }),
        (None, Some(_)) => raise!(TypeError, "{} is not a sequence", o.ty().name()),
        (None, None) => raise!(TypeError, "object of type '{}' has no len()", o.ty().name()),
    }
}
/// The length of what has one. A failed slot has set an exception and answers -1 itself.
#[inline(always)]
fn size(o: &Object) -> PyResult<isize> {
    match length_slots(o) {
        // SAFETY: the slot of the object's type.
        (Some(f), _) | (None, Some(f)) => Ok(unsafe { f(o.as_ptr()) }),
        (None, None) => raise!(TypeError, "object of type '{}' has no len()", o.ty().name()),
    }
}
/// The length of what has one as a mapping.
fn map_size(o: &Object) -> PyResult<isize> {
    match length_slots(o) {
        // SAFETY: the slot of the object's type.
        (_, Some(f)) => Ok(unsafe { f(o.as_ptr()) }),
        (Some(_), None) => raise!(TypeError, "{} is not a mapping", o.ty().name()),
        (None, None) => raise!(TypeError, "object of type '{}' has no len()", o.ty().name()),
    }
}
/// `sq_length` and `mp_length` of the object's type.
#[inline(always)]
fn length_slots(o: &Object) -> (Option<lenfunc>, Option<lenfunc>) {
    // SAFETY: a live type's tables.
    unsafe {
        let t = o.ob_type();
        (
            (*t).tp_as_sequence.as_ref().and_then(|s| s.sq_length),
            (*t).tp_as_mapping.as_ref().and_then(|m| m.mp_length),
        )
    }
}
fn has_slices(o: &Object) -> bool {
    // SAFETY: a ready type.
    unsafe { (*o.ob_type()).tp_as_mapping.as_ref().is_some_and(|m| m.mp_ass_subscript.is_some()) }
}
/// An iterator over what is searched.
fn searched(o: &Object) -> PyResult {
    match o.iterator() {
        Err(e) if e.matches(exc::TypeError()) => {
            e.clear();
            raise!(TypeError, "argument of type '{}' is not iterable", o.ty().name())
        }
        r => r,
    }
}
fn has_key(o: &Object, key: &Object) -> c_int {
    match o.get_item(key) {
        Ok(_) => 1,
        Err(e) => {
            e.clear();
            0
        }
    }
}
fn view(o: &Object, what: &str) -> PyResult {
    let v = o.call_method(what, &[])?;
    if v.is_exact::<List>() { Ok(v) } else { Ok(List::from_vec(v.to_items()?).into_object()) }
}
pub fn to_base(o: &Object, base: c_int) -> PyResult {
    let prefix = match base {
        2 => "0b",
        8 => "0o",
        10 => "",
        16 => "0x",
        _ => return raise!(SystemError, "PyNumber_ToBase: base must be 2, 8, 10 or 16"),
    };
    let t = number::index(o)?.to_string_radix(base as u32);
    Ok(Str::new(&match t.strip_prefix('-') {
        Some(d) => format!("-{prefix}{d}"),
        None => format!("{prefix}{t}"),
    })
    .into_object())
}

/// Binary operators: C name, function in `number`.
/// By the operators' numbers in BINARY_OP.
macro_rules! binary {
    ($($c:ident $op:literal)*) => { capi! { $( fn $c(a: &Object, b: &Object) -> obj short { number::quick_arith($op, a, b) } { number::operate($op, a, b) } )* } };
}
binary! {
    PyNumber_Add 0  PyNumber_And 1  PyNumber_FloorDivide 2  PyNumber_Lshift 3
    PyNumber_MatrixMultiply 4  PyNumber_Multiply 5  PyNumber_Remainder 6  PyNumber_Or 7
    PyNumber_Rshift 9  PyNumber_Subtract 10  PyNumber_TrueDivide 11  PyNumber_Xor 12
    PyNumber_InPlaceAdd 13  PyNumber_InPlaceAnd 14  PyNumber_InPlaceFloorDivide 15  PyNumber_InPlaceLshift 16
    PyNumber_InPlaceMatrixMultiply 17  PyNumber_InPlaceMultiply 18  PyNumber_InPlaceRemainder 19  PyNumber_InPlaceOr 20
    PyNumber_InPlaceRshift 22  PyNumber_InPlaceSubtract 23  PyNumber_InPlaceTrueDivide 24  PyNumber_InPlaceXor 25
}
