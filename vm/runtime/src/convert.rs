//! Conversions between Python arguments/results and Rust values, used by the wrappers that the macros make.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::raise;
use crate::singletons::*;

/// Which argument of which function is being converted: for error messages.
#[derive(Clone, Copy)]
pub struct ArgCtx<'a> {
    /// `math.gcd`-style or plain function name.
    pub func: &'a str,
    /// 1-based position.
    pub pos: usize,
    /// The parameter's name, for parameters that may be given by keyword.
    pub name: Option<&'a str>,
}

impl ArgCtx<'_> {
    /// "f() argument 1" / "f() argument 'x'", as CPython's argument clinic words it.
    pub fn label(&self) -> String {
        match (self.name, self.pos) {
            (Some(n), _) => format!("{}() argument '{}'", self.func, n),
            (None, 0) => format!("{}() argument", self.func),
            (None, p) => format!("{}() argument {}", self.func, p),
        }
    }
    pub fn type_error(&self, expected: &str, got: &Object) -> Raised {
        let got = if got.is_none() { "None".to_string() } else { got.ty().name() };
        crate::raised!(TypeError, "{} must be {}, not {}", self.label(), expected, got)
    }
}

/// A Rust parameter made from a Python argument.
pub trait FromPy<'a>: Sized {
    fn from_py(o: &'a Object, ctx: ArgCtx<'_>) -> PyResult<Self>;
}

impl<'a, T: Kind> FromPy<'a> for &'a T {
    fn from_py(o: &'a Object, ctx: ArgCtx<'_>) -> PyResult<Self> {
        o.downcast::<T>().ok_or_else(|| {
            // SAFETY: tp_name of a ready type is a C string.
            let name = unsafe { core::ffi::CStr::from_ptr((*T::type_ptr()).tp_name) }.to_string_lossy();
            ctx.type_error(&name, o)
        })
    }
}
impl<'a, T: Kind> FromPy<'a> for Owned<T> {
    fn from_py(o: &'a Object, ctx: ArgCtx<'_>) -> PyResult<Self> {
        <&'a T>::from_py(o, ctx).map(|x| x.own())
    }
}
/// An argument that may be `None`: `Nullable<&Str>`.
pub struct Nullable<T>(pub Option<T>);
impl<'a, T: FromPy<'a>> FromPy<'a> for Nullable<T> {
    fn from_py(o: &'a Object, ctx: ArgCtx<'_>) -> PyResult<Self> {
        if o.is_none() { Ok(Nullable(None)) } else { T::from_py(o, ctx).map(|x| Nullable(Some(x))) }
    }
}

/// Truth value, as the `p` format unit takes it.
impl<'a> FromPy<'a> for bool {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        o.is_true()
    }
}
impl<'a> FromPy<'a> for f64 {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        crate::number::as_f64(o)
    }
}
impl<'a> FromPy<'a> for String {
    fn from_py(o: &'a Object, ctx: ArgCtx<'_>) -> PyResult<Self> {
        <&'a str>::from_py(o, ctx).map(str::to_string)
    }
}
impl<'a> FromPy<'a> for &'a str {
    fn from_py(o: &'a Object, ctx: ArgCtx<'_>) -> PyResult<Self> {
        match o.downcast::<Str>() {
            Some(s) => s.to_str(),
            None => Err(ctx.type_error("str", o)),
        }
    }
}
macro_rules! from_py_int {
    ($($t:ty, $cname:literal);*) => { $(
        impl<'a> FromPy<'a> for $t {
            fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
                let i = crate::number::index(o)?;
                match i.to_i128().and_then(|v| <$t>::try_from(v).ok()) {
                    Some(v) => Ok(v),
                    None => raise!(OverflowError, "Python int too large to convert to C {}", $cname),
                }
            }
        }
    )* };
}
from_py_int!(i64, "long"; isize, "ssize_t"; u64, "unsigned long"; usize, "size_t");
/// C `int`s say whether they are too large or too small.
macro_rules! from_py_small {
    ($($t:ty, $cname:literal);*) => { $(
        impl<'a> FromPy<'a> for $t {
            fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
                let i = crate::number::index(o)?;
                match i.to_i128().and_then(|v| i64::try_from(v).ok()) {
                    None => raise!(OverflowError, "Python int too large to convert to C long"),
                    Some(v) => match <$t>::try_from(v) {
                        Ok(v) => Ok(v),
                        Err(_) if v > 0 => raise!(OverflowError, "signed integer is greater than maximum"),
                        Err(_) => raise!(OverflowError, "signed integer is less than minimum"),
                    },
                }
            }
        }
    )* };
}
from_py_small!(i32, "int"; u32, "unsigned int"; i16, "short"; u16, "unsigned short"; u8, "unsigned char"; i8, "char");

/// A one-character string.
impl<'a> FromPy<'a> for char {
    fn from_py(o: &'a Object, ctx: ArgCtx<'_>) -> PyResult<Self> {
        match o.downcast::<Str>() {
            Some(s) if s.len() == 1 => Ok(char::from_u32(s.char_at(0)).unwrap_or('\u{fffd}')),
            _ => Err(ctx.type_error("a unicode character", o)),
        }
    }
}

// ---- Results ----

/// A Rust value as a Python object.
pub trait IntoPy {
    fn into_py(self) -> PyResult<Owned<Object>>;
}
impl<T: Kind> IntoPy for Owned<T> {
    #[inline]
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(self.into_object())
    }
}
impl<T: Kind> IntoPy for &T {
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(self.own().into_object())
    }
}
impl<T: IntoPy> IntoPy for PyResult<T> {
    #[inline]
    fn into_py(self) -> PyResult<Owned<Object>> {
        self.and_then(T::into_py)
    }
}
impl<T: IntoPy> IntoPy for Option<T> {
    fn into_py(self) -> PyResult<Owned<Object>> {
        match self {
            Some(x) => x.into_py(),
            None => Ok(none()),
        }
    }
}
impl IntoPy for () {
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(none())
    }
}
impl IntoPy for bool {
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(bool_obj(self))
    }
}
impl IntoPy for f64 {
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(Float::new(self).into_object())
    }
}
macro_rules! int_into_py {
    ($($t:ty => $via:ident as $w:ty),*) => { $(
        impl IntoPy for $t {
            fn into_py(self) -> PyResult<Owned<Object>> {
                Ok(Int::$via(self as $w).into_object())
            }
        }
    )* };
}
int_into_py!(i8 => from_i64 as i64, i16 => from_i64 as i64, i32 => from_i64 as i64, i64 => from_i64 as i64,
    isize => from_i64 as i64, u8 => from_i64 as i64, u16 => from_i64 as i64, u32 => from_i64 as i64,
    u64 => from_u64 as u64, usize => from_u64 as u64);
impl IntoPy for &str {
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(Str::new(self).into_object())
    }
}
impl IntoPy for String {
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(Str::new(&self).into_object())
    }
}
impl IntoPy for &[u8] {
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(Bytes::new(self).into_object())
    }
}
impl IntoPy for Vec<u8> {
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(Bytes::new(&self).into_object())
    }
}
impl IntoPy for Vec<Owned<Object>> {
    fn into_py(self) -> PyResult<Owned<Object>> {
        Ok(List::from_vec(self).into_object())
    }
}
macro_rules! tuple_into_py {
    ($($n:ident $i:tt),*) => {
        impl<$($n: IntoPy),*> IntoPy for ($($n,)*) {
            fn into_py(self) -> PyResult<Owned<Object>> {
                let items = [$(self.$i.into_py()?),*].map(Owned::into_raw);
                // SAFETY: the references become the tuple's.
                unsafe { Tuple::of_counts(items.as_ptr(), items.len()).map(Owned::into_object) }
            }
        }
    };
}
tuple_into_py!(A 0);
tuple_into_py!(A 0, B 1);
tuple_into_py!(A 0, B 1, C 2);
tuple_into_py!(A 0, B 1, C 2, D 3);
tuple_into_py!(A 0, B 1, C 2, D 3, E 4);
tuple_into_py!(A 0, B 1, C 2, D 3, E 4, F 5);
