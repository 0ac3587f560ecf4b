//! Descriptors: how the embedder tells the JIT about memory, helpers, native code and object classes.
//!
//! Everything is numbered by its index in a [`Descs`] list; IR carries the numbers, text carries the names.

use crate::trace::Ty;

/// How a value lies in memory or in a native argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum MemKind {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    F32,
    F64,
    Ptr,
    Ref,
}

impl MemKind {
    pub fn ty(self) -> Ty {
        match self {
            MemKind::F32 | MemKind::F64 => Ty::F64,
            MemKind::Ptr => Ty::Ptr,
            MemKind::Ref => Ty::Ref,
            _ => Ty::I64,
        }
    }
    pub fn size(self) -> i32 {
        match self {
            MemKind::I8 | MemKind::U8 => 1,
            MemKind::I16 | MemKind::U16 => 2,
            MemKind::I32 | MemKind::U32 | MemKind::F32 => 4,
            _ => 8,
        }
    }
}

/// Alias class of interpreter frame slots; the embedder numbers its own from 1 to 63.
pub const ALIAS_FRAME: u8 = 0;

/// A set of effects: alias classes read and written, and flag bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    pub reads: u64,
    pub writes: u64,
    pub flags: u32,
}

pub const RAISES: u32 = 1;
pub const RUNS_PYTHON: u32 = 2;
pub const ALLOCATES: u32 = 4;
pub const OBSERVES_REFCOUNT: u32 = 8;
pub const RELEASES_GIL: u32 = 16;
pub const MAY_FORCE: u32 = 32;
/// Reads and writes the frame's memory as the interpreter would: all frames are written back before the call.
pub const USES_FRAME: u32 = 64;
/// May lower the count of some object to zero (so borrowed values may die).
pub const MAY_DEALLOC: u32 = 128;

impl Effects {
    pub const NONE: Effects = Effects { reads: 0, writes: 0, flags: 0 };
    /// The worst: arbitrary code.
    pub const ARBITRARY: Effects = Effects {
        reads: !0,
        writes: !0,
        flags: RAISES | RUNS_PYTHON | ALLOCATES | OBSERVES_REFCOUNT | RELEASES_GIL | MAY_FORCE | MAY_DEALLOC,
    };
    pub fn has(self, f: u32) -> bool {
        self.flags & f != 0
    }
    pub fn union(self, o: Effects) -> Effects {
        Effects { reads: self.reads | o.reads, writes: self.writes | o.writes, flags: self.flags | o.flags }
    }
    /// Adds what a flag implies.
    pub fn normalised(mut self) -> Effects {
        if self.has(RUNS_PYTHON) {
            self.reads = !0;
            self.writes = !0;
            self.flags |= MAY_FORCE | OBSERVES_REFCOUNT | MAY_DEALLOC;
        }
        if self.has(RELEASES_GIL) {
            self.writes = !0;
            self.flags |= MAY_DEALLOC;
        }
        self
    }
}

#[derive(Clone, Debug)]
pub struct FieldDesc {
    pub name: String,
    pub offset: i32,
    pub kind: MemKind,
    pub alias: u8,
    /// Never changes while the object lives.
    pub immutable: bool,
    /// Stores may be delayed to exits and calls that can read them (non-references only).
    pub lazy: bool,
    /// Lazy fields: the types whose objects have it. No store is pending for an object of any other type.
    pub owners: Vec<u64>,
    /// Other threads change it at any time: every load is a load.
    pub volatile: bool,
    /// A load stands for two: of the first field, then of the second from the address found there. (A virtual may know the
    /// second without having the first.)
    pub through: Option<(u32, u32)>,
}

#[derive(Clone, Debug)]
pub struct ArrayDesc {
    pub name: String,
    /// Offset of item 0 from the base operand.
    pub offset: i32,
    pub kind: MemKind,
    pub alias: u8,
    pub immutable: bool,
}

#[derive(Clone, Debug)]
pub struct HelperDesc {
    pub name: String,
    pub addr: u64,
    pub args: Vec<Ty>,
    /// Bit n: argument n's reference is taken over.
    pub steals: u64,
    pub ret: Ty,
    /// Size of the machine result when `ret` is `i64`: callees leave upper bits undefined.
    pub ret_kind: MemKind,
    /// The result is a new reference (else borrowed).
    pub ret_new: bool,
    pub ret_nonnull: bool,
    /// The thread state goes before the listed arguments.
    pub pass_ts: bool,
    pub effects: Effects,
}

/// Where one native argument goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// n-th integer argument register of the platform's C ABI.
    Int(u8),
    /// n-th float argument register.
    Float(u8),
    /// n-th 8-byte word of the outgoing stack area.
    Stack(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArgPlace {
    pub kind: MemKind,
    pub place: Place,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RetPlace {
    None,
    /// First integer or float result register, read as this kind.
    One(MemKind),
    /// Structs in registers: each (is float, n-th result register of its class, byte offset) is stored to the
    /// address given by the call's last argument.
    Mem(Vec<(bool, u8, u8)>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Addr(u64),
    /// The call's first argument is the address.
    FirstArg,
}

/// One native call's ABI as data. Trace-local ([`crate::Trace::natives`]).
///
/// The list of the `ncall` is: target if [`Target::FirstArg`], then one value per place, then the result address
/// if [`RetPlace::Mem`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NativeDesc {
    pub name: String,
    pub target: Target,
    pub args: Vec<ArgPlace>,
    pub ret: RetPlace,
    /// Variadic callee: number of float registers used (goes to `al`).
    pub varargs: Option<u8>,
    pub effects: Effects,
}

/// No field.
pub const NO_FIELD: u32 = u32::MAX;

/// A class of objects the optimiser may keep virtual.
#[derive(Clone, Debug)]
pub struct ClassDesc {
    pub name: String,
    /// The type object's address; 0 if unknown.
    pub type_addr: u64,
    /// Or the field that says it.
    pub type_field: Option<usize>,
    /// Fields a virtual has, in the order of `alloc`'s arguments.
    pub fields: Vec<u32>,
    /// Helper that makes the object from its fields (takes over references).
    pub alloc: u32,
    /// Dropping an instance cannot run Python code (apart from dropping its fields).
    pub silent: bool,
    /// `alloc` always makes a new object of exactly this type. If not, it may answer an existing object, and with a
    /// type address of 0 an object of any type or null: such an object is made before anything is asked of it.
    pub fresh: bool,
    /// Fields that are always the same while an object is virtual, with their bits.
    pub consts: Vec<(u32, u64)>,
    /// The field with the address of a block of memory, and the array in that whose items are `fields[1..]`. The array is never
    /// replaced by another, and what is asked of its address is asked of the virtual object. (Without a `type_field` the items are all
    /// of `fields`; `NO_FIELD`: the array lies in the object itself.)
    pub block: Option<(u32, u32)>,
}

/// Offsets and helpers for boxes, counts and frames.
#[derive(Clone, Debug)]
pub struct Layout {
    pub refcnt: i32,
    pub type_of: i32,
    /// Signed digit count of a boxed integer; digits are 30 bits in u32.
    pub int_size: i32,
    pub int_digits: i32,
    pub float_value: i32,
    /// Offset of slot 0 in an interpreter frame.
    pub slots: i32,
    /// Offset in the thread state of the "exception set" pointer.
    pub exc: i32,
    /// Offset in the thread state of a 32-bit word that is not zero when something else than the native code itself
    /// has run during a call.
    pub attention: i32,
    pub int_type: u64,
    pub float_type: u64,
    /// Address of two words: the first of the free blocks for floats (linked by their type words), and how many more the list
    /// takes. 0 if there is no such list.
    pub free_floats: u64,
    /// The same for ints of at most two digits; 0: none.
    pub free_ints: u64,
    /// The int objects from -5 to 256, 32 bytes each.
    pub small_ints: u64,
    /// Helpers: i64 -> new ref, f64 -> new ref, last reference gone (ref).
    pub box_int: u32,
    pub box_float: u32,
    pub dealloc: u32,
}

#[derive(Clone, Debug)]
pub struct Descs {
    pub alias: Vec<String>,
    pub fields: Vec<FieldDesc>,
    pub arrays: Vec<ArrayDesc>,
    pub helpers: Vec<HelperDesc>,
    pub classes: Vec<ClassDesc>,
    /// Types whose destructors nobody can observe.
    pub silent_types: Vec<u64>,
    pub layout: Layout,
    /// Type and payload bits of an object that is an int of at most two digits or a float, given its address.
    pub literal: Option<fn(u64) -> Option<(u64, u64)>>,
}

impl Descs {
    pub fn field(&self, name: &str) -> Option<u32> {
        self.fields.iter().position(|f| f.name == name).map(|i| i as u32)
    }
    pub fn array(&self, name: &str) -> Option<u32> {
        self.arrays.iter().position(|f| f.name == name).map(|i| i as u32)
    }
    pub fn helper(&self, name: &str) -> Option<u32> {
        self.helpers.iter().position(|f| f.name == name).map(|i| i as u32)
    }
    pub fn class(&self, name: &str) -> Option<u32> {
        self.classes.iter().position(|f| f.name == name).map(|i| i as u32)
    }
}

/// Byte offsets in the JIT frame (`jf`) that generated code uses.
///
/// ```text
///    0 exit word   trace id << 32 | exit number       64 general registers dumped by an exit, by number
///    8 call word   trace id << 32 | call + 1          192 float registers dumped by an exit
///   16 forced      non-zero after a force             320 spill slots
///   24 frame       root interpreter frame
///   32..64         the embedder's
/// ```
pub mod jf {
    pub const EXIT: i32 = 0;
    pub const CALL: i32 = 8;
    pub const FORCED: i32 = 16;
    pub const FRAME: i32 = 24;
    pub const EMBEDDER: i32 = 32;
    pub const GPR: i32 = 64;
    pub const XMM: i32 = 192;
    pub const SPILL: i32 = 320;
    pub const MAX_SPILLS: usize = 2000;
    pub const SIZE: usize = SPILL as usize + MAX_SPILLS * 8;
}
