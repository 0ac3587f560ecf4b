//! Flag words and small argument encodings of 3.11 code objects.

// ---- co_flags ----

pub const CO_OPTIMIZED: u32 = 0x1;
pub const CO_NEWLOCALS: u32 = 0x2;
pub const CO_VARARGS: u32 = 0x4;
pub const CO_VARKEYWORDS: u32 = 0x8;
pub const CO_NESTED: u32 = 0x10;
pub const CO_GENERATOR: u32 = 0x20;
pub const CO_COROUTINE: u32 = 0x80;
pub const CO_ITERABLE_COROUTINE: u32 = 0x100;
pub const CO_ASYNC_GENERATOR: u32 = 0x200;
pub const CO_FUTURE_DIVISION: u32 = 0x20000;
pub const CO_FUTURE_ABSOLUTE_IMPORT: u32 = 0x40000;
pub const CO_FUTURE_WITH_STATEMENT: u32 = 0x80000;
pub const CO_FUTURE_PRINT_FUNCTION: u32 = 0x100000;
pub const CO_FUTURE_UNICODE_LITERALS: u32 = 0x200000;
pub const CO_FUTURE_BARRY_AS_BDFL: u32 = 0x400000;
pub const CO_FUTURE_GENERATOR_STOP: u32 = 0x800000;
pub const CO_FUTURE_ANNOTATIONS: u32 = 0x1000000;

/// The future bits that `compile()` accepts and code objects inherit (`PyCF_MASK`).
pub const PYCF_MASK: u32 = CO_FUTURE_DIVISION
    | CO_FUTURE_ABSOLUTE_IMPORT
    | CO_FUTURE_WITH_STATEMENT
    | CO_FUTURE_PRINT_FUNCTION
    | CO_FUTURE_UNICODE_LITERALS
    | CO_FUTURE_BARRY_AS_BDFL
    | CO_FUTURE_GENERATOR_STOP
    | CO_FUTURE_ANNOTATIONS;

// ---- flags of compile() that are no code flags ----

pub const PYCF_SOURCE_IS_UTF8: u32 = 0x100;
pub const PYCF_DONT_IMPLY_DEDENT: u32 = 0x200;
pub const PYCF_ONLY_AST: u32 = 0x400;
pub const PYCF_IGNORE_COOKIE: u32 = 0x800;
pub const PYCF_TYPE_COMMENTS: u32 = 0x1000;
pub const PYCF_ALLOW_TOP_LEVEL_AWAIT: u32 = 0x2000;
pub const PYCF_ALLOW_INCOMPLETE_INPUT: u32 = 0x4000;

// ---- co_localspluskinds ----

pub const CO_FAST_LOCAL: u8 = 0x20;
pub const CO_FAST_CELL: u8 = 0x40;
pub const CO_FAST_FREE: u8 = 0x80;

// ---- BINARY_OP ----

pub const NB_ADD: u32 = 0;
pub const NB_AND: u32 = 1;
pub const NB_FLOOR_DIVIDE: u32 = 2;
pub const NB_LSHIFT: u32 = 3;
pub const NB_MATRIX_MULTIPLY: u32 = 4;
pub const NB_MULTIPLY: u32 = 5;
pub const NB_REMAINDER: u32 = 6;
pub const NB_OR: u32 = 7;
pub const NB_POWER: u32 = 8;
pub const NB_RSHIFT: u32 = 9;
pub const NB_SUBTRACT: u32 = 10;
pub const NB_TRUE_DIVIDE: u32 = 11;
pub const NB_XOR: u32 = 12;
/// Added to a plain operator for its in-place form.
pub const NB_INPLACE: u32 = 13;

/// How `dis` prints the argument of `BINARY_OP`.
pub const NB_NAMES: [&str; 26] = [
    "+", "&", "//", "<<", "@", "*", "%", "|", "**", ">>", "-", "/", "^", "+=", "&=", "//=", "<<=", "@=",
    "*=", "%=", "|=", "**=", ">>=", "-=", "/=", "^=",
];

// ---- COMPARE_OP ----

pub const PY_LT: u32 = 0;
pub const PY_LE: u32 = 1;
pub const PY_EQ: u32 = 2;
pub const PY_NE: u32 = 3;
pub const PY_GT: u32 = 4;
pub const PY_GE: u32 = 5;

pub const COMPARE_NAMES: [&str; 6] = ["<", "<=", "==", "!=", ">", ">="];

// ---- FORMAT_VALUE ----

pub const FVC_NONE: u32 = 0;
pub const FVC_STR: u32 = 1;
pub const FVC_REPR: u32 = 2;
pub const FVC_ASCII: u32 = 3;
/// A format specification lies on the stack.
pub const FVS_HAVE_SPEC: u32 = 4;

// ---- MAKE_FUNCTION ----

pub const MAKE_FUNCTION_DEFAULTS: u32 = 1;
pub const MAKE_FUNCTION_KWDEFAULTS: u32 = 2;
pub const MAKE_FUNCTION_ANNOTATIONS: u32 = 4;
pub const MAKE_FUNCTION_CLOSURE: u32 = 8;

// ---- RESUME ----

pub const RESUME_FUNC_START: u32 = 0;
pub const RESUME_AFTER_YIELD: u32 = 1;
pub const RESUME_AFTER_YIELD_FROM: u32 = 2;
pub const RESUME_AFTER_AWAIT: u32 = 3;
