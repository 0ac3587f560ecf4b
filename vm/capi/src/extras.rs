//! Rarely used corners: memory views, hash tables of the standard library's own modules, code objects from parts.

use crate::prelude::*;
use lh_runtime::codeobject::{CodeParts, FAST_CELL, FAST_FREE, FAST_LOCAL};

type HashFn = unsafe extern "C" fn(*const c_void) -> usize;
type CompareFn = unsafe extern "C" fn(*const c_void, *const c_void) -> c_int;
type HashVisit = unsafe extern "C" fn(*mut HashTable, *const c_void, *const c_void, *mut c_void) -> c_int;
type DestroyFn = unsafe extern "C" fn(*mut c_void);

type GetFn = unsafe extern "C" fn(*mut HashTable, *const c_void) -> *mut HashEntry;

/// `_Py_hashtable_entry_t`.
#[repr(C)]
pub struct HashEntry {
    next: *mut HashEntry,
    hash: usize,
    key: usize,
    value: usize,
}
/// `_Py_hashtable_t`: of its fields C code reads the numbers and the function that looks a key up.
#[repr(C)]
pub struct HashTable {
    entries: usize,
    nbuckets: usize,
    buckets: *mut c_void,
    get: GetFn,
    hash: HashFn,
    same: CompareFn,
    drop_key: Option<DestroyFn>,
    drop_value: Option<DestroyFn>,
    alloc: [*mut c_void; 2],
    #[expect(clippy::vec_box, reason = "C code holds on to the addresses of entries")]
    map: std::collections::HashMap<usize, Vec<Box<HashEntry>>>,
}
impl HashTable {
    fn find(&mut self, key: *const c_void) -> *mut HashEntry {
        // SAFETY: the functions were given for this table's keys.
        unsafe {
            let (h, same) = ((self.hash)(key), self.same);
            let Some(all) = self.map.get_mut(&h) else { return null_mut() };
            all.iter_mut()
                .find(|e| same(key, e.key as *const c_void) != 0)
                .map_or(null_mut(), |e| &raw mut **e)
        }
    }
}
unsafe extern "C" fn get_entry(t: *mut HashTable, key: *const c_void) -> *mut HashEntry {
    // SAFETY: called with a table of ours.
    unsafe { (*t).find(key) }
}
fn new_table(
    hash: HashFn,
    same: CompareFn,
    drop_key: Option<DestroyFn>,
    drop_value: Option<DestroyFn>,
) -> *mut HashTable {
    Box::into_raw(Box::new(HashTable {
        entries: 0,
        nbuckets: 16,
        buckets: null_mut(),
        get: get_entry,
        hash,
        same,
        drop_key,
        drop_value,
        alloc: [null_mut(); 2],
        map: Default::default(),
    }))
}

capi! {
    fn PyMemoryView_FromObject(o: &Object) -> obj { MemoryView::from_object_new(o) }
    fn PyMemoryView_FromBuffer(v: *const Py_buffer) -> obj { MemoryView::from_buffer(&*v) }
    fn PyMemoryView_FromMemory(p: *mut u8, n: isize, flags: c_int) -> obj {
        let mut v = lh_runtime::buffer::empty_view();
        lh_runtime::buffer::fill_info(&mut v, None, p, n as usize, flags == PyBUF_READ, PyBUF_FULL_RO)?;
        MemoryView::from_buffer(&v)
    }
    fn PyMemoryView_GetContiguous(o: &Object, kind: c_int, order: u8) -> obj {
        let v = MemoryView::from_object_new(o)?;
        if kind == PyBUF_WRITE && v.view().readonly != 0 {
            return raise!(BufferError, "underlying buffer is not writable");
        }
        if lh_runtime::buffer::is_contiguous(v.view(), order) {
            return Ok(v);
        }
        if kind == PyBUF_WRITE {
            return raise!(BufferError, "writable contiguous buffer requested for a non-contiguous object.");
        }
        v.contiguous_copy(order)
    }

    fn PyCode_NewWithPosOnlyArgs(
        argc: c_int, posonly: c_int, kwonly: c_int, _nlocals: c_int, stack: c_int, flags: c_int, code: &Bytes, consts: &Tuple,
        names: &Tuple, varnames: &Tuple, freevars: &Tuple, cellvars: &Tuple, file: &Str, name: &Str, qualname: &Str,
        line: c_int, linetable: &Bytes, exceptions: &Bytes,
    ) -> obj {
        new_code([argc, posonly, kwonly, stack, flags, line], code, consts, names, varnames, freevars, cellvars, file, name, qualname, linetable, exceptions)
    }
    fn PyCode_New(
        argc: c_int, kwonly: c_int, _nlocals: c_int, stack: c_int, flags: c_int, code: &Bytes, consts: &Tuple,
        names: &Tuple, varnames: &Tuple, freevars: &Tuple, cellvars: &Tuple, file: &Str, name: &Str, qualname: &Str,
        line: c_int, linetable: &Bytes, exceptions: &Bytes,
    ) -> obj {
        new_code([argc, 0, kwonly, stack, flags, line], code, consts, names, varnames, freevars, cellvars, file, name, qualname, linetable, exceptions)
    }

    fn _Py_hashtable_hash_ptr(p: *const c_void) -> [usize] { (p as usize).rotate_right(4) }
    fn _Py_hashtable_compare_direct(a: *const c_void, b: *const c_void) -> [c_int] { (a == b) as c_int }
    fn _Py_hashtable_new(hash: HashFn, same: CompareFn) -> [*mut HashTable] { new_table(hash, same, None, None) }
    fn _Py_hashtable_new_full(hash: HashFn, same: CompareFn, k: Option<DestroyFn>, v: Option<DestroyFn>, _alloc: *mut c_void) -> [*mut HashTable] {
        new_table(hash, same, k, v)
    }
    fn _Py_hashtable_get(t: *mut HashTable, k: *const c_void) -> [*mut c_void] {
        (*t).find(k).as_ref().map_or(null_mut(), |e| e.value as *mut c_void)
    }
    fn _Py_hashtable_set(t: *mut HashTable, k: *const c_void, v: *mut c_void) -> [c_int] {
        let t = &mut *t;
        let hash = (t.hash)(k);
        t.map.entry(hash).or_default().push(Box::new(HashEntry { next: null_mut(), hash, key: k as usize, value: v as usize }));
        t.entries += 1;
        t.nbuckets = (2 * t.entries).next_power_of_two().max(16);
        0
    }
    fn _Py_hashtable_steal(t: *mut HashTable, k: *const c_void) -> [*mut c_void] {
        let t = &mut *t;
        let h = (t.hash)(k);
        let same = t.same;
        let Some(v) = t.map.get_mut(&h) else { return Ok(null_mut()) };
        let Some(i) = v.iter().position(|e| same(k, e.key as *const c_void) != 0) else { return Ok(null_mut()) };
        let e = v.swap_remove(i);
        t.entries -= 1;
        if let Some(f) = t.drop_key {
            f(e.key as *mut c_void);
        }
        e.value as *mut c_void
    }
    fn _Py_hashtable_foreach(t: *mut HashTable, f: HashVisit, data: *mut c_void) -> [c_int] {
        let all: Vec<(usize, usize)> = (*t).map.values().flatten().map(|e| (e.key, e.value)).collect();
        for (k, v) in all {
            let r = f(t, k as *const c_void, v as *const c_void, data);
            if r != 0 {
                return Ok(r);
            }
        }
        0
    }
    fn _Py_hashtable_clear(t: *mut HashTable) -> void { clear(&mut *t) }
    fn _Py_hashtable_destroy(t: *mut HashTable) -> void {
        clear(&mut *t);
        drop(Box::from_raw(t));
    }

    fn _PyEval_SetProfile(_ts: *mut PyThreadState, f: *mut c_void, arg: Option<&Object>) -> status {
        let f: Option<Py_tracefunc> = std::mem::transmute(f);
        lh_interp::trace::set_profile_func(f, arg)
    }
    fn PyEval_SetProfile(f: *mut c_void, arg: Option<&Object>) -> void {
        let f: Option<Py_tracefunc> = std::mem::transmute(f);
        lh_interp::trace::set_profile_func(f, arg)?
    }
    fn _PyEval_SetTrace(_ts: *mut PyThreadState, f: *mut c_void, arg: Option<&Object>) -> status {
        let f: Option<Py_tracefunc> = std::mem::transmute(f);
        lh_interp::trace::set_trace_func(f, arg)
    }
    fn PyEval_SetTrace(f: *mut c_void, arg: Option<&Object>) -> void {
        let f: Option<Py_tracefunc> = std::mem::transmute(f);
        lh_interp::trace::set_trace_func(f, arg)?
    }

    /// A NULL-terminated array of copies of a sequence of bytes objects.
    fn _PySequence_BytesToCharpArray(o: &Object) -> (*const *mut c_char, null()) {
        let items = o.to_items()?;
        let mut out: Vec<*mut c_char> = vec![];
        for x in &items {
            let Some(b) = x.downcast::<Bytes>() else {
                return raise!(TypeError, "expected bytes, {} found", x.ty().name());
            };
            let Ok(c) = std::ffi::CString::new(b.as_bytes()) else { return raise!(ValueError, "embedded null byte") };
            out.push(crate::object::dup(&c));
        }
        out.push(null_mut());
        let p = lh_runtime::alloc::malloc(8 * out.len()).cast::<*mut c_char>();
        p.copy_from_nonoverlapping(out.as_ptr(), out.len());
        Ok(p)
    }
    fn _Py_FreeCharPArray(p: *mut *mut c_char) -> void {
        let mut q = p;
        while !(*q).is_null() {
            lh_runtime::alloc::free((*q).cast());
            q = q.add(1);
        }
        lh_runtime::alloc::free(p.cast());
    }
}

fn clear(t: &mut HashTable) {
    t.entries = 0;
    for (k, v) in std::mem::take(&mut t.map).into_values().flatten().map(|e| (e.key, e.value)) {
        // SAFETY: the functions were given for this table's entries.
        unsafe {
            if let Some(f) = t.drop_key {
                f(k as *mut c_void);
            }
            if let Some(f) = t.drop_value {
                f(v as *mut c_void);
            }
        }
    }
}

fn new_code(
    n: [c_int; 6],
    code: &Bytes,
    consts: &Tuple,
    names: &Tuple,
    varnames: &Tuple,
    freevars: &Tuple,
    cellvars: &Tuple,
    file: &Str,
    name: &Str,
    qualname: &Str,
    linetable: &Bytes,
    exceptions: &Bytes,
) -> PyResult<Owned<Code>> {
    let mut all: Vec<Owned<Object>> = vec![];
    let mut kinds: Vec<u8> = vec![];
    let same = |a: &Object, b: &Object| matches!((a.downcast::<Str>(), b.downcast::<Str>()), (Some(a), Some(b)) if a.equals(b));
    for v in varnames.iter() {
        all.push(v.own());
        kinds.push(FAST_LOCAL | if cellvars.iter().any(|c| same(c, v)) { FAST_CELL } else { 0 });
    }
    for v in cellvars.iter().filter(|c| !varnames.iter().any(|v| same(c, v))) {
        all.push(v.own());
        kinds.push(FAST_CELL);
    }
    for v in freevars.iter() {
        all.push(v.own());
        kinds.push(FAST_FREE);
    }
    let [argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno] = n;
    Code::from_parts(&CodeParts {
        argcount,
        posonlyargcount,
        kwonlyargcount,
        stacksize,
        flags,
        code: code.as_bytes(),
        consts,
        names,
        localsplusnames: &Tuple::from_vec(all),
        localspluskinds: &Bytes::new(&kinds),
        filename: file,
        name,
        qualname,
        firstlineno,
        linetable,
        exceptiontable: exceptions,
    })
}

macro_rules! pass_functions {
    ($($t:ty),*) => { $( impl Arg for $t {
        type C = $t;
        unsafe fn take(c: $t) -> PyResult<$t> { Ok(c) }
    } )* };
}
pass_functions!(HashFn, CompareFn, HashVisit, Option<DestroyFn>);
