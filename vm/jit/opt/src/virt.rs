//! Objects that are not allocated until somebody can see them: boxes, tuples, bound methods and whatever classes the
//! embedder describes.
//!
//! A virtual has a compile-time reference count. When it reaches zero its fields get their drops at that very point.
//! Forcing emits the allocation; the object is born with one reference, the rest are made by `own`.

use crate::state::{Abort, Opt, Virt};
use lh_jit_ir::ops::*;
use lh_jit_ir::*;

impl Opt<'_> {
    fn new_virt(&mut self, class: VClass, fields: Vec<Val>) -> Val {
        self.virts.push(Virt { class, fields, rc: 1, real: None });
        Val::virt(self.virts.len() - 1)
    }
    pub fn make_virt(&mut self, class: VClass, fields: Vec<Val>, rc: i32) -> Val {
        let v = self.new_virt(class, fields);
        self.virts[v.index()].rc = rc;
        v
    }

    /// The existing object for a value, allocating it if it was virtual.
    pub fn force(&mut self, v: Val) -> Result<Val, Abort> {
        let v = self.resolve(v);
        if !v.is_virt() {
            return Ok(v);
        }
        let x = self.virts[v.index()].clone();
        let real = match x.class {
            VClass::BoxI | VClass::BoxF => {
                let (op, un) =
                    if x.class == VClass::BoxI { (Op::BoxI, Op::UnboxI) } else { (Op::BoxF, Op::UnboxF) };
                let r = self.tr.push(Inst::new(op, Ty::Ref, &[x.fields[0]]));
                self.cse.insert((un, 0, [r, Val::NONE]), x.fields[0]);
                r
            }
            VClass::Class(c) => {
                let mut fields = vec![];
                for f in &x.fields {
                    fields.push(self.force(*f)?);
                }
                let list = self.tr.push_list(&fields);
                let mut i = Inst::new(Op::New, Ty::Ref, &[]).with_imm(c);
                i.list = list;
                let r = self.tr.push(i);
                let desc = &self.d.classes[c as usize];
                let first = desc.type_field.is_some() as usize;
                let known = if desc.block.is_some() { first } else { fields.len() };
                if let Some((NO_FIELD, array)) = desc.block {
                    for (k, f) in fields[first..].iter().enumerate() {
                        let k = self.tr.konst(Ty::I64, k as u64);
                        self.heap.insert((r, crate::state::HeapKey::Item(array, k)), *f);
                    }
                }
                for (k, f) in fields.iter().enumerate().take(known) {
                    let id = self.d.classes[c as usize].fields[k];
                    self.heap.insert((r, crate::state::HeapKey::Field(id)), *f);
                }
                r
            }
        };
        self.virts[v.index()].real = Some(real);
        let ty = self.virt_type(v.index());
        let boxed = matches!(x.class, VClass::BoxI | VClass::BoxF);
        // Built-in silent types keep their instances' class.
        let stat = self.d.silent_types.contains(&ty);
        let f = self.fact(real);
        if ty != 0 {
            f.ty = Some(ty);
            f.stat = boxed || stat;
            f.nonnull = true;
        }
        for _ in 1..x.rc {
            self.tr.push(Inst::new(Op::Own, Ty::Void, &[real]));
        }
        Ok(real)
    }

    /// Handles ops on virtuals and ops that make them. `None`: go on down the chain (operands are real then).
    pub fn virtual_op(&mut self, i: &mut Inst, list: &mut [Val]) -> Result<Option<Val>, Abort> {
        let [a, b, _] = i.args;
        match i.op {
            // Boxing what was just unboxed makes a new object: a box is never the original.
            Op::BoxI => return Ok(Some(self.new_virt(VClass::BoxI, vec![a]))),
            Op::BoxF => return Ok(Some(self.new_virt(VClass::BoxF, vec![a]))),
            Op::New => return Ok(Some(self.new_virt(VClass::Class(i.imm), list.to_vec()))),
            Op::Drop => return self.drop_op(i),
            Op::Eq | Op::Ne if a.is_virt() || b.is_virt() => {
                let eq = (i.op == Op::Eq) as u64;
                if a == b {
                    return Ok(Some(self.tr.konst(Ty::I64, eq)));
                }
                // Small integers are cached objects, so an int box may turn out to be an existing object.
                let fresh = |o: &Self, v: Val| {
                    v.is_virt()
                        && match o.virts[v.index()].class {
                            VClass::BoxI => false,
                            VClass::BoxF => true,
                            VClass::Class(c) => o.d.classes[c as usize].fresh,
                        }
                };
                if fresh(self, a) || fresh(self, b) {
                    return Ok(Some(self.tr.konst(Ty::I64, 1 - eq)));
                }
                // A box made to be compared is dead afterwards only through its own count.
            }
            _ if a.is_virt() => {
                let n = a.index();
                let class = self.virts[n].class;
                let ty = self.virt_type(n);
                let known = ty != 0;
                match i.op {
                    Op::UnboxI if class == VClass::BoxI => return Ok(Some(self.virts[n].fields[0])),
                    Op::UnboxF if class == VClass::BoxF => return Ok(Some(self.virts[n].fields[0])),
                    Op::GType if known => {
                        return if self.const_of(b) == Some(ty) {
                            Ok(Some(Val::NONE))
                        } else {
                            Err(Abort::GuardNeverHolds)
                        };
                    }
                    Op::GNonNull if known => return Ok(Some(Val::NONE)),
                    Op::GNull if known => return Err(Abort::GuardNeverHolds),
                    Op::FLoad | Op::FStore => {
                        if let VClass::Class(c) = class {
                            let desc = &self.d.classes[c as usize];
                            if i.op == Op::FLoad {
                                if let Some((_, bits)) = desc.consts.iter().find(|x| x.0 == i.imm) {
                                    let ty = self.d.fields[i.imm as usize].kind.ty();
                                    return Ok(Some(self.tr.konst(ty, *bits)));
                                }
                                // The block's address stands for the object, until that is made.
                                if desc.block.is_some_and(|x| x.0 == i.imm) {
                                    return Ok(Some(a));
                                }
                            }
                            if let Some(k) = desc.fields.iter().position(|f| *f == i.imm) {
                                if i.op == Op::FLoad {
                                    return Ok(Some(self.virts[n].fields[k]));
                                }
                                self.virts[n].fields[k] = b;
                                return Ok(Some(Val::NONE));
                            }
                        }
                    }
                    Op::ALoad | Op::AStore => {
                        if let Some(k) = self.block_item(a, i.imm, b) {
                            if i.op == Op::ALoad {
                                return Ok(Some(self.virts[n].fields[k]));
                            }
                            self.virts[n].fields[k] = i.args[2];
                            return Ok(Some(Val::NONE));
                        }
                        i.args[0] = self.block_of(a)?;
                    }
                    Op::Own => {
                        self.virts[n].rc += 1;
                        return Ok(Some(Val::NONE));
                    }
                    _ => {}
                }
            }
            Op::Own if self.const_of(a) == Some(0) => return Ok(Some(Val::NONE)),
            _ => {}
        }
        for k in 0..3 {
            if !i.args[k].is_none() {
                i.args[k] = self.force(i.args[k])?;
            }
        }
        for v in list.iter_mut() {
            *v = self.force(*v)?;
        }
        if i.op == Op::FLoad
            && let Some((first, second)) = self.d.fields[i.imm as usize].through
        {
            let p = self.load_field(i.args[0], first)?;
            return self.load_field(p, second).map(Some);
        }
        Ok(None)
    }

    /// The field of a virtual object with a block that the block's item `index` is.
    fn block_item(&self, a: Val, array: u32, index: Val) -> Option<usize> {
        let x = &self.virts[a.index()];
        let VClass::Class(c) = x.class else { return None };
        if self.d.classes[c as usize].block?.1 != array {
            return None;
        }
        let first = self.d.classes[c as usize].type_field.is_some() as usize;
        let k = usize::try_from(self.const_of(index)?).ok()?.checked_add(first)?;
        (k < x.fields.len()).then_some(k)
    }
    /// Makes a virtual object whose block's address is wanted after all.
    fn block_of(&mut self, a: Val) -> Result<Val, Abort> {
        let VClass::Class(c) = self.virts[a.index()].class else { return self.force(a) };
        let Some((field, _)) = self.d.classes[c as usize].block else { return self.force(a) };
        let r = self.force(a)?;
        if field == NO_FIELD { Ok(r) } else { self.load_field(r, field) }
    }
    /// Would `holder`, a virtual object, be part of itself if it held `v`?
    pub fn contains(&self, v: Val, holder: Val) -> bool {
        let (v, holder) = (self.resolve(v), self.resolve(holder));
        v.is_virt() && (v == holder || self.virts[v.index()].fields.iter().any(|f| self.contains(*f, holder)))
    }

    fn load_field(&mut self, base: Val, field: u32) -> Result<Val, Abort> {
        let ty = self.d.fields[field as usize].kind.ty();
        self.emit(Inst::new(Op::FLoad, ty, &[base]).with_imm(field), vec![])
    }

    /// Overwrites an array item that holds `old`.
    pub fn replace(&mut self, array: u32, args: [Val; 4]) -> Result<(), Abort> {
        let [mut base, idx, old, x] = args.map(|v| self.resolve(v));
        if base.is_virt() {
            if let Some(k) = self.block_item(base, array, idx) {
                self.virts[base.index()].fields[k] = x;
                if self.tr.const_bits(old) != Some(0) {
                    self.emit(Inst::new(Op::Drop, Ty::Void, &[old]).with_imm(DROP_SILENT), vec![])?;
                }
                return Ok(());
            }
            base = self.block_of(base)?;
        }
        let float = self.d.layout.float_type;
        if x.is_virt() && old.is_inst() && self.type_of(old) == Some(float) {
            let v = &mut self.virts[x.index()];
            if v.class == VClass::BoxF && v.rc == 1 {
                v.rc = 0;
                let payload = v.fields[0];
                let payload = self.resolve(payload);
                self.append(
                    Inst::new(Op::FReplace, Ty::Void, &[]).with_imm(array),
                    &[base, idx, old, payload],
                )?;
                return Ok(());
            }
        }
        let x = self.force(x)?;
        self.emit(Inst::new(Op::AStore, Ty::Void, &[base, idx, x]).with_imm(array), vec![])?;
        self.tr.push(Inst::new(Op::Yield, Ty::Void, &[x]));
        if self.tr.const_bits(old) != Some(0) {
            self.tr.push(Inst::new(Op::Adopt, Ty::Void, &[old]).with_imm(crate::bridge::NO_SLOT));
            self.emit(Inst::new(Op::Drop, Ty::Void, &[old]).with_imm(DROP_SILENT), vec![])?;
        }
        Ok(())
    }

    fn drop_op(&mut self, i: &mut Inst) -> Result<Option<Val>, Abort> {
        let a = i.args[0];
        if a.is_virt() {
            let x = &mut self.virts[a.index()];
            x.rc -= 1;
            if x.rc == 0 {
                for f in x.fields.clone() {
                    if self.tr.ty(f) == Ty::Ref {
                        self.emit(Inst::new(Op::Drop, Ty::Void, &[f]), vec![])?;
                    }
                }
            }
            return Ok(Some(Val::NONE));
        }
        if self.tr.const_bits(a) == Some(0) {
            return Ok(Some(Val::NONE));
        }
        let known = self.const_of(a);
        if known == Some(0) {
            // Proved null by a guard: no reference there.
            i.imm |= DROP_MAYBE_NULL;
        }
        if self.type_of(a).is_some_and(|t| self.d.silent_types.contains(&t)) {
            i.imm |= DROP_SILENT;
        }
        let held = self
            .frames
            .iter()
            .any(|f| f.slots.values().any(|s| !s.val.is_none() && self.same_object(s.val, a)));
        // Constants are kept alive by whoever keeps the trace.
        if a.is_const() || held || known.is_some_and(|x| x != 0) {
            i.imm |= DROP_NOT_LAST;
        }
        if self.facts.get(&a).is_some_and(|f| f.nonnull) {
            i.imm &= !DROP_MAYBE_NULL;
        }
        Ok(None)
    }

    fn same_object(&self, s: Val, a: Val) -> bool {
        let mut s = s;
        while s.is_virt() {
            match self.virts[s.index()].real {
                Some(r) => s = r,
                None => return false,
            }
        }
        s == a
    }
}
