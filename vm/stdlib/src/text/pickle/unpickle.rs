//! `Unpickler`: bytes to objects.
//!
//! A stack machine. `marks` holds the stack heights of open MARKs; `fence` is the innermost: no opcode may pop below it.

use super::code::*;
use super::memo::{UnpicklerMemo, UnpicklerMemoProxy, unpickler_memo_from};
use super::{HIGHEST, dict_of_module, reduce};
use crate::unpickling;
use lh_runtime::codecs;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};

/// How much is looked at ahead where the file has `peek`.
const AHEAD: usize = 128 * 1024;

/// This takes a binary file for reading a pickle data stream.
///
/// The protocol version of the pickle is detected automatically, so no
/// protocol argument is needed.  Bytes past the pickled object's
/// representation are ignored.
#[pyclass(name = "Unpickler", module = "_pickle", basetype)]
pub struct Unpickler {
    pub memo: RefCell<UnpicklerMemo>,
    stack: RefCell<Vec<Owned<Object>>>,
    #[notrace]
    marks: RefCell<Vec<usize>>,
    #[notrace]
    data: RefCell<Vec<u8>>,
    at: Cell<usize>,
    /// Bytes of `data` that `read` has taken from the file already; what is used beyond came from `peek`.
    taken: Cell<usize>,
    read: Slot,
    readline: Slot,
    peek: Slot,
    persistent: Slot,
    buffers: Slot,
    encoding: Slot<Str>,
    errors: Slot<Str>,
    proto: Cell<i32>,
    fix_imports: Cell<bool>,
    ready: Cell<bool>,
}

impl Unpickler {
    pub fn unset() -> Unpickler {
        Unpickler {
            memo: RefCell::default(),
            stack: RefCell::default(),
            marks: RefCell::default(),
            data: RefCell::default(),
            at: Cell::new(0),
            taken: Cell::new(0),
            read: Slot::empty(),
            readline: Slot::empty(),
            peek: Slot::empty(),
            persistent: Slot::empty(),
            buffers: Slot::empty(),
            encoding: Slot::empty(),
            errors: Slot::empty(),
            proto: Cell::new(0),
            fix_imports: Cell::new(true),
            ready: Cell::new(false),
        }
    }
    pub fn set_up(
        &self,
        fix_imports: bool,
        encoding: Option<&Str>,
        errors: Option<&Str>,
        buffers: Option<&Object>,
    ) -> PyResult<()> {
        self.fix_imports.set(fix_imports);
        self.encoding.set(Some(encoding.map_or_else(|| Str::new("ASCII"), |s| s.own())));
        self.errors.set(Some(errors.map_or_else(|| Str::new("strict"), |s| s.own())));
        self.buffers.set(match buffers.filter(|b| !b.is_none()) {
            Some(b) => Some(b.iterator()?),
            None => None,
        });
        self.proto.set(0);
        Ok(())
    }
    pub fn set_file(&self, file: &Object) -> PyResult<()> {
        let peek = file.get_attr_opt(intern!("peek"))?;
        let read = file.get_attr_opt(intern!("read"))?;
        let readline = file.get_attr_opt(intern!("readline"))?;
        if read.is_none() || readline.is_none() {
            return raise!(TypeError, "file must have 'read' and 'readline' attributes");
        }
        self.peek.set(peek);
        self.read.set(read);
        self.readline.set(readline);
        self.ready.set(true);
        Ok(())
    }
    pub fn set_data(&self, data: Vec<u8>) {
        self.at.set(0);
        self.taken.set(data.len());
        drop(self.data.replace(data));
        self.ready.set(true);
    }

    // ---- Input ----

    /// Reads past what `peek` showed and the machine has used.
    fn skip_used(&self) -> PyResult<()> {
        let used = self.at.get();
        if used > self.taken.get()
            && let Some(read) = self.read.get()
        {
            read.call1(&Int::from_usize(used - self.taken.get()))?;
            self.taken.set(used);
        }
        Ok(())
    }
    fn bytes_from(o: Owned<Object>, what: &str) -> PyResult<Vec<u8>> {
        match o.downcast::<Bytes>() {
            Some(b) => Ok(b.as_bytes().to_vec()),
            None => match Buffer::simple(&o) {
                Ok(b) => Ok(b.to_vec()),
                Err(e) => {
                    e.clear();
                    raise!(TypeError, "{} returned non-bytes ({})", what, o.ty().name())
                }
            },
        }
    }
    /// Makes `n` more bytes available, or says that the data is too short.
    #[cold]
    fn fill(&self, n: usize) -> PyResult<()> {
        let Some(read) = self.read.get() else { return truncated() };
        self.skip_used()?;
        // What was read but not used yet stays in front.
        let (at, taken) = (self.at.get(), self.taken.get());
        let mut rest = self.data.borrow()[at.min(taken)..taken].to_vec();
        let missing = n - rest.len();
        if missing < AHEAD
            && let Some(peek) = self.peek.get()
        {
            match peek.call1(&Int::from_usize(AHEAD)) {
                Ok(more) => {
                    let more = Self::bytes_from(more, "peek()")?;
                    if more.len() >= missing {
                        let kept = rest.len();
                        rest.extend_from_slice(&more);
                        drop(self.data.replace(rest));
                        self.at.set(0);
                        self.taken.set(kept);
                        return Ok(());
                    }
                }
                Err(e) if e.matches(exc::NotImplementedError()) => {
                    e.clear();
                    self.peek.set(None);
                }
                Err(e) => return Err(e),
            }
        }
        let more = Self::bytes_from(read.call1(&Int::from_usize(missing))?, "read()")?;
        let enough = more.len() >= missing;
        rest.extend_from_slice(&more);
        self.at.set(0);
        self.taken.set(rest.len());
        drop(self.data.replace(rest));
        if enough { Ok(()) } else { truncated() }
    }
    fn need(&self, n: usize) -> PyResult<usize> {
        let at = self.at.get();
        let have = self.data.borrow().len() - at;
        if have < n {
            self.fill(n)?;
        }
        let at = self.at.get();
        self.at.set(at + n);
        Ok(at)
    }
    fn byte(&self) -> PyResult<u8> {
        let at = self.need(1)?;
        Ok(self.data.borrow()[at])
    }
    fn fixed<const N: usize>(&self) -> PyResult<[u8; N]> {
        let at = self.need(N)?;
        let mut out = [0; N];
        out.copy_from_slice(&self.data.borrow()[at..at + N]);
        Ok(out)
    }
    /// Hands the next `n` bytes to `f`, which must not run Python code that reads from this unpickler.
    fn bytes<R>(&self, n: usize, f: impl FnOnce(&[u8]) -> R) -> PyResult<R> {
        let at = self.need(n)?;
        let chunk = self.data.borrow()[at..at + n].to_vec();
        Ok(f(&chunk))
    }
    /// A line without its end.
    fn line(&self) -> PyResult<Vec<u8>> {
        let at = self.at.get();
        let found = memchr::memchr(b'\n', &self.data.borrow()[at..]);
        if let Some(n) = found {
            self.at.set(at + n + 1);
            return Ok(self.data.borrow()[at..at + n].to_vec());
        }
        let Some(readline) = self.readline.get() else { return truncated() };
        self.skip_used()?;
        let (at, taken) = (self.at.get(), self.taken.get());
        let mut line = self.data.borrow()[at.min(taken)..taken].to_vec();
        line.extend(Self::bytes_from(readline.call0()?, "readline()")?);
        self.at.set(0);
        self.taken.set(0);
        drop(self.data.replace(vec![]));
        match line.pop() {
            Some(b'\n') => Ok(line),
            _ => truncated(),
        }
    }
    fn text_line(&self) -> PyResult<Vec<u8>> {
        let l = self.line()?;
        if l.is_empty() { truncated() } else { Ok(l) }
    }
    /// A length of 4 or 8 bytes.
    fn size<const N: usize>(&self, what: &str) -> PyResult<usize> {
        let mut all = [0; 8];
        all[..N].copy_from_slice(&self.fixed::<N>()?);
        let n = u64::from_le_bytes(all);
        if n > isize::MAX as u64 {
            return raise!(OverflowError, "{} exceeds system's maximum size of {} bytes", what, isize::MAX);
        }
        Ok(n as usize)
    }

    // ---- The stack ----

    fn push(&self, o: Owned<Object>) {
        self.stack.borrow_mut().push(o)
    }
    fn fence(&self) -> usize {
        self.marks.borrow().last().copied().unwrap_or(0)
    }
    fn underflow<T>(&self) -> PyResult<T> {
        if self.marks.borrow().is_empty() {
            unpickling!("unpickling stack underflow")
        } else {
            unpickling!("unexpected MARK found")
        }
    }
    fn pop(&self) -> PyResult {
        if self.stack.borrow().len() <= self.fence() {
            return self.underflow();
        }
        Ok(self.stack.borrow_mut().pop().expect("above the fence"))
    }
    fn top(&self) -> PyResult {
        let s = self.stack.borrow();
        if s.len() <= self.fence() {
            drop(s);
            return self.underflow();
        }
        Ok(s.last().expect("above the fence").clone())
    }
    /// Closes the innermost MARK and answers its height.
    fn mark(&self) -> PyResult<usize> {
        match self.marks.borrow_mut().pop() {
            Some(m) => Ok(m),
            None => unpickling!("could not find MARK"),
        }
    }
    fn pop_from(&self, height: usize) -> Vec<Owned<Object>> {
        let mut s = self.stack.borrow_mut();
        let height = height.min(s.len());
        s.split_off(height)
    }
    fn pop_mark(&self) -> PyResult<Vec<Owned<Object>>> {
        let m = self.mark()?;
        Ok(self.pop_from(m))
    }

    // ---- The machine ----

    pub fn load_object(&self) -> PyResult {
        let persistent = if self.is_exact::<Unpickler>() {
            self.persistent.get()
        } else {
            self.get_attr_opt(intern!("persistent_load"))?
        };
        let old = self.persistent.replace(persistent);
        self.marks.borrow_mut().clear();
        drop(self.stack.take());
        self.proto.set(0);
        let done = self.run();
        self.persistent.set(old);
        let value = done?;
        self.skip_used()?;
        Ok(value)
    }
    /// Runs the opcodes that come next as long as they are complete and run no Python code: all that make numbers, texts, tuples and
    /// lists of what is at hand. Anything else, errors too, is left to `step`.
    fn run_simple(&self) {
        let data = self.data.borrow();
        let mut stack = self.stack.borrow_mut();
        let mut marks = self.marks.borrow_mut();
        let mut memo = self.memo.borrow_mut();
        let mut at = self.at.get();
        let mut fence = marks.last().copied().unwrap_or(0);
        while let Some((&op, rest)) = data.get(at..).and_then(|d| d.split_first()) {
            let mut used = 1;
            match op {
                NONE => stack.push(none()),
                NEWTRUE => stack.push(bool_obj(true)),
                NEWFALSE => stack.push(bool_obj(false)),
                BININT1 => {
                    let Some(v) = rest.first() else { break };
                    stack.push(Int::from_i64(*v as i64).into_object());
                    used += 1;
                }
                BININT2 => {
                    let Some(v) = rest.first_chunk() else { break };
                    stack.push(Int::from_i64(u16::from_le_bytes(*v) as i64).into_object());
                    used += 2;
                }
                BININT => {
                    let Some(v) = rest.first_chunk() else { break };
                    stack.push(Int::from_i64(i32::from_le_bytes(*v) as i64).into_object());
                    used += 4;
                }
                BINFLOAT => {
                    let Some(v) = rest.first_chunk() else { break };
                    stack.push(Float::new(f64::from_be_bytes(*v)).into_object());
                    used += 8;
                }
                SHORT_BINUNICODE => {
                    let Some((&n, rest)) = rest.split_first() else { break };
                    let Some(b) = rest.get(..n as usize).filter(|b| b.is_ascii()) else { break };
                    stack.push(Str::from_ascii(b).into_object());
                    used += 1 + n as usize;
                }
                BINUNICODE => {
                    let Some((n, rest)) = rest.split_first_chunk() else { break };
                    let n = u32::from_le_bytes(*n) as usize;
                    let Some(b) = rest.get(..n).filter(|b| b.is_ascii()) else { break };
                    stack.push(Str::from_ascii(b).into_object());
                    used += 4 + n;
                }
                SHORT_BINBYTES => {
                    let Some((&n, rest)) = rest.split_first() else { break };
                    let Some(b) = rest.get(..n as usize) else { break };
                    stack.push(Bytes::new(b).into_object());
                    used += 1 + n as usize;
                }
                BINGET => {
                    let Some(o) = rest.first().and_then(|n| memo.get(*n as usize)) else { break };
                    stack.push(o);
                    used += 1;
                }
                LONG_BINGET => {
                    let n = rest.first_chunk().map(|n| u32::from_le_bytes(*n) as usize);
                    let Some(o) = n.and_then(|n| memo.get(n)) else { break };
                    stack.push(o);
                    used += 4;
                }
                MEMOIZE | BINPUT | LONG_BINPUT => {
                    let n = match op {
                        MEMOIZE => Some(memo.used()),
                        BINPUT => rest.first().map(|n| *n as usize),
                        _ => rest.first_chunk().map(|n| u32::from_le_bytes(*n) as usize),
                    };
                    let (Some(n), Some(top)) = (n, stack.get(fence..).and_then(|s| s.last())) else { break };
                    if !memo.append(n, top) {
                        break;
                    }
                    used += [4, 1, 0][(op == BINPUT) as usize + 2 * (op == MEMOIZE) as usize];
                }
                MARK => {
                    fence = stack.len();
                    marks.push(fence);
                }
                EMPTY_TUPLE => stack.push(Tuple::empty().into_object()),
                EMPTY_LIST => stack.push(List::new().into_object()),
                EMPTY_DICT => stack.push(Dict::new().into_object()),
                TUPLE1 | TUPLE2 | TUPLE3 => {
                    let n = (op - TUPLE1) as usize + 1;
                    if stack.len() < fence + n {
                        break;
                    }
                    let at = stack.len() - n;
                    tuple_of_top(&mut stack, at);
                }
                TUPLE => {
                    let Some(at) = marks.pop() else { break };
                    fence = marks.last().copied().unwrap_or(0);
                    if at > stack.len() {
                        marks.push(at);
                        break;
                    }
                    tuple_of_top(&mut stack, at);
                }
                APPEND | APPENDS => {
                    let from = if op == APPEND {
                        stack.len().saturating_sub(1)
                    } else {
                        marks.last().copied().unwrap_or(0)
                    };
                    let below = match op {
                        APPEND => fence,
                        _ => marks.len().checked_sub(2).map_or(0, |i| marks[i]),
                    };
                    if from <= below || from > stack.len() {
                        break;
                    }
                    let Some(l) = stack[from - 1].downcast_exact::<List>() else { break };
                    let (l, n) = (l.own(), stack.len() - from);
                    // SAFETY: the references move from the stack into the list.
                    unsafe {
                        if let Err(e) = l.extend_moved(stack.as_ptr().add(from).cast(), n) {
                            e.clear();
                            break;
                        }
                        stack.set_len(from);
                    }
                    if op == APPENDS {
                        marks.pop();
                        fence = below;
                    }
                }
                _ => break,
            }
            at += used;
        }
        self.at.set(at);
    }
    fn run(&self) -> PyResult {
        loop {
            self.run_simple();
            let op = match self.byte() {
                Ok(op) => op,
                Err(e) if e.matches(super::unpickling_error()) => {
                    e.clear();
                    return raise!(EOFError, "Ran out of input");
                }
                Err(e) => return Err(e),
            };
            if op == STOP {
                return self.pop();
            }
            self.step(op)?;
        }
    }
    fn step(&self, op: u8) -> PyResult<()> {
        match op {
            NONE => self.push(none()),
            NEWTRUE => self.push(bool_obj(true)),
            NEWFALSE => self.push(bool_obj(false)),
            BININT1 => {
                let v = self.byte()?;
                self.push(Int::from_i64(v as i64).into_object())
            }
            BININT2 => {
                let v = u16::from_le_bytes(self.fixed()?);
                self.push(Int::from_i64(v as i64).into_object())
            }
            BININT => {
                let v = i32::from_le_bytes(self.fixed()?);
                self.push(Int::from_i64(v as i64).into_object())
            }
            INT => self.load_int()?,
            LONG => self.load_long()?,
            LONG1 => {
                let n = self.byte()? as usize;
                self.load_binary_int(n)?
            }
            LONG4 => {
                let n = i32::from_le_bytes(self.fixed()?);
                if n < 0 {
                    return unpickling!("LONG pickle has negative byte count");
                }
                self.load_binary_int(n as usize)?
            }
            BINFLOAT => {
                let v = f64::from_be_bytes(self.fixed()?);
                self.push(Float::new(v).into_object())
            }
            FLOAT => {
                let l = self.text_line()?;
                let text = String::from_utf8_lossy(&l).into_owned();
                match lh_runtime::floatobject::parse(&text) {
                    Some(v) => self.push(Float::new(v).into_object()),
                    None if lh_runtime::floatobject::parse_prefix(&l).is_some() => {
                        return raise!(ValueError, "could not convert string to float");
                    }
                    None => return raise!(ValueError, "could not convert string to float: '{}\n'", text),
                }
            }
            STRING => self.load_string()?,
            SHORT_BINSTRING => {
                let n = self.byte()? as usize;
                self.load_binary_string(n)?
            }
            BINSTRING => {
                let n = i32::from_le_bytes(self.fixed()?);
                if n < 0 {
                    return unpickling!("BINSTRING pickle has negative byte count");
                }
                self.load_binary_string(n as usize)?
            }
            SHORT_BINBYTES => {
                let n = self.byte()? as usize;
                self.load_bytes(n)?
            }
            BINBYTES => {
                let n = self.size::<4>("BINBYTES")?;
                self.load_bytes(n)?
            }
            BINBYTES8 => {
                let n = self.size::<8>("BINBYTES")?;
                if Vec::<u8>::new().try_reserve_exact(n).is_err() {
                    return raise!(MemoryError);
                }
                self.load_bytes(n)?
            }
            BYTEARRAY8 => {
                let n = self.size::<8>("BYTEARRAY8")?;
                if Vec::<u8>::new().try_reserve_exact(n).is_err() {
                    return raise!(MemoryError);
                }
                let b = self.bytes(n, ByteArray::new)?;
                self.push(b.into_object())
            }
            UNICODE => {
                let l = self.line()?;
                let (s, _) = codecs::escape::decode_raw_unicode_escape(&l, "strict", true)?;
                self.push(s.into_object())
            }
            SHORT_BINUNICODE => {
                let n = self.byte()? as usize;
                self.load_text(n)?
            }
            BINUNICODE => {
                let n = self.size::<4>("BINUNICODE")?;
                self.load_text(n)?
            }
            BINUNICODE8 => {
                let n = self.size::<8>("BINUNICODE")?;
                self.load_text(n)?
            }
            MARK => {
                let h = self.stack.borrow().len();
                self.marks.borrow_mut().push(h)
            }
            EMPTY_TUPLE => self.push(Tuple::empty().into_object()),
            TUPLE1 | TUPLE2 | TUPLE3 => {
                let n = (op - TUPLE1) as usize + 1;
                let h = self.stack.borrow().len();
                if h < self.fence() + n {
                    return self.underflow();
                }
                let t = Tuple::from_vec(self.pop_from(h - n));
                self.push(t.into_object())
            }
            TUPLE => {
                let t = Tuple::from_vec(self.pop_mark()?);
                self.push(t.into_object())
            }
            EMPTY_LIST => self.push(List::new().into_object()),
            LIST => {
                let l = List::from_vec(self.pop_mark()?);
                self.push(l.into_object())
            }
            EMPTY_DICT => self.push(Dict::new().into_object()),
            DICT => {
                let items = self.pop_mark()?;
                if !items.len().is_multiple_of(2) {
                    return unpickling!("odd number of items for DICT");
                }
                let d = Dict::with_capacity(items.len() / 2);
                for kv in items.chunks(2) {
                    d.set_item(&kv[0], &kv[1])?;
                }
                self.push(d.into_object())
            }
            EMPTY_SET => self.push(Set::class().as_object().call0()?),
            FROZENSET => {
                let items = List::from_vec(self.pop_mark()?);
                self.push(FrozenSet::class().as_object().call1(&items)?)
            }
            APPEND => {
                let h = self.stack.borrow().len();
                if h <= self.fence() + 1 {
                    // One value alone has nothing below it to be appended to.
                    return self.underflow();
                }
                self.append_from(h - 1)?
            }
            APPENDS => {
                let m = self.mark()?;
                self.append_from(m)?
            }
            SETITEM => {
                let h = self.stack.borrow().len();
                if h < self.fence() + 3 {
                    return self.underflow();
                }
                self.set_from(h - 2)?
            }
            SETITEMS => {
                let m = self.mark()?;
                self.set_from(m)?
            }
            ADDITEMS => {
                let m = self.mark()?;
                let items = self.pop_from(m);
                let set = self.top()?;
                if set.is_instance_of::<Set>() {
                    let all = lh_runtime::setobject::AnySet::of(&set).expect("a set");
                    items.iter().try_for_each(|x| all.add(x).map(drop))?;
                } else {
                    let add = set.get_attr(intern!("add"))?;
                    items.iter().try_for_each(|x| add.call1(x).map(drop))?;
                }
            }
            POP => {
                let h = self.stack.borrow().len();
                if self.marks.borrow().last() == Some(&h) {
                    self.marks.borrow_mut().pop();
                } else {
                    drop(self.pop()?);
                }
            }
            POP_MARK => drop(self.pop_mark()?),
            DUP => {
                let o = self.top()?;
                self.push(o)
            }
            GET => {
                let n = number(&self.text_line()?)?;
                if n < 0 {
                    return unpickling!("Memo value not found at index {}", n);
                }
                self.fetch(n as usize)?
            }
            BINGET => {
                let n = self.byte()? as usize;
                self.fetch(n)?
            }
            LONG_BINGET => {
                let n = u32::from_le_bytes(self.fixed()?) as usize;
                self.fetch(n)?
            }
            PUT => {
                let l = self.text_line()?;
                drop(self.top()?);
                let n = number(&l)?;
                if n < 0 {
                    return raise!(ValueError, "negative PUT argument");
                }
                self.store(n as usize)?
            }
            BINPUT => {
                let n = self.byte()? as usize;
                self.store(n)?
            }
            LONG_BINPUT => {
                let n = u32::from_le_bytes(self.fixed()?) as usize;
                self.store(n)?
            }
            MEMOIZE => {
                let n = self.memo.borrow().used();
                self.store(n)?
            }
            GLOBAL => {
                let m = utf8(&self.text_line()?)?;
                let n = utf8(&self.text_line()?)?;
                let found = self.global(&m, &n)?;
                self.push(found)
            }
            STACK_GLOBAL => {
                let names = self.pop().and_then(|name| Ok((name, self.pop()?)));
                let names = names.map_err(|e| e.clear()).ok();
                let strings = names
                    .as_ref()
                    .and_then(|(n, m)| Some((m.downcast_exact::<Str>()?, n.downcast_exact::<Str>()?)));
                let Some((m, n)) = strings else {
                    return unpickling!("STACK_GLOBAL requires str");
                };
                let found = self.global(m, n)?;
                self.push(found)
            }
            INST => {
                let m = self.mark()?;
                let (module, name) = (self.text_line()?, self.text_line()?);
                let (module, name) = (utf8(&module)?, utf8(&name)?);
                let cls = self.global(&module, &name)?;
                let args = Tuple::from_vec(self.pop_from(m));
                let o = instantiate(&cls, &args)?;
                self.push(o)
            }
            OBJ => {
                let mut items = self.pop_mark()?;
                if items.is_empty() {
                    return self.underflow();
                }
                let cls = items.remove(0);
                let o = instantiate(&cls, &Tuple::from_vec(items))?;
                self.push(o)
            }
            NEWOBJ | NEWOBJ_EX => {
                let o = self.new_object(op == NEWOBJ_EX)?;
                self.push(o)
            }
            REDUCE => {
                let (args, f) = (self.pop()?, self.pop()?);
                let Some(t) = args.downcast::<Tuple>() else {
                    return raise!(TypeError, "argument list must be a tuple");
                };
                let o = f.call_tuple(t, None)?;
                self.push(o)
            }
            BUILD => self.build_state()?,
            EXT1 => {
                let c = self.byte()? as i64;
                self.extension(c)?
            }
            EXT2 => {
                let c = u16::from_le_bytes(self.fixed()?) as i64;
                self.extension(c)?
            }
            EXT4 => {
                let c = i32::from_le_bytes(self.fixed()?) as i64;
                self.extension(c)?
            }
            PERSID => {
                let l = self.line()?;
                if !l.is_ascii() {
                    return unpickling!("persistent IDs in protocol 0 must be ASCII strings");
                }
                self.load_persistent(&Str::from_ascii(&l))?
            }
            BINPERSID => {
                let id = self.pop()?;
                self.load_persistent(&id)?
            }
            PROTO => {
                let p = self.byte()? as i32;
                if p > HIGHEST {
                    return raise!(ValueError, "unsupported pickle protocol: {}", p);
                }
                self.proto.set(p)
            }
            FRAME => {
                // A frame only promises that so much follows.
                let n = self.size::<8>("FRAME length")?;
                let at = self.need(n)?;
                self.at.set(at);
            }
            NEXT_BUFFER => {
                let Some(it) = self.buffers.get() else {
                    return unpickling!(
                        "pickle stream refers to out-of-band data but no *buffers* argument was given"
                    );
                };
                match it.iter_next()? {
                    Some(b) => self.push(b),
                    None => return unpickling!("not enough out-of-band buffers"),
                }
            }
            READONLY_BUFFER => {
                let o = self.top()?;
                let b = Buffer::get(&o, lh_abi::PyBUF_SIMPLE)?;
                if !b.is_readonly() {
                    let m = MemoryView::class().call1(&o)?;
                    let fixed = m.call_method("toreadonly", &[])?;
                    drop(self.pop()?);
                    self.push(fixed);
                }
            }
            op => {
                return if (0x20..0x7f).contains(&op) && op != b'\'' && op != b'\\' {
                    unpickling!("invalid load key, '{}'.", op as char)
                } else {
                    unpickling!("invalid load key, '\\x{:02x}'.", op)
                };
            }
        }
        Ok(())
    }

    // ---- Values ----

    fn load_int(&self) -> PyResult<()> {
        let l = self.text_line()?;
        if l == b"00" || l == b"01" {
            self.push(bool_obj(l == b"01"));
            return Ok(());
        }
        let v = parse_int(&l)?;
        self.push(v.into_object());
        Ok(())
    }
    fn load_long(&self) -> PyResult<()> {
        let l = self.text_line()?;
        let v = parse_long(l.strip_suffix(b"L").unwrap_or(&l))?;
        self.push(v.into_object());
        Ok(())
    }
    fn load_binary_int(&self, n: usize) -> PyResult<()> {
        let v = self.bytes(n, |b| match b.len() {
            0 => Int::from_i64(0),
            1..=8 => {
                let fill = if b[b.len() - 1] & 0x80 != 0 { 0xff } else { 0 };
                let mut all = [fill; 8];
                all[..b.len()].copy_from_slice(b);
                Int::from_i64(i64::from_le_bytes(all))
            }
            _ => Int::from_bigint(&num_bigint::BigInt::from_signed_bytes_le(b)),
        })?;
        self.push(v.into_object());
        Ok(())
    }
    fn load_bytes(&self, n: usize) -> PyResult<()> {
        let b = self.bytes(n, Bytes::new)?;
        self.push(b.into_object());
        Ok(())
    }
    fn load_text(&self, n: usize) -> PyResult<()> {
        let s = self.bytes(n, |b| {
            if b.is_ascii() {
                return Ok(Str::from_ascii(b));
            }
            codecs::utf::decode_utf8(b, "surrogatepass", true).map(|r| r.0)
        })??;
        self.push(s.into_object());
        Ok(())
    }
    /// A Python 2 `str`: bytes or text, as the `encoding` argument says.
    fn push_old_string(&self, b: &[u8]) -> PyResult<()> {
        let encoding = self.encoding.get().unwrap_or_else(|| Str::new("ASCII"));
        let bytes = Bytes::new(b);
        if encoding.equals_str("bytes") {
            self.push(bytes.into_object());
            return Ok(());
        }
        let errors = self.errors.get().unwrap_or_else(|| Str::new("strict"));
        let s = bytes.call_method("decode", &[&encoding, &errors])?;
        self.push(s);
        Ok(())
    }
    fn load_string(&self) -> PyResult<()> {
        let l = self.line()?;
        let quoted = l.len() >= 2 && (l[0] == b'\'' || l[0] == b'"') && l[l.len() - 1] == l[0];
        if !quoted {
            return unpickling!("the STRING opcode argument must be quoted");
        }
        let (b, _) = codecs::escape::decode_escape(&l[1..l.len() - 1], "strict")?;
        self.push_old_string(&b)
    }
    fn load_binary_string(&self, n: usize) -> PyResult<()> {
        let b = self.bytes(n, |b| b.to_vec())?;
        self.push_old_string(&b)
    }

    // ---- The memo, globals, objects ----

    fn fetch(&self, n: usize) -> PyResult<()> {
        let found = self.memo.borrow().get(n);
        match found {
            Some(o) => {
                self.push(o);
                Ok(())
            }
            None => unpickling!("Memo value not found at index {}", n),
        }
    }
    fn store(&self, n: usize) -> PyResult<()> {
        let o = self.top()?;
        let old = self.memo.borrow_mut().put(n, o);
        drop(old);
        Ok(())
    }
    fn global(&self, module: &Str, name: &Str) -> PyResult {
        if self.ty().is(Unpickler::class()) {
            return self.find(module, name);
        }
        self.call_method("find_class", &[module, name])
    }
    fn find(&self, module: &Str, name: &Str) -> PyResult {
        lh_runtime::sysobject::audit("pickle.find_class", &[module, name])?;
        let (mut m, mut n) = (module.own(), name.own());
        if self.proto.get() < 3 && self.fix_imports.get() {
            let key = Tuple::from_refs(&[&m, &n]);
            if let Some(pair) = dict_of_module("_compat_pickle", "NAME_MAPPING")?.get_item(&key)? {
                match pair.downcast::<Tuple>().filter(|t| t.len() == 2) {
                    Some(t) => (m, n) = (t.item_ref(0).str()?, t.item_ref(1).str()?),
                    None => {
                        return raise!(
                            RuntimeError,
                            "_compat_pickle.NAME_MAPPING values should be 2-tuples, not {}",
                            pair.ty().name()
                        );
                    }
                }
            } else if let Some(other) = dict_of_module("_compat_pickle", "IMPORT_MAPPING")?.get_item(&m)? {
                m = other.str()?;
            }
        }
        let found = lh_runtime::import::import_absolute(&m)?;
        reduce::get_global(&found, &n, self.proto.get() >= 4)
    }
    fn extension(&self, c: i64) -> PyResult<()> {
        if c <= 0 {
            return unpickling!("EXT specifies code <= 0");
        }
        let key = Int::from_i64(c);
        let cache = dict_of_module("copyreg", "_extension_cache")?;
        if let Some(o) = cache.get_item(&key)? {
            self.push(o);
            return Ok(());
        }
        let Some(pair) = dict_of_module("copyreg", "_inverted_registry")?.get_item(&key)? else {
            return raise!(ValueError, "unregistered extension code {}", c);
        };
        let strings = pair.downcast::<Tuple>().filter(|t| t.len() == 2).and_then(|t| {
            Some((t.item_ref(0).downcast::<Str>()?.own(), t.item_ref(1).downcast::<Str>()?.own()))
        });
        let Some((m, n)) = strings else {
            return raise!(ValueError, "_inverted_registry[{}] isn't a 2-tuple of strings", c);
        };
        let o = self.global(&m, &n)?;
        cache.set_item(&key, &o)?;
        self.push(o);
        Ok(())
    }
    fn load_persistent(&self, id: &Object) -> PyResult<()> {
        let Some(f) = self.persistent.get() else {
            return unpickling!(
                "A load persistent id instruction was encountered,\nbut no persistent_load function was specified."
            );
        };
        let o = f.call1(id)?;
        self.push(o);
        Ok(())
    }
    fn new_object(&self, ex: bool) -> PyResult {
        let which = if ex { "NEWOBJ_EX" } else { "NEWOBJ" };
        let kwargs = if ex { Some(self.pop()?) } else { None };
        let (args, cls) = (self.pop()?, self.pop()?);
        let Some(class) = cls.downcast::<Type>() else {
            return unpickling!("{} class argument must be a type, not {}", which, cls.ty().name());
        };
        // SAFETY: a ready type.
        if unsafe { (*class.tp()).tp_new.is_none() } {
            return unpickling!("{} class argument '{}' has NULL tp_new", which, class.name());
        }
        let Some(args) = args.downcast::<Tuple>() else {
            return unpickling!("{} args argument must be a tuple, not {}", which, args.ty().name());
        };
        let kwargs = match &kwargs {
            None => None,
            Some(k) => match k.downcast::<Dict>() {
                Some(d) => Some(d),
                None => {
                    return unpickling!("{} kwargs argument must be a dict, not {}", which, k.ty().name());
                }
            },
        };
        // SAFETY: the slot of a ready type, with a tuple and a dict or null.
        unsafe {
            let new = (*class.tp()).tp_new.expect("checked");
            from_c(new(class.tp(), args.as_ptr(), kwargs.map_or(std::ptr::null_mut(), |k| k.as_ptr())))
        }
    }
    fn append_from(&self, height: usize) -> PyResult<()> {
        let h = self.stack.borrow().len();
        if height > h || height <= self.fence() {
            return self.underflow();
        }
        if height == h {
            return Ok(());
        }
        let items = self.pop_from(height);
        let list = self.top()?;
        if let Some(l) = list.downcast_exact::<List>() {
            return items.into_iter().try_for_each(|x| l.try_push(x));
        }
        if let Some(extend) = list.get_attr_opt(intern!("extend"))? {
            return extend.call1(&List::from_vec(items)).map(drop);
        }
        let append = list.get_attr(intern!("append"))?;
        items.iter().try_for_each(|x| append.call1(x).map(drop))
    }
    fn set_from(&self, height: usize) -> PyResult<()> {
        let h = self.stack.borrow().len();
        if height > h || height <= self.fence() {
            return self.underflow();
        }
        if height == h {
            return Ok(());
        }
        if !(h - height).is_multiple_of(2) {
            return unpickling!("odd number of items for SETITEMS");
        }
        let items = self.pop_from(height);
        let target = self.top()?;
        for kv in items.chunks(2) {
            match target.downcast_exact::<Dict>() {
                Some(d) => d.set_item(&kv[0], &kv[1])?,
                None => target.set_item_of(&kv[0], &kv[1])?,
            }
        }
        Ok(())
    }
    fn build_state(&self) -> PyResult<()> {
        if self.stack.borrow().len() < self.fence() + 2 {
            return self.underflow();
        }
        let state = self.pop()?;
        let o = self.top()?;
        if let Some(f) = o.get_attr_opt(intern!("__setstate__"))? {
            return f.call1(&state).map(drop);
        }
        let (state, slots) = match state.downcast::<Tuple>().filter(|t| t.len() == 2) {
            Some(t) => (t.get(0), t.get(1)),
            None => (state, none()),
        };
        if !state.is_none() {
            let Some(d) = state.downcast::<Dict>() else {
                return unpickling!("state is not a dictionary");
            };
            let target = o.get_attr(intern!("__dict__"))?;
            for (k, v) in d.items_vec() {
                let k = match k.downcast_exact::<Str>() {
                    Some(s) => Str::intern(s.own()).into_object(),
                    None => k,
                };
                target.set_item_of(&k, &v)?;
            }
        }
        if !slots.is_none() {
            let Some(d) = slots.downcast::<Dict>() else {
                return unpickling!("slot state is not a dictionary");
            };
            for (k, v) in d.items_vec() {
                match k.downcast::<Str>() {
                    Some(k) => o.set_attr(k, &v)?,
                    None => {
                        return raise!(TypeError, "attribute name must be string, not '{}'", k.ty().name());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Replaces what lies from `at` on by a tuple of it.
fn tuple_of_top(stack: &mut Vec<Owned<Object>>, at: usize) {
    let n = stack.len() - at;
    // SAFETY: the references move from the stack into the tuple.
    let t = unsafe {
        let from = stack.as_ptr().add(at).cast::<*mut lh_abi::PyObject>();
        stack.set_len(at);
        Tuple::build(n, |i| *from.add(i))
    };
    stack.push(t.expect("memory for a tuple").into_object());
}

fn truncated<T>() -> PyResult<T> {
    unpickling!("pickle data was truncated")
}
fn utf8(b: &[u8]) -> PyResult<Owned<Str>> {
    Ok(codecs::utf::decode_utf8(b, "strict", true)?.0)
}
/// A number of protocol 0: as the C library's `strtol` reads it, else as `int(text, 0)` does.
fn parse_int(l: &[u8]) -> PyResult<Owned<Int>> {
    let digits = l.trim_ascii_start();
    let octal = digits.len() > 1 && digits[0] == b'0' && digits.iter().all(|c| (b'0'..=b'7').contains(c));
    if octal && let Some(v) = std::str::from_utf8(digits).ok().and_then(|t| i64::from_str_radix(t, 8).ok()) {
        return Ok(Int::from_i64(v));
    }
    match parse_long(l) {
        Err(e) if e.matches(exc::ValueError()) => {
            e.clear();
            raise!(ValueError, "could not convert string to int")
        }
        other => other,
    }
}
fn parse_long(l: &[u8]) -> PyResult<Owned<Int>> {
    let text = utf8(l)?;
    let v = Int::class().as_object().call(&[&text, &Int::from_i64(0)])?;
    match v.downcast_owned::<Int>() {
        Ok(i) => Ok(i),
        Err(_) => Err(bad_internal_call()),
    }
}
fn number(l: &[u8]) -> PyResult<i64> {
    let text = utf8(l)?;
    // Blanks to `str`, not to C.
    if l.iter().any(|b| (0x1c..=0x1f).contains(b)) {
        return raise!(ValueError, "invalid literal for int() with base 10: {}", text.repr_lossy());
    }
    let n = Int::class().as_object().call1(&text)?;
    match n.downcast::<Int>().and_then(|n| n.to_i64()) {
        Some(n) => Ok(n),
        None => raise!(OverflowError, "Python int too large to convert to C ssize_t"),
    }
}
/// The old protocols' instances: a class without arguments is not called, only allocated.
fn instantiate(cls: &Object, args: &Tuple) -> PyResult {
    if args.len() == 0
        && cls.is_instance_of::<Type>()
        && cls.get_attr_opt(intern!("__getinitargs__"))?.is_none()
    {
        return cls.call_method("__new__", &[cls]);
    }
    cls.call_tuple(args, None)
}

#[pymethods]
impl Unpickler {
    #[slot(tp_new)]
    fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<Unpickler>> {
        Unpickler::unset().build_in(cls)
    }
    #[init(
        name = "Unpickler",
        signature = "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())"
    )]
    fn init(
        &self,
        file: &Object,
        fix_imports: bool,
        encoding: Option<&Str>,
        errors: Option<&Str>,
        buffers: Option<&Object>,
    ) -> PyResult<()> {
        self.at.set(0);
        self.taken.set(0);
        drop(self.data.take());
        drop(self.memo.take());
        self.set_file(file)?;
        self.set_up(fix_imports, encoding, errors, buffers)
    }
    /// Load a pickle.
    ///
    /// Read a pickled object representation from the open file object given
    /// in the constructor, and return the reconstituted object hierarchy
    /// specified therein.
    #[pymethod]
    fn load(&self) -> PyResult {
        if !self.ready.get() {
            let name = self.ty().name();
            return unpickling!("Unpickler.__init__() was not called by {}.__init__()", name);
        }
        self.load_object()
    }
    /// Return an object from a specified module.
    ///
    /// If necessary, the module will be imported. Subclasses may override
    /// this method (e.g. to restrict unpickling of arbitrary classes and
    /// functions).
    ///
    /// This method is called whenever a class or a function object is
    /// needed.  Both arguments passed are str objects.
    #[pymethod(signature = "(module_name, global_name, /)")]
    fn find_class(&self, module_name: &Str, global_name: &Str) -> PyResult {
        self.find(module_name, global_name)
    }
    #[getter]
    fn memo(&self) -> Owned<UnpicklerMemoProxy> {
        UnpicklerMemoProxy { unpickler: self.own() }.build()
    }
    #[setter(memo)]
    fn set_memo(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else {
            return raise!(TypeError, "attribute deletion is not supported");
        };
        let memo = unpickler_memo_from(v)?;
        drop(self.memo.replace(memo));
        Ok(())
    }
    #[getter]
    fn persistent_load(&self) -> PyResult {
        match self.persistent.get() {
            Some(f) => Ok(f),
            None => raise!(AttributeError, "persistent_load"),
        }
    }
    #[setter(persistent_load)]
    fn set_persistent_load(&self, v: Option<&Object>) -> PyResult<()> {
        let Some(v) = v else {
            return raise!(TypeError, "attribute deletion is not supported");
        };
        if !v.is_callable() {
            return raise!(TypeError, "persistent_load must be a callable taking one argument");
        }
        self.persistent.set(Some(v.own()));
        Ok(())
    }
    /// Returns size in memory, in bytes.
    #[pymethod]
    fn __sizeof__(&self) -> usize {
        <Unpickler as Kind>::BASICSIZE
            + self.stack.borrow().capacity() * 8
            + self.marks.borrow().capacity() * 8
    }
}
