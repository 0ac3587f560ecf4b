//! `Element`.

use super::iter::ElementIter;
use super::{Global, element_path};
use lh_abi::PyObject;
use lh_runtime::prelude::*;
use lh_runtime::{reprguard, sliceobject};
use std::cell::Cell;
use std::ptr::null_mut;

/// How many children fit into [`Extra`] itself.
const FIXED: usize = 4;

/// Attributes and children. Owns its references; the children are `Element`s.
///
/// ```text
///   attrib │ len │ cap │ items ──┐ │ fixed[4]
///                                └──> fixed, or memory of its own when there are more than four
/// ```
pub struct Extra {
    attrib: Option<Owned<Dict>>,
    len: usize,
    cap: usize,
    items: *mut *mut PyObject,
    fixed: [*mut PyObject; FIXED],
}

impl Extra {
    fn new() -> *mut Extra {
        let e = Box::into_raw(Box::new(Extra {
            attrib: None,
            len: 0,
            cap: FIXED,
            items: null_mut(),
            fixed: [null_mut(); FIXED],
        }));
        // SAFETY: just made.
        unsafe { (*e).items = (&raw mut (*e).fixed).cast() };
        e
    }
    /// Makes room for `n` more.
    ///
    /// # Safety
    /// `e` is live.
    unsafe fn reserve(e: *mut Extra, n: usize) {
        // SAFETY: the caller's promise; the memory behind `items` is `cap` long.
        unsafe {
            let size = (*e).len + n;
            if size <= (*e).cap {
                return;
            }
            let cap = size + (size >> 3) + if size < 9 { 3 } else { 6 };
            let mut v: Vec<*mut PyObject> = Vec::with_capacity(cap);
            let p = v.as_mut_ptr();
            std::mem::forget(v);
            std::ptr::copy_nonoverlapping((*e).items, p, (*e).len);
            Self::release_items(e);
            ((*e).items, (*e).cap) = (p, cap);
        }
    }
    unsafe fn release_items(e: *mut Extra) {
        // SAFETY: memory of its own was a vector of this capacity.
        unsafe {
            if (*e).cap > FIXED {
                drop(Vec::from_raw_parts((*e).items, 0, (*e).cap));
            }
        }
    }
}

/// The optional [`Extra`] of an element.
pub struct ExtraCell(Cell<*mut Extra>);

impl ExtraCell {
    fn drop_extra(e: *mut Extra) {
        if e.is_null() {
            return;
        }
        // SAFETY: nothing else reaches the block any more; the counts are its own.
        unsafe {
            for i in (0..(*e).len).rev() {
                decref(*(*e).items.add(i));
            }
            Extra::release_items(e);
            drop(Box::from_raw(e));
        }
    }
}
impl Drop for ExtraCell {
    fn drop(&mut self) {
        Self::drop_extra(self.0.replace(null_mut()));
    }
}
impl Trace for ExtraCell {
    fn trace(&self, v: &mut Visitor) {
        let e = self.0.get();
        if !e.is_null() {
            // SAFETY: a live block; visiting changes nothing.
            unsafe {
                if let Some(a) = &(*e).attrib {
                    v.visit_ptr(a.ptr());
                }
                for i in 0..(*e).len {
                    v.visit_ptr(*(*e).items.add(i));
                }
            }
        }
    }
    fn clear_refs(&self) {
        Self::drop_extra(self.0.replace(null_mut()));
    }
}

#[pyclass(name = "Element", module = "xml.etree.ElementTree", basetype, weakref)]
pub struct Element {
    pub tag: Slot,
    pub text: Slot,
    pub tail: Slot,
    pub extra: ExtraCell,
}

/// The attributes given by keyword: those in `attrib`, and the others.
pub fn keyword_attrib(kw: Owned<Dict>) -> PyResult<Owned<Dict>> {
    let Some(given) = kw.get_str("attrib")? else { return Ok(kw.copy()) };
    let Some(d) = given.downcast::<Dict>() else {
        return raise!(TypeError, "attrib must be dict, not {}", given.ty().name());
    };
    let d = d.copy();
    let rest = kw.copy();
    rest.pop(&Str::new("attrib"))?;
    d.merge(&rest, true)?;
    Ok(d)
}

fn not_element(o: &Object) -> Raised {
    raised!(TypeError, "expected an Element, not \"{}\"", o.ty().name())
}
fn as_element(o: &Object) -> PyResult<&Element> {
    o.downcast::<Element>().ok_or_else(|| not_element(o))
}
fn sequence(o: &Object) -> PyResult<Vec<Owned<Object>>> {
    match o.to_items() {
        Ok(v) => Ok(v),
        Err(e) => {
            if o.is_exact::<List>() || o.is_exact::<Tuple>() {
                return Err(e);
            }
            e.clear();
            raise!(TypeError, "expected sequence, not \"{}\"", o.ty().name())
        }
    }
}

/// Is this more than a plain tag: a path for `ElementPath`?
fn is_path(tag: &Object) -> bool {
    fn scan(n: usize, at: impl Fn(usize) -> u32) -> bool {
        let c = |ch: char| ch as u32;
        if n >= 3 && at(0) == c('{') && (at(1) == c('}') || at(1) == c('*') && at(2) == c('}')) {
            return true;
        }
        let mut check = true;
        for i in 0..n {
            match char::from_u32(at(i)) {
                Some('{') => check = false,
                Some('}') => check = true,
                Some('/' | '*' | '[' | '@' | '.') if check => return true,
                _ => {}
            }
        }
        false
    }
    if let Some(s) = tag.downcast::<Str>() {
        return scan(s.len(), |i| s.char_at(i));
    }
    if let Some(b) = tag.downcast::<Bytes>() {
        let b = b.as_bytes();
        return scan(b.len(), |i| b[i] as u32);
    }
    true
}

static DEEPCOPY: Global = Global::empty();

/// A copy of a part of an element.
fn deep(o: &Object, memo: &Dict) -> PyResult {
    if o.is_none() || o.is_exact::<Str>() {
        return Ok(o.own());
    }
    if let Some(d) = o.downcast_exact::<Dict>() {
        let plain = d.items_vec().iter().all(|(k, v)| k.is_exact::<Str>() && v.is_exact::<Str>());
        if plain && o.refcnt() <= 2 {
            return Ok(d.copy().into_object());
        }
    }
    if o.refcnt() <= 2
        && let Some(e) = o.downcast_exact::<Element>()
    {
        return Ok(e.__deepcopy__(memo)?.into_object());
    }
    let f = match DEEPCOPY.get() {
        Some(f) => f,
        None => {
            let f = lh_runtime::import::import_module("copy")?.get_attr_str("deepcopy")?;
            drop(DEEPCOPY.replace(Some(f.clone())));
            f
        }
    };
    f.call(&[o, memo])
}

impl Element {
    /// A plain element; the dictionary becomes its own.
    pub fn create(tag: &Object, attrib: Option<Owned<Dict>>) -> Owned<Element> {
        Self::with_tag(tag.own(), attrib)
    }
    pub fn with_tag(tag: Owned<Object>, attrib: Option<Owned<Dict>>) -> Owned<Element> {
        let e = Element {
            tag: Slot::of(tag),
            text: Slot::of(none()),
            tail: Slot::of(none()),
            extra: ExtraCell(Cell::new(null_mut())),
        };
        if let Some(d) = attrib.filter(|d| d.len() > 0) {
            e.set_attrib(Some(d));
        }
        e.build()
    }
    fn block(&self) -> *mut Extra {
        if self.extra.0.get().is_null() {
            self.extra.0.set(Extra::new());
        }
        self.extra.0.get()
    }
    pub fn len(&self) -> usize {
        let e = self.extra.0.get();
        // SAFETY: null or live.
        if e.is_null() { 0 } else { unsafe { (*e).len } }
    }
    pub fn child(&self, i: usize) -> Option<Owned<Element>> {
        if i >= self.len() {
            return None;
        }
        // SAFETY: `i` is below the length; children are elements.
        unsafe {
            Some(Object::from_ptr(*(*self.extra.0.get()).items.add(i)).downcast_unchecked::<Element>().own())
        }
    }
    pub fn children(&self) -> Vec<Owned<Element>> {
        (0..self.len()).filter_map(|i| self.child(i)).collect()
    }
    fn attrib_opt(&self) -> Option<Owned<Dict>> {
        let e = self.extra.0.get();
        // SAFETY: null or live.
        if e.is_null() { None } else { unsafe { (*e).attrib.clone() } }
    }
    fn set_attrib(&self, d: Option<Owned<Dict>>) {
        let e = self.block();
        // SAFETY: a live block; the old dictionary is dropped when the new one is in place.
        let old = unsafe { std::mem::replace(&mut (*e).attrib, d) };
        drop(old);
    }
    fn attrib_or_new(&self) -> Owned<Dict> {
        if let Some(d) = self.attrib_opt() {
            return d;
        }
        let d = Dict::new();
        self.set_attrib(Some(d.clone()));
        d
    }
    pub fn push(&self, e: Owned<Element>) {
        self.splice(self.len(), 0, std::iter::once(e));
    }
    /// Replaces `count` children from `at` on; answers the old ones.
    fn splice(
        &self,
        at: usize,
        count: usize,
        new: impl ExactSizeIterator<Item = Owned<Element>>,
    ) -> Vec<Owned<Element>> {
        let e = self.block();
        let n = new.len();
        // SAFETY: a live block that nothing else touches meanwhile: no Python code runs here. `at + count` is within its length.
        unsafe {
            Extra::reserve(e, n.saturating_sub(count));
            let p = (*e).items.add(at);
            let old = (0..count).map(|i| Owned::from_raw(*p.add(i))).collect();
            std::ptr::copy(p.add(count), p.add(n), (*e).len - at - count);
            (*e).len = (*e).len + n - count;
            for (i, x) in new.enumerate() {
                *p.add(i) = x.into_raw();
            }
            old
        }
    }
    fn index(&self, o: &Object, message: &str) -> PyResult<isize> {
        if !sliceobject::is_index(o) {
            return raise!(TypeError, "{}", message);
        }
        let i = sliceobject::subscript_index(o)?;
        Ok(if i < 0 { i + self.len() as isize } else { i })
    }
    fn part(slot: &Slot) -> Owned<Object> {
        slot.get().unwrap_or_else(none)
    }
    fn finder(&self, name: &str, args: &[&Object]) -> PyResult {
        element_path()?.get_attr_str(name)?.call(args)
    }
    /// Is it the tag?
    fn is_tagged(&self, tag: &Object) -> PyResult<bool> {
        Self::part(&self.tag).rich_compare_bool(tag, CompareOp::Eq)
    }
    fn is_plain(path: &Object, namespaces: Option<&Object>) -> bool {
        !is_path(path) && namespaces.is_none_or(|n| n.is_none())
    }
    fn store(slot: &Slot, v: Option<&Object>) -> PyResult<()> {
        match v {
            Some(v) => {
                slot.set(Some(v.own()));
                Ok(())
            }
            None => raise!(AttributeError, "can't delete element attribute"),
        }
    }
}

#[pymethods]
impl Element {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Element>> {
        Element {
            tag: Slot::of(none()),
            text: Slot::of(none()),
            tail: Slot::of(none()),
            extra: ExtraCell(Cell::new(null_mut())),
        }
        .build_in(cls)
    }
    #[slot(tp_init)]
    fn py_init(&self, args: &Tuple, kw: Option<&Dict>) -> PyResult<()> {
        let n = args.len();
        if n < 1 {
            return raise!(TypeError, "Element() takes at least 1 argument ({} given)", n);
        }
        if n > 2 {
            return raise!(TypeError, "Element() takes at most 2 arguments ({} given)", n);
        }
        let attrib = if n == 2 {
            let ctx = ArgCtx { func: "Element", pos: 2, name: None };
            let d = <&Dict>::from_py(args.item_ref(1), ctx)?.copy();
            if let Some(k) = kw {
                d.merge(k, true)?;
            }
            Some(d)
        } else {
            kw.map(|k| keyword_attrib(k.own())).transpose()?
        };
        if let Some(d) = attrib.filter(|d| d.len() > 0) {
            self.set_attrib(Some(d));
        }
        self.tag.set(Some(args.get(0)));
        self.text.set(Some(none()));
        self.tail.set(Some(none()));
        Ok(())
    }
    #[slot(tp_repr)]
    fn py_repr(&self) -> PyResult<Owned<Str>> {
        let tag = Self::part(&self.tag);
        let at = self.as_ptr() as usize;
        if tag.is_none() && self.tag.get().is_none() {
            return Ok(Str::new(&format!("<Element at {at:#x}>")));
        }
        match reprguard::guarded(self, || tag.repr()) {
            Some(r) => {
                let mut b = StrBuilder::new();
                b.push_str("<Element ");
                b.push_obj(&*r?);
                b.push_str(&format!(" at {at:#x}>"));
                Ok(b.finish())
            }
            None => {
                raise!(RuntimeError, "reentrant call inside {}.__repr__", self.ty().name())
            }
        }
    }
    #[slot(sq_length)]
    fn py_len(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(mp_length)]
    fn map_len(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(sq_item)]
    fn item(&self, i: isize) -> PyResult<Owned<Element>> {
        match usize::try_from(i).ok().and_then(|i| self.child(i)) {
            Some(c) => Ok(c),
            None => raise!(IndexError, "child index out of range"),
        }
    }
    #[slot(sq_ass_item)]
    fn set_item(&self, i: isize, v: Option<&Object>) -> PyResult<()> {
        if i < 0 || i as usize >= self.len() {
            return raise!(IndexError, "child assignment index out of range");
        }
        let old = match v {
            Some(v) => {
                let e = as_element(v)?.own();
                self.splice(i as usize, 1, std::iter::once(e))
            }
            None => self.splice(i as usize, 1, std::iter::empty()),
        };
        drop(old);
        Ok(())
    }
    #[slot(mp_subscript)]
    fn subscript(&self, o: &Object) -> PyResult {
        if let Some(s) = o.downcast::<Slice>() {
            let (start, _, step, n) = s.indices(self.len())?;
            let items = (0..n as isize).filter_map(|k| self.child((start + k * step) as usize));
            return Ok(List::from_vec(items.map(Owned::into_object).collect()).into_object());
        }
        let i = self.index(o, "element indices must be integers")?;
        Ok(self.item(i)?.into_object())
    }
    #[slot(mp_ass_subscript)]
    fn set_subscript(&self, o: &Object, v: Option<&Object>) -> PyResult<()> {
        let Some(s) = o.downcast::<Slice>() else {
            let i = self.index(o, "element indices must be integers")?;
            return self.set_item(i, v);
        };
        let (_, _, step) = s.unpack()?;
        let (start, _, _, count) = s.indices(self.len())?;
        let Some(v) = v else {
            let mut picks: Vec<usize> = (0..count as isize).map(|k| (start + k * step) as usize).collect();
            picks.sort_unstable();
            let mut old = vec![];
            for i in picks.into_iter().rev() {
                old.extend(self.splice(i, 1, std::iter::empty()));
            }
            return Ok(());
        };
        let new = sequence(v)?;
        if step != 1 && new.len() != count {
            return raise!(
                ValueError,
                "attempt to assign sequence of size {} to extended slice of size {}",
                new.len(),
                count
            );
        }
        let new = new.iter().map(|x| as_element(x).map(|e| e.own())).collect::<PyResult<Vec<_>>>()?;
        // Making the list may have run code that changed the children.
        let (start, _, step, count) = s.indices(self.len())?;
        let old = if step == 1 {
            self.splice(start as usize, count, new.into_iter())
        } else {
            let places = (0..count as isize).map(|k| (start + k * step) as usize);
            places.zip(new).flat_map(|(i, e)| self.splice(i, 1, std::iter::once(e))).collect()
        };
        drop(old);
        Ok(())
    }

    #[getter]
    fn tag(&self) -> Owned<Object> {
        Self::part(&self.tag)
    }
    #[setter(tag)]
    fn set_tag(&self, v: Option<&Object>) -> PyResult<()> {
        Self::store(&self.tag, v)
    }
    #[getter]
    fn text(&self) -> Owned<Object> {
        Self::part(&self.text)
    }
    #[setter(text)]
    fn set_text(&self, v: Option<&Object>) -> PyResult<()> {
        Self::store(&self.text, v)
    }
    #[getter]
    fn tail(&self) -> Owned<Object> {
        Self::part(&self.tail)
    }
    #[setter(tail)]
    fn set_tail(&self, v: Option<&Object>) -> PyResult<()> {
        Self::store(&self.tail, v)
    }
    #[getter]
    fn attrib(&self) -> Owned<Dict> {
        self.attrib_or_new()
    }
    #[setter(attrib)]
    fn put_attrib(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else { return raise!(AttributeError, "can't delete element attribute") };
        let Some(d) = v.downcast::<Dict>() else {
            return raise!(TypeError, "attrib must be dict, not {}", v.ty().name());
        };
        self.set_attrib(Some(d.own()));
        Ok(())
    }

    #[pymethod]
    fn clear(&self) {
        self.extra.clear_refs();
        self.text.set(Some(none()));
        self.tail.set(Some(none()));
    }
    #[pymethod(signature = "(key, default=None)")]
    fn get(&self, key: &Object, default: Option<&Object>) -> PyResult {
        let found = match self.attrib_opt() {
            Some(d) => d.get_item(key)?,
            None => None,
        };
        Ok(found.unwrap_or_else(|| default.map_or_else(none, |d| d.own())))
    }
    #[pymethod]
    fn set(&self, key: &Object, value: &Object) -> PyResult<()> {
        self.attrib_or_new().set_item(key, value)
    }
    #[pymethod]
    fn keys(&self) -> Owned<List> {
        List::from_vec(self.attrib_opt().map_or_else(Vec::new, |d| d.keys_vec()))
    }
    #[pymethod]
    fn items(&self) -> Owned<List> {
        let all = self.attrib_opt().map_or_else(Vec::new, |d| d.items_vec());
        List::from_vec(all.into_iter().map(|(k, v)| Tuple::pair(k, v).into_object()).collect())
    }
    #[pymethod(signature = "(path, namespaces=None)")]
    fn find(&self, path: &Object, namespaces: Option<&Object>) -> PyResult {
        if !Self::is_plain(path, namespaces) {
            return self.finder("find", &[self, path, namespaces.unwrap_or(none_ref())]);
        }
        let mut i = 0;
        while let Some(c) = self.child(i) {
            if c.is_tagged(path)? {
                return Ok(c.into_object());
            }
            i += 1;
        }
        Ok(none())
    }
    #[pymethod(signature = "(path, default=None, namespaces=None)")]
    fn findtext(&self, path: &Object, default: Option<&Object>, namespaces: Option<&Object>) -> PyResult {
        let default = default.unwrap_or(none_ref());
        if !Self::is_plain(path, namespaces) {
            return self.finder("findtext", &[self, path, default, namespaces.unwrap_or(none_ref())]);
        }
        let mut i = 0;
        while let Some(c) = self.child(i) {
            if c.is_tagged(path)? {
                let text = Self::part(&c.text);
                return Ok(if text.is_none() { Str::new("").into_object() } else { text });
            }
            i += 1;
        }
        Ok(default.own())
    }
    #[pymethod(signature = "(path, namespaces=None)")]
    fn findall(&self, path: &Object, namespaces: Option<&Object>) -> PyResult {
        if !Self::is_plain(path, namespaces) {
            return self.finder("findall", &[self, path, namespaces.unwrap_or(none_ref())]);
        }
        let (mut i, mut out) = (0, vec![]);
        while let Some(c) = self.child(i) {
            if c.is_tagged(path)? {
                out.push(c.into_object());
            }
            i += 1;
        }
        Ok(List::from_vec(out).into_object())
    }
    #[pymethod(signature = "(path, namespaces=None)")]
    fn iterfind(&self, path: &Object, namespaces: Option<&Object>) -> PyResult {
        self.finder("iterfind", &[self, path, namespaces.unwrap_or(none_ref())])
    }
    #[pymethod(signature = "(tag=None)")]
    fn iter(&self, tag: Option<&Object>) -> Owned<ElementIter> {
        let every = tag.is_none_or(|t| {
            t.is_none()
                || t.downcast::<Str>().is_some_and(|s| s.equals_str("*"))
                || t.downcast::<Bytes>().is_some_and(|b| b.as_bytes() == b"*")
        });
        ElementIter::over(self, tag.filter(|_| !every).map(|t| t.own()), false)
    }
    #[pymethod]
    fn itertext(&self) -> Owned<ElementIter> {
        ElementIter::over(self, None, true)
    }
    #[pymethod]
    fn append(&self, subelement: &Element) {
        self.push(subelement.own())
    }
    #[pymethod]
    fn extend(&self, elements: &Object) -> PyResult<()> {
        for x in sequence(elements)? {
            self.push(as_element(&x)?.own());
        }
        Ok(())
    }
    #[pymethod]
    fn insert(&self, index: isize, subelement: &Element) {
        let n = self.len() as isize;
        let i = if index < 0 { (index + n).max(0) } else { index.min(n) };
        self.splice(i as usize, 0, std::iter::once(subelement.own()));
    }
    #[pymethod]
    fn remove(&self, subelement: &Element) -> PyResult<()> {
        let mut at = (0..self.len()).find(|i| self.child(*i).is_some_and(|c| c.is(subelement)));
        let mut i = 0;
        while at.is_none() {
            let Some(c) = self.child(i) else {
                return raise!(ValueError, "list.remove(x): x not in list");
            };
            if c.rich_compare_bool(subelement, CompareOp::Eq)? {
                at = Some(i);
            }
            i += 1;
        }
        let Some(i) = at.filter(|i| *i < self.len()) else {
            return raise!(ValueError, "list.remove(x): x not in list");
        };
        drop(self.splice(i, 1, std::iter::empty()));
        Ok(())
    }
    #[pymethod]
    fn makeelement(&self, tag: &Object, attrib: &Dict) -> Owned<Element> {
        Element::create(tag, Some(attrib.copy()))
    }
    #[pymethod]
    fn __copy__(&self) -> Owned<Element> {
        let e = Element::create(&Self::part(&self.tag), self.attrib_opt());
        e.text.set(self.text.get());
        e.tail.set(self.tail.get());
        if self.len() > 0 {
            e.splice(0, 0, self.children().into_iter());
        }
        e
    }
    #[pymethod]
    fn __deepcopy__(&self, memo: &Dict) -> PyResult<Owned<Element>> {
        let _depth = lh_runtime::thread::enter_recursive(" while copying an Element")?;
        let tag = deep(&Self::part(&self.tag), memo)?;
        let attrib = match self.attrib_opt() {
            Some(d) => Some(deep(&d, memo)?),
            None => None,
        };
        let attrib = match attrib.as_ref().map(|a| a.downcast::<Dict>()) {
            Some(Some(d)) => Some(d.own()),
            _ => None,
        };
        let e = Element::with_tag(tag, attrib);
        e.text.set(Some(deep(&Self::part(&self.text), memo)?));
        e.tail.set(Some(deep(&Self::part(&self.tail), memo)?));
        let mut i = 0;
        while let Some(c) = self.child(i) {
            let copy = deep(&c, memo)?;
            e.push(as_element(&copy)?.own());
            i += 1;
        }
        memo.set_item(&Int::from_usize(self.as_ptr() as usize), &e)?;
        Ok(e)
    }
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        let e = self.extra.0.get();
        let mut n = Self::BASICSIZE;
        if !e.is_null() {
            n += size_of::<Extra>();
            // SAFETY: a live block.
            let cap = unsafe { (*e).cap };
            if cap > FIXED {
                n += cap * 8;
            }
        }
        n
    }
    #[pymethod]
    fn __getstate__(&self) -> PyResult<Owned<Dict>> {
        let d = Dict::new();
        d.set_str("tag", &Self::part(&self.tag))?;
        let children = self.children().into_iter().map(Owned::into_object).collect();
        d.set_str("_children", &List::from_vec(children))?;
        d.set_str("attrib", &self.attrib_opt().unwrap_or_else(Dict::new))?;
        d.set_str("text", &Self::part(&self.text))?;
        d.set_str("tail", &Self::part(&self.tail))?;
        Ok(d)
    }
    #[pymethod]
    fn __setstate__(&self, state: &Object) -> PyResult<()> {
        const NAMES: [&str; 5] = ["tag", "attrib", "text", "tail", "_children"];
        let Some(d) = state.downcast_exact::<Dict>() else {
            let r = state.repr_lossy();
            return raise!(TypeError, "Don't know how to unpickle \"{:.200}\" as an Element", r);
        };
        for k in d.keys_vec() {
            let Some(s) = k.downcast::<Str>() else { return raise!(TypeError, "keywords must be strings") };
            let s = s.to_str_lossy();
            if !NAMES.contains(&&*s) {
                return raise!(TypeError, "'{}' is an invalid keyword argument for this function", s);
            }
        }
        let Some(tag) = d.get_str("tag")? else { return raise!(TypeError, "tag may not be NULL") };
        let (text, tail) = (d.get_str("text")?, d.get_str("tail")?);
        self.tag.set(Some(tag));
        self.text.set(Some(text.unwrap_or_else(none)));
        self.tail.set(Some(tail.unwrap_or_else(none)));
        let (children, attrib) = (d.get_str("_children")?, d.get_str("attrib")?);
        if children.is_none() && attrib.is_none() {
            return Ok(());
        }
        let new = match &children {
            None => vec![],
            Some(c) => {
                let Some(l) = c.downcast::<List>() else {
                    return raise!(TypeError, "'_children' is not a list");
                };
                l.to_vec().iter().map(|x| as_element(x).map(|e| e.own())).collect::<PyResult<Vec<_>>>()?
            }
        };
        let old = self.splice(0, self.len(), new.into_iter());
        drop(old);
        match attrib.as_ref().map(|a| a.downcast::<Dict>()) {
            Some(Some(a)) => self.set_attrib(Some(a.own())),
            _ => self.set_attrib(None),
        }
        Ok(())
    }
}
