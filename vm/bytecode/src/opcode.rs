//! The opcode table: number, kind of argument, inline-cache length and stack effect of every base opcode of 3.11.
//!
//! CPython's specialised opcodes are not here: our interpreter specialises through plans in the cache units and never
//! rewrites opcodes, so `co_code` is always the canonical code.
//!
//! Stack effects are written as a formula of the argument `a` and of `j` (true: the jump or exception edge is taken).

/// What an instruction's argument means.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ArgKind {
    /// The argument is ignored.
    None,
    /// A number whose meaning belongs to the opcode.
    Int,
    /// Index into `co_names` (for `LOAD_GLOBAL`: shifted left by one).
    Name,
    /// Index into `co_consts`.
    Const,
    /// Index into the fast locals.
    Local,
    /// Index into the fast locals that must hold a cell (same numbering as `Local`).
    Free,
    /// Distance in code units from the next instruction, forwards.
    JumpForward,
    /// Distance in code units from the next instruction, backwards.
    JumpBackward,
    /// A comparison: `<`, `<=`, `==`, `!=`, `>`, `>=`.
    Compare,
}

/// One row of the table.
#[derive(Copy, Clone, Debug)]
pub struct OpInfo {
    pub name: &'static str,
    pub arg: ArgKind,
    /// Code units of inline cache after the instruction.
    pub caches: u8,
    effect: fn(i32, bool) -> i32,
}

/// Opcodes from this number on take an argument.
pub const HAVE_ARGUMENT: u8 = 90;

macro_rules! opcodes {
    ($($name:ident = $num:literal, $kind:ident, $caches:literal, |$a:pat_param, $j:pat_param| $eff:expr;)*) => {
        $(pub const $name: u8 = $num;)*

        const TABLE: [Option<OpInfo>; 256] = {
            let mut t: [Option<OpInfo>; 256] = [None; 256];
            $({
                fn effect($a: i32, $j: bool) -> i32 { $eff }
                t[$num] = Some(OpInfo { name: stringify!($name), arg: ArgKind::$kind, caches: $caches, effect });
            })*
            t
        };

        /// Every base opcode, in numeric order.
        pub const ALL: &[u8] = &[$($num),*];
    };
}

opcodes! {
    CACHE = 0, None, 0, |_, _| 0;
    POP_TOP = 1, None, 0, |_, _| -1;
    PUSH_NULL = 2, None, 0, |_, _| 1;
    NOP = 9, None, 0, |_, _| 0;
    UNARY_POSITIVE = 10, None, 0, |_, _| 0;
    UNARY_NEGATIVE = 11, None, 0, |_, _| 0;
    UNARY_NOT = 12, None, 0, |_, _| 0;
    UNARY_INVERT = 15, None, 0, |_, _| 0;
    BINARY_SUBSCR = 25, None, 4, |_, _| -1;
    GET_LEN = 30, None, 0, |_, _| 1;
    MATCH_MAPPING = 31, None, 0, |_, _| 1;
    MATCH_SEQUENCE = 32, None, 0, |_, _| 1;
    MATCH_KEYS = 33, None, 0, |_, _| 1;
    PUSH_EXC_INFO = 35, None, 0, |_, _| 1;
    CHECK_EXC_MATCH = 36, None, 0, |_, _| 0;
    CHECK_EG_MATCH = 37, None, 0, |_, _| 0;
    WITH_EXCEPT_START = 49, None, 0, |_, _| 1;
    GET_AITER = 50, None, 0, |_, _| 0;
    GET_ANEXT = 51, None, 0, |_, _| 1;
    BEFORE_ASYNC_WITH = 52, None, 0, |_, _| 1;
    BEFORE_WITH = 53, None, 0, |_, _| 1;
    END_ASYNC_FOR = 54, None, 0, |_, _| -2;
    STORE_SUBSCR = 60, None, 1, |_, _| -3;
    DELETE_SUBSCR = 61, None, 0, |_, _| -2;
    GET_ITER = 68, None, 0, |_, _| 0;
    GET_YIELD_FROM_ITER = 69, None, 0, |_, _| 0;
    PRINT_EXPR = 70, None, 0, |_, _| -1;
    LOAD_BUILD_CLASS = 71, None, 0, |_, _| 1;
    LOAD_ASSERTION_ERROR = 74, None, 0, |_, _| 1;
    RETURN_GENERATOR = 75, None, 0, |_, _| 0;
    LIST_TO_TUPLE = 82, None, 0, |_, _| 0;
    RETURN_VALUE = 83, None, 0, |_, _| -1;
    IMPORT_STAR = 84, None, 0, |_, _| -1;
    SETUP_ANNOTATIONS = 85, None, 0, |_, _| 0;
    YIELD_VALUE = 86, None, 0, |_, _| 0;
    ASYNC_GEN_WRAP = 87, None, 0, |_, _| 0;
    PREP_RERAISE_STAR = 88, None, 0, |_, _| -1;
    POP_EXCEPT = 89, None, 0, |_, _| -1;
    STORE_NAME = 90, Name, 0, |_, _| -1;
    DELETE_NAME = 91, Name, 0, |_, _| 0;
    UNPACK_SEQUENCE = 92, Int, 1, |a, _| a - 1;
    FOR_ITER = 93, JumpForward, 0, |_, j| if j { -1 } else { 1 };
    UNPACK_EX = 94, Int, 0, |a, _| (a & 0xff) + (a >> 8);
    STORE_ATTR = 95, Name, 4, |_, _| -2;
    DELETE_ATTR = 96, Name, 0, |_, _| -1;
    STORE_GLOBAL = 97, Name, 0, |_, _| -1;
    DELETE_GLOBAL = 98, Name, 0, |_, _| 0;
    SWAP = 99, Int, 0, |_, _| 0;
    LOAD_CONST = 100, Const, 0, |_, _| 1;
    LOAD_NAME = 101, Name, 0, |_, _| 1;
    BUILD_TUPLE = 102, Int, 0, |a, _| 1 - a;
    BUILD_LIST = 103, Int, 0, |a, _| 1 - a;
    BUILD_SET = 104, Int, 0, |a, _| 1 - a;
    BUILD_MAP = 105, Int, 0, |a, _| 1 - 2 * a;
    LOAD_ATTR = 106, Name, 4, |_, _| 0;
    COMPARE_OP = 107, Compare, 2, |_, _| -1;
    IMPORT_NAME = 108, Name, 0, |_, _| -1;
    IMPORT_FROM = 109, Name, 0, |_, _| 1;
    JUMP_FORWARD = 110, JumpForward, 0, |_, _| 0;
    JUMP_IF_FALSE_OR_POP = 111, JumpForward, 0, |_, j| if j { 0 } else { -1 };
    JUMP_IF_TRUE_OR_POP = 112, JumpForward, 0, |_, j| if j { 0 } else { -1 };
    POP_JUMP_FORWARD_IF_FALSE = 114, JumpForward, 0, |_, _| -1;
    POP_JUMP_FORWARD_IF_TRUE = 115, JumpForward, 0, |_, _| -1;
    LOAD_GLOBAL = 116, Name, 5, |a, _| (a & 1) + 1;
    IS_OP = 117, Int, 0, |_, _| -1;
    CONTAINS_OP = 118, Int, 0, |_, _| -1;
    RERAISE = 119, Int, 0, |_, _| -1;
    COPY = 120, Int, 0, |_, _| 1;
    BINARY_OP = 122, Int, 1, |_, _| -1;
    SEND = 123, JumpForward, 0, |_, j| if j { -1 } else { 0 };
    LOAD_FAST = 124, Local, 0, |_, _| 1;
    STORE_FAST = 125, Local, 0, |_, _| -1;
    DELETE_FAST = 126, Local, 0, |_, _| 0;
    POP_JUMP_FORWARD_IF_NOT_NONE = 128, JumpForward, 0, |_, _| -1;
    POP_JUMP_FORWARD_IF_NONE = 129, JumpForward, 0, |_, _| -1;
    RAISE_VARARGS = 130, Int, 0, |a, _| -a;
    GET_AWAITABLE = 131, Int, 0, |_, _| 0;
    MAKE_FUNCTION = 132, Int, 0, |a, _| -((a & 0xf).count_ones() as i32);
    BUILD_SLICE = 133, Int, 0, |a, _| if a == 3 { -2 } else { -1 };
    JUMP_BACKWARD_NO_INTERRUPT = 134, JumpBackward, 0, |_, _| 0;
    MAKE_CELL = 135, Free, 0, |_, _| 0;
    LOAD_CLOSURE = 136, Free, 0, |_, _| 1;
    LOAD_DEREF = 137, Free, 0, |_, _| 1;
    STORE_DEREF = 138, Free, 0, |_, _| -1;
    DELETE_DEREF = 139, Free, 0, |_, _| 0;
    JUMP_BACKWARD = 140, JumpBackward, 0, |_, _| 0;
    CALL_FUNCTION_EX = 142, Int, 0, |a, _| -2 - (a & 1);
    EXTENDED_ARG = 144, Int, 0, |_, _| 0;
    LIST_APPEND = 145, Int, 0, |_, _| -1;
    SET_ADD = 146, Int, 0, |_, _| -1;
    MAP_ADD = 147, Int, 0, |_, _| -2;
    LOAD_CLASSDEREF = 148, Free, 0, |_, _| 1;
    COPY_FREE_VARS = 149, Int, 0, |_, _| 0;
    RESUME = 151, Int, 0, |_, _| 0;
    MATCH_CLASS = 152, Int, 0, |_, _| -2;
    FORMAT_VALUE = 155, Int, 0, |a, _| if a & 4 != 0 { -1 } else { 0 };
    BUILD_CONST_KEY_MAP = 156, Int, 0, |a, _| -a;
    BUILD_STRING = 157, Int, 0, |a, _| 1 - a;
    LOAD_METHOD = 160, Name, 10, |_, _| 1;
    LIST_EXTEND = 162, Int, 0, |_, _| -1;
    SET_UPDATE = 163, Int, 0, |_, _| -1;
    DICT_MERGE = 164, Int, 0, |_, _| -1;
    DICT_UPDATE = 165, Int, 0, |_, _| -1;
    PRECALL = 166, Int, 1, |a, _| -a;
    CALL = 171, Int, 4, |_, _| -1;
    KW_NAMES = 172, Const, 0, |_, _| 0;
    POP_JUMP_BACKWARD_IF_NOT_NONE = 173, JumpBackward, 0, |_, _| -1;
    POP_JUMP_BACKWARD_IF_NONE = 174, JumpBackward, 0, |_, _| -1;
    POP_JUMP_BACKWARD_IF_FALSE = 175, JumpBackward, 0, |_, _| -1;
    POP_JUMP_BACKWARD_IF_TRUE = 176, JumpBackward, 0, |_, _| -1;
}

/// The table itself, by opcode number.
pub static OPCODES: [Option<OpInfo>; 256] = TABLE;

const CACHES: [u8; 256] = {
    let mut t = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        if let Some(info) = TABLE[i] {
            t[i] = info.caches;
        }
        i += 1;
    }
    t
};

/// The name of an opcode; `"<n>"`-like numbers are not made up: unknown opcodes have no name.
pub fn name(op: u8) -> Option<&'static str> {
    OPCODES[op as usize].map(|i| i.name)
}

/// The opcode with this name.
pub fn by_name(name: &str) -> Option<u8> {
    ALL.iter().copied().find(|&op| self::name(op) == Some(name))
}

/// What the argument of `op` means.
pub fn arg_kind(op: u8) -> ArgKind {
    OPCODES[op as usize].map_or(ArgKind::None, |i| i.arg)
}

/// Code units of inline cache that follow an instruction.
#[inline(always)]
pub const fn cache_entries(op: u8) -> usize {
    CACHES[op as usize] as usize
}

/// How much deeper the stack is after the instruction; `jump` tells whether its jump is taken.
/// `None` for a number that is no opcode.
pub fn stack_effect(op: u8, arg: u32, jump: bool) -> Option<i32> {
    OPCODES[op as usize].map(|i| (i.effect)(arg as i32, jump))
}

/// Whether the argument is a jump distance.
pub fn is_jump(op: u8) -> bool {
    matches!(arg_kind(op), ArgKind::JumpForward | ArgKind::JumpBackward)
}

/// Whether the jump goes backwards.
pub fn is_backward_jump(op: u8) -> bool {
    arg_kind(op) == ArgKind::JumpBackward
}

/// A typed view of an opcode number, for printing and for APIs that must not take any byte.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct Opcode(pub u8);

impl Opcode {
    pub fn name(self) -> &'static str {
        name(self.0).unwrap_or("<unknown opcode>")
    }
    pub fn arg_kind(self) -> ArgKind {
        arg_kind(self.0)
    }
    pub fn cache_entries(self) -> usize {
        cache_entries(self.0)
    }
    pub fn stack_effect(self, arg: u32, jump: bool) -> Option<i32> {
        stack_effect(self.0, arg, jump)
    }
}

impl std::fmt::Debug for Opcode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One decoded instruction: `EXTENDED_ARG` prefixes are folded in, caches skipped.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Instr {
    /// Code-unit index of the first `EXTENDED_ARG` (or of the opcode itself).
    pub start: usize,
    /// Code-unit index of the opcode.
    pub at: usize,
    /// Code-unit index after the caches.
    pub next: usize,
    pub op: u8,
    pub arg: u32,
}

impl Instr {
    /// The code unit that a jump goes to.
    pub fn target(&self) -> Option<usize> {
        match arg_kind(self.op) {
            ArgKind::JumpForward => Some(self.next + self.arg as usize),
            ArgKind::JumpBackward => self.next.checked_sub(self.arg as usize),
            _ => None,
        }
    }
}

/// Iterates over the instructions of `co_code`.
pub fn instructions(code: &[u8]) -> impl Iterator<Item = Instr> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let mut arg = 0u32;
        while at * 2 + 1 < code.len() {
            let op = code[at * 2];
            arg = arg << 8 | code[at * 2 + 1] as u32;
            if op == EXTENDED_ARG {
                at += 1;
                continue;
            }
            let next = at + 1 + cache_entries(op);
            let instr = Instr { start, at, next, op, arg };
            at = next;
            return Some(instr);
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_consistent() {
        assert!(ALL.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(name(LOAD_FAST), Some("LOAD_FAST"));
        assert_eq!(by_name("CALL"), Some(CALL));
        assert_eq!(cache_entries(LOAD_METHOD), 10);
        for &op in ALL {
            assert_eq!(op < HAVE_ARGUMENT, arg_kind(op) == ArgKind::None, "{:?}", Opcode(op));
        }
        assert_eq!(stack_effect(MAKE_FUNCTION, 3, false), Some(-2));
        assert_eq!(stack_effect(3, 0, false), None);
    }

    #[test]
    fn instructions_fold_prefixes_and_skip_caches() {
        let code = [EXTENDED_ARG, 1, LOAD_CONST, 2, BINARY_OP, 0, 0, 0, RETURN_VALUE, 0];
        let got: Vec<_> = instructions(&code).map(|i| (i.start, i.at, i.next, i.op, i.arg)).collect();
        assert_eq!(got, [(0, 1, 2, LOAD_CONST, 258), (2, 2, 4, BINARY_OP, 0), (4, 4, 5, RETURN_VALUE, 0)]);
    }
}
