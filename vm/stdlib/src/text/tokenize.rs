//! `_tokenize`: the compiler's tokens one by one.

use lh_compiler::token_list::{Listed, list};
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};

#[pyclass(name = "TokenizerIter", module = "_tokenize", basetype)]
pub struct TokenizerIter {
    #[notrace]
    text: String,
    #[notrace]
    tokens: Vec<Listed>,
    next: Cell<usize>,
    #[notrace]
    error: RefCell<Option<Box<lh_compiler::SyntaxError>>>,
}

#[pymethods]
impl TokenizerIter {
    #[new(name = "tokenizeriter", signature = "(source)")]
    fn py_new(cls: &Type, source: &str) -> PyResult<Owned<TokenizerIter>> {
        if source.contains('\0') {
            return raise!(ValueError, "embedded null character");
        }
        let mut text = source.replace("\r\n", "\n").replace('\r', "\n");
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let (tokens, error) = list(&text);
        TokenizerIter { text, tokens, next: Cell::new(0), error: RefCell::new(error) }.build_in(cls)
    }
    #[slot(tp_iter)]
    fn iter(&self) -> Owned<TokenizerIter> {
        self.own()
    }
    #[slot(tp_iternext)]
    fn next(&self) -> PyResult<Option<Owned<Object>>> {
        let Some(t) = self.tokens.get(self.next.get()) else {
            if let Some(mut e) = self.error.take() {
                if let Some(text) = &mut e.text {
                    text.truncate(text.trim_end_matches('\n').len());
                }
                return Err(lh_interp::compile::raise_error(&e, &Str::new("<string>")));
            }
            return Err(lh_runtime::errors::set_object(
                exc::StopIteration(),
                Some(Str::new("EOF").into_object()),
            ));
        };
        self.next.set(self.next.get() + 1);
        let text = &self.text[t.start..t.end];
        let line = &self.text[t.lines.0..t.lines.1];
        let (from, to) = ((t.line, t.end_line), (t.col, t.end_col));
        Ok(Some(
            Tuple::from_vec(vec![
                Str::new(text).into_object(),
                Int::from_i64(t.kind as i64).into_object(),
                Int::from_i64(from.0 as i64).into_object(),
                Int::from_i64(from.1 as i64).into_object(),
                Int::from_i64(to.0 as i64).into_object(),
                Int::from_i64(to.1 as i64).into_object(),
                Str::new(line).into_object(),
            ])
            .into_object(),
        ))
    }
}

module! { "_tokenize", types: [TokenizerIter] }
