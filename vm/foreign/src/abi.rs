//! Where a C call puts things: System V AMD64 placement of arguments and results, as data.
//!
//! [`place_call`] takes C types and answers with a [`CallPlacement`]: for each argument the pieces (register or
//! stack slot, and which bytes of the value) and for the result how it comes back. Call stubs read it now; the JIT's
//! back ends read the same data, so the calling convention is written down once.
//!
//! The rules in short. A value up to 16 bytes is cut in eightbytes; each is INTEGER or SSE after merging the classes of
//! the fields in it (INTEGER wins). Anything larger, or with a field off its natural alignment, goes to memory. `long
//! double` arguments go to memory, results come back in st(0). If not all eightbytes of a value find registers, the whole
//! value goes to the stack. A result in memory takes a hidden first argument, returned in rax. Variadic calls say in al
//! how many vector registers they use (an upper bound will do).

use crate::ctype::{CType, Prim, Shape};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    None,
    Integer,
    Sse,
    X87,
    Memory,
}

/// Where one piece of an argument travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loc {
    /// n-th of rdi, rsi, rdx, rcx, r8, r9.
    Int(u8),
    /// xmm n.
    Sse(u8),
    /// Byte offset from the stack pointer at the call instruction.
    Stack(u32),
}

/// `size` bytes of the value from byte `offset` on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    pub loc: Loc,
    pub offset: u32,
    pub size: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RetPlacement {
    Void,
    /// Up to two pieces; `Int(0)` = rax, `Int(1)` = rdx, `Sse(0)` = xmm0, `Sse(1)` = xmm1.
    Regs(Vec<Piece>),
    /// st(0), 16 bytes in memory.
    X87,
    /// The caller passes the address in rdi and gets it back in rax.
    Memory {
        size: usize,
        align: usize,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallPlacement {
    pub args: Vec<Vec<Piece>>,
    pub ret: RetPlacement,
    /// Bytes of outgoing stack, a multiple of 16.
    pub stack: u32,
    pub ints_used: u8,
    /// What a variadic callee wants in al.
    pub sse_used: u8,
}

pub const INT_ARG_REGS: u8 = 6;
pub const SSE_ARG_REGS: u8 = 8;

fn merge(a: Class, b: Class) -> Class {
    use Class::*;
    match (a, b) {
        (None, x) | (x, None) => x,
        (Memory, _) | (_, Memory) => Memory,
        (Integer, _) | (_, Integer) => Integer,
        (X87, _) | (_, X87) => Memory,
        (Sse, Sse) => Sse,
    }
}

fn classify_into(ty: &CType, at: usize, out: &mut [Class; 2]) -> bool {
    match &ty.shape {
        Shape::Prim(Prim::LongDouble) => {
            // X87 and X87UP together are legal for results only; as a part of 16 bytes nothing else fits beside it.
            if at != 0 {
                return false;
            }
            *out = [merge(out[0], Class::X87), merge(out[1], Class::X87)];
            true
        }
        Shape::Prim(p) => {
            if !at.is_multiple_of(ty.align) {
                return false;
            }
            let class = if p.is_float() { Class::Sse } else { Class::Integer };
            out[at / 8] = merge(out[at / 8], class);
            true
        }
        Shape::Pointer(_) | Shape::Func(_) => {
            if !at.is_multiple_of(8) {
                return false;
            }
            out[at / 8] = merge(out[at / 8], Class::Integer);
            true
        }
        Shape::Array(e, n) => (0..*n).all(|i| classify_into(e, at + i * e.size, out)),
        Shape::Record(r) => r.fields.iter().all(|f| match f.bits {
            // A bit-field classifies the eightbytes that its bits touch, however its unit is aligned.
            Some(b) => {
                let first = (at + f.offset) * 8 + b.low as usize;
                let last = (first + b.width as usize - 1) / 64;
                for class in out.iter_mut().take(last + 1).skip(first / 64) {
                    *class = merge(*class, Class::Integer);
                }
                true
            }
            None => classify_into(&f.ty, at + f.offset, out),
        }),
    }
}

/// The classes of a value's eightbytes. `[Memory, Memory]` for what does not travel in registers.
pub fn classify(ty: &CType) -> [Class; 2] {
    const MEMORY: [Class; 2] = [Class::Memory; 2];
    if ty.size > 16 {
        return MEMORY;
    }
    let mut out = [Class::None; 2];
    if !classify_into(ty, 0, &mut out) || out.contains(&Class::Memory) {
        return MEMORY;
    }
    out
}

fn is_sse_word(ty: &CType) -> bool {
    matches!(ty.shape, Shape::Prim(Prim::F32 | Prim::F64))
}

/// Places a call. `ret` `None` is void.
pub fn place_call(args: &[&CType], ret: Option<&CType>) -> CallPlacement {
    let mut ints = 0u8;
    let mut sses = 0u8;
    let mut stack = 0u32;
    let ret = place_result(ret);
    if matches!(ret, RetPlacement::Memory { .. }) {
        ints = 1;
    }
    let mut placed = Vec::with_capacity(args.len());
    for ty in args {
        let classes = if is_sse_word(ty) { [Class::Sse, Class::None] } else { classify(ty) };
        let count = |c: Class| classes.iter().filter(|k| **k == c).count() as u8;
        let (need_i, need_s) = (count(Class::Integer), count(Class::Sse));
        let in_regs = need_i + need_s > 0
            && !classes.contains(&Class::X87)
            && classes[0] != Class::Memory
            && ints + need_i <= INT_ARG_REGS
            && sses + need_s <= SSE_ARG_REGS;
        let mut pieces = Vec::with_capacity(2);
        if ty.size == 0 {
            // An empty C struct (a GNU extension) is not passed at all.
        } else if in_regs {
            for (i, class) in classes.iter().enumerate() {
                let offset = i as u32 * 8;
                let size = (ty.size as u32).saturating_sub(offset).min(8);
                let loc = match class {
                    Class::Integer => {
                        ints += 1;
                        Loc::Int(ints - 1)
                    }
                    Class::Sse => {
                        sses += 1;
                        Loc::Sse(sses - 1)
                    }
                    _ => continue,
                };
                pieces.push(Piece { loc, offset, size });
            }
        } else {
            let align = ty.align.clamp(8, 16) as u32;
            stack = stack.div_ceil(align) * align;
            pieces.push(Piece { loc: Loc::Stack(stack), offset: 0, size: ty.size as u32 });
            stack += (ty.size as u32).div_ceil(8) * 8;
        }
        placed.push(pieces);
    }
    CallPlacement { args: placed, ret, stack: stack.div_ceil(16) * 16, ints_used: ints, sse_used: sses }
}

fn place_result(ret: Option<&CType>) -> RetPlacement {
    let Some(ty) = ret.filter(|t| t.size > 0) else { return RetPlacement::Void };
    let classes = classify(ty);
    match classes {
        [Class::Memory, _] => RetPlacement::Memory { size: ty.size, align: ty.align },
        [Class::X87, _] => RetPlacement::X87,
        _ => {
            let (mut ints, mut sses) = (0, 0);
            let mut pieces = Vec::with_capacity(2);
            for (i, class) in classes.iter().enumerate() {
                let offset = i as u32 * 8;
                let size = (ty.size as u32).saturating_sub(offset).min(8);
                let loc = match class {
                    Class::Integer => {
                        ints += 1;
                        Loc::Int(ints - 1)
                    }
                    Class::Sse => {
                        sses += 1;
                        Loc::Sse(sses - 1)
                    }
                    _ => continue,
                };
                pieces.push(Piece { loc, offset, size });
            }
            RetPlacement::Regs(pieces)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctype::RecordBuilder;

    fn ty(spec: &str) -> CType {
        let mut b = RecordBuilder::new(false, 0, false, None);
        let prims: Vec<_> = spec.bytes().map(|c| CType::prim(Prim::from_code(c).unwrap())).collect();
        if prims.len() == 1 {
            return (*prims[0]).clone();
        }
        for (i, p) in prims.iter().enumerate() {
            b.add(&format!("f{i}"), p, None, false);
        }
        b.finish()
    }

    fn show(p: &CallPlacement) -> String {
        let loc = |l: Loc| match l {
            Loc::Int(n) => format!("i{n}"),
            Loc::Sse(n) => format!("x{n}"),
            Loc::Stack(o) => format!("s{o}"),
        };
        let pieces = |v: &Vec<Piece>| {
            v.iter().map(|p| format!("{}:{}", loc(p.loc), p.size)).collect::<Vec<_>>().join("+")
        };
        let ret = match &p.ret {
            RetPlacement::Void => "void".into(),
            RetPlacement::Regs(v) => pieces(v),
            RetPlacement::X87 => "st".into(),
            RetPlacement::Memory { size, .. } => format!("mem{size}"),
        };
        let args = p.args.iter().map(pieces).collect::<Vec<_>>().join(" ");
        format!("{args} -> {ret}; stack {}", p.stack)
    }

    /// One word per argument, several letters make a struct.
    #[track_caller]
    fn check(args: &str, ret: &str, expected: &str) {
        let args: Vec<CType> = args.split_whitespace().map(ty).collect();
        let ret = (ret != "void").then(|| ty(ret));
        let placed = place_call(&args.iter().collect::<Vec<_>>(), ret.as_ref());
        assert_eq!(show(&placed), expected);
    }

    #[test]
    fn arguments_and_results_follow_the_abi() {
        check("i d q f", "i", "i0:4 x0:8 i1:8 x1:4 -> i0:4; stack 0");
        check("q q q q q q q b", "d", "i0:8 i1:8 i2:8 i3:8 i4:8 i5:8 s0:8 s8:1 -> x0:8; stack 16");
        check("d d d d d d d d d", "void", "x0:8 x1:8 x2:8 x3:8 x4:8 x5:8 x6:8 x7:8 s0:8 -> void; stack 16");
        check("ff dd qd dq", "dq", "x0:8 x1:8+x2:8 i0:8+x3:8 x4:8+i1:8 -> x0:8+i0:8; stack 0");
        check("if fff", "fi", "i0:8 x0:8+x1:4 -> i0:8; stack 0");
        check("qqq q", "qqq", "s0:24 i1:8 -> mem24; stack 32");
        check("q q q q q qq q", "void", "i0:8 i1:8 i2:8 i3:8 i4:8 s0:16 i5:8 -> void; stack 16");
        check("g i g", "g", "s0:16 i0:4 s16:16 -> st; stack 32");
        check("i gd", "void", "i0:4 s0:32 -> void; stack 32");
        check("q q q q q q q g", "void", "i0:8 i1:8 i2:8 i3:8 i4:8 i5:8 s0:8 s16:16 -> void; stack 32");
    }
}
