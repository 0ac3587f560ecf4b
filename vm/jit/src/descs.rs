//! The descriptors by which the pure crates know the object model: fields, arrays, helpers, layout.

use crate::helpers;
use lh_abi::*;
use lh_interp::frame::Frame;
use lh_jit_ir::*;
use lh_runtime::prelude::*;
use lh_runtime::type_table::*;
use std::mem::offset_of;

pub const A_LIST: u8 = 1;
pub const A_ITEMS: u8 = 2;
pub const A_VALUES: u8 = 3;
pub const A_DICT: u8 = 4;
pub const A_TYPE: u8 = 5;
pub const A_ITER: u8 = 6;
pub const A_BREAKER: u8 = 7;
pub const A_OTHER: u8 = 8;
pub const A_HEADER: u8 = 9;
pub const A_GIL: u8 = 10;
pub const A_CONST: u8 = 11;
/// Memory that native code reads and writes: what lies behind pointers, not in Python objects.
pub const A_RAW: u8 = 12;
pub const A_CELL: u8 = 13;

/// An offset in a generator, seen from its frame.
const fn from_frame(offset: usize) -> i32 {
    offset as i32 - offset_of!(PyGenObject, gi_iframe) as i32
}

macro_rules! fields {
    ($($name:ident = $off:expr, $kind:ident, $alias:expr, $imm:expr, $lazy:expr;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum FieldNo { $($name,)* COUNT }
        $(pub const $name: u32 = FieldNo::$name as u32;)*
        fn named_fields() -> Vec<FieldDesc> {
            vec![$(FieldDesc {
                name: stringify!($name).to_lowercase(),
                offset: $off as i32,
                kind: MemKind::$kind,
                alias: $alias,
                immutable: $imm,
                lazy: $lazy,
                owners: vec![],
                volatile: $alias == A_BREAKER,
                through: None,
            }),*]
        }
    };
}
fields! {
    BREAKER = 0, U32, A_BREAKER, false, false;
    REFCNT = 0, I64, A_OTHER, false, false;
    RANGE_INDEX = 16, I64, A_ITER, false, true;
    RANGE_START = 24, I64, A_ITER, true, false;
    RANGE_STEP = 32, I64, A_ITER, true, false;
    RANGE_LEN = 40, I64, A_ITER, true, false;
    LIST_SIZE = 16, I64, A_LIST, false, false;
    LIST_ITEMS = 24, Ptr, A_LIST, false, false;
    TUPLE_SIZE = 16, I64, A_CONST, true, false;
    SEQIT_INDEX = 16, I64, A_ITER, false, true;
    SEQIT_SEQ = 24, Ref, A_ITER, false, false;
    TYPE_VERSION = offset_of!(PyTypeObject, tp_version_tag), U32, A_TYPE, false, false;
    INST_DICT = -24, Ptr, A_VALUES, false, false;
    INST_BASE = -32, Ptr, A_VALUES, true, false;
    INST_CAPACITY = 0, I64, A_VALUES, true, false;
    SET_USED = offset_of!(PySetObject, used), I64, A_OTHER, false, false;
    KEYS_LEN = 0, I64, A_TYPE, false, false;
    DICT_TABLE = offset_of!(PyDictObject, ma_keys), Ptr, A_DICT, false, false;
    TABLE_VERSION = 0, U32, A_DICT, false, false;
    ENTRY_VALUE = 0, Ref, A_DICT, false, false;
    FRAME_GLOBALS = offset_of!(Frame, globals), Ptr, A_CONST, true, false;
    FRAME_BUILTINS = offset_of!(Frame, builtins), Ptr, A_CONST, true, false;
    FRAME_PREV = offset_of!(Frame, prev_instr), Ptr, A_HEADER, false, false;
    FRAME_GLOBALS_W = offset_of!(Frame, globals), Ptr, A_HEADER, false, false;
    FRAME_BUILTINS_W = offset_of!(Frame, builtins), Ptr, A_HEADER, false, false;
    FRAME_CODE = offset_of!(Frame, code), Ptr, A_CONST, true, false;
    GEN_STATE = from_frame(offset_of!(PyGenObject, gi_frame_state)), I8, A_HEADER, false, false;
    GEN_EXC_PREVIOUS = from_frame(offset_of!(PyGenObject, gi_exc_state) + offset_of!(_PyErr_StackItem, previous_item)), Ptr, A_HEADER, false, false;
    TS_EXC_INFO = offset_of!(PyThreadState, exc_info), Ptr, A_HEADER, false, false;
    FRAME_LOCALS = offset_of!(Frame, locals), Ptr, A_HEADER, false, false;
    FRAME_OBJ = offset_of!(Frame, frame_obj), Ptr, A_HEADER, false, false;
    FRAME_PREVIOUS = offset_of!(Frame, previous), Ptr, A_HEADER, false, false;
    FRAME_WORD = offset_of!(Frame, stacktop), I64, A_HEADER, false, false;
    TS_CFRAME = offset_of!(PyThreadState, cframe), Ptr, A_CONST, true, false;
    CFRAME_CURRENT = offset_of!(_PyCFrame, current_frame), Ptr, A_HEADER, false, false;
    TS_RECURSION = offset_of!(PyThreadState, recursion_remaining), I32, A_HEADER, false, false;
    DICT_USED = offset_of!(PyDictObject, ma_used), I64, A_DICT, false, false;
    UNICODE_LEN = 16, I64, A_CONST, true, false;
    CELL_REF = 16, Ref, A_CELL, false, false;
    FUNC_CODE = offset_of!(PyFunctionObject, func_code), Ptr, A_OTHER, false, false;
    FUNC_GLOBALS = offset_of!(PyFunctionObject, func_globals), Ptr, A_CONST, true, false;
    FUNC_BUILTINS = offset_of!(PyFunctionObject, func_builtins), Ptr, A_CONST, true, false;
    FUNC_DEFAULTS = offset_of!(PyFunctionObject, func_defaults), Ptr, A_OTHER, false, false;
    FUNC_KWDEFAULTS = offset_of!(PyFunctionObject, func_kwdefaults), Ptr, A_OTHER, false, false;
    FUNC_CLOSURE = offset_of!(PyFunctionObject, func_closure), Ref, A_OTHER, false, false;
    FUNC_VECTORCALL = offset_of!(PyFunctionObject, vectorcall), Ptr, A_OTHER, false, false;
    METHOD_FUNC = offset_of!(PyMethodObject, im_func), Ref, A_CONST, true, false;
    METHOD_SELF = offset_of!(PyMethodObject, im_self), Ref, A_CONST, true, false;
    FUNC_VERSION = offset_of!(PyFunctionObject, func_version), U32, A_OTHER, false, false;
    CFUNC_ML = offset_of!(PyCFunctionObject, m_ml), Ptr, A_CONST, true, false;
    DEF_FUNCTION = offset_of!(PyMethodDef, ml_meth), Ptr, A_OTHER, false, false;
    CFUNC_SELF = offset_of!(PyCFunctionObject, m_self), Ref, A_CONST, true, false;
    MODULE_DICT = offset_of!(PyModuleObject, md_dict), Ref, A_CONST, true, false;
    IN_NATIVE = lh_runtime::thread::IN_NATIVE_AT, U32, A_GIL, false, false;
    VAL_I8 = 0, I8, A_RAW, false, false;
    VAL_U8 = 0, U8, A_RAW, false, false;
    VAL_I16 = 0, I16, A_RAW, false, false;
    VAL_U16 = 0, U16, A_RAW, false, false;
    VAL_I32 = 0, I32, A_RAW, false, false;
    VAL_U32 = 0, U32, A_RAW, false, false;
    VAL_I64 = 0, I64, A_RAW, false, false;
    VAL_F32 = 0, F32, A_RAW, false, false;
    VAL_F64 = 0, F64, A_RAW, false, false;
    VAL_PTR = 0, Ptr, A_RAW, false, false;
    BYTES_FIRST = 32, U8, A_CONST, true, false;
    SLICE_START = offset_of!(PySliceObject, start), Ref, A_CONST, true, false;
    SLICE_STOP = offset_of!(PySliceObject, stop), Ref, A_CONST, true, false;
    SLICE_STEP = offset_of!(PySliceObject, step), Ref, A_CONST, true, false;
    EN_INDEX = offset_of!(lh_runtime::enumobject::EnumObject, en_index), I64, A_ITER, false, true;
    EN_ITER = offset_of!(lh_runtime::enumobject::EnumObject, en_sit), Ref, A_CONST, true, false;
    ZIP_ITERS = offset_of!(lh_runtime::iterobject::ZipObject, ittuple), Ref, A_CONST, true, false;
    ZIP_STRICT = offset_of!(lh_runtime::iterobject::ZipObject, strict), I32, A_CONST, true, false;
    SUPER_CLASS = offset_of!(lh_interp::superobject::SuperObject, type_), Ref, A_CONST, true, false;
    SUPER_OBJECT = offset_of!(lh_interp::superobject::SuperObject, obj), Ref, A_CONST, true, false;
    SUPER_OF = offset_of!(lh_interp::superobject::SuperObject, obj_type), Ref, A_CONST, true, false;
    BLOCK_ITEM = 0, Ref, A_CONST, true, false;
    RESULT_HOW = 0, I64, A_CONST, true, false;
    RESULT_BOXER = 0, Ptr, A_CONST, true, false;
    RESULT_CALLABLE = 8, Ptr, A_CONST, true, false;
    RESULT_BITS = 16, I64, A_CONST, true, false;
    RESULT_UNSIGNED = 24, I64, A_CONST, true, false;
    OB_TYPE = 8, Ptr, A_CONST, true, false;
    PART_MAKER = 0, Ptr, A_CONST, true, false;
    PART_BASE = 0, Ref, A_CONST, true, false;
    PART_INDEX = 0, I64, A_CONST, true, false;
    POINTEE = 0, Ptr, A_CONST, false, false;
}
/// Words, references and bytes at any small offset of an object.
const WORDS: u32 = 64;
pub fn word(at: u32) -> Option<u32> {
    (at.is_multiple_of(8) && at / 8 < WORDS).then_some(FieldNo::COUNT as u32 + at / 8)
}
pub fn reference(at: u32) -> Option<u32> {
    (at.is_multiple_of(8) && at / 8 < WORDS).then_some(FieldNo::COUNT as u32 + WORDS + at / 8)
}
pub fn byte(at: u32) -> Option<u32> {
    (at < 256).then_some(FieldNo::COUNT as u32 + 2 * WORDS + at)
}

pub const UNSIGNED: u32 = 0;
pub const NATIVE_OBJECT: u32 = 1;
pub const PART: u32 = 2;
pub const POINTER: u32 = 3;
pub const SLICE: u32 = 4;
pub const SUPER: u32 = 5;
pub const METHOD: u32 = 6;
/// Instances of Python classes: with room for `LEAST_VALUES` and more attributes, ...
pub const INSTANCE: u32 = 7;
pub const LEAST_VALUES: usize = 4;
/// ... and with one `__slots__` member and more.
pub const SLOTTED: u32 = INSTANCE + (MOST_FIELDS - LEAST_VALUES + 1) as u32;
pub const MOST_FIELDS: usize = 8;
/// Tuples of one to four items.
pub const TUPLE: u32 = SLOTTED + MOST_FIELDS as u32;
/// An empty dictionary.
pub const EMPTY_DICT: u32 = TUPLE + 4;
/// A method of a type from C, bound to an object or a class.
pub const BOUND_METHOD: u32 = EMPTY_DICT + 1;

pub const LIST_ITEM: u32 = 0;
pub const TUPLE_ITEM: u32 = 1;
pub const INST_VALUE: u32 = 2;
pub const BYTES_ITEM: u32 = 3;

/// Type objects whose instances' destructors nobody can observe.
pub fn silent_types() -> Vec<u64> {
    vec![
        &raw mut PyLong_Type as u64,
        &raw mut PyFloat_Type as u64,
        &raw mut PyBool_Type as u64,
        &raw mut PyUnicode_Type as u64,
        &raw mut PyBytes_Type as u64,
        &raw mut PyComplex_Type as u64,
        &raw mut _PyNone_Type as u64,
        &raw mut PyRange_Type as u64,
        &raw mut PyRangeIter_Type as u64,
    ]
}

/// The classes from `INSTANCE` on.
fn instances() -> Vec<ClassDesc> {
    let class = |name: &str, n: usize, fields: Vec<u32>, alloc| ClassDesc {
        name: format!("{name}{n}"),
        type_addr: 0,
        type_field: Some(0),
        fields,
        alloc,
        silent: false,
        fresh: true,
        consts: vec![],
        block: None,
    };
    let mut all = vec![];
    for n in LEAST_VALUES..=MOST_FIELDS {
        let mut fields = vec![OB_TYPE];
        fields.resize(n + 1, BLOCK_ITEM);
        all.push(ClassDesc {
            consts: vec![(INST_DICT, 0), (INST_CAPACITY, n as u64)],
            block: Some((INST_BASE, INST_VALUE)),
            ..class("instance", n, fields, helpers::INSTANCES[n - LEAST_VALUES])
        });
    }
    for n in 1..=MOST_FIELDS {
        let mut fields = vec![OB_TYPE];
        fields.extend((0..n).map(|k| reference(16 + 8 * k as u32).expect("a small offset")));
        all.push(class("slotted", n, fields, helpers::SLOTTEDS[n - 1]));
    }
    for n in 1..=4 {
        all.push(ClassDesc {
            type_addr: Tuple::type_ptr() as u64,
            type_field: None,
            consts: vec![(TUPLE_SIZE, n as u64)],
            block: Some((NO_FIELD, TUPLE_ITEM)),
            ..class("tuple", n, vec![BLOCK_ITEM; n], helpers::TUPLES[n - 1])
        });
    }
    all.push(ClassDesc {
        type_addr: Dict::type_ptr() as u64,
        type_field: None,
        consts: vec![(DICT_USED, 0)],
        ..class("dict", 0, vec![], helpers::NEW_DICT)
    });
    all.push(ClassDesc {
        type_addr: CFunction::type_ptr() as u64,
        type_field: None,
        ..class("bound_method", 0, vec![CFUNC_ML, CFUNC_SELF], helpers::NEW_BOUND_METHOD)
    });
    all
}

/// What [`Descs::literal`] asks.
fn literal(o: u64) -> Option<(u64, u64)> {
    if o == 0 {
        return None;
    }
    // SAFETY: constants of traces are pinned objects.
    unsafe {
        let o = Object::from_ptr(o as *mut PyObject);
        let ty = (*o.as_ptr()).ob_type as u64;
        if let Some(i) = o.downcast_exact::<Int>() {
            let v = i.to_i64().filter(|v| v.unsigned_abs() < 1 << 60)?;
            return Some((ty, v as u64));
        }
        o.downcast_exact::<Float>().map(|f| (ty, f.value().to_bits()))
    }
}

pub fn make() -> Descs {
    let mut fields = named_fields();
    for i in 0..WORDS {
        fields.push(FieldDesc {
            name: format!("w{}", i * 8),
            offset: i as i32 * 8,
            kind: MemKind::Ptr,
            alias: A_OTHER,
            immutable: false,
            lazy: false,
            owners: vec![],
            volatile: false,
            through: None,
        });
    }
    for i in 0..WORDS {
        fields.push(FieldDesc {
            name: format!("r{}", i * 8),
            offset: i as i32 * 8,
            kind: MemKind::Ref,
            alias: A_OTHER,
            immutable: false,
            lazy: false,
            owners: vec![],
            volatile: false,
            through: None,
        });
    }
    for i in 0..256 {
        fields.push(FieldDesc {
            name: format!("b{i}"),
            offset: i,
            kind: MemKind::U8,
            alias: A_OTHER,
            immutable: false,
            lazy: false,
            owners: vec![],
            volatile: false,
            through: None,
        });
    }
    let memory = word(lh_foreign::place::MEMORY_AT).expect("a small offset");
    fields[RANGE_INDEX as usize].owners = vec![&raw mut PyRangeIter_Type as u64];
    fields[EN_INDEX as usize].owners = vec![&raw mut PyEnum_Type as u64];
    fields[SEQIT_INDEX as usize].owners =
        vec![&raw mut PyListIter_Type as u64, &raw mut PyTupleIter_Type as u64];
    fields[POINTEE as usize].through = Some((memory, VAL_PTR));
    let array = |name: &str, offset, alias, immutable| ArrayDesc {
        name: name.into(),
        offset,
        kind: MemKind::Ref,
        alias,
        immutable,
    };
    Descs {
        alias: [
            "frame", "list", "items", "values", "dict", "type", "iter", "breaker", "other", "header", "gil",
            "const", "raw", "cell",
        ]
        .iter()
        .map(|s| s.to_string())
        .collect(),
        fields,
        arrays: vec![
            array("list_item", 0, A_ITEMS, false),
            array("tuple_item", offset_of!(PyTupleObject, ob_item) as i32, A_CONST, true),
            array("inst_value", 8, A_VALUES, false),
            ArrayDesc { kind: MemKind::U8, ..array("bytes_item", 32, A_CONST, true) },
        ],
        helpers: helpers::table(),
        classes: [
            vec![
                // An int of 64 bits without sign.
                ClassDesc {
                    name: "unsigned".into(),
                    type_addr: Int::type_ptr() as u64,
                    type_field: None,
                    fields: vec![RESULT_UNSIGNED],
                    alloc: helpers::BOX_UNSIGNED,
                    silent: true,
                    fresh: false,
                    consts: vec![],
                    block: None,
                },
                // What a native call's boxing function makes of its result.
                ClassDesc {
                    name: "native_result".into(),
                    type_addr: 0,
                    type_field: None,
                    fields: vec![RESULT_HOW, RESULT_BOXER, RESULT_CALLABLE, RESULT_BITS],
                    alloc: helpers::NATIVE_RESULT,
                    silent: false,
                    fresh: false,
                    consts: vec![],
                    block: None,
                },
                // An object for a part of another's C memory.
                ClassDesc {
                    name: "part".into(),
                    type_addr: 0,
                    type_field: Some(0),
                    fields: vec![OB_TYPE, PART_MAKER, PART_BASE, PART_INDEX, memory],
                    alloc: helpers::MAKE_PART,
                    silent: false,
                    fresh: true,
                    consts: vec![],
                    block: None,
                },
                // A pointer object that a native call answered.
                ClassDesc {
                    name: "pointer".into(),
                    type_addr: 0,
                    type_field: Some(0),
                    fields: vec![OB_TYPE, PART_MAKER, POINTEE],
                    alloc: helpers::MAKE_POINTER,
                    silent: false,
                    fresh: true,
                    consts: vec![],
                    block: None,
                },
                // A slice on its way to a subscript.
                ClassDesc {
                    name: "slice".into(),
                    type_addr: Slice::type_ptr() as u64,
                    type_field: None,
                    fields: vec![SLICE_START, SLICE_STOP, SLICE_STEP],
                    alloc: helpers::NEW_SLICE,
                    silent: false,
                    fresh: true,
                    consts: vec![],
                    block: None,
                },
                // `super()` on its way to a method.
                ClassDesc {
                    name: "super".into(),
                    type_addr: &raw mut PySuper_Type as u64,
                    type_field: None,
                    fields: vec![SUPER_CLASS, SUPER_OBJECT, SUPER_OF],
                    alloc: helpers::NEW_SUPER,
                    silent: false,
                    fresh: true,
                    consts: vec![],
                    block: None,
                },
                // The bound `__exit__` of a `with` statement.
                ClassDesc {
                    name: "method".into(),
                    type_addr: Method::type_ptr() as u64,
                    type_field: None,
                    fields: vec![METHOD_FUNC, METHOD_SELF],
                    alloc: helpers::NEW_METHOD,
                    silent: false,
                    fresh: true,
                    consts: vec![],
                    block: None,
                },
            ],
            instances(),
        ]
        .concat(),
        silent_types: silent_types(),
        literal: Some(literal),
        layout: Layout {
            refcnt: 0,
            type_of: 8,
            int_size: 16,
            int_digits: 24,
            float_value: 16,
            slots: size_of::<Frame>() as i32,
            exc: offset_of!(PyThreadState, curexc_type) as i32,
            attention: lh_runtime::thread::ATTENTION_AT as i32,
            int_type: Int::type_ptr() as u64,
            float_type: Float::type_ptr() as u64,
            free_ints: &raw mut lh_runtime::intobject::FREE_INTS as u64,
            small_ints: lh_runtime::intobject::small_ptr(-5) as u64,
            free_floats: &raw mut lh_runtime::floatobject::FREE_FLOATS as u64,
            box_int: helpers::BOX_INT,
            box_float: helpers::BOX_FLOAT,
            dealloc: helpers::DEALLOC,
        },
    }
}
