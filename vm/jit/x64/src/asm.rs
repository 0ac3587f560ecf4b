//! Instruction encoding: small functions over dynasm with register numbers chosen at run time.
//!
//! One small function per shape keeps LLVM quick and gives the lowering a vocabulary. Code is position-independent:
//! constants lie behind it and are reached by `rip`, everything else by absolute addresses in registers.

use dynasmrt::x64::X64Relocation;
use dynasmrt::{DynamicLabel, DynasmApi, DynasmLabelApi, VecAssembler, dynasm};
use lh_jit_ir::MemKind;

pub type Label = DynamicLabel;

/// The assembler and its pool of 8-byte constants.
pub struct Asm {
    pub ops: VecAssembler<X64Relocation>,
    pool: Vec<(u64, Label)>,
}

/// Condition codes, numbered as the machine does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Cc {
    O = 0,
    B = 2,
    Ae = 3,
    E = 4,
    Ne = 5,
    Be = 6,
    A = 7,
    P = 10,
    Np = 11,
    L = 12,
    Ge = 13,
    Le = 14,
    G = 15,
}

impl Cc {
    pub fn not(self) -> Cc {
        match self {
            Cc::O => unreachable!("overflow is only tested one way"),
            Cc::B => Cc::Ae,
            Cc::Ae => Cc::B,
            Cc::E => Cc::Ne,
            Cc::Ne => Cc::E,
            Cc::Be => Cc::A,
            Cc::A => Cc::Be,
            Cc::P => Cc::Np,
            Cc::Np => Cc::P,
            Cc::L => Cc::Ge,
            Cc::Ge => Cc::L,
            Cc::Le => Cc::G,
            Cc::G => Cc::Le,
        }
    }
    /// The condition for swapped operands.
    pub fn swap(self) -> Cc {
        match self {
            Cc::L => Cc::G,
            Cc::G => Cc::L,
            Cc::Le => Cc::Ge,
            Cc::Ge => Cc::Le,
            Cc::B => Cc::A,
            Cc::A => Cc::B,
            Cc::Be => Cc::Ae,
            Cc::Ae => Cc::Be,
            c => c,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alu {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Cmp,
}

impl Alu {
    /// The machine's number of the operation.
    fn digit(self) -> u8 {
        match self {
            Alu::Add => 0,
            Alu::Or => 1,
            Alu::And => 4,
            Alu::Sub => 5,
            Alu::Xor => 6,
            Alu::Cmp => 7,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fop {
    Add,
    Sub,
    Mul,
    Div,
    Sqrt,
    Ucom,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sh {
    Shl,
    Shr,
    Sar,
}

macro_rules! alu {
    ($s:ident, $op:ident, $($args:tt)*) => {
        match $op {
            Alu::Add => dynasm!($s.ops ; .arch x64 ; add $($args)*),
            Alu::Sub => dynasm!($s.ops ; .arch x64 ; sub $($args)*),
            Alu::And => dynasm!($s.ops ; .arch x64 ; and $($args)*),
            Alu::Or => dynasm!($s.ops ; .arch x64 ; or $($args)*),
            Alu::Xor => dynasm!($s.ops ; .arch x64 ; xor $($args)*),
            Alu::Cmp => dynasm!($s.ops ; .arch x64 ; cmp $($args)*),
        }
    };
}

macro_rules! fop {
    ($s:ident, $op:ident, $($args:tt)*) => {
        match $op {
            Fop::Add => dynasm!($s.ops ; .arch x64 ; addsd $($args)*),
            Fop::Sub => dynasm!($s.ops ; .arch x64 ; subsd $($args)*),
            Fop::Mul => dynasm!($s.ops ; .arch x64 ; mulsd $($args)*),
            Fop::Div => dynasm!($s.ops ; .arch x64 ; divsd $($args)*),
            Fop::Sqrt => dynasm!($s.ops ; .arch x64 ; sqrtsd $($args)*),
            Fop::Ucom => dynasm!($s.ops ; .arch x64 ; ucomisd $($args)*),
        }
    };
}

impl Asm {
    pub fn new() -> Asm {
        Asm { ops: VecAssembler::new(0), pool: vec![] }
    }
    pub fn label(&mut self) -> Label {
        self.ops.new_dynamic_label()
    }
    pub fn bind(&mut self, l: Label) {
        dynasm!(self.ops ; .arch x64 ; =>l);
    }
    fn pooled(&mut self, bits: u64) -> Label {
        if let Some((_, l)) = self.pool.iter().find(|(b, _)| *b == bits) {
            return *l;
        }
        let l = self.label();
        self.pool.push((bits, l));
        l
    }
    /// Appends the pool and resolves labels.
    pub fn finish(mut self) -> Result<Vec<u8>, String> {
        dynasm!(self.ops ; .arch x64 ; .align 8);
        for (bits, l) in std::mem::take(&mut self.pool) {
            dynasm!(self.ops ; .arch x64 ; =>l ; .u64 bits);
        }
        self.ops.finalize().map_err(|e| format!("{e:?}"))
    }

    // ---- Moves ----

    pub fn mov(&mut self, d: u8, s: u8) {
        if d != s {
            dynasm!(self.ops ; .arch x64 ; mov Rq(d), Rq(s));
        }
    }
    pub fn imm(&mut self, d: u8, v: u64) {
        if v == 0 {
            dynasm!(self.ops ; .arch x64 ; xor Rd(d), Rd(d));
        } else {
            self.imm_keep_flags(d, v);
        }
    }
    pub fn imm_keep_flags(&mut self, d: u8, v: u64) {
        if v <= u32::MAX as u64 {
            dynasm!(self.ops ; .arch x64 ; mov Rd(d), DWORD v as i32);
        } else if v as i64 >= i32::MIN as i64 && (v as i64) < 0 {
            dynasm!(self.ops ; .arch x64 ; mov Rq(d), DWORD v as i32);
        } else {
            dynasm!(self.ops ; .arch x64 ; mov Rq(d), QWORD v as i64);
        }
    }
    pub fn fmov(&mut self, d: u8, s: u8) {
        if d != s {
            dynasm!(self.ops ; .arch x64 ; movaps Rx(d), Rx(s));
        }
    }
    pub fn fimm(&mut self, d: u8, bits: u64) {
        if bits == 0 {
            dynasm!(self.ops ; .arch x64 ; xorps Rx(d), Rx(d));
        } else {
            let l = self.pooled(bits);
            dynasm!(self.ops ; .arch x64 ; movsd Rx(d), [=>l]);
        }
    }
    pub fn lea(&mut self, d: u8, b: u8, off: i32) {
        self.rm(0, true, &[0x8d], d, b, off);
    }
    pub fn lea2(&mut self, d: u8, b: u8, i: u8) {
        dynasm!(self.ops ; .arch x64 ; lea Rq(d), [Rq(b) + Rq(i)]);
    }
    pub fn movq_to_f(&mut self, d: u8, s: u8) {
        dynasm!(self.ops ; .arch x64 ; movq Rx(d), Rq(s));
    }
    pub fn movq_from_f(&mut self, d: u8, s: u8) {
        dynasm!(self.ops ; .arch x64 ; movq Rq(d), Rx(s));
    }

    // ---- Memory ----

    // Encoded by hand: dynasm takes the longest form for a base register chosen at run time.

    /// `[b + o]` with `reg` (or an opcode extension) behind `opcode`; `prefix` 0 is none.
    fn rm(&mut self, prefix: u8, wide: bool, opcode: &[u8], reg: u8, b: u8, o: i32) {
        if prefix != 0 {
            self.ops.push(prefix);
        }
        let rex = 0x40 | (wide as u8) << 3 | (reg >> 3) << 2 | b >> 3;
        if rex != 0x40 {
            self.ops.push(rex);
        }
        self.modrm(opcode, reg, b, o);
    }
    /// Byte registers need a REX prefix to mean the low byte of rsi, rdi and their like.
    fn rm_byte(&mut self, opcode: u8, reg: u8, b: u8, o: i32) {
        self.ops.push(0x40 | (reg >> 3) << 2 | b >> 3);
        self.modrm(&[opcode], reg, b, o);
    }
    fn modrm(&mut self, opcode: &[u8], reg: u8, b: u8, o: i32) {
        for x in opcode {
            self.ops.push(*x);
        }
        // rbp and r13 have no form without displacement; rsp and r12 need an index byte.
        let mode = if o == 0 && b & 7 != 5 {
            0
        } else if i8::try_from(o).is_ok() {
            1
        } else {
            2
        };
        self.ops.push(mode << 6 | (reg & 7) << 3 | b & 7);
        if b & 7 == 4 {
            self.ops.push(0x24);
        }
        match mode {
            0 => {}
            1 => self.ops.push(o as u8),
            _ => self.ops.push_i32(o),
        }
    }

    pub fn ld(&mut self, d: u8, b: u8, o: i32) {
        self.rm(0, true, &[0x8b], d, b, o);
    }
    pub fn ld32(&mut self, d: u8, b: u8, o: i32) {
        self.rm(0, false, &[0x8b], d, b, o);
    }
    pub fn st(&mut self, b: u8, o: i32, s: u8) {
        self.rm(0, true, &[0x89], s, b, o);
    }
    pub fn fld(&mut self, d: u8, b: u8, o: i32) {
        self.rm(0xf2, false, &[0x0f, 0x10], d, b, o);
    }
    pub fn fst(&mut self, b: u8, o: i32, s: u8) {
        self.rm(0xf2, false, &[0x0f, 0x11], s, b, o);
    }
    pub fn st_imm(&mut self, b: u8, o: i32, v: i32) {
        self.rm(0, true, &[0xc7], 0, b, o);
        self.ops.push_i32(v);
    }
    pub fn st_imm32(&mut self, b: u8, o: i32, v: i32) {
        self.rm(0, false, &[0xc7], 0, b, o);
        self.ops.push_i32(v);
    }
    /// Loads any kind into its register class; F32 is widened.
    pub fn load(&mut self, k: MemKind, d: u8, b: u8, o: i32) {
        match k {
            MemKind::I8 => self.rm(0, true, &[0x0f, 0xbe], d, b, o),
            MemKind::U8 => self.rm(0, false, &[0x0f, 0xb6], d, b, o),
            MemKind::I16 => self.rm(0, true, &[0x0f, 0xbf], d, b, o),
            MemKind::U16 => self.rm(0, false, &[0x0f, 0xb7], d, b, o),
            MemKind::I32 => self.rm(0, true, &[0x63], d, b, o),
            MemKind::U32 => self.ld32(d, b, o),
            MemKind::F32 => {
                dynasm!(self.ops ; .arch x64 ; xorps Rx(d), Rx(d));
                self.rm(0xf3, false, &[0x0f, 0x5a], d, b, o);
            }
            MemKind::F64 => self.fld(d, b, o),
            _ => self.ld(d, b, o),
        }
    }
    /// Stores any kind; an F32 source is narrowed through xmm15.
    pub fn store(&mut self, k: MemKind, b: u8, o: i32, s: u8) {
        match k.size() {
            1 => self.rm_byte(0x88, s, b, o),
            2 => self.rm(0x66, false, &[0x89], s, b, o),
            4 if k == MemKind::F32 => {
                dynasm!(self.ops ; .arch x64 ; cvtsd2ss xmm15, Rx(s));
                self.rm(0xf3, false, &[0x0f, 0x11], 15, b, o);
            }
            4 => self.rm(0, false, &[0x89], s, b, o),
            _ if k == MemKind::F64 => self.fst(b, o, s),
            _ => self.st(b, o, s),
        }
    }
    /// r11 = address of item `i` of size `size` at `b + o` (for items the addressing mode can't scale to).
    pub fn index(&mut self, b: u8, i: u8, size: i32, o: i32) {
        match size {
            1 => dynasm!(self.ops ; .arch x64 ; lea r11, [Rq(b) + Rq(i) + o]),
            2 => dynasm!(self.ops ; .arch x64 ; lea r11, [Rq(b) + Rq(i) * 2 + o]),
            4 => dynasm!(self.ops ; .arch x64 ; lea r11, [Rq(b) + Rq(i) * 4 + o]),
            _ => dynasm!(self.ops ; .arch x64 ; lea r11, [Rq(b) + Rq(i) * 8 + o]),
        }
    }
    pub fn ld_idx8(&mut self, d: u8, b: u8, i: u8, o: i32) {
        dynasm!(self.ops ; .arch x64 ; mov Rq(d), [Rq(b) + Rq(i) * 8 + o]);
    }
    pub fn fld_idx8(&mut self, d: u8, b: u8, i: u8, o: i32) {
        dynasm!(self.ops ; .arch x64 ; movsd Rx(d), [Rq(b) + Rq(i) * 8 + o]);
    }
    pub fn st_idx8(&mut self, b: u8, i: u8, o: i32, s: u8) {
        dynasm!(self.ops ; .arch x64 ; mov [Rq(b) + Rq(i) * 8 + o], Rq(s));
    }
    pub fn fst_idx8(&mut self, b: u8, i: u8, o: i32, s: u8) {
        dynasm!(self.ops ; .arch x64 ; movsd [Rq(b) + Rq(i) * 8 + o], Rx(s));
    }

    // ---- Integer arithmetic ----

    pub fn alu(&mut self, op: Alu, d: u8, s: u8) {
        alu!(self, op, Rq(d), Rq(s));
    }
    pub fn alu_i(&mut self, op: Alu, d: u8, v: i32) {
        if op == Alu::Cmp && v == 0 {
            return self.test_self(d);
        }
        self.ops.push(0x48 | d >> 3);
        let short = i8::try_from(v).is_ok();
        self.ops.push(if short { 0x83 } else { 0x81 });
        self.ops.push(0xc0 | op.digit() << 3 | d & 7);
        self.imm_bytes(v);
    }
    fn imm_bytes(&mut self, v: i32) {
        match i8::try_from(v) {
            Ok(x) => self.ops.push(x as u8),
            Err(_) => self.ops.push_i32(v),
        }
    }
    fn alu_mi(&mut self, op: Alu, b: u8, o: i32, v: i32) {
        let short = i8::try_from(v).is_ok();
        self.rm(0, true, &[if short { 0x83 } else { 0x81 }], op.digit(), b, o);
        self.imm_bytes(v);
    }
    pub fn alu_m(&mut self, op: Alu, d: u8, b: u8, o: i32) {
        self.rm(0, true, &[op.digit() << 3 | 3], d, b, o);
    }
    pub fn cmp_mi(&mut self, b: u8, o: i32, v: i32) {
        self.alu_mi(Alu::Cmp, b, o, v);
    }
    /// Compares a 32-bit word of memory with a small number.
    pub fn cmp32_mi(&mut self, b: u8, o: i32, v: i8) {
        self.rm(0, false, &[0x83], 7, b, o);
        self.ops.push(v as u8);
    }
    /// Compares memory of a kind's size with zero.
    pub fn cmp_m0(&mut self, k: MemKind, b: u8, o: i32) {
        match k.size() {
            1 => self.rm(0, false, &[0x80], 7, b, o),
            2 => self.rm(0x66, false, &[0x83], 7, b, o),
            4 => self.rm(0, false, &[0x83], 7, b, o),
            _ => self.rm(0, true, &[0x83], 7, b, o),
        }
        self.ops.push(0);
    }
    pub fn cmp_mr(&mut self, b: u8, o: i32, r: u8) {
        self.rm(0, true, &[0x39], r, b, o);
    }
    pub fn cmp_b0(&mut self, b: u8) {
        self.cmp_m0(MemKind::U8, b, 0);
    }
    pub fn add_m(&mut self, b: u8, o: i32, v: i32) {
        self.alu_mi(Alu::Add, b, o, v);
    }
    pub fn sub_m1(&mut self, b: u8, o: i32) {
        self.alu_mi(Alu::Sub, b, o, 1);
    }
    /// Sets bits of a 32-bit word that other threads change, too.
    pub fn lock_or(&mut self, b: u8, v: i32) {
        dynasm!(self.ops ; .arch x64 ; lock or DWORD [Rq(b)], BYTE v);
    }
    pub fn imul(&mut self, d: u8, s: u8) {
        dynasm!(self.ops ; .arch x64 ; imul Rq(d), Rq(s));
    }
    pub fn imul_i(&mut self, d: u8, s: u8, v: i32) {
        dynasm!(self.ops ; .arch x64 ; imul Rq(d), Rq(s), DWORD v);
    }
    pub fn neg(&mut self, d: u8) {
        dynasm!(self.ops ; .arch x64 ; neg Rq(d));
    }
    pub fn not(&mut self, d: u8) {
        dynasm!(self.ops ; .arch x64 ; not Rq(d));
    }
    pub fn shift_i(&mut self, op: Sh, d: u8, n: i8) {
        match op {
            Sh::Shl => dynasm!(self.ops ; .arch x64 ; shl Rq(d), BYTE n),
            Sh::Shr => dynasm!(self.ops ; .arch x64 ; shr Rq(d), BYTE n),
            Sh::Sar => dynasm!(self.ops ; .arch x64 ; sar Rq(d), BYTE n),
        }
    }
    pub fn shift_cl(&mut self, op: Sh, d: u8) {
        match op {
            Sh::Shl => dynasm!(self.ops ; .arch x64 ; shl Rq(d), cl),
            Sh::Shr => dynasm!(self.ops ; .arch x64 ; shr Rq(d), cl),
            Sh::Sar => dynasm!(self.ops ; .arch x64 ; sar Rq(d), cl),
        }
    }
    pub fn cqo_idiv(&mut self, by: u8) {
        dynasm!(self.ops ; .arch x64 ; cqo ; idiv Rq(by));
    }
    /// Brings a register to the 64-bit form of an integer kind.
    pub fn narrow(&mut self, k: MemKind, d: u8, s: u8) {
        match k {
            MemKind::I8 => dynasm!(self.ops ; .arch x64 ; movsx Rq(d), Rb(s)),
            MemKind::U8 => dynasm!(self.ops ; .arch x64 ; movzx Rd(d), Rb(s)),
            MemKind::I16 => dynasm!(self.ops ; .arch x64 ; movsx Rq(d), Rw(s)),
            MemKind::U16 => dynasm!(self.ops ; .arch x64 ; movzx Rd(d), Rw(s)),
            MemKind::I32 => dynasm!(self.ops ; .arch x64 ; movsxd Rq(d), Rd(s)),
            MemKind::U32 => dynasm!(self.ops ; .arch x64 ; mov Rd(d), Rd(s)),
            _ => self.mov(d, s),
        }
    }
    pub fn setcc(&mut self, cc: Cc, d: u8) {
        match cc {
            Cc::O => dynasm!(self.ops ; .arch x64 ; seto Rb(d)),
            Cc::B => dynasm!(self.ops ; .arch x64 ; setb Rb(d)),
            Cc::Ae => dynasm!(self.ops ; .arch x64 ; setae Rb(d)),
            Cc::E => dynasm!(self.ops ; .arch x64 ; sete Rb(d)),
            Cc::Ne => dynasm!(self.ops ; .arch x64 ; setne Rb(d)),
            Cc::Be => dynasm!(self.ops ; .arch x64 ; setbe Rb(d)),
            Cc::A => dynasm!(self.ops ; .arch x64 ; seta Rb(d)),
            Cc::P => dynasm!(self.ops ; .arch x64 ; setp Rb(d)),
            Cc::Np => dynasm!(self.ops ; .arch x64 ; setnp Rb(d)),
            Cc::L => dynasm!(self.ops ; .arch x64 ; setl Rb(d)),
            Cc::Ge => dynasm!(self.ops ; .arch x64 ; setge Rb(d)),
            Cc::Le => dynasm!(self.ops ; .arch x64 ; setle Rb(d)),
            Cc::G => dynasm!(self.ops ; .arch x64 ; setg Rb(d)),
        }
    }
    pub fn test_self(&mut self, r: u8) {
        dynasm!(self.ops ; .arch x64 ; test Rq(r), Rq(r));
    }

    // ---- Floats ----

    pub fn fop(&mut self, op: Fop, d: u8, s: u8) {
        fop!(self, op, Rx(d), Rx(s));
    }
    pub fn fop_c(&mut self, op: Fop, d: u8, bits: u64) {
        let l = self.pooled(bits);
        fop!(self, op, Rx(d), [=>l]);
    }
    pub fn fop_m(&mut self, op: Fop, d: u8, b: u8, o: i32) {
        let (prefix, code) = match op {
            Fop::Add => (0xf2, 0x58),
            Fop::Sub => (0xf2, 0x5c),
            Fop::Mul => (0xf2, 0x59),
            Fop::Div => (0xf2, 0x5e),
            Fop::Sqrt => (0xf2, 0x51),
            Fop::Ucom => (0x66, 0x2e),
        };
        self.rm(prefix, false, &[0x0f, code], d, b, o);
    }
    pub fn fxor(&mut self, d: u8, s: u8) {
        dynasm!(self.ops ; .arch x64 ; xorpd Rx(d), Rx(s));
    }
    pub fn fand(&mut self, d: u8, s: u8) {
        dynasm!(self.ops ; .arch x64 ; andpd Rx(d), Rx(s));
    }
    pub fn i2f(&mut self, d: u8, s: u8) {
        dynasm!(self.ops ; .arch x64 ; xorps Rx(d), Rx(d) ; cvtsi2sd Rx(d), Rq(s));
    }
    pub fn f2i(&mut self, d: u8, s: u8) {
        dynasm!(self.ops ; .arch x64 ; cvttsd2si Rq(d), Rx(s));
    }
    pub fn to_f32(&mut self, d: u8, s: u8) {
        dynasm!(self.ops ; .arch x64 ; cvtsd2ss Rx(d), Rx(s));
    }
    pub fn from_f32(&mut self, d: u8, s: u8) {
        dynasm!(self.ops ; .arch x64 ; cvtss2sd Rx(d), Rx(s));
    }

    // ---- Control ----

    pub fn jcc(&mut self, cc: Cc, l: Label) {
        match cc {
            Cc::O => dynasm!(self.ops ; .arch x64 ; jo =>l),
            Cc::B => dynasm!(self.ops ; .arch x64 ; jb =>l),
            Cc::Ae => dynasm!(self.ops ; .arch x64 ; jae =>l),
            Cc::E => dynasm!(self.ops ; .arch x64 ; je =>l),
            Cc::Ne => dynasm!(self.ops ; .arch x64 ; jne =>l),
            Cc::Be => dynasm!(self.ops ; .arch x64 ; jbe =>l),
            Cc::A => dynasm!(self.ops ; .arch x64 ; ja =>l),
            Cc::P => dynasm!(self.ops ; .arch x64 ; jp =>l),
            Cc::Np => dynasm!(self.ops ; .arch x64 ; jnp =>l),
            Cc::L => dynasm!(self.ops ; .arch x64 ; jl =>l),
            Cc::Ge => dynasm!(self.ops ; .arch x64 ; jge =>l),
            Cc::Le => dynasm!(self.ops ; .arch x64 ; jle =>l),
            Cc::G => dynasm!(self.ops ; .arch x64 ; jg =>l),
        }
    }
    pub fn jmp(&mut self, l: Label) {
        dynasm!(self.ops ; .arch x64 ; jmp =>l);
    }
    pub fn jmp_m(&mut self, b: u8) {
        dynasm!(self.ops ; .arch x64 ; jmp QWORD [Rq(b)]);
    }
    pub fn call_r(&mut self, r: u8) {
        dynasm!(self.ops ; .arch x64 ; call Rq(r));
    }
    /// Calls an address kept in the pool.
    pub fn call_pooled(&mut self, addr: u64) {
        let l = self.pooled(addr);
        dynasm!(self.ops ; .arch x64 ; call QWORD [=>l]);
    }
    /// Bytes so far.
    pub fn offset(&self) -> usize {
        self.ops.offset().0
    }
    pub fn align16(&mut self) {
        dynasm!(self.ops ; .arch x64 ; .align 32);
    }
}

/// Bytes of native stack every trace has below the saved registers: outgoing stack arguments.
pub const OUT_BYTES: i32 = 248;

/// The entry trampoline and the common exit routine, position-independent.
///
/// Entry: `extern "C" fn(ts, jf, code) -> u64` (the exit word). The exit routine's offset is the second value;
/// `exit_target` cells hold its address until a bridge is linked.
pub fn trampoline() -> (Vec<u8>, usize) {
    let mut a = Asm::new();
    dynasm!(a.ops ; .arch x64
        ; push rbp ; mov rbp, rsp
        ; push rbx ; push r12 ; push r13 ; push r14 ; push r15
        ; sub rsp, OUT_BYTES
        ; mov r15, rdi ; mov rbx, rsi
        ; jmp rdx
    );
    let exit = a.ops.offset().0;
    dynasm!(a.ops ; .arch x64
        ; mov rax, [rbx]
        ; add rsp, OUT_BYTES
        ; pop r15 ; pop r14 ; pop r13 ; pop r12 ; pop rbx
        ; pop rbp ; ret
    );
    (a.finish().expect("the trampoline has no labels"), exit)
}
