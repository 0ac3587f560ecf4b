//! Tells traces where fields, items and values lie in C memory (`lh_foreign::place`).
//!
//! A class's layout is settled once it has instances, so what is answered here follows from the class alone.

use std::ffi::c_void;

use lh_foreign::place::{Held, Items, MEMORY_AT, Place, register_items, register_place};
use lh_foreign::sig::{MachineValue, RawObj, ResultKind};
use lh_runtime::prelude::*;

use crate::cdata::*;
use crate::convert::Scalar;
use crate::field::CField;
use crate::info::*;

const _: () = assert!(PTR_OFFSET == MEMORY_AT, "data objects keep the address of their memory first");

/// A plain value as a function result would be; `None` for what is not just a number.
fn number(s: Scalar) -> Option<ResultKind> {
    if s.swapped {
        return None;
    }
    Some(match s.code {
        b'f' => ResultKind::F32,
        b'd' => ResultKind::F64,
        b'?' => ResultKind::Bool,
        b'P' => ResultKind::AddressOrNone,
        b'c' | b'u' | b'z' | b'Z' | b'O' | b'g' | b'v' => return None,
        _ => ResultKind::Int(MachineValue::of(&prim_type(s.code))?),
    })
}

/// How memory of a class is held.
fn held(cls: &Type) -> Option<Held> {
    match info_of(cls)?.value {
        Some(s) => Some(Held::Value(number(s)?)),
        None => part(cls),
    }
}

fn part(cls: &Type) -> Option<Held> {
    may_be_left_out(cls).then(|| Held::Part { class: cls.as_ptr().cast(), make: make_part })
}

/// Whether nobody can tell that an instance was never made: there is no `__del__`.
pub fn may_be_left_out(cls: &Type) -> bool {
    // SAFETY: a live type.
    unsafe { (*cls.tp()).tp_finalize.is_none() && (*cls.tp()).tp_del.is_none() }
}

unsafe extern "C" fn make_part(class: RawObj, base: RawObj, index: usize, memory: *mut c_void) -> RawObj {
    // SAFETY: traces pass what `held` told them and a live base.
    lh_runtime::border::object(|| unsafe {
        let cls = Object::from_ptr(class.cast()).downcast_unchecked::<Type>();
        let base = Object::from_ptr(base.cast()).downcast_unchecked::<CData>();
        Ok(from_base(cls, Some(base), index, memory.cast())?.into_object())
    })
    .cast()
}

/// Makes a pointer instance as a function result would be.
pub unsafe extern "C" fn make_pointer(class: RawObj, address: *mut c_void) -> RawObj {
    // SAFETY: traces pass the pointer class that the signature named.
    lh_runtime::border::object(|| unsafe {
        let o = new_instance(Object::from_ptr(class.cast()).downcast_unchecked::<Type>())?;
        o.ptr.get().cast::<*mut c_void>().write_unaligned(address);
        Ok(o.into_object())
    })
    .cast()
}

unsafe fn data<'a>(o: RawObj) -> Option<&'a CData> {
    // SAFETY: a live object.
    as_cdata(unsafe { Object::from_ptr(o.cast()) })
}

unsafe fn field(descriptor: RawObj, instance: RawObj) -> Option<Place> {
    // SAFETY: live objects; the descriptor's function is a field's.
    unsafe {
        let f = Object::from_ptr(descriptor.cast()).downcast_exact::<CField>()?;
        data(instance)?;
        let held = match f.plain {
            Some(s) => Held::Value(number(s)?),
            None if f.is_part() => held(&f.proto)?,
            None => return None,
        };
        Some(Place { through: false, offset: f.field_offset, index: f.index, held })
    }
}

unsafe fn value(_: RawObj, instance: RawObj) -> Option<Place> {
    // SAFETY: a live object.
    let s = unsafe { data(instance)? }.info().scalar?;
    Some(Place { through: false, offset: 0, index: 0, held: Held::Value(number(s)?) })
}

unsafe fn contents(_: RawObj, instance: RawObj) -> Option<Place> {
    // SAFETY: a live object; its class keeps the target class alive.
    let cls = unsafe { data(instance)? }.info().proto_class()?;
    Some(Place { through: true, offset: 0, index: 0, held: part(&cls)? })
}

unsafe fn array(object: RawObj) -> Option<Items> {
    // SAFETY: a live object.
    let info = unsafe { data(object)? }.info();
    let item = info.proto_class()?;
    let stride = info_of(&item)?.size();
    Some(Items { through: false, len: Some(info.length.get()), stride, held: held(&item)? })
}

unsafe fn pointer(object: RawObj) -> Option<Items> {
    // SAFETY: a live object.
    let info = unsafe { data(object)? }.info();
    let target = info.proto_class()?;
    let stride = info_of(&target)?.size();
    Some(Items { through: true, len: None, stride, held: held(&target)? })
}

/// The C function behind a getter of a static type.
unsafe fn getter(t: &Type, name: &str) -> Option<usize> {
    // SAFETY: a getset descriptor's definition is static.
    unsafe {
        let d = t.lookup_str(name)?;
        let d = d.downcast_exact::<GetSetDescr>()?;
        (*(*d.as_struct()).d_getset).get.map(|f| f as usize)
    }
}

/// Makes the places of data objects known.
pub fn register() {
    // SAFETY: ready static types.
    unsafe {
        if let Some(get) = (*CField::type_ptr()).tp_descr_get {
            register_place(get as usize, field);
        }
        let of = |t: *mut lh_abi::PyTypeObject| Type::from_raw_ref(t);
        if let Some(get) = getter(of(SimpleCData::type_ptr()), "value") {
            register_place(get, value);
        }
        if let Some(get) = getter(of(Pointer::type_ptr()), "contents") {
            register_place(get, contents);
        }
        let subscript = |t: *mut lh_abi::PyTypeObject| match (*t).tp_as_mapping {
            m if m.is_null() => None,
            m => (*m).mp_subscript.map(|f| f as usize),
        };
        if let Some(f) = subscript(Array::type_ptr()) {
            register_items(f, array);
        }
        if let Some(f) = subscript(Pointer::type_ptr()) {
            register_items(f, pointer);
        }
    }
}
