//! A finding of stage 20, and what makes it the same finding tomorrow.

use std::fmt;

use super::suggest::Edit;
use crate::diagnostic::Diagnostic;
use crate::stage::Verdict;
use crate::symbol::{InstanceId, Symbol};

/// One finding and the verdict that it leads to where it is an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which of stage 20's verdicts.
    pub class: Verdict,
    /// The instance that requires; `None` where several do.
    pub instance: Option<InstanceId>,
    /// The symbol in question; `None` where it is about the whole registry.
    pub symbol: Option<Symbol>,
    /// The requirements in question, by their positions among the edges, in order.
    pub edges: Vec<usize>,
    /// JSON pointer into the requirement; empty where it is about more than one part of it.
    pub(super) part: String,
    /// The finding.
    pub diagnostic: Diagnostic,
    /// A change of one manifest that repairs it, checked.
    pub edit: Option<Edit>,
}

impl Finding {
    /// Joins a diagnostic with what it is about, and gives it its identity.
    pub(super) fn new(class: Verdict, about: (Option<InstanceId>, Option<Symbol>), diagnostic: Diagnostic) -> Self {
        let (instance, symbol) = about;
        let mut finding =
            Self { class, instance, symbol, edges: Vec::new(), part: String::new(), diagnostic, edit: None };
        finding.diagnostic.identity = Some(finding.identity().to_string());
        finding
    }

    /// Returns what makes it the same finding when lines move and words change.
    pub fn identity(&self) -> Identity {
        Identity { rule: self.diagnostic.rule.to_owned(), instance: self.instance.clone(), symbol: self.symbol.clone() }
    }
}

/// Rule, instance and symbol of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The rule.
    pub rule: String,
    /// The instance that requires.
    pub instance: Option<InstanceId>,
    /// The symbol in question.
    pub symbol: Option<Symbol>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        if let Some(instance) = &self.instance {
            write!(f, " of {instance}")?;
        }
        if let Some(symbol) = &self.symbol {
            write!(f, " about {symbol}")?;
        }
        Ok(())
    }
}
