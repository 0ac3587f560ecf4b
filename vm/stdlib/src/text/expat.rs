//! The expat library (`libexpat.so.1`), loaded when `pyexpat` is imported: one table of its functions.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_ulong, c_void};
use std::sync::OnceLock;

/// `XML_Parser`.
pub type Parser = *mut c_void;
pub type Text = *const c_char;

/// `XML_Content`: a node of an element's content model.
#[repr(C)]
pub struct Content {
    pub kind: c_int,
    pub quant: c_int,
    pub name: Text,
    pub n: u32,
    pub children: *mut Content,
}
/// `XML_Encoding`.
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
    pub id: c_int,
    pub name: Text,
    pub value: c_long,
}

macro_rules! functions {
    ($($name:ident: fn($($t:ty),*) $(-> $r:ty)?;)*) => {
        #[allow(non_snake_case)]
        pub struct Expat {
            $(pub $name: unsafe extern "C" fn($($t),*) $(-> $r)?,)*
            setters: Vec<usize>,
        }
        impl Expat {
            fn load(setters: &[&str]) -> Result<Expat, String> {
                // SAFETY: a C string; the library's initialisers may run.
                let lib = unsafe { libc::dlopen(c"libexpat.so.1".as_ptr(), libc::RTLD_NOW) };
                if lib.is_null() {
                    return Err("libexpat.so.1: cannot open shared object file".into());
                }
                let find = |name: &str| -> Result<*mut c_void, String> {
                    let c = std::ffi::CString::new(name).expect("no NUL in a name");
                    // SAFETY: a live handle and a C string.
                    let p = unsafe { libc::dlsym(lib, c.as_ptr()) };
                    if p.is_null() { Err(format!("libexpat.so.1 has no {name}")) } else { Ok(p) }
                };
                Ok(Expat {
                    $(
                        // SAFETY: the header gives the function this type.
                        $name: unsafe {
                            std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($t),*) $(-> $r)?>(find(concat!("XML_", stringify!($name)))?)
                        },
                    )*
                    setters: setters.iter().map(|s| find(&format!("XML_Set{s}")).map(|p| p as usize)).collect::<Result<_, _>>()?,
                })
            }
        }
    };
}
functions! {
    ParserCreate_MM: fn(Text, *const c_void, Text) -> Parser;
    ParserFree: fn(Parser);
    ExternalEntityParserCreate: fn(Parser, Text, Text) -> Parser;
    Parse: fn(Parser, *const u8, c_int, c_int) -> c_int;
    SetUserData: fn(Parser, *mut c_void);
    SetEncoding: fn(Parser, Text) -> c_int;
    SetBase: fn(Parser, Text) -> c_int;
    GetBase: fn(Parser) -> Text;
    GetInputContext: fn(Parser, *mut c_int, *mut c_int) -> Text;
    GetSpecifiedAttributeCount: fn(Parser) -> c_int;
    SetReturnNSTriplet: fn(Parser, c_int);
    SetParamEntityParsing: fn(Parser, c_int) -> c_int;
    UseForeignDTD: fn(Parser, c_uchar) -> c_int;
    GetErrorCode: fn(Parser) -> c_int;
    GetCurrentLineNumber: fn(Parser) -> c_ulong;
    GetCurrentColumnNumber: fn(Parser) -> c_ulong;
    GetCurrentByteIndex: fn(Parser) -> c_long;
    ErrorString: fn(c_int) -> Text;
    ExpatVersion: fn() -> Text;
    GetFeatureList: fn() -> *const Feature;
    FreeContentModel: fn(Parser, *mut Content);
    SetUnknownEncodingHandler: fn(Parser, unsafe extern "C" fn(*mut c_void, Text, *mut Encoding) -> c_int, *mut c_void);
}

impl Expat {
    /// Installs (or with null removes) the function of a handler.
    ///
    /// # Safety
    /// `p` is a live parser; `f` has the handler's C signature.
    pub unsafe fn set_handler(&self, i: usize, p: Parser, f: *const c_void) {
        // SAFETY: every XML_Set…Handler has this signature.
        unsafe {
            let set: unsafe extern "C" fn(Parser, *const c_void) = std::mem::transmute(self.setters[i]);
            set(p, f)
        }
    }
}

/// The library, loaded with the setters of these handlers on first use.
pub fn expat(setters: &[&str]) -> Result<&'static Expat, String> {
    static LIBRARY: OnceLock<Result<Expat, String>> = OnceLock::new();
    LIBRARY.get_or_init(|| Expat::load(setters)).as_ref().map_err(String::clone)
}
