//! The op table. One row per op: name, text, result, operands, what `imm` means, effect class, meaning.
//!
//! The enum, printer, parser, verifier and effect queries are made from it. A new op is one row here, a line in the
//! executor and a lowering per backend.

use crate::trace::Ty;

/// What an operand must be. `Addr` is `ptr` or `ref`; `Any` is anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgKind {
    I64,
    F64,
    Ptr,
    Ref,
    Addr,
    Any,
}

/// What the `imm` word of an instruction means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImmKind {
    None,
    Field,
    Array,
    Slot,
    Helper,
    Native,
    Class,
    Offset,
    Flags,
}

/// Effect class bits of an op (calls add the effects of what they call).
pub const PURE: u32 = 1;
pub const GUARD: u32 = 2;
pub const READ: u32 = 4;
pub const WRITE: u32 = 8;
pub const CALL: u32 = 16;
pub const RC: u32 = 32;
pub const ALLOC: u32 = 64;
pub const CTRL: u32 = 128;
/// Takes its operands from the side list.
pub const LIST: u32 = 256;

macro_rules! ret_ty {
    (Any) => {
        None
    };
    ($t:ident) => {
        Some(Ty::$t)
    };
}

macro_rules! ops {
    ($($name:ident $text:literal $ret:ident [$($arg:ident)*] $imm:ident [$($eff:ident)*] $doc:literal;)*) => {
        /// An operation; see the table in this file.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Op { $(#[doc = $doc] $name,)* }

        /// Every op in table order.
        pub const ALL: &[Op] = &[$(Op::$name,)*];

        impl Op {
            /// Name in the text form.
            pub fn text(self) -> &'static str { match self { $(Op::$name => $text,)* } }
            /// Result type; `None` means the instruction says it.
            pub fn result(self) -> Option<Ty> { match self { $(Op::$name => ret_ty!($ret),)* } }
            pub fn args(self) -> &'static [ArgKind] { match self { $(Op::$name => &[$(ArgKind::$arg,)*],)* } }
            pub fn imm(self) -> ImmKind { match self { $(Op::$name => ImmKind::$imm,)* } }
            /// Effect class bits.
            pub fn bits(self) -> u32 { match self { $(Op::$name => 0 $(| $eff)*,)* } }
            pub fn doc(self) -> &'static str { match self { $(Op::$name => $doc,)* } }
            pub fn from_text(s: &str) -> Option<Op> { match s { $($text => Some(Op::$name),)* _ => None } }
        }
    };
}

ops! {
    // ---- Inputs ----
    Ts       "ts"        Ptr  []            None   [PURE]        "the thread state (pinned register)";
    Jf       "jf"        Ptr  []            None   [PURE]        "the JIT frame (pinned register)";
    JLoad    "jload"     Any  []            Offset [READ]        "load a word of the JIT frame (bridge inputs, frame pointer)";
    // ---- Integers ----
    Add      "add"       I64  [I64 I64]     None   [PURE]        "wrapping add";
    Sub      "sub"       I64  [I64 I64]     None   [PURE]        "wrapping subtract";
    Mul      "mul"       I64  [I64 I64]     None   [PURE]        "wrapping multiply";
    AddOv    "addov"     I64  [I64 I64]     None   [PURE GUARD]  "add; exit on signed overflow";
    SubOv    "subov"     I64  [I64 I64]     None   [PURE GUARD]  "subtract; exit on signed overflow";
    MulOv    "mulov"     I64  [I64 I64]     None   [PURE GUARD]  "multiply; exit on signed overflow";
    FloorDiv "floordiv"  I64  [I64 I64]     None   [PURE GUARD]  "floor division; exit on zero divisor or overflow";
    FloorMod "floormod"  I64  [I64 I64]     None   [PURE GUARD]  "floor modulo; exit on zero divisor";
    Neg      "neg"       I64  [I64]         None   [PURE]        "wrapping negate";
    Not      "not"       I64  [I64]         None   [PURE]        "bitwise complement";
    And      "and"       I64  [I64 I64]     None   [PURE]        "bitwise and";
    Or       "or"        I64  [I64 I64]     None   [PURE]        "bitwise or";
    Xor      "xor"       I64  [I64 I64]     None   [PURE]        "bitwise exclusive or";
    Shl      "shl"       I64  [I64 I64]     None   [PURE]        "shift left, count modulo 64";
    Shr      "shr"       I64  [I64 I64]     None   [PURE]        "logical shift right, count modulo 64";
    Sar      "sar"       I64  [I64 I64]     None   [PURE]        "arithmetic shift right, count modulo 64";
    Sext8    "sext8"     I64  [I64]         None   [PURE]        "sign-extend the low 8 bits";
    Sext16   "sext16"    I64  [I64]         None   [PURE]        "sign-extend the low 16 bits";
    Sext32   "sext32"    I64  [I64]         None   [PURE]        "sign-extend the low 32 bits";
    Zext8    "zext8"     I64  [I64]         None   [PURE]        "zero-extend the low 8 bits";
    Zext16   "zext16"    I64  [I64]         None   [PURE]        "zero-extend the low 16 bits";
    Zext32   "zext32"    I64  [I64]         None   [PURE]        "zero-extend the low 32 bits";
    // ---- Comparisons: 0 or 1 ----
    Eq       "eq"        I64  [Any Any]     None   [PURE]        "equal bits (i64, ptr or ref)";
    Ne       "ne"        I64  [Any Any]     None   [PURE]        "different bits (i64, ptr or ref)";
    Lt       "lt"        I64  [I64 I64]     None   [PURE]        "signed less";
    Le       "le"        I64  [I64 I64]     None   [PURE]        "signed less or equal";
    Gt       "gt"        I64  [I64 I64]     None   [PURE]        "signed greater";
    Ge       "ge"        I64  [I64 I64]     None   [PURE]        "signed greater or equal";
    Ult      "ult"       I64  [I64 I64]     None   [PURE]        "unsigned less";
    Ule      "ule"       I64  [I64 I64]     None   [PURE]        "unsigned less or equal";
    FEq      "feq"       I64  [F64 F64]     None   [PURE]        "float equal";
    FNe      "fne"       I64  [F64 F64]     None   [PURE]        "float not equal (true for nan)";
    FLt      "flt"       I64  [F64 F64]     None   [PURE]        "float less";
    FLe      "fle"       I64  [F64 F64]     None   [PURE]        "float less or equal";
    FGt      "fgt"       I64  [F64 F64]     None   [PURE]        "float greater";
    FGe      "fge"       I64  [F64 F64]     None   [PURE]        "float greater or equal";
    // ---- Floats and conversions ----
    FAdd     "fadd"      F64  [F64 F64]     None   [PURE]        "float add";
    FSub     "fsub"      F64  [F64 F64]     None   [PURE]        "float subtract";
    FMul     "fmul"      F64  [F64 F64]     None   [PURE]        "float multiply";
    FDiv     "fdiv"      F64  [F64 F64]     None   [PURE]        "float divide, IEEE (guard the divisor first)";
    FNeg     "fneg"      F64  [F64]         None   [PURE]        "float negate";
    FAbs     "fabs"      F64  [F64]         None   [PURE]        "float absolute value";
    FSqrt    "fsqrt"     F64  [F64]         None   [PURE]        "float square root";
    FRound32 "fround32"  F64  [F64]         None   [PURE]        "round to the nearest f32 (value stays f64)";
    I2F      "i2f"       F64  [I64]         None   [PURE]        "signed integer to float, nearest";
    F2I      "f2i"       I64  [F64]         None   [PURE GUARD]  "float to integer, truncating; exit if out of range or nan";
    FBits    "fbits"     I64  [F64]         None   [PURE]        "the bits of a float";
    BitsF    "bitsf"     F64  [I64]         None   [PURE]        "a float from its bits";
    Cast     "cast"      Any  [Any]         None   [PURE]        "same bits as i64, ptr or ref";
    PAdd     "padd"      Ptr  [Addr I64]    None   [PURE]        "address plus bytes";
    // ---- Memory ----
    FLoad    "fload"     Any  [Addr]        Field  [READ]        "load a described field";
    FStore   "fstore"    Void [Addr Any]    Field  [WRITE]       "store a described field; does not touch refcounts";
    ALoad    "aload"     Any  [Addr I64]    Array  [READ]        "load a described array's item";
    AStore   "astore"    Void [Addr I64 Any] Array [WRITE]       "store a described array's item; no refcounts";
    SLoad    "sload"     Ref  [Addr]        Slot   [READ]        "load a slot of an interpreter frame";
    SStore   "sstore"    Void [Addr Ref]    Slot   [WRITE]       "store a frame slot; the slot takes over one reference";
    FReplace "replace_float" Void []        Array  [WRITE LIST]  "base, index, old, value: the item, which is the float `old`, becomes a float of this value; in place if nobody else has `old`";
    // ---- Guards ----
    GTrue    "guard_true"    Void [I64]     None   [GUARD]       "exit if zero";
    GFalse   "guard_false"   Void [I64]     None   [GUARD]       "exit if not zero";
    GType    "guard_type"    Void [Ref Ptr] Flags  [GUARD READ]  "exit if the object's type differs; flag 1: fact survives any code";
    GValue   "guard_value"   Void [Any Any] None   [GUARD]       "exit if bits differ from the constant";
    GNonNull "guard_nonnull" Void [Addr]    None   [GUARD]       "exit if null";
    GShared  "guard_shared"  Void [Ref]     None   [GUARD READ]  "exit if the object has no more than one reference (never remembered)";
    GNull    "guard_null"    Void [Addr]    None   [GUARD]       "exit if not null";
    GValid   "guard_valid"   Void [Ptr]     None   [GUARD READ]  "exit if the byte at the address is zero";
    GNotForced "guard_not_forced" Void []   None   [GUARD READ]  "exit if the preceding call forced this activation's frames";
    GQuiet   "guard_quiet"   Void []        None   [GUARD READ]  "exit if Python code or another thread has run during the preceding call; stands behind guard_not_forced";
    GNoExc   "guard_noexc"   Void []        None   [GUARD READ]  "exit if the thread state has an exception set";
    Exit     "exit"          Void []        None   [GUARD CTRL]  "leave here, always";
    // ---- Boxes and objects ----
    BoxI     "boxi"      Ref  [I64]         None   [ALLOC]       "a boxed integer (new reference)";
    BoxF     "boxf"      Ref  [F64]         None   [ALLOC]       "a boxed float (new reference)";
    UnboxI   "unboxi"    I64  [Ref]         None   [PURE GUARD]  "value of a boxed integer of at most two digits; else exit";
    UnboxF   "unboxf"    F64  [Ref]         None   [PURE]        "value of a boxed float";
    New      "new"       Ref  []            Class  [ALLOC LIST]  "a new object of a described class; takes its fields' references";
    // ---- References ----
    Own      "own"       Void [Ref]         None   [RC]          "the program gained a reference";
    Drop     "drop"      Void [Ref]         Flags  [RC]          "the program lost a reference; flags: 1 silent, 2 not last, 4 may be null";
    Adopt    "adopt"     Void [Ref]         Slot   [RC]          "the trace takes over the reference a frame slot held (no code)";
    Yield    "yieldref"  Void [Ref]         None   [RC]          "a reference went to memory by a store (no code)";
    // ---- Calls ----
    Call     "call"      Any  []            Helper [CALL LIST]   "call a helper";
    NCall    "ncall"     Any  []            Native [CALL LIST]   "call native code with unboxed values";
    // ---- Control ----
    Loop     "loop"      Void []            None   [CTRL]        "the loop label";
    Phi      "phi"       Any  [Any Any]     None   [CTRL]        "value at loop entry, value at the back edge";
    Jump     "jump"      Void []            None   [CTRL]        "back to the loop label";
    LinkLabel "link_label" Void []          None   [CTRL LIST]   "continue at another trace's loop label with these values for its phis and its contract";
    Link     "link"      Void [Ptr]         None   [CTRL]        "continue at the trace entry stored at this address";
}

/// Flags of `drop`.
pub const DROP_SILENT: u32 = 1;
pub const DROP_NOT_LAST: u32 = 2;
pub const DROP_MAYBE_NULL: u32 = 4;
/// Flag of `guard_type`: the fact survives arbitrary code (a built-in type whose instances keep their class).
pub const TYPE_STATIC: u32 = 1;

impl Op {
    pub fn is_pure(self) -> bool {
        self.bits() & PURE != 0
    }
    /// Has an exit (names a snapshot).
    pub fn is_guard(self) -> bool {
        self.bits() & GUARD != 0
    }
    pub fn has_list(self) -> bool {
        self.bits() & LIST != 0
    }
    /// Must stay even when the result is unused.
    pub fn keeps(self) -> bool {
        match self {
            Op::FLoad | Op::ALoad | Op::SLoad | Op::JLoad | Op::Phi => false,
            // These guards only protect their own result.
            Op::UnboxI | Op::AddOv | Op::SubOv | Op::MulOv => false,
            _ => self.bits() & PURE == 0 || self.is_guard(),
        }
    }
}
