//! The C type model: what ctypes, cppyy and the bridges know about a C type, apart from any Python class.
//!
//! A [`CType`] is immutable and shared (`Arc`). It knows its size, alignment and shape; records know where each field
//! lies. Pointers don't need their target for layout or calls, so a pointer holds its target only when the maker has
//! it, and recursive C types need no cycle here: the Python-side class holds the real target.
//!
//! Record layout follows what ctypes does on Linux (which agrees with GCC wherever ctypes' own test-suite looks), also
//! where it merges bit-fields of different base types; [`RecordBuilder`] lays out one field at a time because ctypes
//! raises its errors between fields. One deliberate difference: CPython lets the bit-field state run over from one
//! member of a *union* to the next, which yields negative offsets; here every union member starts afresh, as in C.

use std::sync::Arc;

/// The simple types, named by what they are in C; [`Prim::from_code`] has ctypes' one-letter codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Prim {
    Bool,
    Char,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    Long,
    ULong,
    LongLong,
    ULongLong,
    F32,
    F64,
    LongDouble,
    WChar,
    /// `char *` that converts to and from `bytes`.
    CharP,
    /// `wchar_t *` that converts to and from `str`.
    WCharP,
    VoidP,
    /// `PyObject *`.
    Object,
}

impl Prim {
    /// All codes that ctypes accepts in `_type_` on Linux, in the order of its error message.
    pub const CODES: &'static str = "cbBhHiIlLdfuzZqQPOv?g";

    pub fn from_code(code: u8) -> Option<Prim> {
        Some(match code {
            b'?' => Prim::Bool,
            b'c' => Prim::Char,
            b'b' => Prim::I8,
            b'B' => Prim::U8,
            b'h' => Prim::I16,
            // VARIANT_BOOL is a 16-bit integer; its true is -1, which the Python side sees to.
            b'v' => Prim::I16,
            b'H' => Prim::U16,
            b'i' => Prim::I32,
            b'I' => Prim::U32,
            b'l' => Prim::Long,
            b'L' => Prim::ULong,
            b'q' => Prim::LongLong,
            b'Q' => Prim::ULongLong,
            b'f' => Prim::F32,
            b'd' => Prim::F64,
            b'g' => Prim::LongDouble,
            b'u' => Prim::WChar,
            b'z' => Prim::CharP,
            b'Z' => Prim::WCharP,
            b'P' => Prim::VoidP,
            b'O' => Prim::Object,
            _ => return None,
        })
    }

    pub fn size(self) -> usize {
        match self {
            Prim::Bool | Prim::Char | Prim::I8 | Prim::U8 => 1,
            Prim::I16 | Prim::U16 => 2,
            Prim::I32 | Prim::U32 | Prim::F32 | Prim::WChar => 4,
            Prim::LongDouble => 16,
            _ => 8,
        }
    }

    pub fn align(self) -> usize {
        self.size()
    }

    pub fn is_signed_int(self) -> bool {
        matches!(self, Prim::I8 | Prim::I16 | Prim::I32 | Prim::Long | Prim::LongLong)
    }

    pub fn is_integer(self) -> bool {
        self.is_signed_int()
            || matches!(self, Prim::Bool | Prim::U8 | Prim::U16 | Prim::U32 | Prim::ULong | Prim::ULongLong)
    }

    pub fn is_float(self) -> bool {
        matches!(self, Prim::F32 | Prim::F64 | Prim::LongDouble)
    }

    pub fn is_pointer(self) -> bool {
        matches!(self, Prim::CharP | Prim::WCharP | Prim::VoidP | Prim::Object)
    }
}

/// A bit-field's place inside its storage unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bits {
    pub low: u16,
    pub width: u16,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub ty: Arc<CType>,
    pub offset: usize,
    pub bits: Option<Bits>,
    pub anonymous: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Record {
    pub fields: Vec<Field>,
    pub is_union: bool,
}

#[derive(Clone, Debug)]
pub struct FuncType {
    /// `None`: void.
    pub result: Option<Arc<CType>>,
    pub params: Vec<Arc<CType>>,
    /// Index of the first variadic argument, when the function is variadic.
    pub variadic_from: Option<usize>,
}

#[derive(Clone, Debug)]
pub enum Shape {
    Prim(Prim),
    Pointer(Option<Arc<CType>>),
    Array(Arc<CType>, usize),
    Record(Record),
    /// A function pointer (functions themselves are never values).
    Func(Option<Arc<FuncType>>),
}

#[derive(Clone, Debug)]
pub struct CType {
    pub size: usize,
    pub align: usize,
    /// Stored in the other byte order than the machine's.
    pub swapped: bool,
    pub shape: Shape,
}

impl CType {
    pub fn prim(p: Prim) -> Arc<CType> {
        Arc::new(CType { size: p.size(), align: p.align(), swapped: false, shape: Shape::Prim(p) })
    }

    pub fn prim_swapped(p: Prim) -> Arc<CType> {
        Arc::new(CType { size: p.size(), align: p.align(), swapped: true, shape: Shape::Prim(p) })
    }

    pub fn pointer(to: Option<Arc<CType>>) -> Arc<CType> {
        Arc::new(CType { size: 8, align: 8, swapped: false, shape: Shape::Pointer(to) })
    }

    pub fn func_pointer(sig: Option<Arc<FuncType>>) -> Arc<CType> {
        Arc::new(CType { size: 8, align: 8, swapped: false, shape: Shape::Func(sig) })
    }

    /// `None` when the size overflows.
    pub fn array(of: Arc<CType>, len: usize) -> Option<Arc<CType>> {
        let size = of.size.checked_mul(len).filter(|s| *s <= isize::MAX as usize)?;
        Some(Arc::new(CType { size, align: of.align, swapped: false, shape: Shape::Array(of, len) }))
    }

    pub fn as_prim(&self) -> Option<Prim> {
        match self.shape {
            Shape::Prim(p) => Some(p),
            _ => None,
        }
    }

    /// Whether a value travels in general registers as one pointer-sized word.
    pub fn is_pointer_like(&self) -> bool {
        match &self.shape {
            Shape::Prim(p) => p.is_pointer(),
            Shape::Pointer(_) | Shape::Func(_) => true,
            _ => false,
        }
    }

    pub fn as_record(&self) -> Option<&Record> {
        match &self.shape {
            Shape::Record(r) => Some(r),
            _ => None,
        }
    }

    /// Whether a union or a bit-field occurs anywhere inside.
    pub fn contains_union_or_bits(&self) -> (bool, bool) {
        match &self.shape {
            Shape::Array(e, _) => e.contains_union_or_bits(),
            Shape::Record(r) => r.fields.iter().fold((r.is_union, false), |(u, b), f| {
                let (fu, fb) = f.ty.contains_union_or_bits();
                (u | fu, b | fb | f.bits.is_some())
            }),
            _ => (false, false),
        }
    }
}

/// Lays out a struct or union field by field.
///
/// ```text
///   a:4  b:4 | c:30          storage unit = the base type of the field that opened it
///   <- unit -> <- unit ->    a field joins the unit when its type has the unit's size and the bits fit,
///                            widens it when its type is larger and the bits fit, else opens a new one
/// ```
pub struct RecordBuilder {
    is_union: bool,
    pack: usize,
    big_endian: bool,
    size: usize,
    align: usize,
    offset: usize,
    /// Width in bits of the open storage unit, 0 when none is open.
    unit_bits: usize,
    used_bits: usize,
    /// Alignment of the field laid out last: widening a unit does not raise it (as in ctypes).
    last_align: usize,
    fields: Vec<Field>,
}

impl RecordBuilder {
    /// `pack` 0 means natural alignment. `base` is the record whose fields come first (a base class).
    pub fn new(is_union: bool, pack: usize, big_endian: bool, base: Option<&CType>) -> RecordBuilder {
        let (size, align) = match base {
            Some(b) => (b.size, b.align),
            None => (0, 0),
        };
        let fields = base.and_then(|b| b.as_record()).map_or(Vec::new(), |r| r.fields.clone());
        RecordBuilder {
            is_union,
            pack,
            big_endian,
            size,
            align,
            offset: if is_union { 0 } else { size },
            unit_bits: 0,
            used_bits: 0,
            last_align: 0,
            fields,
        }
    }

    /// Adds a field and returns where it lies. `width` is checked by the caller (1..=bits of the type).
    pub fn add(&mut self, name: &str, ty: &Arc<CType>, width: Option<u16>, anonymous: bool) -> &Field {
        if self.is_union {
            (self.offset, self.unit_bits, self.used_bits) = (0, 0, 0);
        }
        let ty_bits = ty.size * 8;
        let (offset, bits) = match width {
            Some(w) if self.unit_bits != 0 && self.join_position(w, ty_bits).is_some() => {
                self.used_bits = self.join_position(w, ty_bits).expect("just asked");
                let at = self.offset - self.unit_bits / 8 + self.used_bits / ty_bits * ty.size;
                (at, Some(self.take_bits(w, ty_bits)))
            }
            Some(w)
                if self.unit_bits != 0
                    && ty_bits >= self.unit_bits
                    && self.used_bits + w as usize <= ty_bits =>
            {
                let grow = ty.size - self.unit_bits / 8;
                self.offset += grow;
                self.size += grow;
                self.unit_bits = ty_bits;
                (self.offset - ty.size, Some(self.take_bits(w, ty_bits)))
            }
            _ => {
                self.unit_bits = 0;
                self.used_bits = 0;
                let align = if self.pack != 0 { self.pack.min(ty.align) } else { ty.align };
                if align != 0 && !self.offset.is_multiple_of(align) {
                    let delta = align - self.offset % align;
                    self.offset += delta;
                    self.size += delta;
                }
                let at = self.offset;
                self.offset += ty.size;
                self.last_align = align;
                self.size = if self.is_union { self.size.max(ty.size) } else { self.size + ty.size };
                let bits = width.map(|w| {
                    self.unit_bits = ty_bits;
                    self.take_bits(w, ty_bits)
                });
                (at, bits)
            }
        };
        self.align = self.align.max(self.last_align);
        self.fields.push(Field { name: name.to_string(), ty: ty.clone(), offset, bits, anonymous });
        self.fields.last().expect("just pushed")
    }

    /// The bit at which a field of `width` bits joins the open unit, if it fits there. A type smaller than the unit
    /// may not straddle its own size, as in C. (CPython answers offsets outside the storage for that mix.)
    fn join_position(&self, width: u16, ty_bits: usize) -> Option<usize> {
        let (used, width) = (self.used_bits, width as usize);
        if ty_bits > self.unit_bits {
            return None;
        }
        let at = if used % ty_bits + width > ty_bits { used.div_ceil(ty_bits) * ty_bits } else { used };
        (at + width <= self.unit_bits).then_some(at)
    }

    fn take_bits(&mut self, width: u16, ty_bits: usize) -> Bits {
        let first = self.used_bits % ty_bits;
        let low = if self.big_endian { ty_bits - first - width as usize } else { first };
        self.used_bits += width as usize;
        Bits { low: low as u16, width }
    }

    pub fn finish(self) -> CType {
        let align = self.align.max(1);
        let size = self.size.div_ceil(align) * align;
        let record = Record { fields: self.fields, is_union: self.is_union };
        CType { size, align, swapped: false, shape: Shape::Record(record) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(code: u8) -> Arc<CType> {
        CType::prim(Prim::from_code(code).unwrap())
    }

    /// `spec`: "code:width" words, e.g. "i:4 i:4 c"; expected: "(offset,low,width)..." then size, alignment.
    #[track_caller]
    fn check(kind: &str, pack: usize, spec: &str, expected: &[(usize, u16, u16)], size: usize, align: usize) {
        let mut b = RecordBuilder::new(kind == "union", pack, kind == "big", None);
        for (i, word) in spec.split_whitespace().enumerate() {
            let mut parts = word.split(':');
            let head = parts.next().unwrap().as_bytes();
            let width = parts.next().map(|w| w.parse().unwrap());
            let mut ty = p(head[0]);
            if head.len() > 1 {
                ty = CType::array(ty, (head[1] - b'0') as usize).unwrap();
            }
            b.add(&format!("f{i}"), &ty, width, false);
        }
        let t = b.finish();
        let got: Vec<_> = t
            .as_record()
            .unwrap()
            .fields
            .iter()
            .map(|f| (f.offset, f.bits.map_or(0, |b| b.low), f.bits.map_or(0, |b| b.width)))
            .collect();
        assert_eq!((got.as_slice(), t.size, t.align), (expected, size, align), "{kind} {spec}");
    }

    /// The numbers are what python3.11's ctypes answers on x86-64 Linux.
    #[test]
    fn record_layouts_agree_with_ctypes() {
        check("struct", 0, "i:4 i:4 i:30", &[(0, 0, 4), (0, 4, 4), (4, 0, 30)], 8, 4);
        check("struct", 0, "h:4 i:20 q:30 b:3", &[(0, 0, 4), (0, 4, 20), (0, 24, 30), (7, 0, 3)], 8, 2);
        check(
            "struct",
            0,
            "b:4 b:5 i:3 c q:60",
            &[(0, 0, 4), (1, 0, 5), (1, 5, 3), (5, 0, 0), (8, 0, 60)],
            16,
            8,
        );
        check("struct", 1, "b:4 i:20 i:20 q:60", &[(0, 0, 4), (0, 4, 20), (4, 0, 20), (8, 0, 60)], 16, 1);
        check("big", 0, "b:4 i:20 i:20 i:2", &[(0, 4, 4), (0, 8, 20), (4, 12, 20), (4, 10, 2)], 8, 4);
        check("struct", 0, "i:4 b:3", &[(0, 0, 4), (0, 4, 3)], 4, 4);
        check("struct", 0, "i:10 b:3", &[(0, 0, 10), (1, 2, 3)], 4, 4);
        check("struct", 0, "c i h d c", &[(0, 0, 0), (4, 0, 0), (8, 0, 0), (16, 0, 0), (24, 0, 0)], 32, 8);
        check("struct", 2, "c i h d c", &[(0, 0, 0), (2, 0, 0), (6, 0, 0), (8, 0, 0), (16, 0, 0)], 18, 2);
        check("struct", 0, "g c", &[(0, 0, 0), (16, 0, 0)], 32, 16);
        check("struct", 0, "c3 h3", &[(0, 0, 0), (4, 0, 0)], 10, 2);
        check("struct", 0, "", &[], 0, 1);
        check("union", 0, "c5 i", &[(0, 0, 0), (0, 0, 0)], 8, 4);
        check("union", 0, "i:4 i:4 i:30", &[(0, 0, 4), (0, 0, 4), (0, 0, 30)], 4, 4);
    }
}
