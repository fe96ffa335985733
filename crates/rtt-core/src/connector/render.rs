//! Templates to text: handlebars with strict lookups and without HTML escaping, and the mark by which a generated file
//! proves that nobody edited it.

use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason};
use serde_json::Value;

use super::stub::Language;
use crate::digest::Digest;

/// How the mark in a generated file begins; the SHA-256 of the file with zeros in the mark's place follows.
pub const MARK: &str = "content-sha256:";

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Why a template gave no text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template is malformed.
    #[error("template '{file}' is malformed")]
    Template {
        /// The stub's file.
        file: String,
        /// Why.
        #[source]
        source: Box<handlebars::TemplateError>,
    },
    /// The template asks for what is not there.
    #[error("template '{file}' cannot be filled")]
    Render {
        /// The stub's file.
        file: String,
        /// Why.
        #[source]
        source: Box<handlebars::RenderError>,
    },
}

/// Fills the templates of one language.
pub struct Renderer<'a> {
    language: &'a Language,
    registry: Handlebars<'a>,
}

impl<'a> Renderer<'a> {
    /// Compiles the language's templates; each is also a partial of the others, under its file name without `.hbs`.
    ///
    /// # Errors
    /// [`Error::Template`].
    pub fn new(language: &'a Language) -> Result<Self, Error> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(handlebars::no_escape);
        let strings = language.stub.strings.clone();
        let literal = move |helper: &Helper,
                            _: &Handlebars,
                            _: &Context,
                            _: &mut RenderContext,
                            out: &mut dyn Output|
              -> HelperResult {
            let value = helper
                .param(0)
                .filter(|param| !param.is_value_missing())
                .ok_or_else(|| RenderErrorReason::ParamNotFoundForIndex("lit", 0))?;
            let text = match value.value() {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Ok(out.write(&strings.literal(&text))?)
        };
        registry.register_helper("lit", Box::new(literal));
        for (file, text) in &language.files {
            if let Some(name) = file.strip_suffix(".hbs") {
                registry
                    .register_template_string(name, text)
                    .map_err(|source| Error::Template { file: file.clone(), source: Box::new(source) })?;
            }
        }
        Ok(Self { language, registry })
    }

    /// Returns the text of one of the language's files: filled if it is a template, else as it is, and marked where it
    /// has a place for the mark (`{{mark}}`, or in a plain file the line-ending `content-sha256:` and 64 zeros).
    ///
    /// # Errors
    /// [`Error::Render`].
    pub fn render(&self, file: &str, data: Value) -> Result<String, Error> {
        let text = match file.strip_suffix(".hbs") {
            Some(name) => {
                let mut data = data;
                data["mark"] = Value::from(format!("{MARK}{ZEROS}"));
                data["generator"] = Value::from(format!("rtt-30-generate {}", crate::VERSION));
                data["template"] = Value::from(self.language.digest.to_string());
                self.registry
                    .render_with_context(name, &Context::from(data))
                    .map_err(|source| Error::Render { file: file.to_owned(), source: Box::new(source) })?
            }
            None => self.language.files[file].clone(),
        };
        Ok(mark(&text))
    }
}

/// Puts the digest of the text in the mark's place; a text without such a place is returned as it is.
fn mark(text: &str) -> String {
    let digest = Digest::of_bytes(text).hex();
    text.replacen(&format!("{MARK}{ZEROS}"), &format!("{MARK}{digest}"), 1)
}

/// Tells whether a file carries a mark that fits its content, so that a generator wrote it and nobody edited it since.
pub fn is_intact(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Some(start) = text.find(MARK).map(|at| at + MARK.len()) else { return false };
    let Some(found) = text.get(start..start + ZEROS.len()) else { return false };
    let original = format!("{}{ZEROS}{}", &text[..start], &text[start + ZEROS.len()..]);
    Digest::of_bytes(original).hex() == found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_notices_every_edit() {
        let text = mark(&format!("# {MARK}{ZEROS}\nx = 1\n"));
        assert!(is_intact(text.as_bytes()));
        assert!(!is_intact(text.replace('1', "2").as_bytes()));
        assert!(!is_intact(b"x = 1\n") && !is_intact(MARK.as_bytes()) && !is_intact(b"\xff"));
    }
}
