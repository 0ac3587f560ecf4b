//! Layouts of the inline caches, in code units counted from the first unit after the instruction.
//!
//! A cache unit is 16 bits; `_2` and `_4` fields are 32- and 64-bit values stored over two or four units in native order
//! (unaligned). CPython's own use of the fields is documented by their names; Lancehead's interpreter may store what it likes
//! in them: only the lengths are part of the bytecode format.

/// Offset and width of one cache field, in code units.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Field {
    pub offset: usize,
    pub units: usize,
}

macro_rules! layouts {
    ($($(#[$doc:meta])* $module:ident, $total:ident = $len:literal { $($field:ident : $off:literal, $units:literal;)* })*) => {
        $(
            pub const $total: usize = $len;
            $(#[$doc])*
            pub mod $module {
                use super::Field;
                $(pub const $field: Field = Field { offset: $off, units: $units };)*
            }
        )*
    };
}

layouts! {
    /// `BINARY_OP`
    binary_op, BINARY_OP_CACHE = 1 { COUNTER: 0, 1; }
    /// `BINARY_SUBSCR`
    binary_subscr, BINARY_SUBSCR_CACHE = 4 { COUNTER: 0, 1; TYPE_VERSION: 1, 2; FUNC_VERSION: 3, 1; }
    /// `STORE_SUBSCR`
    store_subscr, STORE_SUBSCR_CACHE = 1 { COUNTER: 0, 1; }
    /// `UNPACK_SEQUENCE`
    unpack_sequence, UNPACK_SEQUENCE_CACHE = 1 { COUNTER: 0, 1; }
    /// `LOAD_ATTR` and `STORE_ATTR`
    attr, ATTR_CACHE = 4 { COUNTER: 0, 1; VERSION: 1, 2; INDEX: 3, 1; }
    /// `LOAD_METHOD`
    load_method, LOAD_METHOD_CACHE = 10 { COUNTER: 0, 1; TYPE_VERSION: 1, 2; DICT_OFFSET: 3, 1; KEYS_VERSION: 4, 2; DESCR: 6, 4; }
    /// `LOAD_GLOBAL`
    load_global, LOAD_GLOBAL_CACHE = 5 { COUNTER: 0, 1; INDEX: 1, 1; MODULE_KEYS_VERSION: 2, 2; BUILTIN_KEYS_VERSION: 4, 1; }
    /// `COMPARE_OP`
    compare_op, COMPARE_OP_CACHE = 2 { COUNTER: 0, 1; MASK: 1, 1; }
    /// `PRECALL`
    precall, PRECALL_CACHE = 1 { COUNTER: 0, 1; }
    /// `CALL`
    call, CALL_CACHE = 4 { COUNTER: 0, 1; FUNC_VERSION: 1, 2; MIN_ARGS: 3, 1; }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opcode::*;

    #[test]
    fn lengths_agree_with_the_opcode_table() {
        for (op, len) in [
            (BINARY_OP, BINARY_OP_CACHE),
            (BINARY_SUBSCR, BINARY_SUBSCR_CACHE),
            (STORE_SUBSCR, STORE_SUBSCR_CACHE),
            (UNPACK_SEQUENCE, UNPACK_SEQUENCE_CACHE),
            (LOAD_ATTR, ATTR_CACHE),
            (STORE_ATTR, ATTR_CACHE),
            (LOAD_METHOD, LOAD_METHOD_CACHE),
            (LOAD_GLOBAL, LOAD_GLOBAL_CACHE),
            (COMPARE_OP, COMPARE_OP_CACHE),
            (PRECALL, PRECALL_CACHE),
            (CALL, CALL_CACHE),
        ] {
            assert_eq!(cache_entries(op), len, "{:?}", crate::Opcode(op));
        }
    }
}
