//! How far generated code was checked: by the embedded grammar always, by the language's own tools on request.
//!
//! The only module that runs a language's tools, in a scratch folder that holds nothing but generated files.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use rayon::prelude::*;

use super::stub::Language;
use crate::diagnostic::{Diagnostic, Place};
use crate::json::Position;

/// The longest excerpt of a tool's words.
const MAX_OUTPUT: usize = 1_500;

/// A generated file before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Name in the language's output folder.
    pub file: String,
    /// Content.
    pub text: String,
    /// It is source code of the language.
    pub is_code: bool,
}

/// Parses the code files with the language's embedded grammar; empty if all parse or there is no grammar.
pub fn syntax(language: &Language, folder: &str, drafts: &[Draft]) -> Vec<Diagnostic> {
    let Some(grammar) = &language.stub.grammar else { return Vec::new() };
    let check = |draft: &Draft| {
        let Err(problems) = rtt_syntax::check(grammar, &draft.text) else { return Vec::new() };
        let finding = |problem: rtt_syntax::SyntaxProblem| {
            let at = Position { line: problem.line, column: problem.column };
            let place = Place::position(format!("{folder}/{}", draft.file), &draft.text, at);
            Diagnostic::error("RTT-C003", format!("generated {grammar} code does not parse: {}", problem.message))
                .at(place)
                .help(format!("correct the template in stubs/{}/; the file was not written", language.name))
        };
        problems.into_iter().map(finding).collect()
    };
    drafts.par_iter().filter(|draft| draft.is_code).flat_map(check).collect()
}

/// What the language's own tools said.
#[derive(Debug)]
pub enum Outcome {
    /// They accept the code.
    Accepted,
    /// They are not installed, or the stub names none.
    Unavailable {
        /// The program that is missing; `None`: the stub names no check.
        program: Option<String>,
    },
    /// They refuse the code.
    Refused(Vec<Diagnostic>),
}

/// Runs the language's check over all its files in a scratch folder.
///
/// # Errors
/// The scratch folder cannot be filled.
pub fn toolchain(language: &Language, folder: &str, drafts: &[Draft]) -> io::Result<Outcome> {
    let command = &language.stub.toolchain.check;
    let Some((program, arguments)) = command.split_first() else { return Ok(Outcome::Unavailable { program: None }) };
    let scratch = tempfile::tempdir()?;
    for draft in drafts {
        let path = scratch.path().join(&draft.file);
        io::Write::write_all(&mut std::fs::File::create(path)?, draft.text.as_bytes())?;
    }
    let per_file = arguments.iter().any(|argument| argument.contains("{file}"));
    let targets: Vec<Option<&Draft>> =
        if per_file { drafts.iter().filter(|draft| draft.is_code).map(Some).collect() } else { vec![None] };
    let mut findings = Vec::new();
    for target in targets {
        let arguments = arguments.iter().map(|argument| match target {
            Some(draft) => argument.replace("{file}", &draft.file),
            None => argument.clone(),
        });
        let output = run(program, arguments, scratch.path());
        match output {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let place = target.map_or_else(|| folder.to_owned(), |draft| format!("{folder}/{}", draft.file));
                findings.push(
                    Diagnostic::error(
                        "RTT-C004",
                        format!("'{program}' refuses the generated code: {}", words(&output)),
                    )
                    .at(Place::file(place))
                    .help(format!("correct the template in stubs/{}/; nothing was written", language.name)),
                );
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Outcome::Unavailable { program: Some(program.clone()) });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(if findings.is_empty() { Outcome::Accepted } else { Outcome::Refused(findings) })
}

fn run(program: &str, arguments: impl Iterator<Item = String>, folder: &Path) -> io::Result<std::process::Output> {
    Command::new(program).args(arguments).current_dir(folder).stdin(Stdio::null()).output()
}

/// The beginning of what a tool printed.
fn words(output: &std::process::Output) -> String {
    let text = [output.stderr.as_slice(), output.stdout.as_slice()].concat();
    let text = String::from_utf8_lossy(&text);
    text.trim().chars().take(MAX_OUTPUT).collect()
}
