//! `marshal`: objects as bytes, format versions 0 to 4, as `.pyc` files hold them.
//!
//! From version 3 on, objects that may occur again carry a flag and get a number; later occurrences are back references.
//! A writer flags an object when its reference count says that somebody else has it too.

use crate::buffer::Buffer;
use crate::codeobject::CodeParts;
use crate::prelude::*;

const FLAG_REF: u8 = 0x80;
const MAX_DEPTH: usize = 2000;

// ---- Writing ----

struct Writer {
    out: Vec<u8>,
    version: i32,
    depth: usize,
    refs: crate::hashing::QuickMap<usize, u32>,
    /// Keeps the numbered objects alive, so that no address is reused.
    kept: Vec<Owned<Object>>,
}

/// `marshal.dumps(o, version)`.
pub fn dumps(o: &Object, version: i32) -> PyResult<Vec<u8>> {
    let mut w = Writer { out: vec![], version, depth: 0, refs: Default::default(), kept: vec![] };
    w.object(o)?;
    Ok(w.out)
}

impl Writer {
    fn i32(&mut self, v: i32) {
        self.out.extend(v.to_le_bytes());
    }
    fn size(&mut self, n: usize) -> PyResult<()> {
        match i32::try_from(n) {
            Ok(n) => {
                self.i32(n);
                Ok(())
            }
            Err(_) => raise!(ValueError, "unmarshallable object"),
        }
    }
    fn sized(&mut self, b: &[u8]) -> PyResult<()> {
        self.size(b.len())?;
        self.out.extend_from_slice(b);
        Ok(())
    }
    /// Writes a back reference (true), or gives the flag for the type byte.
    fn reference(&mut self, o: &Object) -> Result<u8, ()> {
        if self.version < 3 || o.refcnt() == 1 {
            return Ok(0);
        }
        if let Some(i) = self.refs.get(&(o.as_ptr() as usize)).copied() {
            self.out.push(b'r');
            self.i32(i as i32);
            return Err(());
        }
        let n = self.refs.len() as u32;
        self.refs.insert(o.as_ptr() as usize, n);
        self.kept.push(o.own());
        Ok(FLAG_REF)
    }
    fn object(&mut self, o: &Object) -> PyResult<()> {
        if o.is_none() {
            self.out.push(b'N');
        } else if o.is(exc::StopIteration()) {
            self.out.push(b'S');
        } else if o.is(ellipsis_ref()) {
            self.out.push(b'.');
        } else if o.is_true_object() {
            self.out.push(b'T');
        } else if o.is_false_object() {
            self.out.push(b'F');
        } else {
            let Ok(flag) = self.reference(o) else { return Ok(()) };
            self.depth += 1;
            if self.depth >= MAX_DEPTH {
                return raise!(ValueError, "object too deeply nested to marshal");
            }
            self.complex_object(o, flag)?;
            self.depth -= 1;
        }
        Ok(())
    }
    fn complex_object(&mut self, o: &Object, flag: u8) -> PyResult<()> {
        if let Some(i) = o.downcast_exact::<Int>() {
            if let Some(v) = i.to_i64().and_then(|v| i32::try_from(v).ok()) {
                self.out.push(b'i' | flag);
                self.i32(v);
                return Ok(());
            }
            self.out.push(b'l' | flag);
            let (sign, bytes) = i.to_bigint().to_bytes_le();
            let negative = sign == num_bigint::Sign::Minus;
            let mut digits: Vec<u16> = vec![];
            let (mut acc, mut bits) = (0u32, 0);
            for b in bytes {
                acc |= (b as u32) << bits;
                bits += 8;
                while bits >= 15 {
                    digits.push((acc & 0x7fff) as u16);
                    acc >>= 15;
                    bits -= 15;
                }
            }
            digits.push(acc as u16);
            while digits.last() == Some(&0) {
                digits.pop();
            }
            let n = digits.len() as i32;
            self.i32(if negative { -n } else { n });
            for d in digits {
                self.out.extend(d.to_le_bytes());
            }
        } else if let Some(f) = o.downcast_exact::<Float>() {
            if self.version > 1 {
                self.out.push(b'g' | flag);
                self.out.extend(f.value().to_le_bytes());
            } else {
                self.out.push(b'f' | flag);
                self.float_text(f.value());
            }
        } else if let Some(c) = o.downcast_exact::<Complex>() {
            // SAFETY: a complex number's value never changes.
            let v = unsafe { (*c.as_struct()).cval };
            if self.version > 1 {
                self.out.push(b'y' | flag);
                self.out.extend(v.real.to_le_bytes());
                self.out.extend(v.imag.to_le_bytes());
            } else {
                self.out.push(b'x' | flag);
                self.float_text(v.real);
                self.float_text(v.imag);
            }
        } else if let Some(b) = o.downcast_exact::<Bytes>() {
            self.out.push(b's' | flag);
            self.sized(b.as_bytes())?;
        } else if let Some(s) = o.downcast_exact::<Str>() {
            let interned = s.is_interned();
            if self.version >= 4
                && let Some(t) = s.as_ascii()
            {
                if t.len() < 256 {
                    self.out.push(if interned { b'Z' } else { b'z' } | flag);
                    self.out.push(t.len() as u8);
                    self.out.extend_from_slice(t.as_bytes());
                } else {
                    self.out.push(if interned { b'A' } else { b'a' } | flag);
                    self.sized(t.as_bytes())?;
                }
            } else {
                self.out.push(if self.version >= 3 && interned { b't' } else { b'u' } | flag);
                let mut w = lh_bytecode::Wtf8::new();
                s.chars().for_each(|c| w.push_code_point(c));
                self.sized(w.as_bytes())?;
            }
        } else if let Some(t) = o.downcast_exact::<Tuple>() {
            if self.version >= 4 && t.len() < 256 {
                self.out.push(b')' | flag);
                self.out.push(t.len() as u8);
            } else {
                self.out.push(b'(' | flag);
                self.size(t.len())?;
            }
            for x in t.iter() {
                self.object(x)?;
            }
        } else if let Some(l) = o.downcast_exact::<List>() {
            self.out.push(b'[' | flag);
            self.size(l.len())?;
            for x in l.to_vec() {
                self.object(&x)?;
            }
        } else if let Some(d) = o.downcast_exact::<Dict>() {
            self.out.push(b'{' | flag);
            for (k, v) in d.items_vec() {
                self.object(&k)?;
                self.object(&v)?;
            }
            self.out.push(b'0');
        } else if o.is_exact::<Set>() || o.is_exact::<FrozenSet>() {
            let items = o.to_items()?;
            self.out.push(if o.is_exact::<Set>() { b'<' } else { b'>' } | flag);
            self.size(items.len())?;
            // The order must not depend on hashes: by the items' own bytes.
            let mut keyed = vec![];
            for x in items {
                keyed.push((dumps(&x, self.version)?, x));
            }
            keyed.sort_by(|a, b| a.0.cmp(&b.0));
            for (_, x) in keyed {
                self.object(&x)?;
            }
        } else if let Some(c) = o.downcast_exact::<Code>() {
            self.out.push(b'c' | flag);
            // SAFETY: plain fields of a live code object.
            let (nums, kinds) = unsafe {
                let p = &*c.as_struct();
                (
                    [p.co_argcount, p.co_posonlyargcount, p.co_kwonlyargcount, p.co_stacksize, p.co_flags],
                    Object::from_ptr(p.co_localspluskinds).own(),
                )
            };
            nums.into_iter().for_each(|n| self.i32(n));
            let code = Bytes::new(&c.original_code());
            self.object(&code)?;
            for x in [&**c.consts(), &**c.names(), &**c.localsplusnames(), &*kinds] {
                self.object(x)?;
            }
            for x in [c.filename(), c.name(), c.qualname()] {
                self.object(x)?;
            }
            self.i32(c.firstlineno());
            self.object(c.linetable())?;
            self.object(c.exceptiontable())?;
        } else if let Ok(b) = buffer_of(o) {
            self.out.push(b's' | flag);
            self.sized(&b)?;
        } else {
            return raise!(ValueError, "unmarshallable object");
        }
        Ok(())
    }
    fn float_text(&mut self, v: f64) {
        let s = crate::floatobject::repr(v);
        self.out.push(s.len() as u8);
        self.out.extend_from_slice(s.as_bytes());
    }
}

fn buffer_of(o: &Object) -> Result<Vec<u8>, ()> {
    match Buffer::simple(o) {
        Ok(b) => Ok(b.as_bytes().to_vec()),
        Err(e) => {
            e.clear();
            Err(())
        }
    }
}

// ---- Reading ----

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    depth: usize,
    refs: Vec<Option<Owned<Object>>>,
}

/// `marshal.loads(bytes)`: trailing bytes are ignored.
pub fn loads(data: &[u8]) -> PyResult {
    loads_prefix(data).map(|r| r.0)
}

/// As `loads`, with the number of bytes read.
pub fn loads_prefix(data: &[u8]) -> PyResult<(Owned<Object>, usize)> {
    let mut r = Reader { data, at: 0, depth: 0, refs: vec![] };
    match r.object()? {
        Some(o) => Ok((o, r.at)),
        None => raise!(TypeError, "NULL object in marshal data for object"),
    }
}

fn bad<T>(what: &str) -> PyResult<T> {
    raise!(ValueError, "bad marshal data ({})", what)
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> PyResult<&'a [u8]> {
        match self.data.get(self.at..).and_then(|d| d.get(..n)) {
            Some(b) => {
                self.at += n;
                Ok(b)
            }
            None => raise!(EOFError, "marshal data too short"),
        }
    }
    fn byte(&mut self) -> PyResult<u8> {
        Ok(self.take(1)?[0])
    }
    fn i32(&mut self) -> PyResult<i32> {
        Ok(i32::from_le_bytes(self.take(4)?.try_into().expect("four bytes")))
    }
    fn f64(&mut self) -> PyResult<f64> {
        Ok(f64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes")))
    }
    fn size(&mut self, what: &str) -> PyResult<usize> {
        match usize::try_from(self.i32()?) {
            Ok(n) => Ok(n),
            Err(_) => bad(&format!("{what} size out of range")),
        }
    }
    fn float_text(&mut self) -> PyResult<f64> {
        let n = self.byte()? as usize;
        let t = self.take(n)?;
        match std::str::from_utf8(t).ok().and_then(crate::floatobject::parse) {
            Some(v) => Ok(v),
            None => bad("float"),
        }
    }
    /// The next object, which must be there, of kind `T`.
    fn of<T: Kind>(&mut self) -> PyResult<Owned<T>> {
        match self.object()? {
            Some(o) => o
                .downcast_owned::<T>()
                .map_err(|_| raised!(TypeError, "bad marshal data (wrong type in code object)")),
            None => raise!(TypeError, "NULL object in marshal data for object"),
        }
    }
    fn item(&mut self, what: &str) -> PyResult<Owned<Object>> {
        match self.object()? {
            Some(o) => Ok(o),
            None => raise!(TypeError, "NULL object in marshal data for {}", what),
        }
    }
    /// Surrogates may be coded one by one; anything else that is not UTF-8 is an error.
    fn utf8(b: &[u8]) -> PyResult<Owned<Str>> {
        Ok(crate::codecs::utf::decode_utf8(b, "surrogatepass", true)?.0)
    }

    /// `None` is the terminator of a dict.
    fn object(&mut self) -> PyResult<Option<Owned<Object>>> {
        let Some(&b) = self.data.get(self.at) else {
            return raise!(EOFError, "EOF read where object expected");
        };
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.depth -= 1;
            return bad("recursion limit exceeded");
        }
        let r = self.typed(b & !FLAG_REF, b & FLAG_REF != 0);
        self.depth -= 1;
        r
    }
    fn reserve(&mut self, flag: bool) -> usize {
        if flag {
            self.refs.push(None);
        }
        self.refs.len().wrapping_sub(1)
    }
    fn fill(&mut self, flag: bool, at: usize, o: Owned<Object>) -> PyResult<Option<Owned<Object>>> {
        if flag {
            self.refs[at] = Some(o.clone());
        }
        Ok(Some(o))
    }
    fn items(&mut self, n: usize, what: &str) -> PyResult<Vec<Owned<Object>>> {
        let mut v = Vec::with_capacity(n.min(self.data.len()));
        for _ in 0..n {
            v.push(self.item(what)?);
        }
        Ok(v)
    }
    fn typed(&mut self, t: u8, flag: bool) -> PyResult<Option<Owned<Object>>> {
        let simple = match t {
            b'0' => return Ok(None),
            b'N' => return Ok(Some(none())),
            b'T' => return Ok(Some(bool_obj(true))),
            b'F' => return Ok(Some(bool_obj(false))),
            b'.' => return Ok(Some(ellipsis())),
            b'S' => return Ok(Some(exc::StopIteration().own().into_object())),
            b'i' => Int::from_i64(self.i32()? as i64).into_object(),
            b'I' => {
                let b = self.take(8)?;
                Int::from_i64(i64::from_le_bytes(b.try_into().expect("eight bytes"))).into_object()
            }
            b'l' => {
                let n = self.i32()?;
                let mut digits = vec![];
                for _ in 0..n.unsigned_abs() {
                    let d = u16::from_le_bytes(self.take(2)?.try_into().expect("two bytes"));
                    if d > 0x7fff {
                        return bad("digit out of range in long");
                    }
                    digits.push(d);
                }
                if n != 0 && digits.last() == Some(&0) {
                    return bad("unnormalized long data");
                }
                let v = lh_bytecode::PyInt::from_digits15(n < 0, digits);
                crate::codeobject::const_object(&lh_bytecode::Const::Int(v))?
            }
            b'f' => Float::new(self.float_text()?).into_object(),
            b'g' => Float::new(self.f64()?).into_object(),
            b'x' => {
                let (re, im) = (self.float_text()?, self.float_text()?);
                Complex::new(re, im).into_object()
            }
            b'y' => {
                let (re, im) = (self.f64()?, self.f64()?);
                Complex::new(re, im).into_object()
            }
            b's' => {
                let n = self.size("bytes object")?;
                Bytes::new(self.take(n)?).into_object()
            }
            b'z' | b'Z' => {
                let n = self.byte()? as usize;
                let s = Str::from_latin1(self.take(n)?);
                if t == b'Z' { Str::intern(s).into_object() } else { s.into_object() }
            }
            b'a' | b'A' | b'u' | b't' => {
                let n = self.size("string")?;
                let b = self.take(n)?;
                // What calls itself ASCII is not looked at closely.
                let s = if matches!(t, b'a' | b'A') { Str::from_latin1(b) } else { Self::utf8(b)? };
                if t == b'A' || t == b't' { Str::intern(s).into_object() } else { s.into_object() }
            }
            b'r' => {
                let i = self.i32()?;
                return match usize::try_from(i).ok().and_then(|i| self.refs.get(i)) {
                    Some(Some(o)) => Ok(Some(o.clone())),
                    _ => bad("invalid reference"),
                };
            }
            b')' | b'(' => {
                let n = if t == b')' { self.byte()? as usize } else { self.size("tuple")? };
                let at = self.reserve(flag);
                let v = self.items(n, "tuple")?;
                return self.fill(flag, at, Tuple::from_vec(v).into_object());
            }
            b'[' => {
                let n = self.size("list")?;
                let l = List::new();
                if flag {
                    self.refs.push(Some(l.clone().into_object()));
                }
                for _ in 0..n {
                    let x = self.item("list")?;
                    l.push(x);
                }
                return Ok(Some(l.into_object()));
            }
            b'{' => {
                let d = Dict::new();
                if flag {
                    self.refs.push(Some(d.clone().into_object()));
                }
                while let Some(k) = self.object()? {
                    let Some(v) = self.object()? else { break };
                    d.set_item(&k, &v)?;
                }
                return Ok(Some(d.into_object()));
            }
            b'<' => {
                let n = self.size("set")?;
                let s = Set::new();
                if flag {
                    self.refs.push(Some(s.clone().into_object()));
                }
                for _ in 0..n {
                    let x = self.item("set")?;
                    s.add(&x)?;
                }
                return Ok(Some(s.into_object()));
            }
            b'>' => {
                let n = self.size("set")?;
                let at = self.reserve(flag);
                let v = self.items(n, "set")?;
                let s = FrozenSet::from_iterable(&Tuple::from_vec(v))?;
                return self.fill(flag, at, s.into_object());
            }
            b'c' => {
                let at = self.reserve(flag);
                let c = self.code()?;
                return self.fill(flag, at, c.into_object());
            }
            _ => return bad("unknown type code"),
        };
        if flag {
            self.refs.push(Some(simple.clone()));
        }
        Ok(Some(simple))
    }
    fn code(&mut self) -> PyResult<Owned<Code>> {
        let argcount = self.i32()?;
        let posonlyargcount = self.i32()?;
        let kwonlyargcount = self.i32()?;
        let stacksize = self.i32()?;
        let flags = self.i32()?;
        let code = self.of::<Bytes>()?;
        let consts = self.of::<Tuple>()?;
        let names = self.of::<Tuple>()?;
        let localsplusnames = self.of::<Tuple>()?;
        let localspluskinds = self.of::<Bytes>()?;
        let filename = self.of::<Str>()?;
        let name = self.of::<Str>()?;
        let qualname = self.of::<Str>()?;
        let firstlineno = self.i32()?;
        let linetable = self.of::<Bytes>()?;
        let exceptiontable = self.of::<Bytes>()?;
        Code::from_parts(&CodeParts {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            code: code.as_bytes(),
            consts: &consts,
            names: &names,
            localsplusnames: &localsplusnames,
            localspluskinds: &localspluskinds,
            filename: &filename,
            name: &name,
            qualname: &qualname,
            firstlineno,
            linetable: &linetable,
            exceptiontable: &exceptiontable,
        })
    }
}
