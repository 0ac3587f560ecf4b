//! `_operator`: the operators as functions, and `itemgetter`, `attrgetter`, `methodcaller`.

use lh_runtime::prelude::*;
use lh_runtime::{number, reprguard};

module! {
    "_operator",
    doc: "Operator interface.\n\nThis module exports a set of functions implemented in C corresponding\nto the intrinsic operators of Python.  For example, operator.add(x, y)\nis equivalent to the expression x+y.",
    functions: [truth, not_, is_, is_not, lt, le, eq, ne, gt, ge, add, sub, mul, matmul, floordiv, truediv, mod_, pow, lshift, rshift,
        and_, or_, xor, neg, pos, abs, inv, invert, index, iadd, isub, imul, imatmul, ifloordiv, itruediv, imod, ipow, ilshift, irshift,
        iand, ior, ixor, concat, iconcat, contains, countOf, indexOf, getitem, setitem, delitem, length_hint, call, _compare_digest],
    types: [ItemGetter, AttrGetter, MethodCaller],
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident = $f:path;)*) => { $(
        $(#[$doc])*
        #[pyfunction]
        pub fn $name(a: &Object, b: &Object) -> PyResult {
            $f(a, b)
        }
    )* };
}
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident = $f:path;)*) => { $(
        $(#[$doc])*
        #[pyfunction]
        pub fn $name(a: &Object) -> PyResult {
            $f(a)
        }
    )* };
}
macro_rules! compare {
    ($($(#[$doc:meta])* $name:ident = $op:ident;)*) => { $(
        $(#[$doc])*
        #[pyfunction]
        pub fn $name(a: &Object, b: &Object) -> PyResult {
            a.rich_compare(b, CompareOp::$op)
        }
    )* };
}

compare! {
    /// Same as a < b.
    lt = Lt;
    /// Same as a <= b.
    le = Le;
    /// Same as a == b.
    eq = Eq;
    /// Same as a != b.
    ne = Ne;
    /// Same as a > b.
    gt = Gt;
    /// Same as a >= b.
    ge = Ge;
}
binary! {
    /// Same as a + b.
    add = number::add;
    /// Same as a - b.
    sub = number::subtract;
    /// Same as a * b.
    mul = number::multiply;
    /// Same as a @ b.
    matmul = number::matrix_multiply;
    /// Same as a // b.
    floordiv = number::floor_divide;
    /// Same as a / b.
    truediv = number::true_divide;
    /// Same as a << b.
    lshift = number::lshift;
    /// Same as a >> b.
    rshift = number::rshift;
    /// Same as a & b.
    and_ = number::and_;
    /// Same as a | b.
    or_ = number::or_;
    /// Same as a ^ b.
    xor = number::xor;
    /// Same as a += b.
    iadd = number::inplace_add;
    /// Same as a -= b.
    isub = number::inplace_subtract;
    /// Same as a *= b.
    imul = number::inplace_multiply;
    /// Same as a @= b.
    imatmul = number::inplace_matrix_multiply;
    /// Same as a //= b.
    ifloordiv = number::inplace_floor_divide;
    /// Same as a /= b.
    itruediv = number::inplace_true_divide;
    /// Same as a %= b.
    imod = number::inplace_remainder;
    /// Same as a <<= b.
    ilshift = number::inplace_lshift;
    /// Same as a >>= b.
    irshift = number::inplace_rshift;
    /// Same as a &= b.
    iand = number::inplace_and;
    /// Same as a |= b.
    ior = number::inplace_or;
    /// Same as a ^= b.
    ixor = number::inplace_xor;
    /// Same as a[b].
    getitem = Object::get_item;
}
unary! {
    /// Same as -a.
    neg = number::negative;
    /// Same as +a.
    pos = number::positive;
    /// Same as abs(a).
    abs = number::absolute;
    /// Same as ~a.
    inv = number::invert;
    /// Same as ~a.
    invert = number::invert;
}

/// Same as a % b.
#[pyfunction(name = "mod")]
pub fn mod_(a: &Object, b: &Object) -> PyResult {
    number::remainder(a, b)
}
/// Same as a ** b.
#[pyfunction]
pub fn pow(a: &Object, b: &Object) -> PyResult {
    number::power(a, b, none_ref())
}
/// Same as a **= b.
#[pyfunction]
pub fn ipow(a: &Object, b: &Object) -> PyResult {
    number::inplace_power(a, b, none_ref())
}
/// Return True if a is true, False otherwise.
#[pyfunction]
pub fn truth(a: &Object) -> PyResult<bool> {
    a.is_true()
}
/// Same as not a.
#[pyfunction]
pub fn not_(a: &Object) -> PyResult<bool> {
    a.is_true().map(|t| !t)
}
/// Same as a is b.
#[pyfunction]
pub fn is_(a: &Object, b: &Object) -> bool {
    a.is(b)
}
/// Same as a is not b.
#[pyfunction]
pub fn is_not(a: &Object, b: &Object) -> bool {
    !a.is(b)
}
/// Same as a.__index__()
#[pyfunction]
pub fn index(a: &Object) -> PyResult<Owned<Int>> {
    let i = number::index(a)?;
    Ok(i.exact())
}

fn seq_slot(o: &Object, in_place: bool) -> Option<lh_abi::binaryfunc> {
    // SAFETY: a live type's tables.
    unsafe {
        let sq = (*o.ob_type()).tp_as_sequence;
        if sq.is_null() {
            return None;
        }
        in_place.then_some((*sq).sq_inplace_concat).flatten().or((*sq).sq_concat)
    }
}
fn is_sequence(o: &Object) -> bool {
    // SAFETY: a live type's tables.
    unsafe {
        let sq = (*o.ob_type()).tp_as_sequence;
        !Dict::check(o) && !sq.is_null() && (*sq).sq_item.is_some()
    }
}
fn concat_with(a: &Object, b: &Object, in_place: bool) -> PyResult {
    if let Some(f) = seq_slot(a, in_place) {
        // SAFETY: the slot takes two live objects.
        let r: Owned<Object> = unsafe { from_c(f(a.as_ptr(), b.as_ptr()))? };
        return Ok(r);
    }
    // A class that defines __add__ fills the number slot only.
    if is_sequence(a) && is_sequence(b) {
        return if in_place { number::inplace_add(a, b) } else { number::add(a, b) };
    }
    raise!(TypeError, "'{}' object can't be concatenated", a.ty().name())
}
/// Same as a + b, for a and b sequences.
#[pyfunction]
pub fn concat(a: &Object, b: &Object) -> PyResult {
    concat_with(a, b, false)
}
/// Same as a += b, for a and b sequences.
#[pyfunction]
pub fn iconcat(a: &Object, b: &Object) -> PyResult {
    concat_with(a, b, true)
}
/// Same as b in a (note reversed operands).
#[pyfunction]
pub fn contains(a: &Object, b: &Object) -> PyResult<bool> {
    a.contains_item(b)
}
/// Return the number of items in a which are, or which equal, b.
#[pyfunction]
#[allow(non_snake_case)]
pub fn countOf(a: &Object, b: &Object) -> PyResult<usize> {
    let it = a.iterator()?;
    let mut n = 0;
    while let Some(x) = it.iter_next()? {
        n += x.equals_obj(b)? as usize;
    }
    Ok(n)
}
/// Return the first index of b in a.
#[pyfunction]
#[allow(non_snake_case)]
pub fn indexOf(a: &Object, b: &Object) -> PyResult<usize> {
    let it = a.iterator()?;
    let mut n = 0;
    while let Some(x) = it.iter_next()? {
        if x.equals_obj(b)? {
            return Ok(n);
        }
        n += 1;
    }
    raise!(ValueError, "sequence.index(x): x not in sequence")
}
/// Same as a[b] = c.
#[pyfunction]
pub fn setitem(a: &Object, b: &Object, c: &Object) -> PyResult<()> {
    a.set_item_of(b, c)
}
/// Same as del a[b].
#[pyfunction]
pub fn delitem(a: &Object, b: &Object) -> PyResult<()> {
    a.del_item_of(b)
}
/// Return an estimate of the number of items in obj.
///
/// This is useful for presizing containers when building from an iterable.
///
/// If the object supports len(), the result will be exact.
/// Otherwise, it may over- or under-estimate by an arbitrary amount.
/// The result will be an integer >= 0.
#[pyfunction(signature = "(obj, default=0, /)")]
pub fn length_hint(obj: &Object, default: isize) -> PyResult<isize> {
    const UNKNOWN: usize = usize::MAX;
    match obj.length_hint(UNKNOWN)? {
        UNKNOWN => Ok(default),
        n => Ok(n as isize),
    }
}
/// Same as obj(*args, **kwargs).
#[pyfunction(signature = "(obj, /, *args, **kwargs)")]
pub fn call(obj: &Object, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    obj.call_tuple(args, kwargs)
}
/// Return 'a == b'.
///
/// This function uses an approach designed to prevent
/// timing analysis, making it appropriate for cryptography.
///
/// a and b must both be of the same type: either str (ASCII only),
/// or any bytes-like object.
#[pyfunction]
pub fn _compare_digest(a: &Object, b: &Object) -> PyResult<bool> {
    fn same(a: &[u8], b: &[u8]) -> bool {
        // Takes as long as `b` is, whatever is in it.
        let mut diff = (a.len() != b.len()) as u8;
        let other = if a.len() == b.len() { a } else { b };
        for (x, y) in other.iter().zip(b) {
            diff |= std::hint::black_box(x ^ y);
        }
        diff == 0
    }
    if let (Some(x), Some(y)) = (a.downcast::<Str>(), b.downcast::<Str>()) {
        if !x.is_ascii() || !y.is_ascii() {
            return raise!(TypeError, "comparing strings with non-ASCII characters is not supported");
        }
        return Ok(same(x.to_str()?.as_bytes(), y.to_str()?.as_bytes()));
    }
    let view = |o: &Object| -> PyResult<Option<Vec<u8>>> {
        if let Some(x) = o.downcast::<Bytes>() {
            return Ok(Some(x.as_bytes().to_vec()));
        }
        match lh_runtime::errors::catching(exc::TypeError(), || Buffer::simple(o))? {
            Some(b) => Ok(Some(b.to_vec())),
            None => Ok(None),
        }
    };
    match (view(a)?, view(b)?) {
        (Some(x), Some(y)) => Ok(same(&x, &y)),
        _ => raise!(
            TypeError,
            "unsupported operand types(s) or combination of types: '{}' and '{}'",
            a.ty().name(),
            b.ty().name()
        ),
    }
}

// ---- itemgetter ----

/// itemgetter(item, ...) --> itemgetter object
///
/// Return a callable object that fetches the given item(s) from its operand.
/// After f = itemgetter(2), the call f(r) returns r[2].
/// After g = itemgetter(2, 5, 3), the call g(r) returns (r[2], r[5], r[3])
#[pyclass(name = "itemgetter", module = "operator")]
pub struct ItemGetter {
    items: Owned<Tuple>,
    #[notrace]
    entry: lh_abi::vectorcallfunc,
}

/// A kind whose instances are called with one argument, by the vectorcall protocol: `entry` is a field of every instance.
trait Applied: Kind {
    const ENTRY: usize;
    fn apply(&self, o: &Object) -> PyResult;
    fn by_tuple(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult;
}
fn applied<T: Applied>(b: &mut lh_runtime::builder::TypeBuilder) {
    b.flags(lh_abi::Py_TPFLAGS_HAVE_VECTORCALL);
    // SAFETY: the type is being made; the field lies there in every instance.
    unsafe { (*T::type_ptr()).tp_vectorcall_offset = (T::OFFSET + T::ENTRY) as isize }
}
/// The entry: anything but one argument goes through the tuple's way, which has the messages.
unsafe extern "C" fn entry<T: Applied>(
    o: *mut lh_abi::PyObject,
    args: *const *mut lh_abi::PyObject,
    nargsf: usize,
    kwnames: *mut lh_abi::PyObject,
) -> *mut lh_abi::PyObject {
    // SAFETY: called by the vectorcall protocol on an instance of the kind.
    unsafe {
        let me = T::from_object(Object::from_ptr(o));
        let n = nargsf & !lh_abi::PY_VECTORCALL_ARGUMENTS_OFFSET;
        lh_runtime::border::object(|| {
            if n == 1 && kwnames.is_null() {
                return me.apply(Object::from_ptr(*args));
            }
            let (t, kw) = lh_runtime::protocols::as_tuple_and_dict(args, n, kwnames)?;
            me.by_tuple(&t, kw.as_deref())
        })
    }
}

fn one_argument<'a>(args: &'a Tuple, kw: Option<&Dict>, name: &str) -> PyResult<&'a Object> {
    if kw.is_some_and(|k| k.len() > 0) {
        return raise!(TypeError, "{}() takes no keyword arguments", name);
    }
    if args.len() != 1 {
        return raise!(TypeError, "{} expected 1 argument, got {}", name, args.len());
    }
    Ok(args.item_ref(0))
}

impl Applied for ItemGetter {
    const ENTRY: usize = std::mem::offset_of!(ItemGetter, entry);
    fn apply(&self, obj: &Object) -> PyResult {
        if self.items.len() == 1 {
            let key = self.items.item_ref(0);
            if let (Some(t), Some(i)) = (obj.downcast_exact::<Tuple>(), key.downcast_exact::<Int>())
                && let Some(i) = i.to_usize()
                && i < t.len()
            {
                return Ok(t.get(i));
            }
            return obj.get_item(key);
        }
        let mut v = Vec::with_capacity(self.items.len());
        for k in self.items.iter() {
            v.push(obj.get_item(k)?);
        }
        Ok(Tuple::from_vec(v).into_object())
    }
    fn by_tuple(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        self.apply(one_argument(args, kw, "itemgetter")?)
    }
}

#[pymethods(extra = applied::<ItemGetter>)]
impl ItemGetter {
    #[slot(tp_new)]
    fn new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<ItemGetter>> {
        if kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "itemgetter() takes no keyword arguments");
        }
        if args.len() == 0 {
            return raise!(TypeError, "itemgetter expected 1 argument, got 0");
        }
        ItemGetter { items: args.own(), entry: Some(entry::<ItemGetter>) }.build_in(cls)
    }
    #[slot(tp_call)]
    fn call_it(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        self.by_tuple(args, kw)
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<Owned<Str>> {
        show(self, "operator.itemgetter", &self.items, None)
    }
    /// Return state information for pickling
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, Owned<Tuple>) {
        (self.ty().own(), self.items.clone())
    }
}

fn show(o: &Object, name: &str, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<Str>> {
    reprguard::guarded(o, || {
        let mut b = StrBuilder::new();
        b.push_str(name);
        b.push_str("(");
        for (i, a) in args.iter().enumerate() {
            if i > 0 {
                b.push_str(", ");
            }
            b.push_obj(&*a.repr()?);
        }
        if let Some(kw) = kw {
            for (k, v) in kw.items_vec() {
                b.push_str(", ");
                b.push_obj(&*k.str()?);
                b.push_str("=");
                b.push_obj(&*v.repr()?);
            }
        }
        b.push_str(")");
        Ok(b.finish())
    })
    .unwrap_or_else(|| Ok(Str::new(&format!("{name}(...)"))))
}

// ---- attrgetter ----

/// attrgetter(attr, ...) --> attrgetter object
///
/// Return a callable object that fetches the given attribute(s) from its operand.
/// After f = attrgetter('name'), the call f(r) returns r.name.
/// After g = attrgetter('name', 'date'), the call g(r) returns (r.name, r.date).
/// After h = attrgetter('name.first', 'name.last'), the call h(r) returns
/// (r.name.first, r.name.last).
#[pyclass(name = "attrgetter", module = "operator")]
pub struct AttrGetter {
    names: Owned<Tuple>,
    /// Each name, split at its dots.
    paths: Vec<Vec<Owned<Str>>>,
    #[notrace]
    entry: lh_abi::vectorcallfunc,
}

impl AttrGetter {
    fn follow(&self, obj: &Object, path: &[Owned<Str>]) -> PyResult {
        let mut o = obj.get_attr(&path[0])?;
        for name in &path[1..] {
            o = o.get_attr(name)?;
        }
        Ok(o)
    }
}

impl Applied for AttrGetter {
    const ENTRY: usize = std::mem::offset_of!(AttrGetter, entry);
    fn apply(&self, obj: &Object) -> PyResult {
        if self.paths.len() == 1 {
            return self.follow(obj, &self.paths[0]);
        }
        let v = self.paths.iter().map(|p| self.follow(obj, p)).collect::<PyResult<Vec<_>>>()?;
        Ok(Tuple::from_vec(v).into_object())
    }
    fn by_tuple(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        self.apply(one_argument(args, kw, "attrgetter")?)
    }
}

#[pymethods(extra = applied::<AttrGetter>)]
impl AttrGetter {
    #[slot(tp_new)]
    fn new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<AttrGetter>> {
        if kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "attrgetter() takes no keyword arguments");
        }
        if args.len() == 0 {
            return raise!(TypeError, "attrgetter expected 1 argument, got 0");
        }
        let mut paths = vec![];
        for a in args.iter() {
            let Some(s) = a.downcast::<Str>() else {
                return raise!(TypeError, "attribute name must be a string");
            };
            let mut path = vec![];
            let mut start = 0;
            for i in 0..=s.len() {
                if i == s.len() || s.char_at(i) == '.' as u32 {
                    path.push(Str::intern(s.slice(start, i)));
                    start = i + 1;
                }
            }
            paths.push(path);
        }
        AttrGetter { names: args.own(), paths, entry: Some(entry::<AttrGetter>) }.build_in(cls)
    }
    #[slot(tp_call)]
    fn call_it(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        self.by_tuple(args, kw)
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<Owned<Str>> {
        show(self, "operator.attrgetter", &self.names, None)
    }
    /// Return state information for pickling
    #[pymethod]
    fn __reduce__(&self) -> (Owned<Type>, Owned<Tuple>) {
        (self.ty().own(), self.names.clone())
    }
}

// ---- methodcaller ----

/// methodcaller(name, ...) --> methodcaller object
///
/// Return a callable object that calls the given method on its operand.
/// After f = methodcaller('name'), the call f(r) returns r.name().
/// After g = methodcaller('name', 'date', foo=1), the call g(r) returns
/// r.name('date', foo=1).
#[pyclass(name = "methodcaller", module = "operator")]
pub struct MethodCaller {
    name: Owned<Str>,
    args: Owned<Tuple>,
    kw: Option<Owned<Dict>>,
}

#[pymethods]
impl MethodCaller {
    #[slot(tp_new)]
    fn new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<MethodCaller>> {
        if args.len() < 1 {
            return raise!(TypeError, "methodcaller needs at least one argument, the method name");
        }
        let Some(name) = args.item_ref(0).downcast::<Str>() else {
            return raise!(TypeError, "method name must be a string");
        };
        let name = if name.is_exact::<Str>() { Str::intern(name.own()) } else { name.own() };
        let kw = kw.filter(|k| k.len() > 0).map(|k| k.copy());
        MethodCaller { name, args: args.slice(1, args.len()), kw }.build_in(cls)
    }
    #[slot(tp_call)]
    fn call_it(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        let obj = one_argument(args, kw, "methodcaller")?;
        obj.get_attr(&self.name)?.call_tuple(&self.args, self.kw.as_deref())
    }
    #[slot(tp_repr)]
    fn repr(&self) -> PyResult<Owned<Str>> {
        let mut v = vec![self.name.own().into_object()];
        v.extend(self.args.iter().map(|a| a.own()));
        show(self, "operator.methodcaller", &Tuple::from_vec(v), self.kw.as_deref())
    }
    /// Return state information for pickling
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        let mut v = vec![self.name.own().into_object()];
        match &self.kw {
            None => {
                v.extend(self.args.iter().map(|a| a.own()));
                Ok(Tuple::pair(self.ty().own().into_object(), Tuple::from_vec(v).into_object()))
            }
            Some(kw) => {
                // functools.partial(methodcaller, name, **kwargs)
                let partial = lh_runtime::hooks::import_module("functools")?.get_attr(intern!("partial"))?;
                let head = Tuple::pair(self.ty().own().into_object(), self.name.own().into_object());
                let maker = partial.call_tuple(&head, Some(kw))?;
                Ok(Tuple::pair(maker, self.args.own().into_object()))
            }
        }
    }
}
