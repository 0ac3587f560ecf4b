//! `TreeBuilder`: start, data and end events to a tree.

use super::element::Element;
use super::{COMMENT, PI, parse_error};
use lh_runtime::codecs::utf::decode_utf8;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};

/// The kinds of event that can be reported (`XMLPullParser`).
#[derive(Clone, Copy)]
pub enum Event {
    Start,
    End,
    StartNs,
    EndNs,
    Comment,
    Pi,
}
pub const EVENTS: [(&str, Event); 6] = [
    ("start", Event::Start),
    ("end", Event::End),
    ("start-ns", Event::StartNs),
    ("end-ns", Event::EndNs),
    ("comment", Event::Comment),
    ("pi", Event::Pi),
];

#[pyclass(name = "TreeBuilder", module = "xml.etree.ElementTree", basetype)]
pub struct TreeBuilder {
    root: Slot,
    /// The element that is open; empty outside of the root.
    this: Slot,
    /// The last element that was opened or closed.
    last: Slot,
    /// Set after an end tag: text goes to this one's tail.
    last_for_tail: Slot,
    /// Text that has not been given to an element yet: UTF-8 from the parser, or objects.
    #[notrace]
    bytes: RefCell<Vec<u8>>,
    objects: RefCell<Vec<Owned<Object>>>,
    stack: RefCell<Vec<Option<Owned<Object>>>>,
    factory: Slot,
    comment_factory: Slot,
    pi_factory: Slot,
    pub events_append: Slot,
    /// The names of the events to report, by `Event`.
    pub events: [Slot; 6],
    insert_comments: Cell<bool>,
    insert_pis: Cell<bool>,
}

impl TreeBuilder {
    pub fn fresh() -> TreeBuilder {
        TreeBuilder {
            root: Slot::empty(),
            this: Slot::empty(),
            last: Slot::empty(),
            last_for_tail: Slot::empty(),
            bytes: RefCell::new(vec![]),
            objects: RefCell::new(vec![]),
            stack: RefCell::new(vec![]),
            factory: Slot::empty(),
            comment_factory: Slot::empty(),
            pi_factory: Slot::empty(),
            events_append: Slot::empty(),
            events: [const { Slot::empty() }; 6],
            insert_comments: Cell::new(false),
            insert_pis: Cell::new(false),
        }
    }
    pub fn wants(&self, e: Event) -> bool {
        self.events_append.is_some() && self.events[e as usize].is_some()
    }
    pub fn wants_pi(&self) -> bool {
        self.wants(Event::Pi) || self.insert_pis.get()
    }
    fn report(&self, e: Event, node: &Object) -> PyResult<()> {
        if let (Some(append), Some(name)) = (self.events_append.get(), self.events[e as usize].get()) {
            append.call1(&Tuple::pair(name, node.own()))?;
        }
        Ok(())
    }
    fn flush(&self) -> PyResult<()> {
        let text = {
            let mut bytes = self.bytes.borrow_mut();
            if bytes.is_empty() {
                drop(bytes);
                let mut objects = self.objects.take();
                match objects.len() {
                    0 => return Ok(()),
                    1 => objects.pop().expect("there is one"),
                    _ => {
                        let refs: Vec<&Object> = objects.iter().map(|o| &**o).collect();
                        Str::empty().join_refs(&refs)?.into_object()
                    }
                }
            } else {
                let s = decode_utf8(&bytes, "strict", true)?.0.into_object();
                bytes.clear();
                s
            }
        };
        let tail = self.last_for_tail.get();
        let Some(element) = tail.clone().or_else(|| self.last.get()) else { return Ok(()) };
        if let Some(e) = element.downcast_exact::<Element>() {
            let slot = if tail.is_some() { &e.tail } else { &e.text };
            if slot.get().is_none_or(|t| t.is_none()) {
                slot.set(Some(text));
                return Ok(());
            }
        }
        let name = if tail.is_some() { intern!("tail") } else { intern!("text") };
        let before = element.get_attr(name)?;
        let all = if before.is_none() { text } else { lh_runtime::number::add(&before, &text)? };
        element.set_attr(name, &all)
    }
    fn add_child(parent: &Object, child: &Object) -> PyResult<()> {
        if let Some(p) = parent.downcast_exact::<Element>() {
            let Some(c) = child.downcast::<Element>() else {
                return raise!(TypeError, "expected an Element, not \"{}\"", child.ty().name());
            };
            p.push(c.own());
            return Ok(());
        }
        parent.call_method_interned(intern!("append"), &[child]).map(drop)
    }
    pub fn handle_start(&self, tag: Owned<Object>, attrib: Option<Owned<Dict>>) -> PyResult {
        self.flush()?;
        let node = match self.factory.get() {
            None => Element::with_tag(tag, attrib).into_object(),
            Some(f) => f.call(&[&tag, &attrib.unwrap_or_else(Dict::new)])?,
        };
        self.last_for_tail.set(None);
        let this = self.this.get();
        match &this {
            Some(parent) => Self::add_child(parent, &node)?,
            None if self.root.is_some() => {
                return Err(lh_runtime::errors::set_object(
                    parse_error(),
                    Some(Str::new("multiple elements on top level").into_object()),
                ));
            }
            None => self.root.set(Some(node.clone())),
        }
        self.stack.borrow_mut().push(this);
        self.this.set(Some(node.clone()));
        self.last.set(Some(node.clone()));
        self.report(Event::Start, &node)?;
        Ok(node)
    }
    /// Text as the parser has it.
    pub fn handle_utf8(&self, text: &[u8]) -> PyResult<()> {
        if !self.last.is_some() {
            return Ok(());
        }
        if self.objects.borrow().is_empty() {
            self.bytes.borrow_mut().extend_from_slice(text);
            return Ok(());
        }
        let s = decode_utf8(text, "strict", true)?.0;
        self.objects.borrow_mut().push(s.into_object());
        Ok(())
    }
    pub fn handle_data(&self, data: &Object) -> PyResult<()> {
        let mut objects = self.objects.borrow_mut();
        let mut bytes = self.bytes.borrow_mut();
        if objects.is_empty() && bytes.is_empty() && !self.last.is_some() {
            // Nothing was started yet.
            return Ok(());
        }
        if !bytes.is_empty() {
            objects.push(decode_utf8(&bytes, "strict", true)?.0.into_object());
            bytes.clear();
        }
        objects.push(data.own());
        Ok(())
    }
    pub fn handle_end(&self) -> PyResult {
        self.flush()?;
        let Some(outer) = self.stack.borrow_mut().pop() else {
            return raise!(IndexError, "pop from empty stack");
        };
        let ended = self.this.replace(outer);
        self.last.set(ended.clone());
        self.last_for_tail.set(ended.clone());
        let node = ended.unwrap_or_else(none);
        self.report(Event::End, &node)?;
        Ok(node)
    }
    fn single(&self, made: Owned<Object>, insert: bool, e: Event) -> PyResult {
        if insert && let Some(this) = self.this.get() {
            Self::add_child(&this, &made)?;
            self.last_for_tail.set(Some(made.clone()));
        }
        self.report(e, &made)?;
        Ok(made)
    }
    pub fn handle_comment(&self, text: &Object) -> PyResult {
        self.flush()?;
        match self.comment_factory.get() {
            Some(f) => {
                let made = f.call1(text)?;
                self.single(made, self.insert_comments.get(), Event::Comment)
            }
            None => self.single(text.own(), false, Event::Comment),
        }
    }
    pub fn handle_pi(&self, target: &Object, text: &Object) -> PyResult {
        self.flush()?;
        match self.pi_factory.get() {
            Some(f) => {
                let made = f.call(&[target, text])?;
                self.single(made, self.insert_pis.get(), Event::Pi)
            }
            None => self.single(Tuple::pair(target.own(), text.own()).into_object(), false, Event::Pi),
        }
    }
    pub fn handle_start_ns(&self, prefix: &Object, uri: &Object) -> PyResult<()> {
        if self.wants(Event::StartNs) {
            self.report(Event::StartNs, &Tuple::pair(prefix.own(), uri.own()))?;
        }
        Ok(())
    }
    pub fn handle_end_ns(&self) -> PyResult<()> {
        self.report(Event::EndNs, none_ref())
    }
    pub fn done(&self) -> Owned<Object> {
        self.root.get().unwrap_or_else(none)
    }
    /// A builder as `TreeBuilder()` makes it.
    pub fn plain() -> Owned<TreeBuilder> {
        let b = Self::fresh();
        b.comment_factory.set(COMMENT.get());
        b.pi_factory.set(PI.get());
        b.build()
    }
}

#[pymethods]
impl TreeBuilder {
    #[slot(tp_new)]
    fn py_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<TreeBuilder>> {
        Self::fresh().build_in(cls)
    }
    #[init(
        name = "TreeBuilder",
        signature = "(element_factory=None, *, comment_factory=None, pi_factory=None, insert_comments=False, insert_pis=False)"
    )]
    fn py_init(
        &self,
        element_factory: Option<&Object>,
        comment_factory: Option<&Object>,
        pi_factory: Option<&Object>,
        insert_comments: bool,
        insert_pis: bool,
    ) -> PyResult<()> {
        let given = |o: Option<&Object>| o.filter(|o| !o.is_none()).map(|o| o.own());
        self.factory.set(given(element_factory));
        let comment = given(comment_factory).or_else(|| COMMENT.get());
        self.insert_comments.set(insert_comments && comment.is_some());
        self.comment_factory.set(comment);
        let pi = given(pi_factory).or_else(|| PI.get());
        self.insert_pis.set(insert_pis && pi.is_some());
        self.pi_factory.set(pi);
        Ok(())
    }
    #[pymethod]
    fn data(&self, data: &Object) -> PyResult<()> {
        self.handle_data(data)
    }
    #[pymethod]
    fn start(&self, tag: &Object, attrs: &Dict) -> PyResult {
        self.handle_start(tag.own(), Some(attrs.own()))
    }
    #[pymethod]
    fn end(&self, _tag: &Object) -> PyResult {
        self.handle_end()
    }
    #[pymethod]
    fn comment(&self, text: &Object) -> PyResult {
        self.handle_comment(text)
    }
    #[pymethod(signature = "(target, text=None, /)")]
    fn pi(&self, target: &Object, text: Option<&Object>) -> PyResult {
        self.handle_pi(target, text.unwrap_or(none_ref()))
    }
    #[pymethod]
    fn close(&self) -> PyResult {
        Ok(self.done())
    }
}
