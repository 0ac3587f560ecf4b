//! What has no form of its own: objects by `__reduce_ex__`, classes and functions by name.

use super::code::*;
use super::pickler::Pickler;
use super::{dict_of_module, of_module};
use crate::pickling;
use lh_runtime::prelude::*;

/// The attribute path `a.b.c`; a function's local has none.
fn path_of(name: &Str, inside: Option<&Object>) -> PyResult<Vec<String>> {
    let text = name.to_str_lossy().into_owned();
    let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    if parts.iter().any(|p| p == "<locals>") {
        let shown = name.repr()?;
        return match inside {
            None => raise!(AttributeError, "Can't pickle local object {}", shown.to_str_lossy()),
            Some(o) => raise!(
                AttributeError,
                "Can't get local attribute {} on {}",
                shown.to_str_lossy(),
                o.repr()?.to_str_lossy()
            ),
        };
    }
    Ok(parts)
}

/// Follows a path; also gives the object the last name was found in.
fn follow(o: &Object, path: &[String]) -> PyResult<Option<(Owned<Object>, Owned<Object>)>> {
    let (mut at, mut parent) = (o.own(), o.own());
    for name in path {
        match at.get_attr_str_opt(name)? {
            Some(next) => parent = std::mem::replace(&mut at, next),
            None => return Ok(None),
        }
    }
    Ok(Some((at, parent)))
}

/// A module's attribute as unpicklers find it; dots separate names from protocol 4 on.
pub fn get_global(o: &Object, name: &Str, dotted: bool) -> PyResult {
    let path = if dotted { path_of(name, Some(o))? } else { vec![name.to_str()?.to_owned()] };
    match follow(o, &path)? {
        Some((found, _)) => Ok(found),
        None => raise!(
            AttributeError,
            "Can't get attribute {} on {}",
            name.repr()?.to_str_lossy(),
            o.repr()?.to_str_lossy()
        ),
    }
}

/// The name of the module that holds `o` under the path.
fn module_of(o: &Object, path: &[String]) -> PyResult<Owned<Object>> {
    if let Some(m) = o.get_attr_opt(intern!("__module__"))?
        && !m.is_none()
    {
        return Ok(m);
    }
    let modules = of_module("sys", "modules")?;
    let pairs: Vec<(Owned<Object>, Owned<Object>)> = match modules.downcast::<Dict>() {
        Some(d) => d.items_vec(),
        None => vec![],
    };
    for (name, m) in pairs {
        let main = name.downcast::<Str>().is_some_and(|s| s.equals_str("__main__"));
        if main || m.is_none() {
            continue;
        }
        match follow(&m, path) {
            Ok(Some((found, _))) if found.is(o) => return Ok(name),
            Ok(_) => {}
            Err(e) if e.matches(exc::AttributeError()) => e.clear(),
            Err(e) => return Err(e),
        }
    }
    Ok(Str::new("__main__").into_object())
}

impl Pickler {
    /// An object that is none of the built-in types.
    pub fn save_other(&self, o: &Object) -> PyResult<()> {
        let t = o.ty();
        if t.is(Type::class()) {
            let cls: &Type = o.downcast().expect("an instance of type");
            for (class, value) in [
                (none_ref().ty(), none_ref()),
                (ellipsis_ref().ty(), ellipsis_ref()),
                (not_implemented_ref().ty(), not_implemented_ref()),
            ] {
                if class.is(cls) {
                    let r = (Type::class(), Tuple::from_refs(&[value])).into_py()?;
                    return self.save_reduced(o, &r);
                }
            }
            return self.save_global(o, None);
        }
        if t.is(Function::class()) {
            return self.save_global(o, None);
        }
        let r = match self.dispatched(t)? {
            Some(f) => f.call1(o)?,
            None if t.is_subtype(Type::class()) => return self.save_global(o, None),
            None => match o.get_attr_opt(intern!("__reduce_ex__"))? {
                Some(f) => f.call1(&Int::from_i64(self.proto() as i64))?,
                None => match o.get_attr_opt(intern!("__reduce__"))? {
                    Some(f) => f.call0()?,
                    None => return pickling!("can't pickle '{}' object: {}", t.name(), o.repr_lossy()),
                },
            },
        };
        self.save_reduced(o, &r)
    }

    /// Saves what a reducing function answered for `o`.
    pub fn save_reduced(&self, o: &Object, r: &Object) -> PyResult<()> {
        if let Some(name) = r.downcast::<Str>() {
            return self.save_global(o, Some(name));
        }
        match r.downcast::<Tuple>() {
            Some(t) => self.save_tuple_of_reduce(Some(o), t),
            None => pickling!("__reduce__ must return a string or tuple"),
        }
    }

    fn save_tuple_of_reduce(&self, o: Option<&Object>, t: &Tuple) -> PyResult<()> {
        if !(2..=6).contains(&t.len()) {
            return pickling!("tuple returned by __reduce__ must contain 2 through 6 elements");
        }
        let part = |i: usize| (i < t.len()).then(|| t.item_ref(i)).filter(|x| !x.is_none());
        let f = t.item_ref(0);
        if !f.is_callable() {
            return pickling!("first item of the tuple returned by __reduce__ must be callable");
        }
        let Some(args) = t.item_ref(1).downcast::<Tuple>() else {
            return pickling!("second item of the tuple returned by __reduce__ must be a tuple");
        };
        let (state, items, pairs, setter) = (part(2), part(3), part(4), part(5));
        for (x, which) in [(items, "fourth"), (pairs, "fifth")] {
            if let Some(x) = x
                && !lh_runtime::protocols::is_iterator(x)
            {
                return pickling!(
                    "{} element of the tuple returned by __reduce__ must be an iterator, not {}",
                    which,
                    x.ty().name()
                );
            }
        }
        if let Some(x) = setter
            && !x.is_callable()
        {
            return pickling!(
                "sixth element of the tuple returned by __reduce__ must be a function, not {}",
                x.ty().name()
            );
        }
        self.save_construction(o, f, args)?;
        if let Some(o) = o {
            if let Some(n) = self.seen(o) {
                // Saved meanwhile by way of its own arguments: that one is it.
                self.op(POP);
                return self.fetch(n);
            }
            self.remember(o)?;
        }
        if let Some(x) = items {
            self.save_batches(x, false)?;
        }
        if let Some(x) = pairs {
            self.save_batches(x, true)?;
        }
        match (state, setter) {
            (None, _) => {}
            (Some(state), None) => {
                self.save(state)?;
                self.op(BUILD);
            }
            (Some(state), Some(setter)) => {
                self.save(setter)?;
                if let Some(o) = o {
                    self.save(o)?;
                }
                self.save(state)?;
                self.put(&[TUPLE2, REDUCE, POP]);
            }
        }
        Ok(())
    }

    /// The call that makes the object: `f(*args)`, or `cls.__new__` where `f` is copyreg's helper for that.
    fn save_construction(&self, o: Option<&Object>, f: &Object, args: &Tuple) -> PyResult<()> {
        let name = if self.proto() >= 2 { f.get_attr_opt(intern!("__name__"))? } else { None };
        let named =
            |s: &str| name.as_deref().and_then(|n| n.downcast::<Str>()).is_some_and(|n| n.equals_str(s));
        if named("__newobj_ex__") {
            if args.len() != 3 {
                return pickling!(
                    "length of the NEWOBJ_EX argument tuple must be exactly 3, not {}",
                    args.len()
                );
            }
            let (cls, a, k) = (args.item_ref(0), args.item_ref(1), args.item_ref(2));
            if !cls.is_instance_of::<Type>() {
                return pickling!(
                    "first item from NEWOBJ_EX argument tuple must be a class, not {}",
                    cls.ty().name()
                );
            }
            let Some(a) = a.downcast::<Tuple>() else {
                return pickling!(
                    "second item from NEWOBJ_EX argument tuple must be a tuple, not {}",
                    a.ty().name()
                );
            };
            let Some(k) = k.downcast::<Dict>() else {
                return pickling!(
                    "third item from NEWOBJ_EX argument tuple must be a dict, not {}",
                    k.ty().name()
                );
            };
            if self.proto() >= 4 {
                self.save(cls)?;
                self.save(a)?;
                self.save(k)?;
                self.op(NEWOBJ_EX);
                return Ok(());
            }
            let new = cls.get_attr(intern!("__new__"))?;
            let mut all = vec![new, cls.own()];
            all.extend(a.to_items()?);
            let partial = of_module("functools", "partial")?.call_tuple(&Tuple::from_vec(all), Some(k))?;
            self.save(&partial)?;
            self.save(&Tuple::empty())?;
            self.op(REDUCE);
            return Ok(());
        }
        if named("__newobj__") {
            if args.len() < 1 {
                return pickling!("__newobj__ arglist is empty");
            }
            let cls = args.item_ref(0);
            if cls.get_attr_opt(intern!("__new__"))?.is_none() {
                return pickling!("args[0] from __newobj__ args has no __new__");
            }
            if let Some(o) = o
                && !o.get_attr(intern!("__class__"))?.is(cls)
            {
                return pickling!("args[0] from __newobj__ args has the wrong class");
            }
            self.save(cls)?;
            self.save(&args.slice(1, args.len()))?;
            self.op(NEWOBJ);
            return Ok(());
        }
        self.save(f)?;
        self.save(args)?;
        self.op(REDUCE);
        Ok(())
    }

    /// A class or function, by module and name.
    pub fn save_global(&self, o: &Object, name: Option<&Str>) -> PyResult<()> {
        let name: Owned<Object> = match name {
            Some(n) => n.own().into_object(),
            None => match o.get_attr_opt(intern!("__qualname__"))? {
                Some(n) => n,
                None => o.get_attr(intern!("__name__"))?,
            },
        };
        let Some(name) = name.downcast::<Str>() else {
            return raise!(TypeError, "__qualname__ must be a str, not {}", name.ty().name());
        };
        let path = path_of(name, None)?;
        let module_name = module_of(o, &path)?;
        let failed = |why: String| pickling!("Can't pickle {}: {}", o.repr()?.to_str_lossy(), why);
        let module = match module_name.downcast::<Str>() {
            Some(s) => lh_runtime::import::import_absolute(s).or_else(|e| {
                if !e.matches(exc::Exception()) {
                    return Err(e);
                }
                e.clear();
                Ok(none())
            })?,
            None => none(),
        };
        if module.is_none() {
            return failed(format!("import of module {} failed", module_name.repr()?.to_str_lossy()));
        }
        let Some((found, parent)) = follow(&module, &path)? else {
            return failed(format!(
                "attribute lookup {} on {} failed",
                name.to_str_lossy(),
                module_name.str()?.to_str_lossy()
            ));
        };
        if !found.is(o) {
            return failed(format!(
                "it's not the same object as {}.{}",
                module_name.str()?.to_str_lossy(),
                name.to_str_lossy()
            ));
        }
        if self.proto() >= 2 {
            let key = Tuple::from_refs(&[&module_name, name]);
            if let Some(c) = dict_of_module("copyreg", "_extension_registry")?.get_item(&key)? {
                let Some(c) = c.downcast::<Int>().and_then(|c| c.to_i64()) else {
                    return failed("extension code isn't an integer".into());
                };
                match c {
                    1..=0xff => self.put(&[EXT1, c as u8]),
                    0x100..=0xffff => self.put(&[EXT2, c as u8, (c >> 8) as u8]),
                    0x10000..=0x7fff_ffff => {
                        self.op(EXT4);
                        self.put(&(c as u32).to_le_bytes())
                    }
                    _ => return failed(format!("extension code {c} is out of range")),
                }
                return Ok(());
            }
        }
        if self.proto() >= 4 {
            self.save(&module_name)?;
            self.save(name)?;
            self.op(STACK_GLOBAL);
            return self.remember(o);
        }
        if !parent.is(&*module) {
            // Older protocols know no dotted names: fetch the attribute at loading time.
            let last = Str::new(path.last().map_or("", |s| s.as_str()));
            let getattr = of_module("builtins", "getattr")?;
            let r = Tuple::pair(getattr, Tuple::from_refs(&[&parent, &last]).into_object());
            self.save_tuple_of_reduce(None, &r)?;
            return self.remember(o);
        }
        let last = Str::new(path.last().map_or("", |s| s.as_str()));
        let (mut m, mut n) = (module_name.str()?, last);
        if self.fixes_imports() {
            let key = Tuple::from_refs(&[&m, &n]);
            if let Some(pair) = dict_of_module("_compat_pickle", "REVERSE_NAME_MAPPING")?.get_item(&key)? {
                if let Some(t) = pair.downcast::<Tuple>().filter(|t| t.len() == 2) {
                    (m, n) = (t.item_ref(0).str()?, t.item_ref(1).str()?);
                }
            } else if let Some(other) =
                dict_of_module("_compat_pickle", "REVERSE_IMPORT_MAPPING")?.get_item(&m)?
            {
                m = other.str()?;
            }
        }
        let mut line = vec![GLOBAL];
        for part in [&m, &n] {
            let coded = if self.proto() >= 3 { part.to_str().ok() } else { part.as_ascii() };
            let Some(text) = coded else {
                if occurred() {
                    lh_runtime::errors::clear();
                }
                return pickling!(
                    "can't pickle global identifier '{}.{}' using pickle protocol {}",
                    m.to_str_lossy(),
                    n.to_str_lossy(),
                    self.proto()
                );
            };
            line.extend_from_slice(text.as_bytes());
            line.push(b'\n');
        }
        self.put(&line);
        self.remember(o)
    }
}
