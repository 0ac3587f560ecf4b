//! Fields of nodes: how each Rust type of the compiler's tree is stored in an attribute and read back.
//!
//! Reading checks as CPython does: a missing attribute is an error unless the grammar marks the field optional, `None` counts as missing
//! for those, lists must be lists, names strings.

use lh_bytecode::{Const, PyInt, Wtf8};
use lh_compiler::ast::*;
use lh_runtime::prelude::*;
use lh_runtime::thread::Thread;
use std::cell::Cell;

/// A node of the tree.
pub trait Node: Sized {
    fn to_py(&self) -> PyResult;
    /// `None` was not excluded by the caller.
    fn from_py(o: &Object) -> PyResult<Self>;
    /// What to say of `None` as a list item.
    fn none_in_list() -> PyResult<Self> {
        Self::from_py(none_ref())
    }
    /// What to say of `None` as the value of a required field.
    fn none_in_field(field: &Str, node: &str) -> PyResult<Self> {
        raise!(ValueError, "field '{}' is required for {}", field.to_str_lossy(), node)
    }
}

/// A field's value.
pub trait Field: Sized {
    fn put(&self) -> PyResult;
    fn get(o: &Object, name: &Str, node: &'static str) -> PyResult<Self>;
}

pub fn missing<T>(name: &Str, node: &str) -> PyResult<T> {
    raise!(TypeError, "required field \"{}\" missing from {}", name.to_str_lossy(), node)
}

/// A required attribute.
pub fn required(o: &Object, name: &Str, node: &str) -> PyResult {
    match o.get_attr_opt(name)? {
        Some(v) => Ok(v),
        None => missing(name, node),
    }
}

/// An optional attribute, `None` if it is absent or `None`.
pub fn optional(o: &Object, name: &Str) -> PyResult<Option<Owned<Object>>> {
    Ok(o.get_attr_opt(name)?.filter(|v| !v.is_none()))
}

// ---- Depth ----

thread_local!(static DEPTH: Cell<usize> = const { Cell::new(0) });

/// One more level of nesting.
pub struct Level(());
impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Trees may be three times as deep as calls.
pub fn enter(what: impl Fn() -> String) -> PyResult<Level> {
    let depth = DEPTH.get() + 1;
    let limit = 3 * Thread::recursion_limit().max(1) as usize;
    if depth > limit || lh_runtime::thread::stack_is_low() {
        return raise!(RecursionError, "maximum recursion depth exceeded {}", what());
    }
    DEPTH.set(depth);
    Ok(Level(()))
}

// ---- Nodes as fields ----

macro_rules! node_field {
    ($($t:ty),*) => { $(
        impl Field for $t {
            fn put(&self) -> PyResult {
                self.to_py()
            }
            fn get(o: &Object, name: &Str, node: &'static str) -> PyResult<Self> {
                let v = required(o, name, node)?;
                if v.is_none() { <$t>::none_in_field(name, node) } else { <$t>::from_py(&v) }
            }
        }
    )* };
}
node_field!(Expr, Arguments, Pattern, Context, BoolOp, Operator, UnaryOp, CmpOp);

impl<T: Field> Field for Box<T> {
    fn put(&self) -> PyResult {
        (**self).put()
    }
    fn get(o: &Object, name: &Str, node: &'static str) -> PyResult<Self> {
        T::get(o, name, node).map(Box::new)
    }
}

impl<T: Node> Field for Option<Box<T>> {
    fn put(&self) -> PyResult {
        self.as_ref().map_or_else(|| Ok(none()), |x| x.to_py())
    }
    fn get(o: &Object, name: &Str, _: &'static str) -> PyResult<Self> {
        optional(o, name)?.map(|v| T::from_py(&v).map(Box::new)).transpose()
    }
}

impl Field for Option<Expr> {
    fn put(&self) -> PyResult {
        self.as_ref().map_or_else(|| Ok(none()), Node::to_py)
    }
    fn get(o: &Object, name: &Str, _: &'static str) -> PyResult<Self> {
        optional(o, name)?.map(|v| Expr::from_py(&v)).transpose()
    }
}

/// List items that may be `None` (`Dict.keys`, `arguments.kw_defaults`).
impl Node for Option<Expr> {
    fn to_py(&self) -> PyResult {
        self.put()
    }
    fn from_py(o: &Object) -> PyResult<Self> {
        if o.is_none() { Ok(None) } else { Expr::from_py(o).map(Some) }
    }
    fn none_in_list() -> PyResult<Self> {
        Ok(None)
    }
}

impl<T: Node> Field for Vec<T> {
    fn put(&self) -> PyResult {
        let mut v = Vec::with_capacity(self.len());
        for x in self {
            v.push(x.to_py()?);
        }
        Ok(List::from_vec(v).into_object())
    }
    fn get(o: &Object, name: &Str, node: &'static str) -> PyResult<Self> {
        let v = required(o, name, node)?;
        let Some(list) = v.downcast::<List>() else {
            return raise!(
                TypeError,
                "{} field \"{}\" must be a list, not a {}",
                node,
                name.to_str_lossy(),
                v.ty().short_name()
            );
        };
        let n = list.len();
        let mut out = Vec::with_capacity(n);
        for i in 0..n {
            let item = list.get(i);
            match item {
                Some(x) if x.is_none() => out.push(T::none_in_list()?),
                Some(x) => out.push(T::from_py(&x)?),
                None => {}
            }
            if list.len() != n {
                return raise!(
                    RuntimeError,
                    "{} field \"{}\" changed size during iteration",
                    node,
                    name.to_str_lossy()
                );
            }
        }
        Ok(out)
    }
}

// ---- Simple values ----

impl Node for Name {
    fn to_py(&self) -> PyResult {
        Ok(Str::interned(self).own().into_object())
    }
    fn from_py(o: &Object) -> PyResult<Self> {
        match o.downcast::<Str>() {
            Some(s) if s.is_exact::<Str>() || Str::check(s) => Ok(s.to_str()?.into()),
            _ => raise!(TypeError, "AST identifier must be of type str"),
        }
    }
}
impl Field for Name {
    fn put(&self) -> PyResult {
        self.to_py()
    }
    fn get(o: &Object, name: &Str, node: &'static str) -> PyResult<Self> {
        let v = required(o, name, node)?;
        if v.is_none() { Name::none_in_field(name, node) } else { Name::from_py(&v) }
    }
}
impl Field for Option<Name> {
    fn put(&self) -> PyResult {
        self.as_ref().map_or_else(|| Ok(none()), Node::to_py)
    }
    fn get(o: &Object, name: &Str, _: &'static str) -> PyResult<Self> {
        optional(o, name)?.map(|v| Name::from_py(&v)).transpose()
    }
}

/// A C `int`.
pub fn int(o: &Object) -> PyResult<i32> {
    let Some(i) = o.downcast::<Int>() else {
        let r = o.repr()?;
        return raise!(ValueError, "invalid integer value: {}", r.to_str_lossy());
    };
    match i.to_i64().and_then(|v| i32::try_from(v).ok()) {
        Some(v) => Ok(v),
        None => raise!(OverflowError, "Python int too large to convert to C int"),
    }
}
impl Field for i32 {
    fn put(&self) -> PyResult {
        self.into_py()
    }
    fn get(o: &Object, name: &Str, node: &'static str) -> PyResult<Self> {
        int(&*required(o, name, node)?)
    }
}
impl Field for bool {
    fn put(&self) -> PyResult {
        (*self as i32).into_py()
    }
    fn get(o: &Object, name: &Str, node: &'static str) -> PyResult<Self> {
        Ok(i32::get(o, name, node)? != 0)
    }
}
/// `ImportFrom.level`: the only optional integer.
impl Field for u32 {
    fn put(&self) -> PyResult {
        self.into_py()
    }
    fn get(o: &Object, name: &Str, _: &'static str) -> PyResult<Self> {
        let level = optional(o, name)?.map_or(Ok(0), |v| int(&v))?;
        match u32::try_from(level) {
            Ok(l) => Ok(l),
            Err(_) => raise!(ValueError, "Negative ImportFrom level"),
        }
    }
}
impl Field for TypeComment {
    fn put(&self) -> PyResult {
        Ok(self.0.as_ref().map_or_else(none, |s| Str::new(s).into_object()))
    }
    fn get(o: &Object, name: &Str, _: &'static str) -> PyResult<Self> {
        Ok(TypeComment(string(o, name)?.map(Into::into)))
    }
}

/// An optional `string`.
pub fn string(o: &Object, name: &Str) -> PyResult<Option<String>> {
    match optional(o, name)? {
        None => Ok(None),
        Some(v) if v.is_exact::<Bytes>() => Ok(Some(String::new())),
        Some(v) => match v.downcast_exact::<Str>() {
            Some(s) => Ok(Some(s.to_str_lossy().into_owned())),
            None => raise!(TypeError, "AST string must be of type str"),
        },
    }
}

// ---- Constants ----

impl Field for Const {
    fn put(&self) -> PyResult {
        let o = lh_runtime::codeobject::const_object(self)?;
        // Short strings of programs come again and again.
        if let Const::Str(s) = self
            && let Some(t) = s.as_str()
            && t.len() < 20
            && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            return Ok(Str::interned(t).own().into_object());
        }
        Ok(o)
    }
    fn get(o: &Object, name: &Str, node: &'static str) -> PyResult<Self> {
        let v = required(o, name, node)?;
        constant(&v)
    }
}

/// The compiler's form of a constant object.
pub fn constant(o: &Object) -> PyResult<Const> {
    let _level = enter(|| "during compilation".into())?;
    let items = |v: Vec<Owned<Object>>| v.iter().map(|x| constant(x)).collect::<PyResult<Vec<_>>>();
    Ok(if o.is_none() {
        Const::None
    } else if o.is_true_object() {
        Const::True
    } else if o.is_false_object() {
        Const::False
    } else if o.is(ellipsis_ref()) {
        Const::Ellipsis
    } else if let Some(i) = o.downcast_exact::<Int>() {
        match i.to_i64() {
            Some(v) => Const::int(v),
            None => Const::Int(PyInt::from_bytes_le(i.is_negative(), &i.magnitude().to_bytes_le())),
        }
    } else if let Some(f) = o.downcast_exact::<Float>() {
        Const::Float(f.value())
    } else if let Some(c) = o.downcast_exact::<Complex>() {
        let (re, im) = c.value();
        Const::Complex(re, im)
    } else if let Some(s) = o.downcast_exact::<Str>() {
        let mut w = Wtf8::new();
        s.chars().for_each(|c| w.push_code_point(c));
        Const::Str(w)
    } else if let Some(b) = o.downcast_exact::<Bytes>() {
        Const::Bytes(b.as_bytes().to_vec())
    } else if let Some(t) = o.downcast_exact::<Tuple>() {
        Const::Tuple(items(t.iter().map(|x| x.own()).collect())?)
    } else if o.is_exact::<FrozenSet>() {
        Const::FrozenSet(items(o.to_items()?)?)
    } else {
        return raise!(TypeError, "got an invalid type in Constant: {}", o.ty().short_name());
    })
}
