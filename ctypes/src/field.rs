//! Fields of structures and unions: the `CField` descriptor, and laying out a `_fields_` list.

use std::cell::Cell;
use std::sync::Arc;

use lh_foreign::ctype::{Bits, RecordBuilder, Shape};
use lh_runtime::prelude::*;

use crate::cdata::*;
use crate::convert::Scalar;
use crate::info::*;

/// Structure/Union member
#[pyclass(name = "CField", module = "_ctypes", no_new)]
pub struct CField {
    #[notrace]
    pub field_offset: usize,
    #[notrace]
    pub field_size: usize,
    #[notrace]
    bits: Option<Bits>,
    #[notrace]
    access: Access,
    /// The field holds a plain value of this kind, no bit-field: the common case.
    #[notrace]
    pub plain: Option<Scalar>,
    #[notrace]
    pub index: usize,
    #[notrace]
    pub anonymous: Cell<bool>,
    pub proto: Owned<Type>,
}

impl CField {
    /// Reading the field makes an object over its memory.
    pub fn is_part(&self) -> bool {
        self.access == Access::Plain && self.bits.is_none()
    }
}

/// How a field of array type converts.
fn access_of(proto: &Type) -> Access {
    let Some(i) = info_of(proto).filter(|i| i.kind == ClassKind::Array) else { return Access::Plain };
    match i.proto_class().as_deref().and_then(|p| info_of(p)).and_then(|p| p.scalar).map(|s| s.code) {
        Some(b'c') => Access::CharArray,
        Some(b'u') => Access::WCharArray,
        _ => Access::Plain,
    }
}

#[pymethods]
impl CField {
    #[slot(tp_descr_get)]
    fn descr_get(&self, inst: Option<&Object>, _cls: Option<&Object>) -> PyResult {
        let Some(inst) = inst else { return Ok(self.as_object().own()) };
        let Some(d) = as_cdata(inst) else { return raise!(TypeError, "not a ctype instance") };
        // SAFETY: the field lies inside the instance's memory.
        unsafe {
            let addr = d.ptr.get().add(self.field_offset);
            if let Some(s) = self.plain {
                return s.get(addr, None);
            }
            get_value(&self.proto, self.access, d, self.index, self.field_size, addr, self.bits)
        }
    }

    #[slot(tp_descr_set)]
    fn descr_set(&self, inst: &Object, value: Option<&Object>) -> PyResult<()> {
        let Some(d) = as_cdata(inst) else { return raise!(TypeError, "not a ctype instance") };
        let Some(value) = value else { return raise!(TypeError, "can't delete attribute") };
        // SAFETY: the field lies inside the instance's memory.
        unsafe {
            let addr = d.ptr.get().add(self.field_offset);
            if let Some(s) = self.plain
                && as_cdata(value).is_none()
            {
                let keep = s.set(addr, value, None)?;
                return d.keep(self.index, keep);
            }
            set_value(d, &self.proto, self.access, value, self.index, self.field_size, addr, self.bits)
        }
    }

    /// offset in bytes of this field
    #[getter]
    fn offset(&self) -> usize {
        self.field_offset
    }

    /// size in bytes of this field
    #[getter]
    fn size(&self) -> usize {
        match self.bits {
            Some(b) => (b.width as usize) << 16 | b.low as usize,
            None => self.field_size,
        }
    }

    #[slot(tp_repr)]
    fn repr(&self) -> String {
        let name = self.proto.name();
        match self.bits {
            Some(b) => {
                format!("<Field type={}, ofs={}:{}, bits={}>", name, self.field_offset, b.low, b.width)
            }
            None => format!("<Field type={}, ofs={}, size={}>", name, self.field_offset, self.field_size),
        }
    }
}

fn sequence(o: &Object) -> Option<Vec<Owned<Object>>> {
    // Any sequence will do, but not an iterator.
    let n = match o.length() {
        Ok(n) => n,
        Err(e) => {
            e.clear();
            return None;
        }
    };
    let mut v = Vec::with_capacity(n);
    for i in 0..n {
        match o.seq_item(i as isize) {
            Ok(x) => v.push(x),
            Err(e) => {
                e.clear();
                return None;
            }
        }
    }
    Some(v)
}

/// One row of `_fields_`.
fn row(pair: &Object) -> PyResult<(Owned<Str>, Owned<Object>, Option<i64>)> {
    let wrong = || raise!(TypeError, "'_fields_' must be a sequence of (name, C type) pairs");
    let Some(t) = pair.downcast::<Tuple>() else { return wrong() };
    if !(2..=3).contains(&t.len()) {
        return wrong();
    }
    let Some(name) = t.item_ref(0).downcast::<Str>() else { return wrong() };
    let bits = match t.len() {
        3 => match t.item_ref(2).downcast::<Int>().and_then(Int::to_i64) {
            Some(b) => Some(b),
            None => return wrong(),
        },
        _ => None,
    };
    Ok((name.own(), t.get(1), bits))
}

fn bit_width(cls: &Type, info: &Info, bits: i64) -> PyResult<u16> {
    let integer = info.scalar.is_some_and(|s| s.prim().is_integer());
    if !integer {
        return raise!(TypeError, "bit fields not allowed for type {}", cls.name());
    }
    if bits <= 0 || bits as usize > info.size() * 8 {
        return raise!(ValueError, "number of bits invalid for bit field");
    }
    Ok(bits as u16)
}

/// Lays out `_fields_` of a class and adds a descriptor for each.
pub fn set_fields(cls: &Type, fields: &Object) -> PyResult<()> {
    let Some(info) = info_of(cls) else { return raise!(TypeError, "ctypes state is not initialized") };
    let is_union = info.kind == ClassKind::Union;
    let obj = cls.as_object();
    // Its presence counts, not its value.
    let big_endian = obj.get_attr_opt(intern!("_swappedbytes_"))?.is_some();
    let pack = match obj.get_attr_opt(intern!("_pack_"))? {
        None => None,
        Some(p) => {
            match p.downcast::<Int>().and_then(Int::to_i64).filter(|v| (0..=i32::MAX as i64).contains(v)) {
                Some(v) => Some(v as usize),
                None => return raise!(ValueError, "_pack_ must be a non-negative integer"),
            }
        }
    };
    let Some(rows) = sequence(fields) else {
        return raise!(TypeError, "'_fields_' must be a sequence of pairs");
    };
    if info.has(FINAL) {
        return raise!(AttributeError, "_fields_ is final");
    }
    // SAFETY: a ready type has a base.
    let base = unsafe { Type::from_raw_ref((*cls.tp()).tp_base) };
    let base_info = info_of(base);
    let base_ctype = base_info.map(|i| i.ctype());
    let first = base_info.map_or(0, |i| i.length.get());
    let mut builder = RecordBuilder::new(is_union, pack.unwrap_or(0), big_endian, base_ctype.as_deref());
    // Unions and packed structures have no PEP 3118 description; plain bytes stand for them.
    let mut format = (!is_union && pack.is_none()).then(|| {
        let inherited = base_info.map(|i| i.format.borrow().to_bytes().to_vec());
        match inherited.filter(|f| f.starts_with(b"T{") && f.ends_with(b"}")) {
            Some(f) => f[..f.len() - 1].to_vec(),
            None => b"T{".to_vec(),
        }
    });
    let mut flags = 0;
    let mut names = Vec::with_capacity(rows.len());
    for (i, pair) in rows.iter().enumerate() {
        let (name, proto, bits) = row(pair)?;
        let (Some(proto), Some(finfo)) = (proto.downcast::<Type>(), info_of(&proto)) else {
            return raise!(TypeError, "second item in _fields_ tuple (index {}) must be a C type", i);
        };
        if finfo.has(IS_POINTER | HAS_POINTER) {
            flags |= HAS_POINTER;
        }
        flags |= finfo.flags.get() & (HAS_UNION | HAS_BITFIELD);
        finfo.add(FINAL);
        let width = match bits {
            Some(b) => Some(bit_width(proto, finfo, b)?),
            None => None,
        };
        if width.is_some() {
            flags |= HAS_BITFIELD;
        }
        let text = name.to_str()?;
        let placed = builder.add(text, &finfo.ctype(), width, false);
        let field = CField {
            field_offset: placed.offset,
            field_size: finfo.size(),
            bits: placed.bits,
            access: access_of(proto),
            plain: finfo.value.filter(|_| placed.bits.is_none()),
            index: first + i,
            anonymous: Cell::new(false),
            proto: proto.own(),
        };
        if let Some(f) = &mut format {
            f.extend(shape_text(&finfo.shape.borrow()).bytes());
            f.extend(finfo.format.borrow().to_bytes());
            f.extend(format!(":{text}:").bytes());
        }
        obj.set_attr(&name, &field.build())?;
        names.push(name);
    }
    // Its own fields may have made it final.
    if info.has(FINAL) {
        return raise!(AttributeError, "Structure or union cannot contain itself");
    }
    let ctype = builder.finish();
    debug_assert!(matches!(ctype.shape, Shape::Record(_)), "a record was built");
    *info.ctype.borrow_mut() = Arc::new(ctype);
    if is_union {
        flags |= HAS_UNION;
    }
    info.add(flags | FINAL);
    info.length.set(first + rows.len());
    info.names.replace(names);
    info.shape.replace(Box::new([]));
    match format {
        Some(mut f) => {
            f.push(b'}');
            info.set_format(f);
        }
        None => info.set_format("B"),
    }
    make_anonymous(cls)
}

/// `(2,3)` for an array's shape, nothing for a scalar.
pub fn shape_text(shape: &[isize]) -> String {
    if shape.is_empty() {
        return String::new();
    }
    let dims: Vec<String> = shape.iter().map(|n| n.to_string()).collect();
    format!("({})", dims.join(","))
}

/// Lifts the fields of `_anonymous_` members into the class.
fn make_anonymous(cls: &Type) -> PyResult<()> {
    let obj = cls.as_object();
    let Some(names) = obj.get_attr_opt(intern!("_anonymous_"))? else { return Ok(()) };
    let Some(names) = sequence(&names) else { return raise!(TypeError, "_anonymous_ must be a sequence") };
    for name in names {
        let Some(text) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        let descr = obj.get_attr(text)?;
        let Some(field) = descr.downcast::<CField>() else {
            let shown = text.to_str_lossy();
            return raise!(AttributeError, "'{}' is specified in _anonymous_ but not in _fields_", shown);
        };
        field.anonymous.set(true);
        lift_fields(cls, field, field.index, field.field_offset)?;
    }
    Ok(())
}

fn lift_fields(cls: &Type, from: &CField, index: usize, offset: usize) -> PyResult<()> {
    let fields = from.proto.as_object().get_attr(intern!("_fields_"))?;
    let Some(rows) = sequence(&fields) else { return raise!(TypeError, "_fields_ must be a sequence") };
    for pair in rows {
        let (name, _, _) = row(&pair)?;
        let descr = from.proto.as_object().get_attr(&name)?;
        let Some(f) = descr.downcast::<CField>() else { return raise!(TypeError, "unexpected type") };
        if f.anonymous.get() {
            lift_fields(cls, f, index + f.index, offset + f.field_offset)?;
            continue;
        }
        let lifted = CField {
            field_offset: offset + f.field_offset,
            field_size: f.field_size,
            bits: f.bits,
            access: f.access,
            plain: f.plain,
            index: index + f.index,
            anonymous: Cell::new(false),
            proto: f.proto.clone(),
        };
        cls.as_object().set_attr(&name, &lifted.build())?;
    }
    Ok(())
}
