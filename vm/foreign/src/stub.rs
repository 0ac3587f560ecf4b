//! Call stubs: machine code for one shape of [`NativeSig`].
//!
//! A stub checks the arguments' types by pointer, unboxes them straight into the registers of the C calling convention,
//! calls the native code and boxes its result. Anything unexpected (another type, an integer out of range, a wrong number
//! of arguments) makes it return [`SLOW`] *before* the native call, with nothing changed: the caller then takes its
//! generic path, which knows every conversion and raises the right error. So a stub is only ever a short cut.
//!
//! ```text
//!   extern "C" fn(callable, args, nargs, target) -> new reference | NULL (exception set) | SLOW
//!
//!   rbx args   r12 callable   r13 target   r14 scratch, then the GIL token
//!   r10 the object   r11 its type, then scratch   rax / xmm8 the unboxed value
//!   [rsp]          outgoing stack arguments
//!   [rsp+stack]    spilled register arguments (only when something runs between unboxing and the call)
//!   [rsp+...]      the native result (only when something runs between the call and boxing)
//!   [rsp+...]      a record result
//! ```
//!
//! Unboxing touches none of the argument registers except as destination, so without hooks every argument goes directly
//! to its register. Stubs are position-independent, know no callable and no target, and are shared by all signatures of
//! the same shape; they live as long as the process.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::Mutex;

use crate::arena::Arena;
use crate::sig::{NativeSig, RawObj};

/// What a stub returns for "not this way".
pub const SLOW: RawObj = std::ptr::without_provenance_mut(1);

pub type Stub = unsafe extern "C" fn(
    callable: RawObj,
    args: *const RawObj,
    nargs: usize,
    target: *const c_void,
) -> RawObj;

/// What generated code needs to know of the object model: the exact types it tests for and the functions that box.
/// Boxing functions return a new reference or NULL with an exception set.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct BoxHelpers {
    pub int_type: RawObj,
    pub bool_type: RawObj,
    pub float_type: RawObj,
    pub bytes_type: RawObj,
    pub str_type: RawObj,
    pub bytearray_type: RawObj,
    pub none: RawObj,
    pub true_: RawObj,
    pub false_: RawObj,
    /// The `int` objects -5..=256, 32 bytes each; null if there is no such table.
    pub small_ints: RawObj,
    pub box_i64: unsafe extern "C" fn(i64) -> RawObj,
    pub box_u64: unsafe extern "C" fn(u64) -> RawObj,
    pub box_f64: unsafe extern "C" fn(f64) -> RawObj,
    /// One byte as `bytes`.
    pub box_char: unsafe extern "C" fn(u8) -> RawObj,
    /// NUL-terminated text (never null) as `bytes`.
    pub box_char_p: unsafe extern "C" fn(*const c_void) -> RawObj,
    pub box_wchar: unsafe extern "C" fn(i32) -> RawObj,
    pub box_wchar_p: unsafe extern "C" fn(*const c_void) -> RawObj,
    /// `PyObject *` from the native side: passes a new reference through, raises for null without an exception.
    pub box_object: unsafe extern "C" fn(RawObj) -> RawObj,
    /// Makes whatever the callable's result class is from the result's bits.
    pub wrap: unsafe extern "C" fn(RawObj, u64) -> RawObj,
    /// The same from a record in memory, which it copies.
    pub wrap_record: unsafe extern "C" fn(RawObj, *const c_void) -> RawObj,
    pub hooks: CallHooks,
}

/// What surrounds a native call.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct CallHooks {
    /// Gives the GIL up; the token goes to `reacquire_gil`.
    pub release_gil: unsafe extern "C" fn() -> *mut c_void,
    pub reacquire_gil: unsafe extern "C" fn(*mut c_void),
    /// Exchanges the thread's private errno with the real one.
    pub swap_errno: unsafe extern "C" fn(),
    /// Whether an exception is set (non-zero).
    pub error_is_set: unsafe extern "C" fn() -> i32,
}

/// Compiles or finds the stub for a signature; `None` if this signature or this host isn't served.
pub fn stub_for(sig: &NativeSig, helpers: &BoxHelpers) -> Option<Stub> {
    static STUBS: Mutex<Option<HashMap<(String, usize), usize>>> = Mutex::new(None);
    if sig.checks.any() || sig.variadic || sig.effects.has(crate::sig::Effects::MAY_THROW) {
        return None;
    }
    // Two object models in one process (as in tests) must not share stubs.
    let key = (sig.shape_key(), helpers.wrap as usize ^ helpers.int_type as usize);
    let mut stubs = STUBS.lock().unwrap_or_else(|e| e.into_inner());
    let stubs = stubs.get_or_insert_with(HashMap::new);
    let addr = match stubs.get(&key) {
        Some(addr) => *addr,
        None => {
            let bytes = encode(sig, helpers)?;
            let code = Arena::get().ok()?.install(&bytes).ok()?;
            stubs.insert(key, code.addr() as usize);
            code.addr() as usize
        }
    };
    // SAFETY: `encode` made a function of this type at that address, and stubs are never freed.
    Some(unsafe { std::mem::transmute::<usize, Stub>(addr) })
}

#[cfg(not(target_arch = "x86_64"))]
fn encode(_sig: &NativeSig, _helpers: &BoxHelpers) -> Option<Vec<u8>> {
    None
}

#[cfg(target_arch = "x86_64")]
use x64::encode;

#[cfg(target_arch = "x86_64")]
// dynasm's expansion converts register numbers that already have the type.
#[allow(clippy::useless_conversion)]
mod x64 {
    use dynasmrt::x64::X64Relocation;
    use dynasmrt::{DynamicLabel, DynasmApi, DynasmLabelApi, VecAssembler, dynasm};

    use super::{BoxHelpers, SLOW};
    use crate::abi::{CallPlacement, Loc, RetPlacement};
    use crate::sig::{Accept, Effects, MachineValue, NativeSig, Param, RangeRule, RawObj, ResultKind};

    struct Encoder<'a> {
        a: VecAssembler<X64Relocation>,
        h: &'a BoxHelpers,
        slow: DynamicLabel,
        /// Shared subroutine for integers of two or three digits.
        multi: DynamicLabel,
        multi_used: bool,
        /// Code to put behind the straight line: (label, where to come back, exact 64-bit value needed).
        cold: Vec<(DynamicLabel, DynamicLabel, bool)>,
        /// Bytes of the fixed frame.
        frame: i32,
        spill_at: i32,
        result_at: i32,
        record_at: i32,
    }

    /// Larger records are left to libffi: a stub copies without loops.
    const MAX_RECORD: usize = 256;

    pub fn encode(sig: &NativeSig, h: &BoxHelpers) -> Option<Vec<u8>> {
        let place = sig.placement();
        let hooks_before = sig.effects.has(Effects::RELEASES_GIL) || sig.effects.has(Effects::ERRNO);
        let hooks_after = hooks_before || sig.effects.has(Effects::MAY_RAISE);
        let mut a = VecAssembler::new(0);
        let (slow, multi) = (a.new_dynamic_label(), a.new_dynamic_label());
        let spill_at = place.stack as i32;
        let result_at = spill_at + 16 * sig.params.len() as i32;
        let record_at = (result_at + 8 + 15) / 16 * 16;
        let frame = record_at + sig.record.as_ref().map_or(0, |r| r.size.div_ceil(16) as i32 * 16);
        let mut records = sig.params.iter().map(|p| &p.record).chain([&sig.record]).flatten();
        if records.any(|r| r.size > MAX_RECORD || r.size == 0) || place.ret == RetPlacement::X87 {
            return None;
        }
        let mut e = Encoder {
            a,
            h,
            slow,
            multi,
            multi_used: false,
            cold: Vec::new(),
            frame,
            spill_at,
            result_at,
            record_at,
        };
        e.prologue(sig)?;
        for (i, p) in sig.params.iter().enumerate() {
            e.param(i, p, sig.required(), &place, hooks_before);
        }
        e.call(sig, &place, hooks_before, hooks_after);
        e.result(sig.result);
        e.cold_code();
        e.a.finalize().ok()
    }

    impl Encoder<'_> {
        fn imm(&mut self, ptr: usize) {
            dynasm!(self.a ; .arch x64 ; mov rax, QWORD ptr as i64);
        }

        fn call_helper(&mut self, f: usize) {
            self.imm(f);
            dynasm!(self.a ; .arch x64 ; call rax);
        }

        fn prologue(&mut self, sig: &NativeSig) -> Option<()> {
            let (n, required) = (sig.params.len() as i32, sig.required() as i32);
            let slow_before_frame = self.a.new_dynamic_label();
            let ok = self.a.new_dynamic_label();
            if n > 200 {
                return None;
            }
            if n == required {
                dynasm!(self.a ; .arch x64 ; cmp rdx, n ; je =>ok);
            } else {
                // required <= nargs <= n, as one unsigned comparison.
                dynasm!(self.a ; .arch x64 ; lea rax, [rdx - required] ; cmp rax, n - required ; jbe =>ok);
            }
            dynasm!(self.a
                ; .arch x64
                ; =>slow_before_frame
                ; mov eax, SLOW as usize as i32
                ; ret
                ; =>ok
                ; push rbp
                ; mov rbp, rsp
                ; push rbx
                ; push r12
                ; push r13
                ; push r14
                ; sub rsp, self.frame
                ; mov rbx, rsi
                ; mov r12, rdi
                ; mov r13, rcx
            );
            if n != required {
                // nargs is needed while parameters are unboxed: keep it in the result slot.
                dynasm!(self.a ; .arch x64 ; mov [rsp + self.result_at], rdx);
            }
            Some(())
        }

        fn epilogue(&mut self) {
            dynasm!(self.a
                ; .arch x64
                ; add rsp, self.frame
                ; pop r14
                ; pop r13
                ; pop r12
                ; pop rbx
                ; pop rbp
            );
        }

        // ---- Arguments ----

        fn param(&mut self, i: usize, p: &Param, required: usize, place: &CallPlacement, spill: bool) {
            let done = self.a.new_dynamic_label();
            let disp = 8 * i as i32;
            if let Some(bits) = p.default.filter(|_| i >= required) {
                let given = self.a.new_dynamic_label();
                dynasm!(self.a
                    ; .arch x64
                    ; mov rax, QWORD bits as i64
                    ; cmp QWORD [rsp + self.result_at], i as i32
                    ; ja =>given
                );
                if p.value.is_float() {
                    dynasm!(self.a ; .arch x64 ; movq xmm8, rax);
                }
                dynasm!(self.a ; .arch x64 ; jmp =>done ; =>given);
            }
            dynasm!(self.a ; .arch x64 ; mov r10, [rbx + disp]);
            if !matches!(p.accepts.first(), Some(Accept::Object)) {
                dynasm!(self.a ; .arch x64 ; mov r11, [r10 + 8]);
            }
            for (k, accept) in p.accepts.iter().enumerate() {
                let last = k + 1 == p.accepts.len();
                let next = if last { self.slow } else { self.a.new_dynamic_label() };
                self.accept(*accept, p.value, next);
                if !last {
                    dynasm!(self.a ; .arch x64 ; jmp =>done ; =>next);
                }
            }
            if p.accepts.is_empty() {
                let slow = self.slow;
                dynasm!(self.a ; .arch x64 ; jmp =>slow);
            }
            dynasm!(self.a ; .arch x64 ; =>done);
            if p.record.is_some() {
                self.place_record(i, place, spill);
            } else {
                self.place(i, p.value, place, spill);
            }
        }

        /// Moves the value from rax or xmm8 to where the call wants it.
        fn place(&mut self, i: usize, v: MachineValue, place: &CallPlacement, spill: bool) {
            let loc = place.args[i][0].loc;
            match loc {
                Loc::Stack(o) if v.is_float() => dynasm!(self.a ; .arch x64 ; movsd [rsp + o as i32], xmm8),
                Loc::Stack(o) => {
                    self.extend(v);
                    dynasm!(self.a ; .arch x64 ; mov [rsp + o as i32], rax)
                }
                _ if spill => {
                    let at = self.spill_at + 16 * i as i32;
                    if v.is_float() {
                        dynasm!(self.a ; .arch x64 ; movsd [rsp + at], xmm8)
                    } else {
                        self.extend(v);
                        dynasm!(self.a ; .arch x64 ; mov [rsp + at], rax)
                    }
                }
                Loc::Sse(n) => dynasm!(self.a ; .arch x64 ; movaps Rx(n), xmm8),
                Loc::Int(n) => {
                    self.extend(v);
                    let r = ARG_REGS[n as usize];
                    dynasm!(self.a ; .arch x64 ; mov Rq(r), rax)
                }
            }
        }

        /// rax = `size` (1 to 8) bytes at r11 + `from`, reading nothing beyond them.
        fn load_bytes(&mut self, from: i32, size: u32) {
            // Powers of two, the largest first: 7 bytes are 4, 2 and 1. The last one read ends up lowest.
            let mut parts = Vec::with_capacity(3);
            let mut at = 0;
            for part in [8u32, 4, 2, 1] {
                if size & part != 0 {
                    parts.push((from + at, part));
                    at += part as i32;
                }
            }
            let several = parts.len() > 1;
            for (i, (at, part)) in parts.into_iter().rev().enumerate() {
                match part {
                    8 => dynasm!(self.a ; .arch x64 ; mov rax, [r11 + at]),
                    4 => dynasm!(self.a ; .arch x64 ; mov eax, [r11 + at]),
                    2 => dynasm!(self.a ; .arch x64 ; movzx eax, WORD [r11 + at]),
                    _ => dynasm!(self.a ; .arch x64 ; movzx eax, BYTE [r11 + at]),
                }
                if i > 0 {
                    let shift = 8 * part as i8;
                    dynasm!(self.a ; .arch x64 ; shl r14, shift ; or rax, r14);
                }
                if several {
                    dynasm!(self.a ; .arch x64 ; mov r14, rax);
                }
            }
        }

        /// Moves the record at r11 to where the call wants it.
        fn place_record(&mut self, i: usize, place: &CallPlacement, spill: bool) {
            for (k, piece) in place.args[i].iter().enumerate() {
                let from = piece.offset as i32;
                if let Loc::Stack(o) = piece.loc {
                    for at in (0..piece.size).step_by(8) {
                        self.load_bytes(from + at as i32, (piece.size - at).min(8));
                        dynasm!(self.a ; .arch x64 ; mov [rsp + (o + at) as i32], rax);
                    }
                    continue;
                }
                self.load_bytes(from, piece.size);
                let at = self.spill_at + 16 * i as i32 + 8 * k as i32;
                match piece.loc {
                    _ if spill => dynasm!(self.a ; .arch x64 ; mov [rsp + at], rax),
                    Loc::Int(n) => {
                        let r = ARG_REGS[n as usize];
                        dynasm!(self.a ; .arch x64 ; mov Rq(r), rax)
                    }
                    Loc::Sse(n) => dynasm!(self.a ; .arch x64 ; movq Rx(n), rax),
                    Loc::Stack(_) => {}
                }
            }
        }

        /// C compilers differ in who extends small arguments; extending here satisfies both.
        fn extend(&mut self, v: MachineValue) {
            match v {
                MachineValue::I8 => dynasm!(self.a ; .arch x64 ; movsx eax, al),
                MachineValue::U8 => dynasm!(self.a ; .arch x64 ; movzx eax, al),
                MachineValue::I16 => dynasm!(self.a ; .arch x64 ; movsx eax, ax),
                MachineValue::U16 => dynasm!(self.a ; .arch x64 ; movzx eax, ax),
                MachineValue::I32 => dynasm!(self.a ; .arch x64 ; movsxd rax, eax),
                MachineValue::U32 => dynasm!(self.a ; .arch x64 ; mov eax, eax),
                _ => {}
            }
        }

        fn expect_type(&mut self, ty: RawObj, else_: DynamicLabel) {
            self.imm(ty as usize);
            dynasm!(self.a ; .arch x64 ; cmp r11, rax ; jne =>else_);
        }

        fn accept(&mut self, accept: Accept, v: MachineValue, next: DynamicLabel) {
            match accept {
                Accept::Int(rule) => {
                    self.expect_type(self.h.int_type, next);
                    self.int_value(rule != RangeRule::Truncate);
                    if rule == RangeRule::Checked {
                        self.check_range(v);
                    }
                }
                Accept::IntAsFloat => {
                    self.expect_type(self.h.int_type, next);
                    self.int_value(true);
                    // The conversion rounds to nearest, ties to even, as Python's does; no false dependency on xmm8.
                    dynasm!(self.a ; .arch x64 ; xorps xmm8, xmm8 ; cvtsi2sd xmm8, rax);
                    self.narrow(v);
                }
                Accept::Float => {
                    self.expect_type(self.h.float_type, next);
                    dynasm!(self.a ; .arch x64 ; movsd xmm8, [r10 + 16]);
                    self.narrow(v);
                }
                Accept::Bool => {
                    self.expect_type(self.h.bool_type, next);
                    let t = self.h.true_ as usize as i64;
                    dynasm!(self.a ; .arch x64 ; mov r11, QWORD t ; xor eax, eax ; cmp r10, r11 ; sete al);
                }
                Accept::NoneAsNull => {
                    self.imm(self.h.none as usize);
                    dynasm!(self.a ; .arch x64 ; cmp r10, rax ; jne =>next ; xor eax, eax);
                }
                Accept::Bytes => {
                    self.expect_type(self.h.bytes_type, next);
                    dynasm!(self.a ; .arch x64 ; lea rax, [r10 + 32]);
                }
                Accept::OneByte => {
                    self.expect_type(self.h.bytes_type, next);
                    dynasm!(self.a ; .arch x64 ; cmp QWORD [r10 + 16], 1 ; jne =>next ; movzx eax, BYTE [r10 + 32]);
                }
                Accept::AsciiStr => {
                    self.expect_type(self.h.str_type, next);
                    // compact, ascii and ready are bits 5 to 7 of the state.
                    dynasm!(self.a
                        ; .arch x64
                        ; mov eax, [r10 + 32]
                        ; and eax, 0xe0
                        ; cmp eax, 0xe0
                        ; jne =>next
                        ; lea rax, [r10 + 48]
                    );
                }
                Accept::ByteArray => {
                    self.expect_type(self.h.bytearray_type, next);
                    dynasm!(self.a ; .arch x64 ; mov rax, [r10 + 40]);
                }
                Accept::Word { ty, at } => {
                    self.expect_type(ty, next);
                    dynasm!(self.a ; .arch x64 ; mov rax, [r10 + at as i32]);
                }
                Accept::Pointee { ty, at } => {
                    self.expect_type(ty, next);
                    dynasm!(self.a ; .arch x64 ; mov r11, [r10 + at as i32]);
                    match v {
                        MachineValue::I8 => dynasm!(self.a ; .arch x64 ; movsx rax, BYTE [r11]),
                        MachineValue::U8 => dynasm!(self.a ; .arch x64 ; movzx eax, BYTE [r11]),
                        MachineValue::I16 => dynasm!(self.a ; .arch x64 ; movsx rax, WORD [r11]),
                        MachineValue::U16 => dynasm!(self.a ; .arch x64 ; movzx eax, WORD [r11]),
                        MachineValue::I32 => dynasm!(self.a ; .arch x64 ; movsxd rax, DWORD [r11]),
                        MachineValue::U32 => dynasm!(self.a ; .arch x64 ; mov eax, [r11]),
                        MachineValue::F32 => dynasm!(self.a ; .arch x64 ; movss xmm8, [r11]),
                        MachineValue::F64 => dynasm!(self.a ; .arch x64 ; movsd xmm8, [r11]),
                        MachineValue::Record => {}
                        _ => dynasm!(self.a ; .arch x64 ; mov rax, [r11]),
                    }
                }
                Accept::WordAbout { ty, about, of, at } => {
                    self.expect_type(ty, next);
                    self.imm(of as usize);
                    // A failed test must leave r11 the type of the argument: the next alternative compares it.
                    dynasm!(self.a
                        ; .arch x64
                        ; mov r14, [r10 + about as i32]
                        ; test r14, r14
                        ; je =>next
                        ; cmp [r14 + 8], rax
                        ; jne =>next
                        ; mov rax, [r10 + at as i32]
                    );
                }
                Accept::WordTagged { ty, tag_at, tag, at } => {
                    self.expect_type(ty, next);
                    dynasm!(self.a
                        ; .arch x64
                        ; cmp BYTE [r10 + tag_at as i32], tag as i8
                        ; jne =>next
                        ; mov rax, [r10 + at as i32]
                    );
                }
                Accept::ByMeta { meta, info_at, key_at, key, at, deref } => {
                    self.imm(meta as usize);
                    dynasm!(self.a ; .arch x64 ; cmp [r11 + 8], rax ; jne =>next);
                    if !key.is_null() {
                        self.imm(key as usize);
                        dynasm!(self.a
                            ; .arch x64
                            ; mov r14, [r11 + info_at as i32]
                            ; test r14, r14
                            ; je =>next
                            ; cmp [r14 + key_at as i32], rax
                            ; jne =>next
                        );
                    }
                    dynasm!(self.a ; .arch x64 ; mov rax, [r10 + at as i32]);
                    if deref {
                        dynasm!(self.a ; .arch x64 ; mov rax, [rax]);
                    }
                }
                Accept::Object => dynasm!(self.a ; .arch x64 ; mov rax, r10),
            }
        }

        fn narrow(&mut self, v: MachineValue) {
            if v == MachineValue::F32 {
                dynasm!(self.a ; .arch x64 ; cvtsd2ss xmm8, xmm8);
            }
        }

        /// rax = the integer in r10. One digit inline: the value is digit times ob_size (-1, 0 or 1), whatever the unused
        /// digit of a zero holds.
        fn int_value(&mut self, exact: bool) {
            let (more, back) = (self.a.new_dynamic_label(), self.a.new_dynamic_label());
            dynasm!(self.a
                ; .arch x64
                ; mov r11, [r10 + 16]
                ; lea rax, [r11 + 1]
                ; cmp rax, 2
                ; ja =>more
                ; mov eax, [r10 + 24]
                ; imul rax, r11
                ; =>back
            );
            self.cold.push((more, back, exact));
        }

        fn check_range(&mut self, v: MachineValue) {
            let slow = self.slow;
            match v {
                MachineValue::I8 => dynasm!(self.a ; .arch x64 ; movsx r11, al ; cmp r11, rax ; jne =>slow),
                MachineValue::U8 => dynasm!(self.a ; .arch x64 ; movzx r11, al ; cmp r11, rax ; jne =>slow),
                MachineValue::I16 => dynasm!(self.a ; .arch x64 ; movsx r11, ax ; cmp r11, rax ; jne =>slow),
                MachineValue::U16 => dynasm!(self.a ; .arch x64 ; movzx r11, ax ; cmp r11, rax ; jne =>slow),
                MachineValue::I32 => {
                    dynasm!(self.a ; .arch x64 ; movsxd r11, eax ; cmp r11, rax ; jne =>slow)
                }
                MachineValue::U32 => dynasm!(self.a ; .arch x64 ; mov r11d, eax ; cmp r11, rax ; jne =>slow),
                MachineValue::U64 | MachineValue::Ptr => {
                    dynasm!(self.a ; .arch x64 ; test rax, rax ; js =>slow)
                }
                _ => {}
            }
        }

        // ---- The call ----

        fn call(&mut self, sig: &NativeSig, place: &CallPlacement, before: bool, after: bool) {
            let hooks = self.h.hooks;
            if sig.effects.has(Effects::RELEASES_GIL) {
                self.call_helper(hooks.release_gil as usize);
                dynasm!(self.a ; .arch x64 ; mov r14, rax);
            }
            if sig.effects.has(Effects::ERRNO) {
                self.call_helper(hooks.swap_errno as usize);
            }
            if before {
                for (i, pieces) in place.args.iter().enumerate() {
                    for (k, piece) in pieces.iter().enumerate() {
                        let at = self.spill_at + 16 * i as i32 + 8 * k as i32;
                        match piece.loc {
                            Loc::Int(n) => {
                                let r = ARG_REGS[n as usize];
                                dynasm!(self.a ; .arch x64 ; mov Rq(r), [rsp + at])
                            }
                            Loc::Sse(n) => dynasm!(self.a ; .arch x64 ; movsd Rx(n), [rsp + at]),
                            Loc::Stack(_) => {}
                        }
                    }
                }
            }
            if matches!(place.ret, RetPlacement::Memory { .. }) {
                dynasm!(self.a ; .arch x64 ; lea rdi, [rsp + self.record_at]);
            }
            dynasm!(self.a ; .arch x64 ; mov eax, place.sse_used as i32 ; call r13);
            if sig.result == ResultKind::Record
                && let RetPlacement::Regs(pieces) = &place.ret
            {
                for piece in pieces {
                    let at = self.record_at + piece.offset as i32;
                    match piece.loc {
                        Loc::Int(0) => dynasm!(self.a ; .arch x64 ; mov [rsp + at], rax),
                        Loc::Int(_) => dynasm!(self.a ; .arch x64 ; mov [rsp + at], rdx),
                        Loc::Sse(n) => dynasm!(self.a ; .arch x64 ; movsd [rsp + at], Rx(n)),
                        Loc::Stack(_) => {}
                    }
                }
            }
            if !after {
                return;
            }
            let sse = matches!(&place.ret, RetPlacement::Regs(p) if matches!(p[0].loc, Loc::Sse(_)));
            if sse {
                dynasm!(self.a ; .arch x64 ; movsd [rsp + self.result_at], xmm0);
            } else {
                dynasm!(self.a ; .arch x64 ; mov [rsp + self.result_at], rax);
            }
            if sig.effects.has(Effects::ERRNO) {
                self.call_helper(hooks.swap_errno as usize);
            }
            if sig.effects.has(Effects::RELEASES_GIL) {
                dynasm!(self.a ; .arch x64 ; mov rdi, r14);
                self.call_helper(hooks.reacquire_gil as usize);
            }
            if sig.effects.has(Effects::MAY_RAISE) && sig.result != ResultKind::Object {
                let fine = self.a.new_dynamic_label();
                self.call_helper(hooks.error_is_set as usize);
                dynasm!(self.a ; .arch x64 ; test eax, eax ; je =>fine ; xor eax, eax);
                self.epilogue();
                dynasm!(self.a ; .arch x64 ; ret ; =>fine);
            }
            if sse {
                dynasm!(self.a ; .arch x64 ; movsd xmm0, [rsp + self.result_at]);
            } else {
                dynasm!(self.a ; .arch x64 ; mov rax, [rsp + self.result_at]);
            }
        }

        // ---- The result ----

        /// Leaves the frame and continues in `f`, whose arguments are set up.
        fn tail(&mut self, f: usize) {
            self.epilogue();
            self.imm(f);
            dynasm!(self.a ; .arch x64 ; jmp rax);
        }

        /// Returns a new reference to a known object.
        fn return_object(&mut self, o: RawObj) {
            self.imm(o as usize);
            dynasm!(self.a ; .arch x64 ; inc QWORD [rax]);
            self.epilogue();
            dynasm!(self.a ; .arch x64 ; ret);
        }

        fn none_if_null(&mut self) {
            let some = self.a.new_dynamic_label();
            dynasm!(self.a ; .arch x64 ; test rax, rax ; jne =>some);
            self.return_object(self.h.none);
            dynasm!(self.a ; .arch x64 ; =>some ; mov rdi, rax);
        }

        fn result(&mut self, kind: ResultKind) {
            match kind {
                ResultKind::Void => self.return_object(self.h.none),
                ResultKind::Int(v) => {
                    match v {
                        MachineValue::I8 => dynasm!(self.a ; .arch x64 ; movsx rdi, al),
                        MachineValue::U8 => dynasm!(self.a ; .arch x64 ; movzx edi, al),
                        MachineValue::I16 => dynasm!(self.a ; .arch x64 ; movsx rdi, ax),
                        MachineValue::U16 => dynasm!(self.a ; .arch x64 ; movzx edi, ax),
                        MachineValue::I32 => dynasm!(self.a ; .arch x64 ; movsxd rdi, eax),
                        MachineValue::U32 => dynasm!(self.a ; .arch x64 ; mov edi, eax),
                        _ => dynasm!(self.a ; .arch x64 ; mov rdi, rax),
                    }
                    let unsigned = matches!(v, MachineValue::U64 | MachineValue::Ptr);
                    if !self.h.small_ints.is_null() {
                        let large = self.a.new_dynamic_label();
                        let limit = if unsigned { 257 } else { 262 };
                        let base = self.h.small_ints as usize as i64 + if unsigned { 5 * 32 } else { 0 };
                        if unsigned {
                            dynasm!(self.a ; .arch x64 ; mov rax, rdi);
                        } else {
                            dynasm!(self.a ; .arch x64 ; lea rax, [rdi + 5]);
                        }
                        dynasm!(self.a
                            ; .arch x64
                            ; cmp rax, limit
                            ; jae =>large
                            ; shl eax, 5
                            ; mov rdi, QWORD base
                            ; add rax, rdi
                            ; inc QWORD [rax]
                        );
                        self.epilogue();
                        dynasm!(self.a ; .arch x64 ; ret ; =>large);
                    }
                    let f = if unsigned { self.h.box_u64 as usize } else { self.h.box_i64 as usize };
                    self.tail(f);
                }
                ResultKind::Bool => {
                    let falsy = self.a.new_dynamic_label();
                    dynasm!(self.a ; .arch x64 ; test al, al ; je =>falsy);
                    self.return_object(self.h.true_);
                    dynasm!(self.a ; .arch x64 ; =>falsy);
                    self.return_object(self.h.false_);
                }
                ResultKind::F32 => {
                    dynasm!(self.a ; .arch x64 ; cvtss2sd xmm0, xmm0);
                    self.tail(self.h.box_f64 as usize);
                }
                ResultKind::F64 => self.tail(self.h.box_f64 as usize),
                ResultKind::Char => {
                    dynasm!(self.a ; .arch x64 ; movzx edi, al);
                    self.tail(self.h.box_char as usize);
                }
                ResultKind::CharP => {
                    self.none_if_null();
                    self.tail(self.h.box_char_p as usize);
                }
                ResultKind::WCharP => {
                    self.none_if_null();
                    self.tail(self.h.box_wchar_p as usize);
                }
                ResultKind::WChar => {
                    dynasm!(self.a ; .arch x64 ; mov edi, eax);
                    self.tail(self.h.box_wchar as usize);
                }
                ResultKind::AddressOrNone => {
                    self.none_if_null();
                    self.tail(self.h.box_u64 as usize);
                }
                ResultKind::Object => {
                    dynasm!(self.a ; .arch x64 ; mov rdi, rax);
                    self.tail(self.h.box_object as usize);
                }
                ResultKind::Wrap => {
                    dynasm!(self.a ; .arch x64 ; mov rsi, rax ; mov rdi, r12);
                    self.tail(self.h.wrap as usize);
                }
                ResultKind::Record => {
                    dynasm!(self.a ; .arch x64 ; lea rsi, [rsp + self.record_at] ; mov rdi, r12);
                    self.call_helper(self.h.wrap_record as usize);
                    self.epilogue();
                    dynasm!(self.a ; .arch x64 ; ret);
                }
            }
        }

        // ---- Cold code ----

        fn cold_code(&mut self) {
            let (slow, multi) = (self.slow, self.multi);
            for (label, back, exact) in std::mem::take(&mut self.cold) {
                self.multi_used = true;
                dynasm!(self.a ; .arch x64 ; =>label ; call =>multi);
                if exact {
                    dynasm!(self.a ; .arch x64 ; test r11d, r11d ; jne =>slow ; jmp =>back);
                } else {
                    dynasm!(self.a ; .arch x64 ; cmp r11d, 2 ; je =>slow ; jmp =>back);
                }
            }
            dynasm!(self.a ; .arch x64 ; =>slow ; mov eax, SLOW as usize as i32);
            self.epilogue();
            dynasm!(self.a ; .arch x64 ; ret);
            if self.multi_used {
                let (neg2, neg3, pos3, three) = (
                    self.a.new_dynamic_label(),
                    self.a.new_dynamic_label(),
                    self.a.new_dynamic_label(),
                    self.a.new_dynamic_label(),
                );
                // In: r10 the int, r11 its ob_size (not -1, 0, 1). Out: rax the low 64 bits; r11 0 if they are the value,
                // 1 if truncated (three digits), 2 if too long for this code. r14 is scratch.
                dynasm!(self.a
                    ; .arch x64
                    ; =>multi
                    ; mov eax, [r10 + 24]
                    ; mov r14d, [r10 + 28]
                    ; shl r14, 30
                    ; or rax, r14
                    ; cmp r11, -2
                    ; je =>neg2
                    ; cmp r11, 2
                    ; jne =>three
                    ; xor r11d, r11d
                    ; ret
                    ; =>neg2
                    ; neg rax
                    ; xor r11d, r11d
                    ; ret
                    ; =>three
                    ; cmp r11, 3
                    ; je =>pos3
                    ; cmp r11, -3
                    ; je =>neg3
                    ; mov r11d, 2
                    ; ret
                    ; =>pos3
                    ; mov r14d, [r10 + 32]
                    ; shl r14, 60
                    ; or rax, r14
                    ; mov r11d, 1
                    ; ret
                    ; =>neg3
                    ; mov r14d, [r10 + 32]
                    ; shl r14, 60
                    ; or rax, r14
                    ; neg rax
                    ; mov r11d, 1
                    ; ret
                );
            } else {
                // The label exists in the registry; define it so that nothing dangles.
                dynasm!(self.a ; .arch x64 ; =>multi);
            }
        }
    }

    /// rdi, rsi, rdx, rcx, r8, r9 by their hardware numbers.
    const ARG_REGS: [u8; 6] = [7, 6, 2, 1, 8, 9];
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
#[path = "stub_tests.rs"]
mod tests;
