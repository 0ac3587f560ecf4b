//! Removes instructions nobody needs and renumbers. Snapshots no guard names are removed too.

use lh_jit_ir::*;

pub fn run(t: &mut Trace, _d: &Descs) {
    let n = t.insts.len();
    let mut live = vec![false; n];
    let mut snap_live = vec![false; t.snaps.len()];
    let mut work: Vec<usize> = (0..n).filter(|&i| t.insts[i].op.keeps()).collect();
    for &i in &work {
        live[i] = true;
    }
    if let Some(l) = &t.label {
        l.needs(&mut |v| {
            if v.is_inst() && !std::mem::replace(&mut live[v.index()], true) {
                work.push(v.index());
            }
        });
    }
    while let Some(i) = work.pop() {
        let inst = t.insts[i];
        let mut uses: Vec<Val> = t.operands(&inst).collect();
        if inst.snap != NO_SNAP && !std::mem::replace(&mut snap_live[inst.snap as usize], true) {
            t.snaps[inst.snap as usize].for_each_val(&mut |v| uses.push(v));
        }
        for v in uses {
            if v.is_inst() && !live[v.index()] {
                live[v.index()] = true;
                work.push(v.index());
            }
        }
    }
    if let Some(l) = &mut t.label {
        l.statics.retain(|(v, _)| live[v.index()]);
    }
    let mut map = vec![Val::NONE; n];
    let mut next = 0;
    for (i, l) in live.iter().enumerate() {
        if *l {
            map[i] = Val::inst(next);
            next += 1;
        }
    }
    let mut smap = vec![NO_SNAP; t.snaps.len()];
    let mut snaps = vec![];
    let m = |v: Val| if v.is_inst() { map[v.index()] } else { v };
    for (k, mut s) in std::mem::take(&mut t.snaps).into_iter().enumerate() {
        if snap_live[k] {
            s.map_vals(&mut |v| m(v));
            smap[k] = snaps.len() as u32;
            snaps.push(s);
        }
    }
    t.snaps = snaps;
    if let Some(l) = &mut t.label {
        l.map_vals(&mut |v| m(v));
    }
    let mut lists = vec![];
    let mut out = vec![];
    for (i, l) in live.iter().enumerate() {
        if !*l {
            continue;
        }
        let mut x = t.insts[i];
        for a in &mut x.args {
            *a = m(*a);
        }
        let l: Vec<Val> = t.list(&x).iter().map(|v| m(*v)).collect();
        x.list = (lists.len() as u32, l.len() as u32);
        lists.extend(l);
        if x.snap != NO_SNAP {
            x.snap = smap[x.snap as usize];
        }
        out.push(x);
    }
    t.insts = out;
    t.lists = lists;
}
