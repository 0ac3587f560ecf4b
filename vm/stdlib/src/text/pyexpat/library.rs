//! The machine's libexpat, loaded when the module is first imported: its functions and the structs its callbacks hand over.

use core::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};
use lh_runtime::prelude::*;
use std::sync::OnceLock;

pub type Parser = *mut c_void;
pub type Chars = *const c_char;

/// How an element may be composed (`XML_Content`).
#[repr(C)]
pub struct Content {
    pub kind: c_int,
    pub quant: c_int,
    pub name: Chars,
    pub numchildren: c_uint,
    pub children: *mut Content,
}
/// What an unknown encoding's bytes mean (`XML_Encoding`).
#[repr(C)]
pub struct Encoding {
    pub map: [c_int; 256],
    pub data: *mut c_void,
    pub convert: *mut c_void,
    pub release: *mut c_void,
}
/// `XML_Feature`.
#[repr(C)]
pub struct Feature {
    pub feature: c_int,
    pub name: Chars,
    pub value: c_long,
}
#[repr(C)]
pub struct Version {
    pub major: c_int,
    pub minor: c_int,
    pub micro: c_int,
}

macro_rules! functions {
    ($($name:ident ( $($arg:ty),* ) $(-> $ret:ty)?;)+) => {
        /// The functions of libexpat that are used here, by their names without `XML_`.
        #[allow(non_snake_case)]
        pub struct Expat { $(pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)+ }
        impl Expat {
            unsafe fn load(lib: *mut c_void) -> Result<Expat, &'static str> {
                // SAFETY: the symbols have these signatures in every libexpat 2.
                unsafe { Ok(Expat { $($name: {
                    let p = libc::dlsym(lib, concat!("XML_", stringify!($name), "\0").as_ptr().cast());
                    if p.is_null() { return Err(concat!("XML_", stringify!($name))) }
                    core::mem::transmute::<*mut c_void, unsafe extern "C" fn($($arg),*) $(-> $ret)?>(p)
                },)+ }) }
            }
        }
    };
}
functions! {
    ParserCreate_MM(Chars, *const c_void, Chars) -> Parser;
    ExternalEntityParserCreate(Parser, Chars, Chars) -> Parser;
    ParserFree(Parser);
    SetUserData(Parser, *mut c_void);
    SetEncoding(Parser, Chars) -> c_int;
    SetHashSalt(Parser, c_ulong) -> c_int;
    SetReturnNSTriplet(Parser, c_int);
    UseForeignDTD(Parser, c_uchar) -> c_int;
    SetParamEntityParsing(Parser, c_int) -> c_int;
    SetUnknownEncodingHandler(Parser, *const c_void, *mut c_void);
    Parse(Parser, *const c_char, c_int, c_int) -> c_int;
    GetErrorCode(Parser) -> c_int;
    ErrorString(c_int) -> Chars;
    GetCurrentLineNumber(Parser) -> c_ulong;
    GetCurrentColumnNumber(Parser) -> c_ulong;
    GetCurrentByteIndex(Parser) -> c_long;
    GetInputContext(Parser, *mut c_int, *mut c_int) -> *const c_char;
    GetSpecifiedAttributeCount(Parser) -> c_int;
    SetBase(Parser, Chars) -> c_int;
    GetBase(Parser) -> Chars;
    FreeContentModel(Parser, *mut Content);
    GetFeatureList() -> *const Feature;
    ExpatVersion() -> Chars;
    ExpatVersionInfo() -> Version;
    SetStartElementHandler(Parser, *const c_void);
    SetEndElementHandler(Parser, *const c_void);
    SetProcessingInstructionHandler(Parser, *const c_void);
    SetCharacterDataHandler(Parser, *const c_void);
    SetUnparsedEntityDeclHandler(Parser, *const c_void);
    SetNotationDeclHandler(Parser, *const c_void);
    SetStartNamespaceDeclHandler(Parser, *const c_void);
    SetEndNamespaceDeclHandler(Parser, *const c_void);
    SetCommentHandler(Parser, *const c_void);
    SetStartCdataSectionHandler(Parser, *const c_void);
    SetEndCdataSectionHandler(Parser, *const c_void);
    SetDefaultHandler(Parser, *const c_void);
    SetDefaultHandlerExpand(Parser, *const c_void);
    SetNotStandaloneHandler(Parser, *const c_void);
    SetExternalEntityRefHandler(Parser, *const c_void);
    SetStartDoctypeDeclHandler(Parser, *const c_void);
    SetEndDoctypeDeclHandler(Parser, *const c_void);
    SetEntityDeclHandler(Parser, *const c_void);
    SetXmlDeclHandler(Parser, *const c_void);
    SetElementDeclHandler(Parser, *const c_void);
    SetAttlistDeclHandler(Parser, *const c_void);
    SetSkippedEntityHandler(Parser, *const c_void);
}

static EXPAT: OnceLock<Result<Expat, String>> = OnceLock::new();

/// The library, or `ImportError` with what to install.
pub fn load() -> PyResult<&'static Expat> {
    let found = EXPAT.get_or_init(|| {
        // SAFETY: loading a system library; it stays loaded.
        unsafe {
            let lib = libc::dlopen(c"libexpat.so.1".as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
            if lib.is_null() {
                return Err(
                    "pyexpat needs libexpat.so.1, which this machine does not have (Debian: libexpat1)"
                        .into(),
                );
            }
            Expat::load(lib).map_err(|name| format!("libexpat.so.1 has no {name}"))
        }
    });
    match found {
        Ok(x) => Ok(x),
        Err(why) => raise!(ImportError, "{}", why),
    }
}
/// The library, once it has been loaded.
pub fn expat() -> &'static Expat {
    match EXPAT.get() {
        Some(Ok(x)) => x,
        _ => unreachable!("parsers exist only after the library was loaded"),
    }
}

/// A C string, if there is one.
///
/// # Safety
/// Null or a live C string.
pub unsafe fn text<'a>(p: Chars) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    unsafe { if p.is_null() { None } else { Some(CStr::from_ptr(p).to_bytes()) } }
}
