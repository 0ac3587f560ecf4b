//! Marshal format (version 4) for code units and constants, and `.pyc` files.
//!
//! The reader takes what CPython 3.11 writes for code objects, back references included; the writer makes references only for
//! strings it has already written as names (they are interned by the reader on both machines). Content survives a round trip;
//! the exact bytes of CPython's writer, which depend on reference counts, are not reproduced.

use crate::code::{CodeUnit, Const, PyInt, Wtf8};
use std::collections::HashMap;
use std::fmt;

const FLAG_REF: u8 = 0x80;

// ---- Writing ----

/// A constant as marshal bytes.
pub fn dumps(value: &Const) -> Vec<u8> {
    let mut w = Writer { out: Vec::new(), names: HashMap::new() };
    w.value(value);
    w.out
}

/// A code object as marshal bytes.
pub fn dump_code(code: &CodeUnit) -> Vec<u8> {
    let mut w = Writer { out: Vec::with_capacity(code.code.len() * 3), names: HashMap::new() };
    w.code(code);
    w.out
}

/// A `.pyc` file that is checked against the source's modification time and size.
pub fn write_pyc(code: &CodeUnit, mtime: u32, size: u32) -> Vec<u8> {
    let mut out = crate::MAGIC.to_vec();
    out.extend([0; 4]);
    out.extend(mtime.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(dump_code(code));
    out
}

struct Writer<'a> {
    out: Vec<u8>,
    /// Reference index of each name written so far.
    names: HashMap<&'a str, u32>,
}

impl<'a> Writer<'a> {
    fn u32(&mut self, v: u32) {
        self.out.extend(v.to_le_bytes());
    }

    fn bytes(&mut self, b: &[u8]) {
        self.out.push(b's');
        self.u32(b.len() as u32);
        self.out.extend(b);
    }

    /// An interned string; repeated ones become references.
    fn name(&mut self, s: &'a str) {
        if let Some(&index) = self.names.get(s) {
            self.out.push(b'r');
            return self.u32(index);
        }
        self.names.insert(s, self.names.len() as u32);
        if s.is_ascii() && s.len() < 256 {
            self.out.extend([b'Z' | FLAG_REF, s.len() as u8]);
        } else {
            self.out.push(b't' | FLAG_REF);
            self.u32(s.len() as u32);
        }
        self.out.extend(s.as_bytes());
    }

    fn names_tuple(&mut self, names: &'a [String]) {
        self.tuple_head(names.len());
        for n in names {
            self.name(n);
        }
    }

    fn tuple_head(&mut self, len: usize) {
        if len < 256 {
            self.out.extend([b')', len as u8]);
        } else {
            self.out.push(b'(');
            self.u32(len as u32);
        }
    }

    fn value(&mut self, v: &'a Const) {
        match v {
            Const::None => self.out.push(b'N'),
            Const::True => self.out.push(b'T'),
            Const::False => self.out.push(b'F'),
            Const::Ellipsis => self.out.push(b'.'),
            Const::Int(i) => self.int(i),
            Const::Float(f) => {
                self.out.push(b'g');
                self.out.extend(f.to_le_bytes());
            }
            Const::Complex(re, im) => {
                self.out.push(b'y');
                self.out.extend(re.to_le_bytes());
                self.out.extend(im.to_le_bytes());
            }
            Const::Str(s) => match s.as_str() {
                // Constants that look like identifiers are interned by CPython's compiler, too.
                Some(t) if is_name(t) => self.name(t),
                _ => {
                    let b = s.as_bytes();
                    if b.is_ascii() && b.len() < 256 {
                        self.out.extend([b'z', b.len() as u8]);
                    } else {
                        self.out.push(if b.is_ascii() { b'a' } else { b'u' });
                        self.u32(b.len() as u32);
                    }
                    self.out.extend(b);
                }
            },
            Const::Bytes(b) => self.bytes(b),
            Const::Tuple(items) => {
                self.tuple_head(items.len());
                items.iter().for_each(|i| self.value(i));
            }
            Const::FrozenSet(items) => {
                self.out.push(b'>');
                self.u32(items.len() as u32);
                items.iter().for_each(|i| self.value(i));
            }
            Const::Code(c) => self.code(c),
        }
    }

    fn int(&mut self, i: &PyInt) {
        if let PyInt::Small(v) = i
            && let Ok(v) = i32::try_from(*v)
        {
            self.out.push(b'i');
            return self.out.extend(v.to_le_bytes());
        }
        let (negative, digits) = i.to_digits15();
        self.out.push(b'l');
        let n = digits.len() as i32;
        self.out.extend((if negative { -n } else { n }).to_le_bytes());
        for d in digits {
            self.out.extend(d.to_le_bytes());
        }
    }

    fn code(&mut self, c: &'a CodeUnit) {
        self.out.push(b'c');
        for v in [c.argcount, c.posonlyargcount, c.kwonlyargcount, c.stacksize, c.flags] {
            self.u32(v);
        }
        self.bytes(&c.code);
        self.tuple_head(c.consts.len());
        c.consts.iter().for_each(|i| self.value(i));
        self.names_tuple(&c.names);
        self.names_tuple(&c.localsplusnames);
        self.bytes(&c.localspluskinds);
        self.name(&c.filename);
        self.name(&c.name);
        self.name(&c.qualname);
        self.u32(c.firstlineno as u32);
        self.bytes(&c.linetable);
        self.bytes(&c.exceptiontable);
    }
}

fn is_name(s: &str) -> bool {
    s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

// ---- Reading ----

/// Why bytes could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// The data ends too early.
    Eof,
    /// A type code that code objects do not hold (or that is no type code).
    BadType(u8),
    /// A back reference to nothing.
    BadRef,
    /// A field of a code object has the wrong type.
    BadField(&'static str),
    /// Not a `.pyc` file of CPython 3.11.
    BadMagic,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Eof => f.write_str("marshal data too short"),
            ReadError::BadType(_) => f.write_str("bad marshal data (unknown type code)"),
            ReadError::BadRef => f.write_str("bad marshal data (invalid reference)"),
            ReadError::BadField(what) => write!(f, "bad marshal data ({what})"),
            ReadError::BadMagic => f.write_str("bad magic number in .pyc file"),
        }
    }
}

impl std::error::Error for ReadError {}

type Result<T> = std::result::Result<T, ReadError>;

/// Reads one constant.
pub fn loads(data: &[u8]) -> Result<Const> {
    Reader { data, at: 0, refs: Vec::new() }.value()
}

/// Reads a code object.
pub fn load_code(data: &[u8]) -> Result<CodeUnit> {
    match loads(data)? {
        Const::Code(c) => Ok(*c),
        _ => Err(ReadError::BadField("not a code object")),
    }
}

/// Reads a `.pyc` file (any kind of validation: the header is only checked for its magic number).
pub fn read_pyc(data: &[u8]) -> Result<CodeUnit> {
    if data.len() < 16 {
        return Err(ReadError::Eof);
    }
    if data[..4] != crate::MAGIC {
        return Err(ReadError::BadMagic);
    }
    load_code(&data[16..])
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    /// `None`: reserved for a value that is still being read.
    refs: Vec<Option<Const>>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(n).filter(|&e| e <= self.data.len()).ok_or(ReadError::Eof)?;
        let got = &self.data[self.at..end];
        self.at = end;
        Ok(got)
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        let b = self.take(4)?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    fn f64(&mut self) -> Result<f64> {
        let b = self.take(8)?;
        Ok(f64::from_le_bytes(b.try_into().unwrap_or_default()))
    }

    fn text_float(&mut self) -> Result<f64> {
        let n = self.u8()? as usize;
        let b = self.take(n)?;
        std::str::from_utf8(b).ok().and_then(|s| s.parse().ok()).ok_or(ReadError::BadField("float"))
    }

    fn items(&mut self, n: usize) -> Result<Vec<Const>> {
        let mut items = Vec::with_capacity(n.min(self.data.len()));
        for _ in 0..n {
            items.push(self.value()?);
        }
        Ok(items)
    }

    fn latin1(b: &[u8]) -> Const {
        Const::Str(b.iter().map(|&b| b as char).collect::<String>().into())
    }

    fn value(&mut self) -> Result<Const> {
        let head = self.u8()?;
        // A container's number is given out before its items', so the slot is reserved first.
        let slot = (head & FLAG_REF != 0 && head & !FLAG_REF != b'r').then(|| {
            self.refs.push(None);
            self.refs.len() - 1
        });
        let v = match head & !FLAG_REF {
            b'N' => Const::None,
            b'T' => Const::True,
            b'F' => Const::False,
            b'.' => Const::Ellipsis,
            b'i' => Const::int(self.u32()? as i32 as i64),
            b'l' => {
                let n = self.u32()? as i32;
                let b = self.take(n.unsigned_abs() as usize * 2)?;
                let digits = b.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
                Const::Int(PyInt::from_digits15(n < 0, digits))
            }
            b'g' => Const::Float(self.f64()?),
            b'f' => Const::Float(self.text_float()?),
            b'y' => Const::Complex(self.f64()?, self.f64()?),
            b'x' => Const::Complex(self.text_float()?, self.text_float()?),
            b's' => {
                let n = self.u32()? as usize;
                Const::Bytes(self.take(n)?.to_vec())
            }
            b'z' | b'Z' => {
                let n = self.u8()? as usize;
                Self::latin1(self.take(n)?)
            }
            b'a' | b'A' => {
                let n = self.u32()? as usize;
                Self::latin1(self.take(n)?)
            }
            b'u' | b't' => {
                let n = self.u32()? as usize;
                Const::Str(Wtf8::from_bytes_unchecked(self.take(n)?.to_vec()))
            }
            b')' => {
                let n = self.u8()? as usize;
                Const::Tuple(self.items(n)?)
            }
            b'(' => {
                let n = self.u32()? as usize;
                Const::Tuple(self.items(n)?)
            }
            b'>' => {
                let n = self.u32()? as usize;
                Const::FrozenSet(self.items(n)?)
            }
            b'r' => {
                let index = self.u32()? as usize;
                return self.refs.get(index).cloned().flatten().ok_or(ReadError::BadRef);
            }
            b'c' => Const::Code(Box::new(self.code()?)),
            other => return Err(ReadError::BadType(other)),
        };
        if let Some(slot) = slot {
            self.refs[slot] = Some(v.clone());
        }
        Ok(v)
    }

    fn bytes(&mut self, what: &'static str) -> Result<Vec<u8>> {
        match self.value()? {
            Const::Bytes(b) => Ok(b),
            _ => Err(ReadError::BadField(what)),
        }
    }

    fn text(&mut self, what: &'static str) -> Result<String> {
        match self.value()? {
            Const::Str(s) => Self::string(s, what),
            _ => Err(ReadError::BadField(what)),
        }
    }

    fn string(s: Wtf8, what: &'static str) -> Result<String> {
        s.as_str().map(str::to_owned).ok_or(ReadError::BadField(what))
    }

    fn tuple(&mut self, what: &'static str) -> Result<Vec<Const>> {
        match self.value()? {
            Const::Tuple(t) => Ok(t),
            _ => Err(ReadError::BadField(what)),
        }
    }

    fn names(&mut self, what: &'static str) -> Result<Vec<String>> {
        let items = self.tuple(what)?;
        items
            .into_iter()
            .map(|c| match c {
                Const::Str(s) => Self::string(s, what),
                _ => Err(ReadError::BadField(what)),
            })
            .collect()
    }

    fn code(&mut self) -> Result<CodeUnit> {
        // Field order is the file's: struct fields are evaluated as written.
        Ok(CodeUnit {
            argcount: self.u32()?,
            posonlyargcount: self.u32()?,
            kwonlyargcount: self.u32()?,
            stacksize: self.u32()?,
            flags: self.u32()?,
            code: self.bytes("code")?,
            consts: self.tuple("consts")?,
            names: self.names("names")?,
            localsplusnames: self.names("localsplusnames")?,
            localspluskinds: self.bytes("localspluskinds")?,
            filename: self.text("filename")?,
            name: self.text("name")?,
            qualname: self.text("qualname")?,
            firstlineno: self.u32()? as i32,
            linetable: self.bytes("linetable")?,
            exceptiontable: self.bytes("exceptiontable")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let mut odd = Wtf8::from("x ");
        odd.push_code_point(0xdc80);
        let inner =
            CodeUnit { name: "f".into(), qualname: "C.f".into(), code: vec![9, 0], ..Default::default() };
        let code = CodeUnit {
            argcount: 3,
            firstlineno: 7,
            names: vec!["a".into(), "é".into(), "a".into()],
            consts: vec![
                Const::None,
                Const::Ellipsis,
                Const::int(-5),
                Const::int(1 << 40),
                Const::Int(PyInt::from_bytes_le(true, &[9; 20])),
                Const::Float(-0.0),
                Const::Complex(1.0, 2.5),
                Const::str("hello world"),
                Const::str("a"),
                Const::Str(odd),
                Const::Bytes(vec![0, 255]),
                Const::Tuple(vec![Const::True, Const::False]),
                Const::FrozenSet(vec![Const::int(1), Const::str("q")]),
                Const::Code(Box::new(inner)),
            ],
            ..Default::default()
        };
        assert_eq!(load_code(&dump_code(&code)), Ok(code.clone()));
        assert_eq!(read_pyc(&write_pyc(&code, 1, 2)), Ok(code));
    }

    #[test]
    fn references_and_errors() {
        // (x, x) with the second a reference: tuple gets index 0, "x" index 1.
        let data = [b')' | FLAG_REF, 2, b'z' | FLAG_REF, 1, b'x', b'r', 1, 0, 0, 0];
        assert_eq!(loads(&data), Ok(Const::Tuple(vec![Const::str("x"), Const::str("x")])));
        assert_eq!(loads(&[b'r', 1, 0, 0, 0]), Err(ReadError::BadRef));
        assert_eq!(loads(b"[\0\0\0\0"), Err(ReadError::BadType(b'[')));
        assert_eq!(loads(b"i\0"), Err(ReadError::Eof));
    }
}
