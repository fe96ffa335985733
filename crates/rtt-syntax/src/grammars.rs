//! The table of grammars.
//!
//! Two grammars that define one C symbol would link, and one would silently win: never two for one language.

use tree_sitter::Language;

macro_rules! grammars {
    ($($(#[$feature:meta])* $name:literal => $language:expr,)*) => {
        /// The name of each grammar, sorted.
        pub const GRAMMARS: &[&str] = &[$($(#[$feature])* $name),*];

        /// Returns the grammar of a name.
        pub(crate) fn language(grammar: &str) -> Option<Language> {
            match grammar {
                $($(#[$feature])* $name => Some($language.into()),)*
                _ => None,
            }
        }
    };
}

grammars! {
    #[cfg(feature = "tier1")]
    "ada" => tree_sitter_ada::LANGUAGE,
    #[cfg(feature = "tier1")]
    "bash" => tree_sitter_bash::LANGUAGE,
    #[cfg(feature = "tier1")]
    "c" => tree_sitter_c::LANGUAGE,
    #[cfg(feature = "tier1")]
    "clojure" => tree_sitter_clojure_orchard::LANGUAGE,
    #[cfg(feature = "tier1")]
    "commonlisp" => tree_sitter_commonlisp::LANGUAGE_COMMONLISP,
    #[cfg(feature = "tier1")]
    "cpp" => tree_sitter_cpp::LANGUAGE,
    #[cfg(feature = "tier1")]
    "csharp" => tree_sitter_c_sharp::LANGUAGE,
    #[cfg(feature = "tier1")]
    "d" => tree_sitter_d::LANGUAGE,
    #[cfg(feature = "tier1")]
    "elixir" => tree_sitter_elixir::LANGUAGE,
    #[cfg(feature = "tier1")]
    "erlang" => tree_sitter_erlang::LANGUAGE,
    "go" => tree_sitter_go::LANGUAGE,
    #[cfg(feature = "tier1")]
    "haskell" => tree_sitter_haskell::LANGUAGE,
    #[cfg(feature = "tier1")]
    "java" => tree_sitter_java::LANGUAGE,
    "javascript" => tree_sitter_javascript::LANGUAGE,
    #[cfg(feature = "tier1")]
    "kotlin" => tree_sitter_kotlin_ng::LANGUAGE,
    #[cfg(feature = "tier1")]
    "lua" => tree_sitter_lua::LANGUAGE,
    #[cfg(feature = "tier1")]
    "ocaml" => tree_sitter_ocaml::LANGUAGE_OCAML,
    #[cfg(feature = "tier1")]
    "pascal" => tree_sitter_pascal::LANGUAGE,
    #[cfg(feature = "tier1")]
    "perl" => arborium_perl::language(),
    #[cfg(feature = "tier1")]
    "php" => tree_sitter_php::LANGUAGE_PHP,
    "python" => tree_sitter_python::LANGUAGE,
    #[cfg(feature = "tier1")]
    "r" => tree_sitter_r::LANGUAGE,
    #[cfg(feature = "tier1")]
    "ruby" => tree_sitter_ruby::LANGUAGE,
    "rust" => tree_sitter_rust::LANGUAGE,
    #[cfg(feature = "tier1")]
    "scheme" => tree_sitter_scheme::LANGUAGE,
    "typescript" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    /// Per grammar a text that it accepts, and the same with one thing broken.
    const SAMPLES: &[(&str, &str, &str)] = &[
        ("ada", "procedure A is\nbegin\n   null;\nend A;\n", "procedure A is\nbegin\n   null\nend A;\n"),
        ("bash", "f() { echo \"$1\"; }\n", "f() { echo \"$1; }\n"),
        ("c", "int f(int a) { return a; }\n", "int f(int a { return a; }\n"),
        ("clojure", "(defn f [a] (inc a))\n", "(defn f [a] (inc a)\n"),
        ("commonlisp", "(defun f (a) (1+ a))\n", "(defun f (a) (1+ a)\n"),
        ("cpp", "struct A { int b = 1; };\n", "struct A { int b = ; };\n"),
        ("csharp", "class A { int B() { return 1; } }\n", "class A { int B( { return 1; } }\n"),
        ("d", "int f(int a) { return a; }\n", "int f(int a { return a; }\n"),
        ("elixir", "defmodule A do\n  def f(a), do: a\nend\n", "defmodule A do\n  def f(a, do: a\nend\n"),
        ("erlang", "-module(a).\nf(A) -> A.\n", "-module(a).\nf(A -> A.\n"),
        ("go", "package a\n\nfunc F() {}\n", "package a\n\nfunc F( {}\n"),
        ("haskell", "module A where\n\nf :: Int -> Int\nf a = a\n", "module A where\n\nf :: Int -> Int\nf a = (a\n"),
        ("java", "class A { int b() { return 1; } }\n", "class A { int b( { return 1; } }\n"),
        ("javascript", "const a = () => 1;\n", "const a = ( => 1;\n"),
        ("kotlin", "class A {\n    fun b(): Int = 1\n}\n", "class A {\n    fun b(: Int = 1\n}\n"),
        ("lua", "local function f(a) return a end\n", "local function f(a return a end\n"),
        ("ocaml", "let f a = a + 1\n", "let f a = (a + 1\n"),
        (
            "pascal",
            "unit A;\ninterface\nimplementation\nend.\n",
            "unit A;\ninterface\nimplementation\nvar begin end.\n",
        ),
        ("perl", "sub f { return $_[0] + 1; }\n", "sub f { return $_[0 + 1; }\n"),
        ("php", "<?php\nfunction f($a) { return $a; }\n", "<?php\nfunction f($a { return $a; }\n"),
        ("python", "def f():\n    return 1\n", "def f(:\n    return 1\n"),
        ("r", "f <- function(a) { a + 1 }\n", "f <- function(a { a + 1 }\n"),
        ("ruby", "def f(a)\n  a\nend\n", "def f(a\n  a\nend\n"),
        ("rust", "fn f() {}\n", "fn f() {\n"),
        ("scheme", "(define (f a) (+ a 1))\n", "(define (f a) (+ a 1)\n"),
        ("typescript", "interface A { b?: string }\n", "interface A { b?: }\n"),
    ];

    #[test]
    fn every_grammar_loads_and_tells_good_from_bad() {
        for grammar in GRAMMARS {
            let (_, good, bad) = SAMPLES.iter().find(|(name, ..)| name == grammar).expect("each has a sample");
            assert_eq!(check(grammar, good), Ok(()), "{grammar}");
            assert!(check(grammar, bad).is_err(), "{grammar}");
            let abi = language(grammar).expect("listed").abi_version();
            assert!((13..=15).contains(&abi), "{grammar}: {abi}");
        }
        assert!(GRAMMARS.is_sorted());
    }
}
