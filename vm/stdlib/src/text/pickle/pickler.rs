//! `Pickler`: objects to bytes.
//!
//! With protocol 4 and 5 the opcodes are collected in frames of about 64 KiB: `frame` is where the open frame's header lies in `out`. Large
//! payloads go between frames, to the file at once.

use super::code::*;
use super::memo::{PicklerMemo, PicklerMemoProxy, pickler_memo_from};
use super::{HIGHEST, protocol_of};
use crate::pickling;
use lh_runtime::buffer;
use lh_runtime::codecs;
use lh_runtime::picklebuf::PickleBuffer;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};

const FRAME_TARGET: usize = 64 * 1024;
const FRAME_MIN: usize = 4;
const FRAME_HEADER: usize = 9;
const BATCH: usize = 1000;
/// Containers nested deeper than this in fast mode are looked at for cycles.
const FAST_LIMIT: usize = 50;

/// This takes a binary file for writing a pickle data stream.
///
/// The optional *protocol* argument tells the pickler to use the given
/// protocol; supported protocols are 0, 1, 2, 3, 4 and 5.  The default
/// protocol is 4.
#[pyclass(name = "Pickler", module = "_pickle", basetype)]
pub struct Pickler {
    pub memo: RefCell<PicklerMemo>,
    write: Slot,
    persistent: Slot,
    dispatch: Slot,
    callback: Slot,
    override_: Slot,
    proto: Cell<i32>,
    fast: Cell<bool>,
    fix_imports: Cell<bool>,
    #[notrace]
    out: RefCell<Vec<u8>>,
    framing: Cell<bool>,
    #[notrace]
    frame: Cell<Option<usize>>,
    #[notrace]
    fast_path: RefCell<Vec<usize>>,
}

impl Pickler {
    pub fn unset() -> Pickler {
        Pickler {
            memo: RefCell::default(),
            write: Slot::empty(),
            persistent: Slot::empty(),
            dispatch: Slot::empty(),
            callback: Slot::empty(),
            override_: Slot::empty(),
            proto: Cell::new(0),
            fast: Cell::new(false),
            fix_imports: Cell::new(true),
            out: RefCell::default(),
            framing: Cell::new(false),
            frame: Cell::new(None),
            fast_path: RefCell::default(),
        }
    }
    pub fn set_up(
        &self,
        protocol: Option<&Object>,
        fix_imports: bool,
        callback: Option<&Object>,
    ) -> PyResult<()> {
        let proto = protocol_of(protocol)?;
        let callback = callback.filter(|c| !c.is_none());
        if callback.is_some() && proto < 5 {
            return raise!(ValueError, "buffer_callback needs protocol >= 5");
        }
        self.proto.set(proto);
        self.fix_imports.set(fix_imports && proto < 3);
        self.callback.set(callback.map(|c| c.own()));
        Ok(())
    }
    pub fn set_file(&self, file: &Object) -> PyResult<()> {
        match file.get_attr_opt(intern!("write"))? {
            Some(w) => {
                self.write.set(Some(w));
                Ok(())
            }
            None => raise!(TypeError, "file must have a 'write' attribute"),
        }
    }
    pub fn take_output(&self) -> Vec<u8> {
        self.out.take()
    }
    pub fn flush_file(&self) -> PyResult<()> {
        let Some(w) = self.write.get() else { return Ok(()) };
        let out = self.out.take();
        w.call1(&Bytes::new(&out)).map(drop)
    }
    pub fn proto(&self) -> i32 {
        self.proto.get()
    }
    pub fn fixes_imports(&self) -> bool {
        self.fix_imports.get()
    }
    pub fn binary(&self) -> bool {
        self.proto.get() >= 1
    }

    // ---- Output ----

    #[inline]
    pub fn put(&self, bytes: &[u8]) {
        let mut out = self.out.borrow_mut();
        if self.framing.get() && self.frame.get().is_none() {
            self.open_frame(&mut out);
        }
        out.extend_from_slice(bytes);
    }
    #[cold]
    fn open_frame(&self, out: &mut Vec<u8>) {
        self.frame.set(Some(out.len()));
        out.extend_from_slice(&[0xfe; FRAME_HEADER]);
    }
    #[inline]
    pub fn op(&self, op: u8) {
        self.op_and(op, &[])
    }
    #[inline]
    fn op_and<const N: usize>(&self, op: u8, rest: &[u8; N]) {
        let mut out = self.out.borrow_mut();
        if self.framing.get() && self.frame.get().is_none() {
            self.open_frame(&mut out);
        }
        out.reserve(1 + N);
        out.push(op);
        out.extend_from_slice(rest);
    }
    fn close_frame(&self) {
        let Some(start) = self.frame.take() else { return };
        let mut out = self.out.borrow_mut();
        let len = out.len() - start - FRAME_HEADER;
        if len >= FRAME_MIN {
            out[start] = FRAME;
            out[start + 1..start + FRAME_HEADER].copy_from_slice(&(len as u64).to_le_bytes());
        } else {
            out.drain(start..start + FRAME_HEADER);
        }
    }
    /// Between two opcodes: a frame that is large enough ends here.
    fn boundary(&self) -> PyResult<()> {
        let Some(start) = self.frame.get().filter(|_| self.framing.get()) else { return Ok(()) };
        if self.out.borrow().len() - start - FRAME_HEADER < FRAME_TARGET {
            return Ok(());
        }
        self.close_frame();
        self.flush_file()
    }
    /// A header and its payload; a large one bypasses the frames.
    fn put_payload(&self, header: &[u8], data: &[u8], source: Option<&Object>) -> PyResult<()> {
        let framing = self.framing.get();
        if data.len() < FRAME_TARGET {
            self.put(header);
            self.put(data);
            return Ok(());
        }
        self.close_frame();
        self.framing.set(false);
        self.put(header);
        let done = match self.write.get() {
            None => {
                self.put(data);
                Ok(())
            }
            Some(w) => self.flush_file().and_then(|()| match source {
                Some(o) => w.call1(o).map(drop),
                None => w.call1(&Bytes::new(data)).map(drop),
            }),
        };
        self.framing.set(framing);
        done
    }

    // ---- The memo ----

    /// Writes the opcode that fetches memo entry `n`.
    pub fn fetch(&self, n: usize) -> PyResult<()> {
        if !self.binary() {
            self.put(format!("{}{}\n", GET as char, n).as_bytes());
        } else if n < 256 {
            self.op_and(BINGET, &[n as u8]);
        } else if n <= u32::MAX as usize {
            self.op_and(LONG_BINGET, &(n as u32).to_le_bytes());
        } else {
            return pickling!("memo id too large for LONG_BINGET");
        }
        Ok(())
    }
    pub fn seen(&self, o: &Object) -> Option<usize> {
        if self.fast.get() { None } else { self.memo.borrow().get(o) }
    }
    pub fn remember(&self, o: &Object) -> PyResult<()> {
        if self.fast.get() {
            return Ok(());
        }
        let n = self.memo.borrow().len();
        self.memo.borrow_mut().put(o, n);
        if self.proto.get() >= 4 {
            self.op(MEMOIZE);
        } else if !self.binary() {
            self.put(format!("{}{}\n", PUT as char, n).as_bytes());
        } else if n < 256 {
            self.op_and(BINPUT, &[n as u8]);
        } else if n <= u32::MAX as usize {
            self.op_and(LONG_BINPUT, &(n as u32).to_le_bytes());
        } else {
            return pickling!("memo id too large for LONG_BINPUT");
        }
        Ok(())
    }

    // ---- Objects ----

    pub fn dump_object(&self, o: &Object) -> PyResult<()> {
        // Only subclasses have hooks as attributes.
        let plain = self.is_exact::<Pickler>();
        self.override_.set(if plain { None } else { self.get_attr_opt(intern!("reducer_override"))? });
        let persistent =
            if plain { self.persistent.get() } else { self.get_attr_opt(intern!("persistent_id"))? };
        let old = self.persistent.replace(persistent);
        self.framing.set(false);
        self.frame.set(None);
        let done = self.dump_inner(o);
        self.framing.set(false);
        self.frame.set(None);
        self.persistent.set(old);
        self.override_.set(None);
        done
    }
    fn dump_inner(&self, o: &Object) -> PyResult<()> {
        let proto = self.proto.get();
        if proto >= 2 {
            self.op_and(PROTO, &[proto as u8]);
            self.framing.set(proto >= 4);
        }
        self.save(o)?;
        self.op(STOP);
        self.close_frame();
        Ok(())
    }

    pub fn save(&self, o: &Object) -> PyResult<()> {
        self.boundary()?;
        // SAFETY: nothing changes the slot while one `dump` runs; the reference is cloned before the call.
        if unsafe { self.persistent.peek() }.is_some() && self.save_persistent(o)? {
            return Ok(());
        }
        self.save_plain(o)
    }
    /// Asks `persistent_id`; true if the object is saved as such.
    fn save_persistent(&self, o: &Object) -> PyResult<bool> {
        let Some(f) = self.persistent.get() else { return Ok(false) };
        let id = f.call1(o)?;
        if id.is_none() {
            return Ok(false);
        }
        if self.binary() {
            self.boundary()?;
            self.save_plain(&id)?;
            self.op(BINPERSID);
        } else {
            let text = id.str()?;
            let Some(ascii) = text.as_ascii() else {
                return pickling!("persistent IDs in protocol 0 must be ASCII strings");
            };
            self.put(format!("{}{}\n", PERSID as char, ascii).as_bytes());
        }
        Ok(true)
    }
    fn save_plain(&self, o: &Object) -> PyResult<()> {
        if o.is_none() {
            self.op(NONE);
            return Ok(());
        }
        if let Some(b) = o.downcast_exact::<Bool>() {
            let yes = b.is_true_object();
            if self.proto.get() >= 2 {
                self.op(if yes { NEWTRUE } else { NEWFALSE });
            } else {
                self.put(if yes { b"I01\n" } else { b"I00\n" });
            }
            return Ok(());
        }
        if let Some(i) = o.downcast_exact::<Int>() {
            return self.save_int(i);
        }
        if let Some(f) = o.downcast_exact::<Float>() {
            if self.binary() {
                self.op_and(BINFLOAT, &f.value().to_be_bytes());
            } else {
                let text = lh_runtime::floatobject::repr(f.value());
                self.put(format!("{}{}\n", FLOAT as char, text).as_bytes());
            }
            return Ok(());
        }
        if let Some(n) = self.seen(o) {
            return self.fetch(n);
        }
        if let Some(b) = o.downcast_exact::<Bytes>() {
            return self.save_bytes(b);
        }
        if let Some(s) = o.downcast_exact::<Str>() {
            return self.save_str(s);
        }
        let _depth = lh_runtime::thread::enter_recursive(" while pickling an object")?;
        if let Some(d) = o.downcast_exact::<Dict>() {
            return self.save_dict(d);
        }
        if let Some(l) = o.downcast_exact::<List>() {
            return self.save_list(l);
        }
        if let Some(t) = o.downcast_exact::<Tuple>() {
            return self.save_tuple(t);
        }
        if o.is_exact::<Set>() || o.is_exact::<FrozenSet>() {
            return self.save_set(o);
        }
        if let Some(b) = o.downcast_exact::<ByteArray>() {
            return self.save_bytearray(b);
        }
        if let Some(b) = o.downcast_exact::<PickleBuffer>() {
            return self.save_buffer(b);
        }
        if let Some(f) = self.override_.get() {
            let r = f.call1(o)?;
            if !r.is(not_implemented_ref()) {
                return self.save_reduced(o, &r);
            }
        }
        self.save_other(o)
    }

    /// A dispatch table's function for a type.
    pub fn dispatched(&self, t: &Type) -> PyResult<Option<Owned<Object>>> {
        let own = if self.is_exact::<Pickler>() {
            self.dispatch.get()
        } else {
            self.get_attr_opt(intern!("dispatch_table"))?
        };
        match own {
            None => super::dict_of_module("copyreg", "dispatch_table")?.get_item(t),
            Some(table) => match table.downcast_exact::<Dict>() {
                Some(d) => d.get_item(t),
                None => catching(exc::KeyError(), || table.get_item(t)),
            },
        }
    }

    fn save_int(&self, i: &Int) -> PyResult<()> {
        if let Some(v) = i.to_i64().and_then(|v| i32::try_from(v).ok()) {
            if !self.binary() {
                self.put(format!("{}{}\n", INT as char, v).as_bytes());
            } else if (0..256).contains(&v) {
                self.op_and(BININT1, &[v as u8]);
            } else if (0..65536).contains(&v) {
                self.op_and(BININT2, &(v as u16).to_le_bytes());
            } else {
                self.op_and(BININT, &v.to_le_bytes());
            }
            return Ok(());
        }
        if self.proto.get() < 2 {
            self.put(format!("{}{}L\n", LONG as char, i.to_decimal()?).as_bytes());
            return Ok(());
        }
        let bytes = i.to_bigint().to_signed_bytes_le();
        if bytes.len() < 256 {
            self.put(&[LONG1, bytes.len() as u8]);
        } else if bytes.len() <= i32::MAX as usize {
            self.op_and(LONG4, &(bytes.len() as u32).to_le_bytes());
        } else {
            return raise!(OverflowError, "int too large to pickle");
        }
        self.put(&bytes);
        Ok(())
    }
    fn save_bytes(&self, b: &Bytes) -> PyResult<()> {
        if self.proto.get() < 3 {
            let r = if b.is_empty() {
                (Bytes::class(), Tuple::empty()).into_py()?
            } else {
                let text = Str::from_latin1(b.as_bytes());
                let f = super::of_module("codecs", "encode")?;
                (f, Tuple::from_refs(&[&text, intern!("latin1")])).into_py()?
            };
            return self.save_reduced(b, &r);
        }
        self.save_bytes_data(b, b.as_bytes())
    }
    /// `o`: what the memo knows the bytes by.
    fn save_bytes_data(&self, o: &Object, data: &[u8]) -> PyResult<()> {
        let n = data.len();
        let whole = if o.is_exact::<Bytes>() { Some(o) } else { None };
        if n < 256 {
            self.put_payload(&[SHORT_BINBYTES, n as u8], data, whole)?;
        } else if n <= u32::MAX as usize {
            self.put_payload(&header4(BINBYTES, n), data, whole)?;
        } else if self.proto.get() >= 4 {
            self.put_payload(&header8(BINBYTES8, n), data, whole)?;
        } else {
            return raise!(
                OverflowError,
                "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher"
            );
        }
        self.remember(o)
    }
    fn save_bytearray(&self, b: &ByteArray) -> PyResult<()> {
        let data = b.to_vec();
        if self.proto.get() < 5 {
            let args = if data.is_empty() {
                Tuple::empty()
            } else {
                Tuple::from_vec(vec![Bytes::new(&data).into_object()])
            };
            let r = (ByteArray::class(), args).into_py()?;
            return self.save_reduced(b, &r);
        }
        self.put_payload(&header8(BYTEARRAY8, data.len()), &data, None)?;
        self.remember(b)
    }
    fn save_buffer(&self, b: &PickleBuffer) -> PyResult<()> {
        if self.proto.get() < 5 {
            return pickling!("PickleBuffer can only pickled with protocol >= 5");
        }
        // SAFETY: the view is held; copying it runs no Python code.
        let (contiguous, readonly, data) = unsafe {
            let v = &*b.view()?;
            let fine = buffer::is_contiguous(v, b'A');
            let order = if buffer::is_contiguous(v, b'C') { b'C' } else { b'F' };
            (fine, v.readonly != 0, if fine { buffer::to_contiguous(v, order) } else { vec![] })
        };
        if !contiguous {
            return pickling!("PickleBuffer can not be pickled when pointing to a non-contiguous buffer");
        }
        let in_band = match self.callback.get() {
            Some(f) => f.call1(b)?.is_true()?,
            None => true,
        };
        if !in_band {
            self.op(NEXT_BUFFER);
            if readonly {
                self.op(READONLY_BUFFER);
            }
            Ok(())
        } else if readonly {
            self.save_bytes_data(b, &data)
        } else {
            self.put_payload(&header8(BYTEARRAY8, data.len()), &data, None)?;
            self.remember(b)
        }
    }
    fn save_str(&self, s: &Str) -> PyResult<()> {
        if !self.binary() {
            let mut line = vec![UNICODE];
            line.extend_from_slice(&raw_unicode_escape(s));
            line.push(b'\n');
            self.put(&line);
            return self.remember(s);
        }
        let coded;
        let data = match s.as_ascii() {
            Some(a) => a.as_bytes(),
            None => {
                coded = codecs::utf::encode_utf8(s, "surrogatepass")?;
                coded.as_bytes()
            }
        };
        let n = data.len();
        if n < 256 && self.proto.get() >= 4 {
            self.put_payload(&[SHORT_BINUNICODE, n as u8], data, None)?;
        } else if n <= u32::MAX as usize {
            self.put_payload(&header4(BINUNICODE, n), data, None)?;
        } else if self.proto.get() >= 4 {
            self.put_payload(&header8(BINUNICODE8, n), data, None)?;
        } else {
            return raise!(
                OverflowError,
                "serializing a string larger than 4 GiB requires pickle protocol 4 or higher"
            );
        }
        self.remember(s)
    }
    fn save_tuple(&self, t: &Tuple) -> PyResult<()> {
        let n = t.len();
        if n == 0 {
            self.put(if self.binary() { &[EMPTY_TUPLE] } else { &[MARK, TUPLE] });
            return Ok(());
        }
        let short = n <= 3 && self.proto.get() >= 2;
        if !short {
            self.op(MARK);
        }
        for x in t.iter() {
            self.save(x)?;
        }
        // A tuple that contains itself through another object has been saved meanwhile: take that one.
        if let Some(at) = self.seen(t) {
            match (short, self.binary()) {
                (true, _) => self.put(&vec![POP; n]),
                (false, true) => self.op(POP_MARK),
                (false, false) => self.put(&vec![POP; n + 1]),
            }
            return self.fetch(at);
        }
        self.op(if short { [TUPLE1, TUPLE2, TUPLE3][n - 1] } else { TUPLE });
        self.remember(t)
    }
    /// In fast mode nothing is remembered; containers nested deeply are checked for cycles.
    fn nested(&self, o: &Object, f: impl FnOnce() -> PyResult<()>) -> PyResult<()> {
        if !self.fast.get() {
            return f();
        }
        let at = o.as_ptr() as usize;
        let deep = self.fast_path.borrow().len() >= FAST_LIMIT;
        if deep && self.fast_path.borrow().contains(&at) {
            return raise!(
                ValueError,
                "fast mode: can't pickle cyclic objects including object type {} at {:p}",
                o.ty().name(),
                o.as_ptr()
            );
        }
        self.fast_path.borrow_mut().push(at);
        let done = f();
        self.fast_path.borrow_mut().pop();
        done
    }
    fn save_list(&self, l: &List) -> PyResult<()> {
        self.nested(l, || {
            self.put(if self.binary() { &[EMPTY_LIST] } else { &[MARK, LIST] });
            self.remember(l)?;
            let mut i = 0;
            if self.proto.get() == 0 {
                while let Some(x) = l.get(i) {
                    self.save(&x)?;
                    self.op(APPEND);
                    i += 1;
                }
                return Ok(());
            }
            if l.len() == 1 {
                if let Some(x) = l.get(0) {
                    self.save(&x)?;
                    self.op(APPEND);
                }
                return Ok(());
            }
            while i < l.len() {
                self.op(MARK);
                let end = i + BATCH;
                while i < end
                    && let Some(x) = l.get(i)
                {
                    self.save(&x)?;
                    i += 1;
                }
                self.op(APPENDS);
            }
            Ok(())
        })
    }
    fn save_dict(&self, d: &Dict) -> PyResult<()> {
        self.nested(d, || {
            self.put(if self.binary() { &[EMPTY_DICT] } else { &[MARK, DICT] });
            self.remember(d)?;
            let n = d.len();
            let mut pos = 0;
            let mut left = n;
            while left > 0 {
                let batch = left.min(BATCH);
                let single = self.proto.get() == 0 || n == 1;
                if !single {
                    self.op(MARK);
                }
                for _ in 0..batch {
                    let Some((k, v)) = d.next(&mut pos) else { break };
                    self.save(&k)?;
                    self.save(&v)?;
                    if single {
                        self.op(SETITEM);
                    }
                    if d.len() != n {
                        return raise!(RuntimeError, "dictionary changed size during iteration");
                    }
                }
                if !single {
                    self.op(SETITEMS);
                }
                left -= batch;
            }
            Ok(())
        })
    }
    fn save_set(&self, o: &Object) -> PyResult<()> {
        let set = lh_runtime::setobject::AnySet::of(o).expect("checked by the caller");
        if self.proto.get() < 4 {
            let items = List::from_vec(set.items_vec());
            let r = (o.ty(), Tuple::from_refs(&[&items])).into_py()?;
            return self.save_reduced(o, &r);
        }
        let frozen = o.is_exact::<FrozenSet>();
        let n = set.len();
        let mut pos = 0;
        if frozen {
            self.op(MARK);
            while let Some((x, _)) = set.next(&mut pos) {
                self.save(&x)?;
            }
            if let Some(at) = self.seen(o) {
                self.op(POP_MARK);
                return self.fetch(at);
            }
            self.op(FROZENSET);
            return self.remember(o);
        }
        self.op(EMPTY_SET);
        self.remember(o)?;
        let mut left = n;
        while left > 0 {
            self.op(MARK);
            let batch = left.min(BATCH);
            for _ in 0..batch {
                let Some((x, _)) = set.next(&mut pos) else { break };
                self.save(&x)?;
                if set.len() != n {
                    return raise!(RuntimeError, "set changed size during iteration");
                }
            }
            self.op(ADDITEMS);
            left -= batch;
        }
        Ok(())
    }
    /// The items of `__reduce__`'s fourth and fifth values.
    pub fn save_batches(&self, items: &Object, pairs: bool) -> PyResult<()> {
        let (one, many) = if pairs { (SETITEM, SETITEMS) } else { (APPEND, APPENDS) };
        let put = |x: &Object| -> PyResult<()> {
            if !pairs {
                return self.save(x);
            }
            match x.downcast::<Tuple>().filter(|t| t.len() == 2) {
                Some(t) => {
                    self.save(t.item_ref(0))?;
                    self.save(t.item_ref(1))
                }
                None => raise!(TypeError, "dict items iterator must return 2-tuples"),
            }
        };
        if self.proto.get() == 0 {
            while let Some(x) = items.iter_next()? {
                put(&x)?;
                self.op(one);
            }
            return Ok(());
        }
        loop {
            let Some(first) = items.iter_next()? else { return Ok(()) };
            let Some(second) = items.iter_next()? else {
                put(&first)?;
                self.op(one);
                return Ok(());
            };
            self.op(MARK);
            put(&first)?;
            put(&second)?;
            let mut n = 2;
            while n < BATCH
                && let Some(x) = items.iter_next()?
            {
                put(&x)?;
                n += 1;
            }
            self.op(many);
            if n < BATCH {
                return Ok(());
            }
        }
    }
}

fn header4(op: u8, n: usize) -> [u8; 5] {
    let b = (n as u32).to_le_bytes();
    [op, b[0], b[1], b[2], b[3]]
}
fn header8(op: u8, n: usize) -> [u8; 9] {
    let mut h = [op; 9];
    h[1..].copy_from_slice(&(n as u64).to_le_bytes());
    h
}

/// Protocol 0's text: raw-unicode-escape, with what would end or garble the line escaped too.
fn raw_unicode_escape(s: &Str) -> Vec<u8> {
    let mut out = vec![];
    for c in s.chars() {
        match c {
            0x5c | 0 | 0x0a | 0x0d | 0x1a => out.extend_from_slice(format!("\\u{c:04x}").as_bytes()),
            0..=0xff => out.push(c as u8),
            0x100..=0xffff => out.extend_from_slice(format!("\\u{c:04x}").as_bytes()),
            _ => out.extend_from_slice(format!("\\U{c:08x}").as_bytes()),
        }
    }
    out
}

#[pymethods]
impl Pickler {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Pickler>> {
        Pickler::unset().build_in(cls)
    }
    #[init(name = "Pickler", signature = "(file, protocol=None, fix_imports=True, buffer_callback=None)")]
    fn init(
        &self,
        file: &Object,
        protocol: Option<&Object>,
        fix_imports: bool,
        buffer_callback: Option<&Object>,
    ) -> PyResult<()> {
        self.set_up(protocol, fix_imports, buffer_callback)?;
        self.set_file(file)?;
        self.fast.set(false);
        drop(self.memo.take());
        self.out.take();
        Ok(())
    }
    /// Write a pickled representation of the given object to the open file.
    #[pymethod]
    fn dump(&self, obj: &Object) -> PyResult<()> {
        if !self.write.is_some() {
            let name = self.ty().name();
            return pickling!("Pickler.__init__() was not called by {}.__init__()", name);
        }
        self.out.take();
        self.dump_object(obj)?;
        self.flush_file()
    }
    /// Clears the pickler's "memo".
    ///
    /// The memo is the data structure that remembers which objects the
    /// pickler has already seen, so that shared or recursive objects are
    /// pickled by reference and not by value.  This method is useful when
    /// re-using picklers.
    #[pymethod]
    fn clear_memo(&self) {
        drop(self.memo.take());
    }
    #[getter]
    fn memo(&self) -> Owned<PicklerMemoProxy> {
        PicklerMemoProxy { pickler: self.own() }.build()
    }
    #[setter(memo)]
    fn set_memo(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else {
            return raise!(TypeError, "attribute deletion is not supported");
        };
        let memo = pickler_memo_from(v)?;
        drop(self.memo.replace(memo));
        Ok(())
    }
    #[getter]
    fn persistent_id(&self) -> PyResult {
        match self.persistent.get() {
            Some(f) => Ok(f),
            None => raise!(AttributeError, "persistent_id"),
        }
    }
    #[setter(persistent_id)]
    fn set_persistent_id(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else {
            return raise!(TypeError, "attribute deletion is not supported");
        };
        if !v.is_callable() {
            return raise!(TypeError, "persistent_id must be a callable taking one argument");
        }
        self.persistent.set(Some(v.own()));
        Ok(())
    }
    #[getter]
    fn dispatch_table(&self) -> PyResult {
        match self.dispatch.get() {
            Some(t) => Ok(t),
            None => raise!(AttributeError, "dispatch_table"),
        }
    }
    #[setter(dispatch_table)]
    fn set_dispatch_table(&self, v: Option<&Object>) -> PyResult<()> {
        self.dispatch.set(v.map(|v| v.own()));
        Ok(())
    }
    #[getter]
    fn bin(&self) -> i64 {
        self.binary() as i64
    }
    #[setter(bin)]
    fn set_bin(&self, v: Option<&Object>) -> PyResult<()> {
        let on = match v {
            Some(v) => v.is_true()?,
            None => return raise!(TypeError, "can't delete numeric/char attribute"),
        };
        self.proto.set(if on { self.proto.get().clamp(1, HIGHEST) } else { 0 });
        Ok(())
    }
    #[getter]
    fn fast(&self) -> i64 {
        self.fast.get() as i64
    }
    #[setter(fast)]
    fn set_fast(&self, v: Option<&Object>) -> PyResult<()> {
        match v {
            Some(v) => self.fast.set(v.is_true()?),
            None => return raise!(TypeError, "can't delete numeric/char attribute"),
        }
        Ok(())
    }
    /// Returns size in memory, in bytes.
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        let memo = self.memo.borrow().len();
        <Pickler as Kind>::BASICSIZE + memo * 32 + self.out.borrow().capacity()
    }
}
