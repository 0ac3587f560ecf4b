//! `_stat`: constants and tests for `st_mode`.

use super::util::add_ints;
use lh_runtime::prelude::*;

fn mode(o: &Object) -> PyResult<u32> {
    let i = lh_runtime::number::index(o)?;
    match i.to_u64() {
        Some(v) if v <= u32::MAX as u64 => Ok(v as u32),
        Some(_) => raise!(OverflowError, "mode out of range"),
        None if i.is_negative() => raise!(OverflowError, "can't convert negative value to unsigned int"),
        None => raise!(OverflowError, "Python int too large to convert to C unsigned long"),
    }
}

macro_rules! kind_tests {
    ($($name:ident $bits:expr, $doc:literal;)*) => { $(
        #[doc = $doc]
        #[allow(non_snake_case)]
        #[pyfunction]
        pub fn $name(mode_: &Object) -> PyResult<bool> {
            let bits: u32 = $bits;
            Ok(bits != 0 && mode(mode_)? & libc::S_IFMT == bits)
        }
    )* };
}
kind_tests! {
    S_ISDIR libc::S_IFDIR, "Return True if mode is from a directory.";
    S_ISCHR libc::S_IFCHR, "Return True if mode is from a character special device file.";
    S_ISBLK libc::S_IFBLK, "Return True if mode is from a block special device file.";
    S_ISREG libc::S_IFREG, "Return True if mode is from a regular file.";
    S_ISFIFO libc::S_IFIFO, "Return True if mode is from a FIFO (named pipe).";
    S_ISLNK libc::S_IFLNK, "Return True if mode is from a symbolic link.";
    S_ISSOCK libc::S_IFSOCK, "Return True if mode is from a socket.";
    S_ISDOOR 0, "Return True if mode is from a door.";
    S_ISPORT 0, "Return True if mode is from an event port.";
    S_ISWHT 0, "Return True if mode is from a whiteout.";
}

/// Return the portion of the file's mode that can be set by os.chmod().
#[allow(non_snake_case)]
#[pyfunction]
pub fn S_IMODE(mode_: &Object) -> PyResult<u32> {
    Ok(mode(mode_)? & 0o7777)
}
/// Return the portion of the file's mode that describes the file type.
#[allow(non_snake_case)]
#[pyfunction]
pub fn S_IFMT(mode_: &Object) -> PyResult<u32> {
    Ok(mode(mode_)? & libc::S_IFMT)
}

/// Convert a file's mode to a string of the form '-rwxrwxrwx'
#[pyfunction]
pub fn filemode(mode_: &Object) -> PyResult<String> {
    let m = mode(mode_)?;
    let mut s = String::with_capacity(10);
    s.push(match m & libc::S_IFMT {
        libc::S_IFREG => '-',
        libc::S_IFDIR => 'd',
        libc::S_IFLNK => 'l',
        libc::S_IFBLK => 'b',
        libc::S_IFCHR => 'c',
        libc::S_IFIFO => 'p',
        libc::S_IFSOCK => 's',
        _ => '?',
    });
    for (shift, special, on, off) in
        [(6, libc::S_ISUID, 's', 'S'), (3, libc::S_ISGID, 's', 'S'), (0, libc::S_ISVTX, 't', 'T')]
    {
        let bits = m >> shift;
        s.push(if bits & 4 != 0 { 'r' } else { '-' });
        s.push(if bits & 2 != 0 { 'w' } else { '-' });
        s.push(match (m & special != 0, bits & 1 != 0) {
            (true, true) => on,
            (true, false) => off,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    Ok(s)
}

const CONSTANTS: &[(&str, i64)] = &[
    ("S_IFDIR", 0o40000),
    ("S_IFCHR", 0o20000),
    ("S_IFBLK", 0o60000),
    ("S_IFREG", 0o100000),
    ("S_IFIFO", 0o10000),
    ("S_IFLNK", 0o120000),
    ("S_IFSOCK", 0o140000),
    ("S_IFDOOR", 0),
    ("S_IFPORT", 0),
    ("S_IFWHT", 0),
    ("S_ISUID", 0o4000),
    ("S_ISGID", 0o2000),
    ("S_ISVTX", 0o1000),
    ("S_ENFMT", 0o2000),
    ("S_IREAD", 0o400),
    ("S_IWRITE", 0o200),
    ("S_IEXEC", 0o100),
    ("S_IRWXU", 0o700),
    ("S_IRUSR", 0o400),
    ("S_IWUSR", 0o200),
    ("S_IXUSR", 0o100),
    ("S_IRWXG", 0o70),
    ("S_IRGRP", 0o40),
    ("S_IWGRP", 0o20),
    ("S_IXGRP", 0o10),
    ("S_IRWXO", 0o7),
    ("S_IROTH", 0o4),
    ("S_IWOTH", 0o2),
    ("S_IXOTH", 0o1),
    ("UF_NODUMP", 1),
    ("UF_IMMUTABLE", 2),
    ("UF_APPEND", 4),
    ("UF_OPAQUE", 8),
    ("UF_NOUNLINK", 16),
    ("UF_COMPRESSED", 32),
    ("UF_HIDDEN", 32768),
    ("SF_ARCHIVED", 65536),
    ("SF_IMMUTABLE", 131072),
    ("SF_APPEND", 262144),
    ("SF_NOUNLINK", 1048576),
    ("SF_SNAPSHOT", 2097152),
    ("ST_MODE", 0),
    ("ST_INO", 1),
    ("ST_DEV", 2),
    ("ST_NLINK", 3),
    ("ST_UID", 4),
    ("ST_GID", 5),
    ("ST_SIZE", 6),
    ("ST_ATIME", 7),
    ("ST_MTIME", 8),
    ("ST_CTIME", 9),
];

module! { "_stat", doc: "Constants and tests for the modes that os.stat() answers.",
functions: [S_ISDIR, S_ISCHR, S_ISBLK, S_ISREG, S_ISFIFO, S_ISLNK, S_ISSOCK, S_ISDOOR, S_ISPORT, S_ISWHT, S_IMODE, S_IFMT, filemode],
init: |m| add_ints(m, CONSTANTS) }
