//! The contract of a loop label: what must hold, and where everything must be, for a jump to it from another trace.
//!
//! A root trace states its own; a bridge that could go back to the label has the same contract in its own values, so that
//! bridges of bridges can go there too.

use crate::trace::*;

/// Where a value is carried around the loop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Carrier {
    /// A slot of the root frame.
    Slot(i32),
    /// A delayed field of an object.
    Field(Val, u32),
}

/// A phi of the label.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LabelPhi {
    /// The phi; in a bridge's copy nothing.
    pub val: Val,
    pub at: Carrier,
    /// The payload of such a box is carried, not the box.
    pub payload: Option<VClass>,
    pub ty: Ty,
    /// Exact type the loop relies on, and that the value is not null.
    pub exact: Option<u64>,
    pub nonnull: bool,
}

/// What the loop knows of a slot that no phi carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LabelSlot {
    /// Memory holds this value and its reference.
    Clean(Val),
    /// The trace holds this value and its reference.
    Held(Val),
    /// Nothing is there.
    Empty,
}

/// A fact about memory: the load would answer `val`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LabelFact {
    pub base: Val,
    /// Field, or array if `idx` is a value.
    pub desc: u32,
    pub idx: Val,
    pub val: Val,
    /// Holds at all exits of this trace (behind the label), so bridges may start from it.
    pub holds: bool,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Label {
    pub pc: u32,
    pub sp: u32,
    pub phis: Vec<LabelPhi>,
    /// Slot, what it is, and whether a clean one is so at all exits of this trace.
    pub slots: Vec<(i32, LabelSlot, bool)>,
    /// Delayed fields that stay the same: object, field, value.
    pub fields: Vec<(Val, u32, Val)>,
    pub facts: Vec<LabelFact>,
    /// Types of objects that arbitrary code could change.
    pub types: Vec<(Val, u64)>,
    /// They hold at all exits of this trace.
    pub types_hold: bool,
    /// Types that nothing changes; known, not required.
    pub statics: Vec<(Val, u64)>,
    /// Addresses `guard_valid` was asked about.
    pub valid: Vec<Val>,
    /// Values from before the loop that the loop or this contract names; every exit behind the label keeps them.
    pub values: Vec<Val>,
}

impl Label {
    pub fn map_vals(&mut self, f: &mut dyn FnMut(Val) -> Val) {
        for p in &mut self.phis {
            p.val = f(p.val);
            if let Carrier::Field(b, _) = &mut p.at {
                *b = f(*b);
            }
        }
        for (_, s, _) in &mut self.slots {
            if let LabelSlot::Clean(v) | LabelSlot::Held(v) = s {
                *v = f(*v);
            }
        }
        for (b, _, v) in &mut self.fields {
            *b = f(*b);
            *v = f(*v);
        }
        for x in &mut self.facts {
            x.base = f(x.base);
            x.idx = f(x.idx);
            x.val = f(x.val);
        }
        for (v, _) in self.types.iter_mut().chain(&mut self.statics) {
            *v = f(*v);
        }
        for v in self.valid.iter_mut().chain(&mut self.values) {
            *v = f(*v);
        }
    }

    /// Every value the contract needs. (What the loop has relied on may live on in values computed from it.)
    pub fn needs(&self, need: &mut dyn FnMut(Val)) {
        for p in &self.phis {
            if let Carrier::Field(b, _) = p.at {
                need(b);
            }
        }
        for (_, s, _) in &self.slots {
            if let LabelSlot::Held(v) | LabelSlot::Clean(v) = s {
                need(*v);
            }
        }
        for (b, _, v) in &self.fields {
            need(*b);
            need(*v);
        }
        for x in &self.facts {
            need(x.base);
            need(x.idx);
            need(x.val);
        }
        for (v, _) in &self.types {
            need(*v);
        }
        for v in &self.valid {
            need(*v);
        }
    }
}

/// Where the machine code of a label wants a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Where {
    /// Nobody reads it.
    Nowhere,
    Reg(u8),
    /// Byte offset in jf.
    Mem(i32),
    /// In a register, and in memory too: exits behind the label read it there.
    Both(u8, i32),
}

/// A compiled label.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LabelCode {
    /// Offset in the code.
    pub offset: usize,
    /// Places of the contract's phis, then of its values.
    pub places: Vec<Where>,
    /// Registers that hold words of jf's header.
    pub words: Vec<(u8, i32)>,
    /// Address of the word that holds the code's address.
    pub cell: u64,
    /// Spill slots from here on are free for bridges that come back.
    pub top: i32,
    pub trace_id: u32,
}
