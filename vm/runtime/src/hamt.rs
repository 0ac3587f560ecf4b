//! `hamt`: the persistent mapping behind contexts. A copy costs nothing, a change copies the few nodes on the way to it.
//!
//! ```text
//!   Hamt ── root ──> Node   bitmap: which of 32 places are taken; entries: those places in order
//!                      ├─ Pair(hash, key, value)
//!                      └─ Child(Node)      the next five bits of the hash tell places apart
//!                    Node   collision: pairs whose 32-bit hashes are the same, in a list
//! ```
//!
//! Nodes are shared between mappings, so they are objects of their own for the cycle collector. Comparing keys may run any code; nodes never change,
//! so nothing can change under it.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use crate::prelude::{IntoPy, Payload, ready};
use crate::singletons::*;
use crate::slots::CompareOp;
use crate::{pyclass, pymethods};
use std::cell::{Cell, RefCell};

#[derive(Clone)]
enum Entry {
    Pair(i32, Owned<Object>, Owned<Object>),
    Child(Owned<Node>),
}
impl Trace for Entry {
    fn trace(&self, v: &mut Visitor) {
        match self {
            Entry::Pair(_, k, x) => {
                k.trace(v);
                x.trace(v);
            }
            Entry::Child(n) => n.trace(v),
        }
    }
}

#[pyclass(name = "hamt_node", no_new)]
pub struct Node {
    /// The places that are taken; 0 in a collision node.
    bitmap: u32,
    entries: Vec<Entry>,
}
#[pymethods]
impl Node {}

/// What is left after a removal.
enum Without {
    NotFound,
    Nothing,
    /// One pair, which moves into the parent.
    One(Entry),
    Left(Owned<Node>),
}

fn bit(shift: u32, hash: i32) -> u32 {
    1 << ((hash as u32).wrapping_shr(shift) & 31)
}
/// No more bits to tell hashes apart.
const END: u32 = 35;

fn hash_of(key: &Object) -> PyResult<i32> {
    let h = key.hash_obj()? as i64;
    Ok(h as i32 ^ (h >> 32) as i32)
}
fn same(a: &Object, b: &Object) -> PyResult<bool> {
    a.rich_compare_bool(b, CompareOp::Eq)
}

impl Node {
    fn make(bitmap: u32, entries: Vec<Entry>) -> Owned<Node> {
        Node { bitmap, entries }.build()
    }
    fn is_collision(&self) -> bool {
        self.bitmap == 0 && !self.entries.is_empty()
    }
    fn place(&self, b: u32) -> usize {
        (self.bitmap & (b - 1)).count_ones() as usize
    }
    fn with(&self, i: usize, e: Entry) -> Owned<Node> {
        let mut v = self.entries.clone();
        v[i] = e;
        Node::make(self.bitmap, v)
    }
    /// A node for two pairs that met in the same place above.
    fn split(shift: u32, a: Entry, ah: i32, b: Entry, bh: i32) -> Owned<Node> {
        if ah == bh || shift >= END {
            return Node::make(0, vec![a, b]);
        }
        let (x, y) = (bit(shift, ah), bit(shift, bh));
        if x == y {
            return Node::make(x, vec![Entry::Child(Node::split(shift + 5, a, ah, b, bh))]);
        }
        Node::make(x | y, if x < y { vec![a, b] } else { vec![b, a] })
    }
    fn find(&self, shift: u32, hash: i32, key: &Object) -> PyResult<Option<Owned<Object>>> {
        if self.is_collision() {
            for e in &self.entries {
                if let Entry::Pair(h, k, v) = e
                    && *h == hash
                    && same(key, k)?
                {
                    return Ok(Some(v.clone()));
                }
            }
            return Ok(None);
        }
        let b = bit(shift, hash);
        if self.bitmap & b == 0 {
            return Ok(None);
        }
        match &self.entries[self.place(b)] {
            Entry::Child(n) => n.find(shift + 5, hash, key),
            Entry::Pair(_, k, v) => Ok(if same(key, k)? { Some(v.clone()) } else { None }),
        }
    }
    /// The node with the pair in it, and whether the key is new. The node itself, if nothing changes.
    fn assoc(&self, shift: u32, hash: i32, key: &Object, value: &Object) -> PyResult<(Owned<Node>, bool)> {
        let pair = || Entry::Pair(hash, key.own(), value.own());
        if self.is_collision() {
            let Some(Entry::Pair(own, ..)) = self.entries.first() else { return Ok((self.own(), false)) };
            if *own != hash {
                // One level down there is a place for each of the two hashes.
                let above = Node::make(bit(shift, *own), vec![Entry::Child(self.own())]);
                return above.assoc(shift, hash, key, value);
            }
            for (i, e) in self.entries.iter().enumerate() {
                if let Entry::Pair(_, k, v) = e
                    && same(key, k)?
                {
                    let unchanged = v.is(value);
                    let e = Entry::Pair(hash, k.clone(), value.own());
                    return Ok((if unchanged { self.own() } else { self.with(i, e) }, false));
                }
            }
            let mut v = self.entries.clone();
            v.push(pair());
            return Ok((Node::make(0, v), true));
        }
        let b = bit(shift, hash);
        let i = self.place(b);
        if self.bitmap & b == 0 {
            let mut v = Vec::with_capacity(self.entries.len() + 1);
            v.extend_from_slice(&self.entries[..i]);
            v.push(pair());
            v.extend_from_slice(&self.entries[i..]);
            return Ok((Node::make(self.bitmap | b, v), true));
        }
        match &self.entries[i] {
            Entry::Child(n) => {
                let (new, added) = n.assoc(shift + 5, hash, key, value)?;
                Ok((if new.is(&**n) { self.own() } else { self.with(i, Entry::Child(new)) }, added))
            }
            Entry::Pair(h, k, v) => {
                if same(key, k)? {
                    let unchanged = v.is(value);
                    let e = Entry::Pair(hash, k.clone(), value.own());
                    return Ok((if unchanged { self.own() } else { self.with(i, e) }, false));
                }
                let sub = Node::split(shift + 5, self.entries[i].clone(), *h, pair(), hash);
                Ok((self.with(i, Entry::Child(sub)), true))
            }
        }
    }
    fn rest(&self, i: usize, bitmap: u32) -> Without {
        let mut v = self.entries.clone();
        v.remove(i);
        match v.len() {
            0 => Without::Nothing,
            1 if matches!(v[0], Entry::Pair(..)) => Without::One(v.remove(0)),
            _ => Without::Left(Node::make(bitmap, v)),
        }
    }
    fn without(&self, shift: u32, hash: i32, key: &Object) -> PyResult<Without> {
        if self.is_collision() {
            for (i, e) in self.entries.iter().enumerate() {
                if let Entry::Pair(h, k, _) = e
                    && *h == hash
                    && same(key, k)?
                {
                    return Ok(self.rest(i, 0));
                }
            }
            return Ok(Without::NotFound);
        }
        let b = bit(shift, hash);
        if self.bitmap & b == 0 {
            return Ok(Without::NotFound);
        }
        let i = self.place(b);
        match &self.entries[i] {
            Entry::Child(n) => Ok(match n.without(shift + 5, hash, key)? {
                Without::NotFound => Without::NotFound,
                Without::Nothing => self.rest(i, self.bitmap & !b),
                Without::One(e) if self.entries.len() == 1 => Without::One(e),
                Without::One(e) => Without::Left(self.with(i, e)),
                Without::Left(n) => Without::Left(self.with(i, Entry::Child(n))),
            }),
            Entry::Pair(_, k, _) => {
                Ok(if same(key, k)? { self.rest(i, self.bitmap & !b) } else { Without::NotFound })
            }
        }
    }
}

#[pyclass(name = "hamt", weakref)]
pub struct Hamt {
    /// Empty: no pairs.
    root: Slot<Node>,
    count: Cell<usize>,
}

impl Hamt {
    pub fn new() -> Owned<Hamt> {
        Hamt { root: Slot::empty(), count: Cell::new(0) }.build()
    }
    pub fn len(&self) -> usize {
        self.count.get()
    }
    pub fn find(&self, key: &Object) -> PyResult<Option<Owned<Object>>> {
        let h = hash_of(key)?;
        match self.root.get() {
            Some(r) => r.find(0, h, key),
            None => Ok(None),
        }
    }
    pub fn assoc(&self, key: &Object, value: &Object) -> PyResult<Owned<Hamt>> {
        let h = hash_of(key)?;
        let Some(root) = self.root.get() else {
            let e = Entry::Pair(h, key.own(), value.own());
            let root = Node::make(bit(0, h), vec![e]);
            return Ok(Hamt { root: Slot::of(root), count: Cell::new(1) }.build());
        };
        let (new, added) = root.assoc(0, h, key, value)?;
        if new.is(&*root) {
            return Ok(self.own());
        }
        Ok(Hamt { root: Slot::of(new), count: Cell::new(self.len() + added as usize) }.build())
    }
    /// The mapping without the key; itself if it is not there.
    pub fn without(&self, key: &Object) -> PyResult<Owned<Hamt>> {
        let h = hash_of(key)?;
        let Some(root) = self.root.get() else { return Ok(self.own()) };
        let root = match root.without(0, h, key)? {
            Without::NotFound => return Ok(self.own()),
            Without::Nothing => return Ok(Hamt::new()),
            Without::One(e) => match &e {
                Entry::Pair(h, ..) => Node::make(bit(0, *h), vec![e]),
                Entry::Child(n) => n.own(),
            },
            Without::Left(n) => n,
        };
        Ok(Hamt { root: Slot::of(root), count: Cell::new(self.len() - 1) }.build())
    }
    fn walk(&self) -> Walk {
        let stack = self.root.get().map(|r| (r, 0)).into_iter().collect();
        Walk { stack: RefCell::new(stack), count: Cell::new(self.len()) }
    }
    pub fn iter_keys(&self) -> PyResult {
        Keys { walk: self.walk() }.build().into_py()
    }
    pub fn iter_values(&self) -> PyResult {
        Values { walk: self.walk() }.build().into_py()
    }
    pub fn iter_items(&self) -> PyResult {
        Items { walk: self.walk() }.build().into_py()
    }
    pub fn equals(&self, other: &Hamt) -> PyResult<bool> {
        if self.is(other) {
            return Ok(true);
        }
        if self.len() != other.len() {
            return Ok(false);
        }
        let walk = self.walk();
        while let Some((k, v)) = walk.next() {
            match other.find(&k)? {
                Some(w) if same(&v, &w)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

#[pymethods]
impl Hamt {
    #[slot(tp_new)]
    fn py_new(_cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Hamt>> {
        Ok(Hamt::new())
    }
    #[slot(mp_length)]
    fn py_len(&self) -> PyResult<usize> {
        Ok(self.len())
    }
    #[slot(mp_subscript)]
    fn subscript(&self, key: &Object) -> PyResult {
        match self.find(key)? {
            Some(v) => Ok(v),
            None => Err(crate::dictobject::key_error(key)),
        }
    }
    #[slot(sq_contains)]
    fn contains(&self, key: &Object) -> PyResult<bool> {
        Ok(self.find(key)?.is_some())
    }
    #[slot(tp_iter)]
    fn py_iter(&self) -> PyResult {
        self.iter_keys()
    }
    #[slot(tp_hash)]
    fn py_hash(&self) -> PyResult<isize> {
        crate::sliceobject::unhashable(self)
    }
    #[classattr]
    fn __hash__() -> Owned<Object> {
        none()
    }
    #[slot(tp_richcompare)]
    fn richcompare(&self, other: &Object, op: CompareOp) -> PyResult {
        match other.downcast_exact::<Hamt>() {
            Some(o) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                Ok(bool_obj(self.equals(o)? == (op == CompareOp::Eq)))
            }
            _ => Ok(not_implemented()),
        }
    }
    #[pymethod]
    fn set(&self, key: &Object, value: &Object) -> PyResult<Owned<Hamt>> {
        self.assoc(key, value)
    }
    #[pymethod(signature = "(key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>) -> PyResult {
        Ok(match self.find(key)? {
            Some(v) => v,
            None => default.unwrap_or(none_ref()).own(),
        })
    }
    #[pymethod]
    fn delete(&self, key: &Object) -> PyResult<Owned<Hamt>> {
        self.without(key)
    }
    #[pymethod]
    fn items(&self) -> PyResult {
        self.iter_items()
    }
    #[pymethod]
    fn keys(&self) -> PyResult {
        self.iter_keys()
    }
    #[pymethod]
    fn values(&self) -> PyResult {
        self.iter_values()
    }
}

/// A walk over the pairs.
struct Walk {
    stack: RefCell<Vec<(Owned<Node>, usize)>>,
    count: Cell<usize>,
}
impl Trace for Walk {
    fn trace(&self, v: &mut Visitor) {
        self.stack.trace(v)
    }
    fn clear_refs(&self) {
        self.stack.clear_refs()
    }
}
impl Walk {
    fn next(&self) -> Option<(Owned<Object>, Owned<Object>)> {
        loop {
            let mut stack = self.stack.borrow_mut();
            let (node, i) = stack.last_mut()?;
            match node.entries.get(*i) {
                None => {
                    let gone = stack.pop();
                    drop(stack);
                    drop(gone);
                }
                Some(Entry::Pair(_, k, v)) => {
                    *i += 1;
                    return Some((k.clone(), v.clone()));
                }
                Some(Entry::Child(n)) => {
                    *i += 1;
                    let n = n.clone();
                    stack.push((n, 0));
                }
            }
        }
    }
}

macro_rules! iterators {
    ($($t:ident $name:literal $pick:expr;)+) => { $(
        #[pyclass(name = $name, no_new)]
        pub struct $t {
            walk: Walk,
        }
        #[pymethods]
        impl $t {
            #[slot(tp_iter)]
            fn iter(&self) -> Owned<$t> {
                self.own()
            }
            #[slot(mp_length)]
            fn py_len(&self) -> PyResult<usize> {
                Ok(self.walk.count.get())
            }
            #[slot(tp_iternext)]
            fn next(&self) -> PyResult<Option<Owned<Object>>> {
                Ok(self.walk.next().map($pick))
            }
        }
    )+ };
}
iterators! {
    Keys "keys" |(k, _)| k;
    Values "values" |(_, v)| v;
    Items "items" |(k, v)| Tuple::pair(k, v).into_object();
}

pub fn init() -> PyResult<()> {
    ready::<Node>()?;
    ready::<Hamt>()?;
    ready::<Keys>()?;
    ready::<Values>()?;
    ready::<Items>()?;
    Ok(())
}
