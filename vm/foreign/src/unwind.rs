//! How the unwinder gets over generated code: one description (DWARF call frame information) for a whole arena.
//!
//! All code of an arena has saved the same registers at the same distance from one register wherever it calls something: stubs and thunks from
//! `rbp`, their frame pointer, traces, which use that for other things, from `rsp`. So C++ exceptions pass through it, and profilers and debuggers that ask the unwinder see past it.

/// What a frame looks like from inside.
pub struct Shape {
    /// The caller's stack pointer is at this distance from this register (DWARF's number).
    from: (u8, u16),
    /// The registers below the saved `rbp`, in the order in which they are pushed.
    saved: &'static [u8],
}
/// Bytes a trace's frame has below what it saves.
pub const TRACE_ROOM: usize = 248;
const RBP: u8 = 6;
const RSP: u8 = 7;
pub const STUB_FRAME: Shape = Shape { from: (RBP, 16), saved: &[3, 12, 13, 14] }; // rbx r12 r13 r14
/// The return address, six registers and the room.
pub const TRACE_FRAME: Shape = Shape { from: (RSP, TRACE_ROOM as u16 + 7 * 8), saved: &[3, 12, 13, 14, 15] };

#[cfg(target_arch = "x86_64")]
pub fn register(base: usize, size: usize, shape: Shape) {
    unsafe extern "C" {
        fn __register_frame(table: *const u8);
    }
    // Kept for ever, as the arena is.
    let table: &'static mut [u8] = table(base, size, shape).leak();
    // SAFETY: a well-formed table that ends in a zero length and stays where it is.
    unsafe { __register_frame(table.as_ptr()) }
}

#[cfg(not(target_arch = "x86_64"))]
pub fn register(_base: usize, _size: usize, _shape: Shape) {}

#[cfg(target_arch = "x86_64")]
fn table(base: usize, size: usize, shape: Shape) -> Vec<u8> {
    const RETURN_ADDRESS: u8 = 16;
    const DEF_CFA: u8 = 0x0c;
    const OFFSET: u8 = 0x80;

    // The part all descriptions share (a CIE): version 1, "zR", code in bytes, data in -8, plain addresses.
    let mut common = vec![0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x78, RETURN_ADDRESS, 1, 0];
    let (register, distance) = shape.from;
    // The distance in groups of seven bits.
    common.extend([DEF_CFA, register, distance as u8 | 0x80, (distance >> 7) as u8]);
    common.extend([OFFSET | RETURN_ADDRESS, 1, OFFSET | RBP, 2]);
    for (i, r) in shape.saved.iter().enumerate() {
        common.extend([OFFSET | r, 3 + i as u8]);
    }
    let mut t = Vec::new();
    add(&mut t, common);
    // The one description (an FDE): the way back to the common part, the range, no more.
    let mut this = (t.len() as u32 + 4).to_le_bytes().to_vec();
    this.extend(base.to_le_bytes());
    this.extend(size.to_le_bytes());
    this.push(0);
    add(&mut t, this);
    t.extend([0; 4]);
    t
}

/// Appends an entry with its length, filled up with no-ops to whole words.
#[cfg(target_arch = "x86_64")]
fn add(t: &mut Vec<u8>, mut entry: Vec<u8>) {
    while !(entry.len() + 4).is_multiple_of(8) {
        entry.push(0);
    }
    t.extend((entry.len() as u32).to_le_bytes());
    t.extend(entry);
}
