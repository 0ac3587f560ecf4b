//! `_elementtree`: the elements, the builder and the parser of `xml.etree.ElementTree`.
//!
//! An [`element::Element`] has CPython's shape: tag, text and tail in the object, attributes and children in a block that exists only where
//! there are any. The parser drives the machine's libexpat itself (`pyexpat::library`) and, where its target is a plain `TreeBuilder`, builds the
//! tree without calling Python.

use lh_runtime::interpreter::Own;
use lh_runtime::prelude::*;
use std::sync::OnceLock;

mod builder;
mod element;
mod iter;
mod xmlparser;

use element::{Element, keyword_attrib};

/// The class `xml.etree.ElementTree.ParseError`.
pub fn parse_error() -> &'static Type {
    static CLASS: OnceLock<usize> = OnceLock::new();
    let p = *CLASS.get_or_init(|| {
        match crate::os::util::new_exception("xml.etree.ElementTree", "ParseError", exc::SyntaxError()) {
            Ok(c) => c.into_raw() as usize,
            Err(e) => {
                e.clear();
                exc::SyntaxError().own().into_object().into_raw() as usize
            }
        }
    });
    // SAFETY: the class is kept for ever.
    unsafe { Object::from_ptr(p as *mut _).downcast_unchecked() }
}

/// A reference that each interpreter has for itself.
pub struct Global(Own<Owned<Object>>);

impl Global {
    pub const fn empty() -> Global {
        Global(Own::new())
    }
    pub fn get(&self) -> Option<Owned<Object>> {
        self.0.get().cloned()
    }
    pub fn replace(&'static self, v: Option<Owned<Object>>) -> Option<Owned<Object>> {
        let old = self.0.take();
        if let Some(v) = v {
            self.0.set(v);
        }
        old
    }
}

/// `xml.etree.ElementPath`, which finds what is more than a plain tag.
pub fn element_path() -> PyResult {
    lh_runtime::import::import_module("xml.etree.ElementPath")
}

pub static COMMENT: Global = Global::empty();
pub static PI: Global = Global::empty();

/// Subelement factory which creates an element instance, and appends it to an existing parent.
#[pyfunction(raw, name = "SubElement")]
#[allow(non_snake_case)]
fn SubElement(args: Args<'_>) -> PyResult<Owned<Element>> {
    let n = args.len();
    if n < 2 {
        return raise!(TypeError, "SubElement() takes at least 2 arguments ({} given)", n);
    }
    if n > 3 {
        return raise!(TypeError, "SubElement() takes at most 3 arguments ({} given)", n);
    }
    let ctx = |pos| ArgCtx { func: "SubElement", pos, name: None };
    let (Some(parent), Some(tag)) = (args.get(0), args.get(1)) else { return Err(bad_internal_call()) };
    let parent = <&Element>::from_py(parent, ctx(1))?;
    let kw = if args.has_kwargs() {
        let d = Dict::new();
        for (k, v) in args.kwargs() {
            d.set_item(k, v)?;
        }
        Some(d)
    } else {
        None
    };
    let attrib = match args.get(2) {
        Some(a) => {
            let d = <&Dict>::from_py(a, ctx(3))?.copy();
            if let Some(k) = &kw {
                d.merge(k, true)?;
            }
            Some(d)
        }
        None => kw.map(keyword_attrib).transpose()?,
    };
    let e = Element::create(tag, attrib);
    parent.push(e.own());
    Ok(e)
}

/// Change the factories used to create comments and processing instructions.
///
/// For internal use only.
#[pyfunction(signature = "(comment_factory, pi_factory, /)")]
fn _set_factories(comment_factory: &Object, pi_factory: &Object) -> PyResult<Owned<Tuple>> {
    for (what, f) in [("Comment", comment_factory), ("PI", pi_factory)] {
        if !f.is_none() && !f.is_callable() {
            return raise!(TypeError, "{} factory must be callable, not {}", what, f.ty().name());
        }
    }
    let set =
        |g: &'static Global, f: &Object| g.replace((!f.is_none()).then(|| f.own())).unwrap_or_else(none);
    let old = (set(&COMMENT, comment_factory), set(&PI, pi_factory));
    Ok(Tuple::pair(old.0, old.1))
}

module! {
    "_elementtree",
    doc: "",
    functions: [SubElement, _set_factories],
    types: [Element, builder::TreeBuilder, xmlparser::XMLParser],
    init: setup
}

fn setup(m: &Module) -> PyResult<()> {
    super::pyexpat::library::load()?;
    ready::<iter::ElementIter>()?;
    m.add("ParseError", parse_error())
}
