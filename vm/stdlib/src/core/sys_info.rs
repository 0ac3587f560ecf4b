//! Tables of the `sys` module: names of the standard library's modules, numeric limits as struct sequences.

use lh_runtime::prelude::*;
use lh_runtime::structseq;

/// The version this VM presents: the language's, and its own.
pub const VERSION: (i64, i64, i64) = (3, 11, 2);
pub const HEXVERSION: i64 = (3 << 24) | (11 << 16) | (2 << 8) | 0xf0;
pub const LANCEHEAD: &str = env!("CARGO_PKG_VERSION");

/// `sys.version`.
pub fn version_text() -> String {
    format!("{}.{}.{} (Lancehead {}) [Rust]", VERSION.0, VERSION.1, VERSION.2, LANCEHEAD)
}

/// `sys.stdlib_module_names`.
pub const STDLIB_NAMES: &str = "
    __future__ _abc _aix_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs _codecs_cn _codecs_hk
    _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _compat_pickle _compression
    _contextvars _crypt _csv _ctypes _curses _curses_panel _datetime _dbm _decimal _elementtree _frozen_importlib
    _frozen_importlib_external _functools _gdbm _hashlib _heapq _imp _io _json _locale _lsprof _lzma _markupbase
    _md5 _msi _multibytecodec _multiprocessing _opcode _operator _osx_support _overlapped _pickle _posixshmem
    _posixsubprocess _py_abc _pydecimal _pyio _queue _random _scproxy _sha1 _sha256 _sha3 _sha512 _signal
    _sitebuiltins _socket _sqlite3 _sre _ssl _stat _statistics _string _strptime _struct _symtable _thread
    _threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings _weakref _weakrefset _winapi _zoneinfo
    abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect
    builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall
    concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm
    decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput
    fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq
    hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3
    linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt
    multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib
    pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd
    py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy
    sched secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd
    sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau
    symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this threading time timeit
    tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata
    unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp
    zipfile zipimport zlib zoneinfo
";

/// Struct sequence types whose instances only we make.
pub fn closed_type(
    name: &'static str,
    doc: &'static str,
    fields: &[(&'static str, &'static str)],
) -> PyResult<Owned<Type>> {
    let t = structseq::new_type(name, doc, fields, fields.len())?;
    // SAFETY: the type has no instances and no subtypes yet.
    unsafe {
        (*t.tp()).tp_new = None;
        (*t.tp()).tp_flags |= lh_abi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
    }
    t.dict().del_item(intern!("__new__"))?;
    t.modified();
    Ok(t)
}

fn int(v: i64) -> Owned<Object> {
    Int::from_i64(v).into_object()
}
fn float(v: f64) -> Owned<Object> {
    Float::new(v).into_object()
}
fn text(s: &str) -> Owned<Object> {
    Str::new(s).into_object()
}

pub fn float_info() -> PyResult<Owned<Tuple>> {
    let t = structseq::new_type(
        "sys.float_info",
        "Limits and internals of the float type: a C double.",
        &[
            ("max", "largest finite float"),
            ("max_exp", "largest e for which radix**(e-1) is a float"),
            ("max_10_exp", "largest e for which 10**e is a float"),
            ("min", "smallest positive normalized float"),
            ("min_exp", "smallest e for which radix**(e-1) is a normalized float"),
            ("min_10_exp", "smallest e for which 10**e is a normalized float"),
            ("dig", "decimal digits that survive a round trip"),
            ("mant_dig", "digits of the mantissa"),
            ("epsilon", "the step from 1 to the next float"),
            ("radix", "base of the exponent"),
            ("rounds", "rounding mode of additions"),
        ],
        11,
    )?;
    Ok(structseq::new(
        &t,
        vec![
            float(f64::MAX),
            int(1024),
            int(308),
            float(f64::MIN_POSITIVE),
            int(-1021),
            int(-307),
            int(15),
            int(53),
            float(f64::EPSILON),
            int(2),
            int(1),
        ],
    ))
}

pub fn int_info() -> PyResult<Owned<Tuple>> {
    let t = structseq::new_type(
        "sys.int_info",
        "How integers are represented.",
        &[
            ("bits_per_digit", "size of a digit in bits"),
            ("sizeof_digit", "size in bytes of the C type of a digit"),
            ("default_max_str_digits", "default limit of digits in conversions between str and int"),
            ("str_digits_check_threshold", "shortest conversion that is checked against the limit"),
        ],
        4,
    )?;
    Ok(structseq::new(&t, vec![int(30), int(4), int(4300), int(640)]))
}

pub fn hash_info() -> PyResult<Owned<Tuple>> {
    let t = structseq::new_type(
        "sys.hash_info",
        "Parameters of hashing.",
        &[
            ("width", "width of hash values in bits"),
            ("modulus", "prime modulus of numeric hashes"),
            ("inf", "hash of positive infinity"),
            ("nan", "no longer used"),
            ("imag", "multiplier for the imaginary part"),
            ("algorithm", "algorithm for str, bytes and memoryview"),
            ("hash_bits", "output size of the algorithm"),
            ("seed_bits", "seed size of the algorithm"),
            ("cutoff", "short inputs hashed by another algorithm"),
        ],
        9,
    )?;
    let v = vec![
        int(64),
        int((1 << 61) - 1),
        int(314159),
        int(0),
        int(1000003),
        text("siphash13"),
        int(64),
        int(128),
        int(0),
    ];
    Ok(structseq::new(&t, v))
}

pub fn thread_info() -> PyResult<Owned<Tuple>> {
    let t = structseq::new_type(
        "sys.thread_info",
        "The thread implementation.",
        &[
            ("name", "name of the implementation"),
            ("lock", "kind of locks"),
            ("version", "version of the library"),
        ],
        3,
    )?;
    let version = {
        let mut buf = [0u8; 128];
        // SAFETY: confstr writes at most the given number of bytes.
        let n =
            unsafe { libc::confstr(libc::_CS_GNU_LIBPTHREAD_VERSION, buf.as_mut_ptr().cast(), buf.len()) };
        match n {
            0 => none(),
            n => text(&String::from_utf8_lossy(&buf[..n.min(buf.len()) - 1])),
        }
    };
    Ok(structseq::new(&t, vec![text("pthread"), text("semaphore"), version]))
}

pub fn version_info() -> PyResult<Owned<Tuple>> {
    let t = closed_type(
        "sys.version_info",
        "sys.version_info\n\nVersion information as a named tuple.",
        &[
            ("major", "Major release number"),
            ("minor", "Minor release number"),
            ("micro", "Patch release number"),
            ("releaselevel", "'alpha', 'beta', 'candidate', or 'final'"),
            ("serial", "Serial release number"),
        ],
    )?;
    let v = vec![int(VERSION.0), int(VERSION.1), int(VERSION.2), text("final"), int(0)];
    Ok(structseq::new(&t, v))
}

pub fn flags() -> PyResult<Owned<Tuple>> {
    let t = closed_type(
        "sys.flags",
        "sys.flags\n\nFlags provided through command line arguments or environment vars.",
        &[
            ("debug", "-d"),
            ("inspect", "-i"),
            ("interactive", "-i"),
            ("optimize", "-O or -OO"),
            ("dont_write_bytecode", "-B"),
            ("no_user_site", "-s"),
            ("no_site", "-S"),
            ("ignore_environment", "-E"),
            ("verbose", "-v"),
            ("bytes_warning", "-b"),
            ("quiet", "-q"),
            ("hash_randomization", "-R"),
            ("isolated", "-I"),
            ("dev_mode", "-X dev"),
            ("utf8_mode", "-X utf8"),
            ("warn_default_encoding", "-X warn_default_encoding"),
            ("safe_path", "-P"),
            ("int_max_str_digits", "-X int_max_str_digits"),
        ],
    )?;
    let c = lh_runtime::sysobject::config();
    let b = |x: bool| int(x as i64);
    let v = vec![
        int(c.debug as i64),
        b(c.inspect),
        b(c.interactive),
        int(c.optimize as i64),
        b(c.dont_write_bytecode),
        b(c.no_user_site),
        b(c.no_site),
        b(c.ignore_environment),
        int(c.verbose as i64),
        int(c.bytes_warning as i64),
        b(c.quiet),
        b(c.hash_randomization),
        b(c.isolated),
        bool_obj(c.dev_mode),
        b(c.utf8_mode),
        b(c.warn_default_encoding),
        bool_obj(c.safe_path),
        int(c.int_max_str_digits as i64),
    ];
    Ok(structseq::new(&t, v))
}
