//! Syntax checks of generated text by embedded tree-sitter grammars.
//!
//! Owns the table of grammars, the only place in Rust code that knows them by name, and the verdict about a text. It
//! reads no file and knows nothing of stubs or connectors.

use tree_sitter::{Language, Node, Parser};

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

/// The name of each grammar, sorted.
pub const GRAMMARS: [&str; 5] = ["go", "javascript", "python", "rust", "typescript"];

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
    let mut parser = Parser::new();
    parser.set_language(&language).map_err(|error| whole(format!("grammar '{grammar}' cannot be used: {error}")))?;
    let Some(tree) = parser.parse(text, None) else {
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

fn language(grammar: &str) -> Option<Language> {
    Some(match grammar {
        "go" => tree_sitter_go::LANGUAGE.into(),
        "javascript" => tree_sitter_javascript::LANGUAGE.into(),
        "python" => tree_sitter_python::LANGUAGE.into(),
        "rust" => tree_sitter_rust::LANGUAGE.into(),
        "typescript" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        _ => return None,
    })
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
    fn every_grammar_loads_and_tells_good_from_bad() {
        let samples = [
            ("go", "package a\n\nfunc F() {}\n", "package a\n\nfunc F( {}\n"),
            ("javascript", "const a = () => 1;\n", "const a = ( => 1;\n"),
            ("python", "def f():\n    return 1\n", "def f(:\n    return 1\n"),
            ("rust", "fn f() {}\n", "fn f() {\n"),
            ("typescript", "interface A { b?: string }\n", "interface A { b?: }\n"),
        ];
        assert_eq!(samples.map(|(grammar, _, _)| grammar), GRAMMARS);
        for (grammar, good, bad) in samples {
            assert_eq!(check(grammar, good), Ok(()), "{grammar}");
            assert!(check(grammar, bad).is_err(), "{grammar}");
            let abi = language(grammar).expect("listed").abi_version();
            assert!((13..=15).contains(&abi), "{grammar}: {abi}");
        }
    }

    #[test]
    fn shows_the_place_in_characters() {
        let problems = check("python", "x = 'é'; y = )\n").expect_err("a stray bracket");
        assert_eq!((problems[0].line, problems[0].column), (1, 14), "{problems:?}");
        assert!(check("klingon", "").expect_err("unknown")[0].message.contains("no grammar named 'klingon'"));
    }
}
