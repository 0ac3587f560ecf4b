//! What `Element.iter` and `Element.itertext` answer: a walk in document order.

use super::element::Element;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};

#[pyclass(name = "_element_iterator", module = "_elementtree", no_new)]
pub struct ElementIter {
    root: Slot<Element>,
    /// The elements above, each with the number of its next child.
    stack: RefCell<Vec<(Owned<Element>, usize)>>,
    tag: Slot,
    text: Cell<bool>,
}

impl ElementIter {
    pub fn over(e: &Element, tag: Option<Owned<Object>>, text: bool) -> Owned<ElementIter> {
        ElementIter {
            root: Slot::of(e.own()),
            stack: RefCell::new(vec![]),
            tag: Slot::new(tag),
            text: Cell::new(text),
        }
        .build()
    }
    /// The next element; where its text has to come before that, the tail of one that is left.
    fn step(&self) -> Option<(Owned<Element>, bool)> {
        loop {
            let mut stack = self.stack.borrow_mut();
            let next = match stack.last_mut() {
                None => self.root.take()?,
                Some((parent, i)) => match parent.child(*i) {
                    Some(c) => {
                        *i += 1;
                        c
                    }
                    None => {
                        let (gone, _) = stack.pop().expect("just seen");
                        // Only inner text: nothing behind the element it began with.
                        let tail = self.text.get() && !stack.is_empty();
                        drop(stack);
                        if tail {
                            return Some((gone, true));
                        }
                        drop(gone);
                        continue;
                    }
                },
            };
            stack.push((next.clone(), 0));
            return Some((next, false));
        }
    }
}

#[pymethods]
impl ElementIter {
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<ElementIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        while let Some((e, tail)) = self.step() {
            if self.text.get() {
                let t = if tail { e.tail.get() } else { e.text.get() };
                match t {
                    Some(t) if !t.is_none() && t.is_true()? => return Ok(Some(t)),
                    _ => continue,
                }
            }
            let Some(tag) = self.tag.get() else { return Ok(Some(e.into_object())) };
            let own = e.tag.get().unwrap_or_else(none);
            if own.rich_compare_bool(&tag, CompareOp::Eq)? {
                return Ok(Some(e.into_object()));
            }
        }
        Ok(None)
    }
}
