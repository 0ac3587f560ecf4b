//! Where a C call puts things on 64-bit Arm: AAPCS64 placement, as data (Linux; variadic arguments travel like others).
//!
//! The same shapes as [`crate::abi`], for the JIT's aarch64 back end; `Loc::Int(n)` is xn, `Loc::Sse(n)` is vn.
//!
//! The rules in short. A record of one to four floats (or doubles) and nothing else is a *homogeneous aggregate* and takes
//! that many vector registers. Other records up to 16 bytes take one or two general registers (a pair starts at an even one
//! if the record is 16-byte aligned), larger ones are copied by the caller and passed by address. Once an argument of a
//! kind does not fit, no later one of that kind uses registers. `long double` is a 16-byte vector value. A result in memory
//! has its address in x8, which is not one of the argument registers.

use crate::abi::{Loc, Piece};
use crate::ctype::{CType, Prim, Shape};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArgPlacement {
    pub pieces: Vec<Piece>,
    /// The argument is the address of a copy that the caller makes.
    pub by_address: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RetPlacement {
    Void,
    Regs(Vec<Piece>),
    /// The address goes to x8.
    Memory {
        size: usize,
        align: usize,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallPlacement {
    pub args: Vec<ArgPlacement>,
    pub ret: RetPlacement,
    /// Bytes of outgoing stack, a multiple of 16.
    pub stack: u32,
}

const REGS: u8 = 8;

/// The members of a homogeneous floating-point aggregate: (offset of each, size of each).
fn homogeneous(ty: &CType) -> Option<(Vec<u32>, u32)> {
    fn walk(ty: &CType, at: u32, kind: &mut Option<Prim>, out: &mut Vec<u32>) -> bool {
        match &ty.shape {
            Shape::Prim(p) if p.is_float() && !ty.swapped => {
                if *kind.get_or_insert(*p) != *p {
                    return false;
                }
                if !out.contains(&at) {
                    out.push(at);
                }
                true
            }
            Shape::Array(e, n) => (0..*n).all(|i| walk(e, at + (i * e.size) as u32, kind, out)),
            Shape::Record(r) => {
                r.fields.iter().all(|f| f.bits.is_none() && walk(&f.ty, at + f.offset as u32, kind, out))
            }
            _ => false,
        }
    }
    let (mut kind, mut offsets) = (None, Vec::new());
    if !walk(ty, 0, &mut kind, &mut offsets) {
        return None;
    }
    let size = kind?.size() as u32;
    // Members that overlap (unions) count once; gaps would make it something else.
    let dense = offsets.len() as u32 * size == ty.size as u32;
    ((1..=4).contains(&offsets.len()) && dense).then_some((offsets, size))
}

fn words(size: usize, first: u8) -> Vec<Piece> {
    (0..size.div_ceil(8))
        .map(|i| Piece {
            loc: Loc::Int(first + i as u8),
            offset: i as u32 * 8,
            size: (size - i * 8).min(8) as u32,
        })
        .collect()
}

fn vectors(offsets: &[u32], size: u32, first: u8) -> Vec<Piece> {
    let piece = |(i, offset): (usize, &u32)| Piece { loc: Loc::Sse(first + i as u8), offset: *offset, size };
    offsets.iter().enumerate().map(piece).collect()
}

/// Places a call. `ret` `None` is void.
pub fn place_call(args: &[&CType], ret: Option<&CType>) -> CallPlacement {
    let (mut ints, mut vecs, mut stack) = (0u8, 0u8, 0u32);
    let mut placed = Vec::with_capacity(args.len());
    for ty in args {
        let is_record = matches!(ty.shape, Shape::Record(_) | Shape::Array(..));
        let mut on_stack = |size: usize, align: usize| {
            let align = align.clamp(8, 16) as u32;
            stack = stack.div_ceil(align) * align;
            let at = stack;
            stack += (size as u32).div_ceil(8) * 8;
            vec![Piece { loc: Loc::Stack(at), offset: 0, size: size as u32 }]
        };
        let mut by_address = false;
        let pieces = if ty.size == 0 {
            Vec::new()
        } else if let Some((offsets, size)) = homogeneous(ty) {
            if vecs + offsets.len() as u8 <= REGS {
                vecs += offsets.len() as u8;
                vectors(&offsets, size, vecs - offsets.len() as u8)
            } else {
                vecs = REGS;
                on_stack(ty.size, ty.align)
            }
        } else {
            by_address = is_record && ty.size > 16;
            let (size, align) = if by_address { (8, 8) } else { (ty.size, ty.align) };
            let n = size.div_ceil(8) as u8;
            if align == 16 && n == 2 {
                ints = ints.next_multiple_of(2);
            }
            if ints + n <= REGS {
                ints += n;
                words(size, ints - n)
            } else {
                ints = REGS;
                on_stack(size, align)
            }
        };
        placed.push(ArgPlacement { pieces, by_address });
    }
    let ret = match ret.filter(|t| t.size > 0) {
        None => RetPlacement::Void,
        Some(ty) => match homogeneous(ty) {
            Some((offsets, size)) => RetPlacement::Regs(vectors(&offsets, size, 0)),
            None if ty.size > 16 => RetPlacement::Memory { size: ty.size, align: ty.align },
            None => RetPlacement::Regs(words(ty.size, 0)),
        },
    };
    CallPlacement { args: placed, ret, stack: stack.div_ceil(16) * 16 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctype::RecordBuilder;

    fn ty(spec: &str) -> CType {
        let prims: Vec<_> = spec.bytes().map(|c| CType::prim(Prim::from_code(c).unwrap())).collect();
        if prims.len() == 1 {
            return (*prims[0]).clone();
        }
        let mut b = RecordBuilder::new(false, 0, false, None);
        prims.iter().for_each(|p| {
            b.add("f", p, None, false);
        });
        b.finish()
    }

    #[track_caller]
    fn check(args: &str, ret: &str, expected: &str) {
        let args: Vec<CType> = args.split_whitespace().map(ty).collect();
        let ret = (ret != "void").then(|| ty(ret));
        let p = place_call(&args.iter().collect::<Vec<_>>(), ret.as_ref());
        let pieces = |v: &[Piece]| {
            let one = |p: &Piece| match p.loc {
                Loc::Int(n) => format!("x{n}:{}", p.size),
                Loc::Sse(n) => format!("v{n}:{}", p.size),
                Loc::Stack(o) => format!("s{o}:{}", p.size),
            };
            v.iter().map(one).collect::<Vec<_>>().join("+")
        };
        let mut text: Vec<String> = p
            .args
            .iter()
            .map(|a| format!("{}{}", if a.by_address { "&" } else { "" }, pieces(&a.pieces)))
            .collect();
        text.push(match &p.ret {
            RetPlacement::Void => "-> void".into(),
            RetPlacement::Regs(v) => format!("-> {}", pieces(v)),
            RetPlacement::Memory { size, .. } => format!("-> mem{size}"),
        });
        assert_eq!(format!("{}; stack {}", text.join(" "), p.stack), expected);
    }

    /// What gcc for aarch64 does.
    #[test]
    fn arguments_and_results_follow_the_abi() {
        check("i d q f", "i", "x0:4 v0:8 x1:8 v1:4 -> x0:4; stack 0");
        check("ff ddd qd fffff", "dd", "v0:4+v1:4 v2:8+v3:8+v4:8 x0:8+x1:8 &x2:8 -> v0:8+v1:8; stack 0");
        check("qqq i", "qqq", "&x0:8 x1:4 -> mem24; stack 0");
        check(
            "q q q q q q q qq q",
            "void",
            "x0:8 x1:8 x2:8 x3:8 x4:8 x5:8 x6:8 s0:16 s16:8 -> void; stack 32",
        );
        check("g d gg", "g", "v0:16 v1:8 v2:16+v3:16 -> v0:16; stack 0");
    }
}
