//! Syntax checks of generated text by embedded tree-sitter grammars.
//!
//! Owns the table of `grammars`, the only place in Rust code that knows them by name, and the verdict about a text. It
//! reads no file and knows nothing of stubs or connectors.
//!
//! Features: five grammars are always there; `tier1` (default) adds those of the languages that are run live.

mod grammars;

pub use grammars::GRAMMARS;

use std::cell::RefCell;

use tree_sitter::{Node, Parser};

use grammars::language;

/// How many problems of one text are reported.
pub const MAX_PROBLEMS: usize = 20;

/// One place where a text departs from its grammar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SyntaxProblem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
}

/// Tells whether there is a grammar of this name.
pub fn knows(grammar: &str) -> bool {
    language(grammar).is_some()
}

/// Parses a text.
///
/// # Errors
/// The problems in the order of their places, at least one and at most [`MAX_PROBLEMS`]; a grammar that is not
/// embedded is one problem at the text's start.
pub fn check(grammar: &str, text: &str) -> Result<(), Vec<SyntaxProblem>> {
    let whole = |message: String| vec![SyntaxProblem { line: 1, column: 1, message }];
    let Some(language) = language(grammar) else {
        return Err(whole(format!("no grammar named '{grammar}' (there are {})", GRAMMARS.join(", "))));
    };
    // A parser keeps the memory that it once needed: one a thread serves all texts.
    thread_local!(static PARSER: RefCell<Parser> = RefCell::new(Parser::new()));
    let parsed = PARSER.with_borrow_mut(|parser| parser.set_language(&language).map(|()| parser.parse(text, None)));
    let parsed = parsed.map_err(|error| whole(format!("grammar '{grammar}' cannot be used: {error}")))?;
    let Some(tree) = parsed else {
        return Err(whole(format!("grammar '{grammar}' gave no verdict")));
    };
    // The root's flag is the verdict: it also covers places that no ERROR node marks.
    if !tree.root_node().has_error() {
        return Ok(());
    }
    let mut problems = Vec::new();
    collect(tree.root_node(), text, &mut problems);
    if problems.is_empty() {
        problems = whole("the text does not parse".to_owned());
    }
    Err(problems)
}

/// Walks only into subtrees that hold an error, without recursion: hostile text may nest deeply.
fn collect(root: Node, text: &str, problems: &mut Vec<SyntaxProblem>) {
    let mut pending = vec![root];
    while let Some(node) = pending.pop() {
        if problems.len() == MAX_PROBLEMS {
            return;
        }
        if node.is_missing() {
            problems.push(at(node, text, format!("missing {}", node.kind())));
        } else if node.is_error() {
            let found: String = text[node.byte_range()].lines().next().unwrap_or("").chars().take(40).collect();
            let message =
                if found.is_empty() { "unexpected end".to_owned() } else { format!("unexpected text near '{found}'") };
            problems.push(at(node, text, message));
        } else if node.has_error() {
            let mut cursor = node.walk();
            let children: Vec<Node> = node.children(&mut cursor).collect();
            pending.extend(children.into_iter().rev());
        }
    }
}

fn at(node: Node, text: &str, message: String) -> SyntaxProblem {
    let start = node.start_byte();
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    SyntaxProblem { line: node.start_position().row + 1, column: text[line_start..start].chars().count() + 1, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_place_in_characters() {
        let problems = check("rust", "// é\nconst É: u8 = @;\n").expect_err("a stray sign");
        assert_eq!((problems[0].line, problems[0].column), (2, 13), "{problems:?}");
        assert!(check("klingon", "").expect_err("unknown")[0].message.contains("no grammar named 'klingon'"));
    }
}
