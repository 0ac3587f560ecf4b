//! `types.GenericAlias` (`list[int]`) and `types.UnionType` (`int | str`).
//!
//! An alias behaves like its origin: attributes are the origin's, calling it calls the origin. Type variables among the arguments are
//! whatever has `__typing_subst__`; substituting them follows the protocol of `typing`.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{Payload, StrBuilder, exc, ready};
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::{gc, intern, kind, pyclass, pymethods, raise, typeobject};
use lh_abi::*;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct GenericAliasObject {
    pub ob_base: PyObject,
    pub origin: *mut PyObject,
    pub args: *mut PyObject,
    /// Computed on first use.
    pub parameters: *mut PyObject,
    pub weakreflist: *mut PyObject,
    pub starred: bool,
    pub vectorcall: vectorcallfunc,
}
kind!(/** `types.GenericAlias` */ GenericAlias: GenericAliasObject, crate::type_table::Py_GenericAliasType);

/// Attributes that are the alias's own, not the origin's.
const OWN: &[&str] = &[
    "__class__",
    "__bases__",
    "__origin__",
    "__args__",
    "__unpacked__",
    "__parameters__",
    "__typing_unpacked_tuple_args__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
    "__copy__",
    "__deepcopy__",
];

/// `types.GenericAlias(origin, args)`; `args` that are no tuple stand for one argument.
pub fn new(origin: &Object, args: &Object) -> PyResult {
    Ok(make(GenericAlias::class(), origin, args, false)?.into_object())
}

fn make(cls: &Type, origin: &Object, args: &Object, starred: bool) -> PyResult<Owned<GenericAlias>> {
    let args = match args.downcast::<Tuple>() {
        Some(t) => t.own(),
        None => Tuple::from_refs(&[args]),
    };
    // SAFETY: a new object whose fields take over the references.
    unsafe {
        let p = typeobject::alloc(cls.tp(), 0)?;
        let g = p.cast::<GenericAliasObject>();
        (*g).origin = origin.own().into_raw();
        (*g).args = args.into_raw();
        (*g).starred = starred;
        Ok(Owned::from_raw(p))
    }
}

impl GenericAlias {
    pub fn origin(&self) -> &Object {
        // SAFETY: the field is set once.
        unsafe { Object::from_ptr((*self.as_struct()).origin) }
    }
    pub fn args(&self) -> &Tuple {
        // SAFETY: the field is set once.
        unsafe { Object::from_ptr((*self.as_struct()).args).downcast_unchecked() }
    }
    fn starred(&self) -> bool {
        // SAFETY: a plain field.
        unsafe { (*self.as_struct()).starred }
    }
    fn parameters(&self) -> PyResult<Owned<Tuple>> {
        // SAFETY: the field is null or a tuple.
        unsafe {
            let g = self.as_struct();
            if (*g).parameters.is_null() {
                let p = make_parameters(self.args())?;
                if (*g).parameters.is_null() {
                    (*g).parameters = p.into_raw();
                }
            }
            Ok(Object::from_ptr((*g).parameters).downcast_unchecked::<Tuple>().own())
        }
    }
}

/// The type variables among `args`, each once.
pub(crate) fn make_parameters(args: &Tuple) -> PyResult<Owned<Tuple>> {
    let mut v: Vec<Owned<Object>> = vec![];
    let add = |v: &mut Vec<Owned<Object>>, t: &Object| {
        if !v.iter().any(|x| x.is(t)) {
            v.push(t.own())
        }
    };
    for t in args.iter() {
        if Type::check(t) {
            continue;
        }
        if t.get_attr_opt(intern!("__typing_subst__"))?.is_some() {
            add(&mut v, t);
        } else if let Some(sub) = t.get_attr_opt(intern!("__parameters__"))?
            && let Some(sub) = sub.downcast::<Tuple>()
        {
            sub.iter().for_each(|p| add(&mut v, p));
        }
    }
    Ok(Tuple::from_vec(v))
}

/// Flattens unpacked tuples among the subscript's items.
fn unpack_args(item: &Object) -> PyResult<Vec<Owned<Object>>> {
    let items: Vec<Owned<Object>> = match item.downcast::<Tuple>() {
        Some(t) => t.iter().map(|o| o.own()).collect(),
        None => vec![item.own()],
    };
    let mut out = vec![];
    for x in items {
        if !Type::check(&x)
            && let Some(sub) = x.get_attr_opt(intern!("__typing_unpacked_tuple_args__"))?
            && let Some(sub) = sub.downcast::<Tuple>()
            && !(sub.len() > 0 && sub.item_ref(sub.len() - 1).is(ellipsis_ref()))
        {
            out.extend(sub.iter().map(|o| o.own()));
            continue;
        }
        out.push(x);
    }
    Ok(out)
}

fn is_unpacked(t: &Object) -> PyResult<bool> {
    if Type::check(t) {
        return Ok(false);
    }
    match t.get_attr_opt(intern!("__typing_is_unpacked_typevartuple__"))? {
        Some(r) => r.is_true(),
        None => Ok(false),
    }
}

/// Replaces the type variables inside `obj` (which is not one itself).
fn subs_tvars(obj: Owned<Object>, params: &Tuple, items: &[Owned<Object>]) -> PyResult {
    let Some(sub) = obj.get_attr_opt(intern!("__parameters__"))? else { return Ok(obj) };
    let Some(sub) = sub.downcast::<Tuple>().filter(|t| t.len() > 0) else { return Ok(obj) };
    let mut args: Vec<Owned<Object>> = vec![];
    for p in sub.iter() {
        match params.iter().position(|q| q.is(p)) {
            Some(i) => {
                let arg = &items[i];
                // SAFETY: a live type's slot. (A type variable that iterates stands for several types.)
                let many = unsafe { (*p.ob_type()).tp_iter.is_some() };
                match arg.downcast::<Tuple>() {
                    Some(t) if many => args.extend(t.iter().map(|o| o.own())),
                    _ => args.push(arg.own()),
                }
            }
            None => args.push(p.own()),
        }
    }
    obj.get_item(&Tuple::from_vec(args))
}

/// The arguments of `whole[item]`.
pub(crate) fn subs_parameters(
    whole: &Object,
    args: &Tuple,
    params: &Tuple,
    item: &Object,
) -> PyResult<Owned<Tuple>> {
    if params.len() == 0 {
        return raise!(TypeError, "{} is not a generic class", whole.repr()?.to_str_lossy());
    }
    let mut item: Owned<Object> = Tuple::from_vec(unpack_args(item)?).into_object();
    for p in params.iter() {
        if let Some(prepare) = p.get_attr_opt(intern!("__typing_prepare_subst__"))? {
            let arg = match item.downcast::<Tuple>() {
                Some(_) => item.clone(),
                None => Tuple::from_refs(&[&*item]).into_object(),
            };
            item = prepare.call(&[whole, &arg])?;
        }
    }
    let items: Vec<Owned<Object>> = match item.downcast::<Tuple>() {
        Some(t) => t.iter().map(|o| o.own()).collect(),
        None => vec![item.own()],
    };
    if items.len() != params.len() {
        return raise!(
            TypeError,
            "Too {} arguments for {}; actual {}, expected {}",
            if items.len() > params.len() { "many" } else { "few" },
            whole.repr()?.to_str_lossy(),
            items.len(),
            params.len()
        );
    }
    let mut out: Vec<Owned<Object>> = vec![];
    for arg in args.iter() {
        if Type::check(arg) {
            out.push(arg.own());
            continue;
        }
        let unpack = is_unpacked(arg)?;
        let new = match arg.get_attr_opt(intern!("__typing_subst__"))? {
            Some(subst) => {
                let i = params.iter().position(|q| q.is(arg)).expect("its variables are the parameters");
                subst.call1(&items[i])?
            }
            None => subs_tvars(arg.own(), params, &items)?,
        };
        if unpack {
            match new.downcast::<Tuple>() {
                Some(t) => out.extend(t.iter().map(|o| o.own())),
                None => {
                    return raise!(
                        TypeError,
                        "expected __typing_subst__ of {} objects to return a tuple, not {}",
                        arg.ty().name(),
                        new.ty().name()
                    );
                }
            }
        } else {
            out.push(new);
        }
    }
    Ok(Tuple::from_vec(out))
}

/// One argument as `repr` shows it.
pub(crate) fn repr_item(b: &mut StrBuilder, p: &Object) -> PyResult<()> {
    if p.is(ellipsis_ref()) {
        b.push_str("...");
        return Ok(());
    }
    let alias =
        p.get_attr_opt(intern!("__origin__"))?.is_some() && p.get_attr_opt(intern!("__args__"))?.is_some();
    if !alias
        && let Some(q) = p.get_attr_opt(intern!("__qualname__"))?
        && let Some(m) = p.get_attr_opt(intern!("__module__"))?
        && !m.is_none()
    {
        let q = q.str()?;
        if !m.downcast::<Str>().is_some_and(|m| m.equals_str("builtins")) {
            b.push_obj(&*m.str()?);
            b.push_str(".");
        }
        b.push_obj(&q);
        return Ok(());
    }
    b.push_obj(&*p.repr()?);
    Ok(())
}

#[pymethods(extra = alias_extra)]
impl GenericAlias {
    #[slot(tp_new)]
    fn py_new(cls: &Type, args: &Tuple, kw: Option<&Dict>) -> PyResult<Owned<GenericAlias>> {
        if kw.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "GenericAlias() takes no keyword arguments");
        }
        if args.len() != 2 {
            return raise!(TypeError, "GenericAlias expected 2 arguments, got {}", args.len());
        }
        make(cls, args.item_ref(0), args.item_ref(1), false)
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        let mut b = StrBuilder::new();
        if self.starred() {
            b.push_str("*");
        }
        repr_item(&mut b, self.origin())?;
        b.push_str("[");
        for (i, a) in self.args().iter().enumerate() {
            if i > 0 {
                b.push_str(", ");
            }
            repr_item(&mut b, a)?;
        }
        if self.args().len() == 0 {
            b.push_str("()");
        }
        b.push_str("]");
        Ok(b.finish())
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        Ok(self.origin().hash_obj()? ^ self.args().hash_obj()?)
    }
    #[slot(tp_call)]
    fn call_origin(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult {
        let obj = self.origin().call_tuple(args, kw)?;
        if let Err(e) = obj.set_attr(intern!("__orig_class__"), self) {
            if !e.matches(exc::AttributeError()) && !e.matches(exc::TypeError()) {
                return Err(e);
            }
            e.clear();
        }
        Ok(obj)
    }
    #[slot(tp_getattro)]
    fn getattro(&self, name: &Object) -> PyResult {
        let Some(n) = name.downcast::<Str>() else {
            return raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name());
        };
        if OWN.iter().any(|x| n.equals_str(x)) { self.generic_get_attr(n) } else { self.origin().get_attr(n) }
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        let Some(o) = other.downcast::<GenericAlias>() else { return Ok(not_implemented()) };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(not_implemented());
        }
        let same = self.starred() == o.starred()
            && self.origin().equals_obj(o.origin())?
            && self.args().equals_obj(o.args())?;
        Ok(bool_obj(same == (op == CompareOp::Eq)))
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<AliasIter> {
        AliasIter { alias: Slot::of(self.own().into_object()) }.build()
    }
    #[slot(mp_subscript)]
    fn subscript(&self, item: &Object) -> PyResult {
        let params = self.parameters()?;
        let args = subs_parameters(self, self.args(), &params, item)?;
        Ok(make(GenericAlias::class(), self.origin(), &args, self.starred())?.into_object())
    }
    #[slot(nb_or)]
    fn nb_or(a: &Object, b: &Object) -> PyResult {
        union_or(a, b)
    }
    #[pymethod]
    fn __mro_entries__(&self, _bases: &Object) -> (Owned<Object>,) {
        (self.origin().own(),)
    }
    #[pymethod]
    fn __instancecheck__(&self, _instance: &Object) -> PyResult {
        raise!(TypeError, "isinstance() argument 2 cannot be a parameterized generic")
    }
    #[pymethod]
    fn __subclasscheck__(&self, _class: &Object) -> PyResult {
        raise!(TypeError, "issubclass() argument 2 cannot be a parameterized generic")
    }
    /// Return state information for pickling.
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        if self.starred() {
            let plain = new(self.origin(), self.args())?;
            let it = plain.iterator()?;
            let next = crate::iterobject::builtin("next")?;
            return Ok(Tuple::pair(next, Tuple::from_refs(&[&*it]).into_object()));
        }
        let args = Tuple::from_refs(&[self.origin(), self.args()]);
        Ok(Tuple::pair(self.ty().own().into_object(), args.into_object()))
    }
    #[pymethod]
    fn __dir__(&self) -> PyResult<Owned<List>> {
        let d = self.origin().dir()?;
        for n in OWN {
            let s = Str::new(n);
            if !d.contains_item(&s)? {
                d.push(s.into_object());
            }
        }
        Ok(d)
    }
    #[getter(__parameters__)]
    fn get_parameters(&self) -> PyResult<Owned<Tuple>> {
        self.parameters()
    }
    #[getter(__typing_unpacked_tuple_args__)]
    fn get_unpacked_args(&self) -> Option<Owned<Tuple>> {
        (self.starred() && self.origin().as_ptr() == Tuple::type_ptr().cast()).then(|| self.args().own())
    }
    #[slot(tp_traverse)]
    fn traverse(&self, v: &mut Visitor) {
        // SAFETY: reading the fields.
        unsafe {
            let g = self.as_struct();
            v.visit_ptr((*g).origin);
            v.visit_ptr((*g).args);
            v.visit_ptr((*g).parameters);
        }
    }
    #[slot(tp_dealloc)]
    fn dealloc(o: *mut PyObject) {
        // SAFETY: called once, when the count has reached zero.
        unsafe {
            gc::untrack(o);
            let g = o.cast::<GenericAliasObject>();
            if !(*g).weakreflist.is_null() {
                crate::weakref::clear_weakrefs(o);
            }
            xdecref((*g).origin);
            xdecref((*g).args);
            xdecref((*g).parameters);
            typeobject::free_instance(o);
        }
    }
}

fn alias_extra(b: &mut crate::builder::TypeBuilder) {
    use core::mem::offset_of;
    b.member(c"__origin__", T_OBJECT, offset_of!(GenericAliasObject, origin), READONLY);
    b.member(c"__args__", T_OBJECT, offset_of!(GenericAliasObject, args), READONLY);
    b.member(c"__unpacked__", T_BOOL, offset_of!(GenericAliasObject, starred), READONLY);
    b.doc(c"Represent a PEP 585 generic type\n\nE.g. for t = list[int], t.__origin__ is list and t.__args__ is (int,).");
    // Calls go through tp_call: the vectorcall field of an instance stays empty.
    // SAFETY: the type is being built.
    unsafe { (*b.ty).tp_flags &= !Py_TPFLAGS_HAVE_VECTORCALL };
}

/// `iter(alias)`: yields the unpacked alias once.
#[pyclass(name = "generic_alias_iterator", no_new)]
pub struct AliasIter {
    alias: Slot,
}

#[pymethods]
impl AliasIter {
    #[slot(tp_iter)]
    fn py_iter(&self) -> Owned<AliasIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let Some(a) = self.alias.take() else { return Ok(None) };
        let Some(g) = a.downcast::<GenericAlias>() else { return Ok(None) };
        Ok(Some(make(GenericAlias::class(), g.origin(), g.args(), true)?.into_object()))
    }
    #[pymethod]
    fn __reduce__(&self) -> PyResult<Owned<Tuple>> {
        let iter = crate::iterobject::builtin("iter")?;
        let arg = match self.alias.get() {
            Some(a) => a,
            None => Tuple::empty().into_object(),
        };
        Ok(Tuple::pair(iter, Tuple::from_refs(&[&*arg]).into_object()))
    }
}

// ---- Unions ----

/// Represent a PEP 604 union type
///
/// E.g. for int | str
#[pyclass(name = "UnionType", module = "types", no_new)]
pub struct Union {
    args: Owned<Tuple>,
    parameters: Slot<Tuple>,
}

impl Union {
    /// The union's members.
    pub fn members(&self) -> &Tuple {
        &self.args
    }
}

fn unionable(o: &Object) -> bool {
    o.is_none() || Type::check(o) || GenericAlias::check(o) || Union::check(o)
}

/// `a | b` for types; `NotImplemented` for anything else.
pub fn union_or(a: &Object, b: &Object) -> PyResult {
    if !unionable(a) || !unionable(b) {
        return Ok(not_implemented());
    }
    make_union(&[a, b])
}

fn make_union(items: &[&Object]) -> PyResult {
    let mut v: Vec<Owned<Object>> = vec![];
    let mut add = |o: &Object| -> PyResult<()> {
        let o: &Object = if o.is_none() {
            // SAFETY: a static type object.
            unsafe { Object::from_ptr((&raw mut crate::type_table::_PyNone_Type).cast()) }
        } else {
            o
        };
        for x in &v {
            let same =
                if GenericAlias::check(x) && GenericAlias::check(o) { x.equals_obj(o)? } else { x.is(o) };
            if same {
                return Ok(());
            }
        }
        v.push(o.own());
        Ok(())
    };
    for o in items {
        match o.downcast::<Union>() {
            Some(u) => u.args.iter().try_for_each(&mut add)?,
            None => add(o)?,
        }
    }
    if v.len() == 1 {
        return Ok(v.pop().expect("one"));
    }
    Ok(Union { args: Tuple::from_vec(v), parameters: Slot::empty() }.build().into_object())
}

impl Union {
    fn params(&self) -> PyResult<Owned<Tuple>> {
        if let Some(p) = self.parameters.get() {
            return Ok(p);
        }
        let p = make_parameters(&self.args)?;
        self.parameters.set(Some(p.clone()));
        Ok(p)
    }
    fn check_each(&self, what: &str, f: impl Fn(&Object) -> PyResult<bool>) -> PyResult<bool> {
        if self.args.iter().any(GenericAlias::check) {
            return raise!(TypeError, "{} argument 2 cannot be a parameterized generic", what);
        }
        for t in self.args.iter() {
            if Type::check(t) && f(t)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[pymethods]
impl Union {
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        let mut b = StrBuilder::new();
        for (i, a) in self.args.iter().enumerate() {
            if i > 0 {
                b.push_str(" | ");
            }
            if a.as_ptr() == (&raw mut crate::type_table::_PyNone_Type).cast() {
                b.push_str("None");
            } else {
                repr_item(&mut b, a)?;
            }
        }
        Ok(b.finish())
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        FrozenSet::from_iterable(&self.args)?.hash_obj()
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast::<Union>() {
            Some(o) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                let (a, b) = (Set::from_iterable(&self.args)?, Set::from_iterable(&o.args)?);
                a.rich_compare(&b, op)
            }
            _ => Ok(not_implemented()),
        }
    }
    #[slot(tp_getattro)]
    fn getattro(&self, name: &Object) -> PyResult {
        match name.downcast::<Str>() {
            Some(n) if n.equals_str("__module__") => self.ty().get_attr(n),
            Some(n) => self.generic_get_attr(n),
            None => raise!(TypeError, "attribute name must be string, not '{}'", name.ty().name()),
        }
    }
    #[slot(nb_or)]
    fn nb_or(a: &Object, b: &Object) -> PyResult {
        union_or(a, b)
    }
    #[slot(mp_subscript)]
    fn subscript(&self, item: &Object) -> PyResult {
        let params = self.params()?;
        let args = subs_parameters(self, &self.args, &params, item)?;
        let mut r = args.get(0);
        for a in args.iter().skip(1) {
            r = crate::number::or_(&r, a)?;
        }
        Ok(r)
    }
    #[pymethod]
    fn __instancecheck__(&self, instance: &Object) -> PyResult<bool> {
        self.check_each("isinstance()", |t| instance.is_instance(t))
    }
    #[pymethod]
    fn __subclasscheck__(&self, class: &Object) -> PyResult<bool> {
        if !Type::check(class) {
            return raise!(TypeError, "issubclass() arg 1 must be a class");
        }
        self.check_each("issubclass()", |t| class.is_subclass(t))
    }
    #[getter(__args__)]
    fn get_args(&self) -> Owned<Tuple> {
        self.args.clone()
    }
    #[getter(__parameters__)]
    fn get_parameters(&self) -> PyResult<Owned<Tuple>> {
        self.params()
    }
}

pub fn init() -> PyResult<()> {
    ready::<GenericAlias>()?;
    ready::<AliasIter>()?;
    ready::<Union>()?;
    Ok(())
}
