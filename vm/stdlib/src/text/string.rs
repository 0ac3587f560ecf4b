//! `_string`: the pieces of format strings, for `string.Formatter`.

use lh_runtime::prelude::*;
use lh_runtime::str_format::{Access, Key, next_access, next_markup, split_first};

/// The iterator that `formatter_parser` returns.
#[pyclass(name = "formatteriterator", no_new)]
pub struct FormatterIterator {
    text: Owned<Str>,
    pos: std::cell::Cell<usize>,
}

#[pymethods]
impl FormatterIterator {
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<FormatterIterator> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let mut pos = self.pos.get();
        let m = next_markup(&self.text, &mut pos, self.text.len());
        self.pos.set(pos);
        let Some(m) = m? else { return Ok(None) };
        let part = |r: (usize, usize)| self.text.slice(r.0, r.1).into_object();
        let t = match m.field {
            None => (part(m.literal), none(), none(), none()),
            Some(f) => {
                let conversion = f.conversion.map_or_else(none, |c| Str::from_char(c).into_object());
                (part(m.literal), part(f.name), part(f.spec), conversion)
            }
        };
        Ok(Some(t.into_py()?))
    }
}

/// The iterator over the rest of a field name.
#[pyclass(name = "fieldnameiterator", no_new)]
pub struct FieldNameIterator {
    text: Owned<Str>,
    pos: std::cell::Cell<usize>,
}

fn key_object(k: Key) -> Owned<Object> {
    match k {
        Key::Number(n) => Int::from_usize(n).into_object(),
        Key::Name(s) => s.into_object(),
    }
}

#[pymethods]
impl FieldNameIterator {
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<FieldNameIterator> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let mut pos = self.pos.get();
        let a = next_access(&self.text, &mut pos, self.text.len());
        self.pos.set(pos);
        match a? {
            None => Ok(None),
            Some(Access::Attr(s)) => Ok(Some((true, s).into_py()?)),
            Some(Access::Item(k)) => Ok(Some((false, key_object(k)).into_py()?)),
        }
    }
}

/// Parse a format string into (literal text, field name, format specification, conversion) tuples.
#[pyfunction]
fn formatter_parser(string: &Object) -> PyResult<Owned<FormatterIterator>> {
    match string.downcast::<Str>() {
        Some(s) => Ok(FormatterIterator { text: s.own(), pos: 0.into() }.build()),
        None => raise!(TypeError, "expected str, got {}", string.ty().name()),
    }
}
/// Split a field name into its first part and an iterator over the rest.
#[pyfunction]
fn formatter_field_name_split(string: &Object) -> PyResult<(Owned<Object>, Owned<FieldNameIterator>)> {
    let Some(s) = string.downcast::<Str>() else {
        return raise!(TypeError, "expected str, got {}", string.ty().name());
    };
    let (first, pos) = split_first(s, 0, s.len())?;
    Ok((key_object(first), FieldNameIterator { text: s.own(), pos: pos.into() }.build()))
}

fn setup(_: &Module) -> PyResult<()> {
    ready::<FormatterIterator>()?;
    ready::<FieldNameIterator>()?;
    Ok(())
}
module! { "_string", functions: [formatter_parser, formatter_field_name_split], init: setup }
