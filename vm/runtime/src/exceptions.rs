//! The exception classes, their fields, normalising, chaining, `OSError` from errno.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

#[unsafe(no_mangle)]
pub static mut BaseException_Type: PyTypeObject = PyTypeObject::ZERO;
/// The exception classes: `exc::TypeError()`.
#[allow(non_snake_case)]
pub mod exc {
    use crate::kinds::Type;
    pub fn ArithmeticError() -> &'static Type { todo!() }
    pub fn AssertionError() -> &'static Type { todo!() }
    pub fn AttributeError() -> &'static Type { todo!() }
    pub fn BaseException() -> &'static Type { todo!() }
    pub fn BaseExceptionGroup() -> &'static Type { todo!() }
    pub fn BlockingIOError() -> &'static Type { todo!() }
    pub fn BrokenPipeError() -> &'static Type { todo!() }
    pub fn BufferError() -> &'static Type { todo!() }
    pub fn BytesWarning() -> &'static Type { todo!() }
    pub fn ChildProcessError() -> &'static Type { todo!() }
    pub fn ConnectionAbortedError() -> &'static Type { todo!() }
    pub fn ConnectionError() -> &'static Type { todo!() }
    pub fn ConnectionRefusedError() -> &'static Type { todo!() }
    pub fn ConnectionResetError() -> &'static Type { todo!() }
    pub fn DeprecationWarning() -> &'static Type { todo!() }
    pub fn EOFError() -> &'static Type { todo!() }
    pub fn EncodingWarning() -> &'static Type { todo!() }
    pub fn Exception() -> &'static Type { todo!() }
    pub fn FileExistsError() -> &'static Type { todo!() }
    pub fn FileNotFoundError() -> &'static Type { todo!() }
    pub fn FloatingPointError() -> &'static Type { todo!() }
    pub fn FutureWarning() -> &'static Type { todo!() }
    pub fn GeneratorExit() -> &'static Type { todo!() }
    pub fn ImportError() -> &'static Type { todo!() }
    pub fn ImportWarning() -> &'static Type { todo!() }
    pub fn IndentationError() -> &'static Type { todo!() }
    pub fn IndexError() -> &'static Type { todo!() }
    pub fn InterruptedError() -> &'static Type { todo!() }
    pub fn IsADirectoryError() -> &'static Type { todo!() }
    pub fn KeyError() -> &'static Type { todo!() }
    pub fn KeyboardInterrupt() -> &'static Type { todo!() }
    pub fn LookupError() -> &'static Type { todo!() }
    pub fn MemoryError() -> &'static Type { todo!() }
    pub fn ModuleNotFoundError() -> &'static Type { todo!() }
    pub fn NameError() -> &'static Type { todo!() }
    pub fn NotADirectoryError() -> &'static Type { todo!() }
    pub fn NotImplementedError() -> &'static Type { todo!() }
    pub fn OSError() -> &'static Type { todo!() }
    pub fn OverflowError() -> &'static Type { todo!() }
    pub fn PendingDeprecationWarning() -> &'static Type { todo!() }
    pub fn PermissionError() -> &'static Type { todo!() }
    pub fn ProcessLookupError() -> &'static Type { todo!() }
    pub fn RecursionError() -> &'static Type { todo!() }
    pub fn ReferenceError() -> &'static Type { todo!() }
    pub fn ResourceWarning() -> &'static Type { todo!() }
    pub fn RuntimeError() -> &'static Type { todo!() }
    pub fn RuntimeWarning() -> &'static Type { todo!() }
    pub fn StopAsyncIteration() -> &'static Type { todo!() }
    pub fn StopIteration() -> &'static Type { todo!() }
    pub fn SyntaxError() -> &'static Type { todo!() }
    pub fn SyntaxWarning() -> &'static Type { todo!() }
    pub fn SystemError() -> &'static Type { todo!() }
    pub fn SystemExit() -> &'static Type { todo!() }
    pub fn TabError() -> &'static Type { todo!() }
    pub fn TimeoutError() -> &'static Type { todo!() }
    pub fn TypeError() -> &'static Type { todo!() }
    pub fn UnboundLocalError() -> &'static Type { todo!() }
    pub fn UnicodeDecodeError() -> &'static Type { todo!() }
    pub fn UnicodeEncodeError() -> &'static Type { todo!() }
    pub fn UnicodeError() -> &'static Type { todo!() }
    pub fn UnicodeTranslateError() -> &'static Type { todo!() }
    pub fn UnicodeWarning() -> &'static Type { todo!() }
    pub fn UserWarning() -> &'static Type { todo!() }
    pub fn ValueError() -> &'static Type { todo!() }
    pub fn Warning() -> &'static Type { todo!() }
    pub fn ZeroDivisionError() -> &'static Type { todo!() }
}
pub fn set_with_context(t: &Object, v: Option<Owned>) { todo!() }
pub fn normalize(t: Owned, v: Option<Owned>, tb: Option<Owned>) -> Owned<Exception> { todo!() }
pub fn raise_os_error(errno: i32, filename: Option<&Object>, filename2: Option<&Object>) -> Raised { todo!() }
pub fn write_unraisable(context: Option<&Object>, message: Option<&str>) { todo!() }
/// `exc_type(*args)`.
pub fn make(exc_type: &Type, args: &[&Object]) -> PyResult<Owned<Exception>> { todo!() }
impl Exception {
    pub fn traceback(&self) -> Option<Owned> { todo!() }
    pub fn set_traceback(&self, tb: Option<&Object>) { todo!() }
    pub fn context(&self) -> Option<Owned> { todo!() }
    pub fn set_context(&self, c: Option<Owned>) { todo!() }
    pub fn cause(&self) -> Option<Owned> { todo!() }
    pub fn set_cause(&self, c: Option<Owned>) { todo!() }
    pub fn args(&self) -> Owned<Tuple> { todo!() }
}
/// The value of a `StopIteration` being raised, which is taken out of the thread state. `None` if another exception (or none) is set.
pub fn take_stop_iteration_value() -> Option<Owned<Object>> { todo!() }
/// Raises `StopIteration(value)`.
pub fn raise_stop_iteration(value: Owned<Object>) -> Raised { todo!() }
