//! Optimiser tests: recorder programs as text, the trace they become, and the same programs run for real.
//!
//! Program lines are IR lines plus `snap pc sp`, `x = sget #k`, `x = spop #k`, `sput #k v`, `clobber #lo #hi`; the
//! last line is `loop`, `exit` or `link`.

use super::*;
use lh_jit_ir::parse::{Opnd, line};
use lh_jit_ir::testing as toy;
use std::collections::HashMap;

fn build(d: &Descs, text: &str) -> Result<Trace, Abort> {
    let mut b = Builder::new(d, 7, 0, 0);
    let mut names: HashMap<String, R> = HashMap::new();
    names.insert("frame".into(), b.frame());
    for l in text.lines() {
        let Some(l) = line(l).expect("program text") else { continue };
        let mut vals = vec![];
        let mut slots = vec![];
        let mut imm = 0;
        let op = Op::from_text(&l.op);
        for o in &l.opnds {
            match o {
                Opnd::Name(n) => vals.push(*names.get(n).unwrap_or_else(|| panic!("unknown {n}"))),
                Opnd::Const(ty, bits) => vals.push(R(b.o.tr.konst(*ty, *bits))),
                Opnd::Slot(s) => slots.push(*s),
                Opnd::Flags(x) | Opnd::Offset(x) => imm = *x,
                Opnd::Dot(n) => imm = parse::resolve(d, op.unwrap().imm(), n).unwrap(),
                _ => panic!("operand {o:?}"),
            }
        }
        let out = match l.op.as_str() {
            "snap" => {
                let pc = b.const_of(vals[0]).unwrap();
                let sp = b.const_of(vals[1]).unwrap();
                b.snapshot(0, pc as u32, sp as u32)?;
                continue;
            }
            "sget" => b.sget(slots[0])?,
            "spop" => b.spop(slots[0])?,
            "sput" => {
                b.sput(slots[0], vals[0])?;
                continue;
            }
            "clobber" => {
                b.clobber(slots[0], slots[1])?;
                continue;
            }
            "loop" => return b.finish_loop(),
            "exit" => return b.finish_exit(),
            "link" => return b.finish_link(0x9000),
            "replace_float" => {
                b.replace(vals[0], imm, vals[1], vals[2], vals[3])?;
                continue;
            }
            // Native code during which nothing else runs, unless it is forced.
            "quiet" => {
                let desc = NativeDesc {
                    name: "quiet".into(),
                    target: Target::Addr(0x1234),
                    args: vec![ArgPlace { kind: MemKind::I64, place: Place::Int(0) }],
                    ret: RetPlace::One(MemKind::I64),
                    varargs: None,
                    effects: Effects { reads: 1 << 5, writes: 1 << 5, flags: MAY_FORCE },
                };
                b.native(desc, &vals, true)?
            }
            "call" => b.call(imm, &vals, false)?,
            "new" => b.new_object(imm, &vals)?,
            _ => {
                let op = op.unwrap_or_else(|| panic!("unknown op {}", l.op));
                let ty = op.result().unwrap_or_else(|| match op {
                    Op::FLoad => d.fields[imm as usize].kind.ty(),
                    _ => parse::name_ty(l.out.as_deref().unwrap_or("")),
                });
                b.emit_ty(op, ty, &vals, imm)?
            }
        };
        if let Some(o) = l.out {
            names.insert(o, out);
        }
    }
    panic!("program without an end");
}

fn norm(s: &str) -> String {
    s.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check_opt(before: &str, after: &str) {
    let d = toy::descs();
    let t = build(&d, before).expect("no abort");
    let text = print::trace(&t, &d);
    // With snapshots only if the expectation has some.
    let got = norm(&if after.contains("snap ") {
        text.clone()
    } else {
        text.lines().filter(|l| !l.starts_with("snap ")).collect::<Vec<_>>().join("\n")
    });
    assert!(got == norm(after), "got:\n{got}\n\nwanted:\n{}\n\nall:\n{text}", norm(after));
    let again = parse::trace(&text, &d, t.natives.clone()).expect("parses back");
    assert_eq!(print::trace(&again, &d), text, "round trip");
}

#[test]
fn float_accumulator_lives_in_a_phi() {
    check_opt(
        "
        snap 10 0
        r0 = sget #0
        guard_type !1 r0 p:0x200
        f0 = unboxf r0
        f1 = fadd f0 1.5
        r1 = boxf f1
        r2 = spop #0
        sput #0 r1
        drop r2
        snap 12 0
        i0 = jload +32
        guard_false i0
        snap 10 0
        loop
        ",
        "
        p0 = jload +24
        r1 = sload #0 p0
        guard_type !1 r1, p:0x200 @0
        f3 = unboxf r1
        f4 = fadd f3, 1.5
        adopt #0 r1
        drop !1 r1
        i7 = jload +32
        guard_false i7 @1
        loop
        f10 = phi f4, f11
        f11 = fadd f10, 1.5
        i12 = jload +32
        guard_false i12 @2
        jump
        snap 0 kind 0 { frame p0 tok 7 pc 10 sp 0 : ; }
        snap 1 kind 0 { frame p0 tok 7 pc 12 sp 0 : 0=v0 ; virt %boxf x 1 : f4 ; }
        snap 2 kind 0 { frame p0 tok 7 pc 12 sp 0 : 0=v0 ; virt %boxf x 1 : f11 ; }
        ",
    );
}

#[test]
fn own_and_drop_cancel_under_slot_support() {
    check_opt(
        "
        r0 = sget #0
        own r0
        sput #1 r0
        snap 4 2
        guard_type r0 p:0x300
        r1 = spop #1
        i0 = fload .a r1
        guard_true i0
        drop r1
        exit
        ",
        "
        p0 = jload +24
        r1 = sload #0 p0
        guard_type r1, p:0x300 @0
        i3 = fload .a r1
        guard_true i3 @0
        exit @0
        snap 0 kind 0 { frame p0 tok 7 pc 4 sp 2 : 1=r1 copy ; }
        ",
    );
}

#[test]
fn virtual_pair_disappears() {
    check_opt(
        "
        snap 1 0
        r0 = sget #0
        r1 = sget #1
        own r0
        own r1
        r2 = new .pair r0 r1
        r3 = fload .second r2
        guard_type r3 p:0x300
        drop r2
        exit
        ",
        "
        p0 = jload +24
        r1 = sload #1 p0
        guard_type r1, p:0x300 @0
        exit @0
        ",
    );
}

#[test]
fn delayed_store_is_written_before_what_may_be_the_same_object_goes() {
    check_opt(
        "
        snap 6 1
        r0 = sget #0
        guard_type !1 r0 p:0x500
        i0 = fload .pos r0
        i3 = add i0 1
        fstore .pos r0 i3
        r2 = spop #1
        guard_type !1 r2 p:0x500
        drop !1 r2
        snap 7 1
        exit
        ",
        "
        p0 = jload +24
        r1 = sload #0 p0
        guard_type !1 r1, p:0x500 @0
        i3 = fload .pos r1
        i4 = add i3, 1
        r5 = sload #1 p0
        adopt #1 r5
        guard_type !1 r5, p:0x500 @1
        fstore .pos r1, i4
        drop !1 r5
        exit @2
        snap 0 kind 0 { frame p0 tok 7 pc 6 sp 1 : ; }
        snap 1 kind 0 { frame p0 tok 7 pc 6 sp 1 : 1=r5 give ; }
        snap 2 kind 0 { frame p0 tok 7 pc 7 sp 1 : ; }
        ",
    );
}

#[test]
fn delayed_store_is_carried_and_left_to_exits() {
    check_opt(
        "
        snap 6 1
        r0 = sget #0
        guard_type !1 r0 p:0x500
        i0 = fload .pos r0
        i1 = fload .len r0
        i2 = lt i0 i1
        guard_true i2
        r3 = sget #1
        guard_type !1 r3 p:0x100
        i3 = add i0 1
        fstore .pos r0 i3
        r1 = boxi i0
        r2 = spop #1
        sput #1 r1
        drop !4 r2
        snap 6 1
        loop
        ",
        "
        p0 = jload +24
        r1 = sload #0 p0
        guard_type !1 r1, p:0x500 @0
        i3 = fload .pos r1
        i4 = fload .len r1
        i5 = lt i3, i4
        guard_true i5 @0
        r7 = sload #1 p0
        guard_type !1 r7, p:0x100 @0
        i9 = add i3, 1
        adopt #1 r7
        drop !1 r7
        loop
        i13 = phi i3, i14
        i14 = phi i9, i17
        i15 = lt i14, i4
        guard_true i15 @1
        i17 = add i14, 1
        jump
        snap 0 kind 0 { frame p0 tok 7 pc 6 sp 1 : ; }
        snap 1 kind 0 { frame p0 tok 7 pc 6 sp 1 : 1=v0 ; store r1 .pos = i14 ; virt %boxi x 1 : i13 ; }
        ",
    );
}

#[test]
fn calls_flush_the_frame() {
    check_opt(
        "
        snap 1 0
        r0 = boxi 7
        sput #2 r0
        call .frame_add frame
        clobber #2 #3
        r1 = sget #2
        snap 2 0
        guard_type r1 p:0x100
        exit
        ",
        "
        p0 = jload +24
        r1 = boxi 7
        sstore #2 p0, r1
        call .frame_add p0
        r4 = sload #2 p0
        guard_type r4, p:0x100 @0
        exit @0
        ",
    );
}

/// A fact known before a quiet call is known after it; the reference its operand had is made by a force only.
#[test]
fn a_quiet_call_ends_no_knowledge() {
    check_opt(
        "snap 0 1
         o = sget #0
         guard_type o, p:0x300
         i = fload .a o
         own o
         snap 1 1
         r = quiet i
         snap 2 1
         guard_not_forced
         guard_quiet
         drop o
         j = fload .a o
         guard_type o, p:0x300
         k = add r, j
         f = fload .flag o
         guard_true f
         g = fload .flag o
         guard_true g
         v = boxi k
         sput #1 v
         snap 3 2
         exit",
        "; native $0 quiet Addr(4660) [ArgPlace { kind: I64, place: Int(0) }] -> One(I64)
         p0 = jload +24
         r1 = sload #0 p0
         guard_type r1, p:0x300 @0
         i3 = fload .a r1
         i4 = ncall $0 i3 @1
         guard_not_forced @2
         guard_quiet @3
         i7 = add i4, i3
         i8 = fload .flag r1
         guard_true i8 @3
         i10 = fload .flag r1
         guard_true i10 @3
         exit @4
         snap 0 kind 0 { frame p0 tok 7 pc 0 sp 1 : ; }
         snap 1 kind 0 { frame p0 tok 7 pc 1 sp 1 : ; hold r1 x 1 ; }
         snap 2 kind 0 { frame p0 tok 7 pc 2 sp 1 : ; drop r1 x 1 ; }
         snap 3 kind 0 { frame p0 tok 7 pc 2 sp 1 : ; }
         snap 4 kind 0 { frame p0 tok 7 pc 3 sp 2 : 1=v0 ; virt %boxi x 1 : i7 ; }",
    );
}

/// In place if the new value is a box that does not exist yet; else a store and a release.
#[test]
fn floats_are_replaced() {
    let d = toy::descs();
    let t = build(
        &d,
        "snap 0 1
         o = sget #0
         r5 = aload .floats o, 0
         guard_type !1 r5, p:0x200
         f = unboxf r5
         g = fadd f, f
         v = boxf g
         replace_float .floats o, 0, r5, v
         r6 = aload .floats o, 1
         guard_type !1 r6, p:0x200
         x = sget #1
         guard_type !1 x, p:0x200
         own x
         replace_float .floats o, 1, r6, x
         snap 1 1
         exit",
    )
    .expect("no abort");
    let count = |op: Op| t.insts.iter().filter(|i| i.op == op).count();
    let counts = (count(Op::FReplace), count(Op::BoxF), count(Op::AStore), count(Op::Drop));
    assert_eq!(counts, (1, 0, 1, 1), "{}", print::trace(&t, &d));
}
