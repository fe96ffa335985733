//! Policy: access rules, quality of service, pins, failover; their older forms and their matching.
//!
//! Every rule keeps the JSON pointer of its place in `.rtt/policy.json`, so that what it forbids can be shown there.

mod index;
mod pattern;
mod read;

pub use index::Index;
pub use pattern::{InvalidPattern, Pattern};
pub(crate) use read::qos_of;
pub use read::{POLICY_RULE, parse, read, target};

use crate::diagnostic::Place;
use crate::digest::Digest;
use crate::lane::Lane;
use crate::manifest::Qos;
use crate::symbol::SymbolRange;
use crate::workspace::layout;

/// The policy in its canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Who may call whom; `None`: all is allowed.
    pub acl: Option<Acl>,
    /// Quality of service; the first that matches a route counts.
    pub qos: Vec<QosRule>,
    /// Fixed decisions; all that match hold.
    pub pins: Vec<Pin>,
    /// Alternates; the first that matches a route counts.
    pub failover: Vec<FailoverRule>,
    /// How many different trusted signers a plan needs, at least 1.
    pub threshold: usize,
    /// SHA-256 of the file's bytes, of nothing if there is none.
    pub digest: Digest,
    text: String,
}

/// Access rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Acl {
    /// What holds where no rule matches.
    pub default: Effect,
    /// The rules; deny beats allow.
    pub rules: Vec<AclRule>,
    /// Where the default is said, or the rules are.
    pub pointer: String,
}

/// What an access rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Permits.
    Allow,
    /// Forbids.
    Deny,
}

/// One access rule.
#[derive(Debug, Clone, PartialEq)]
pub struct AclRule {
    /// What it does.
    pub effect: Effect,
    /// Who calls.
    pub from: Pattern,
    /// Who is called.
    pub to: Pattern,
    /// On which lanes; `None`: all.
    pub via: Option<Vec<Lane>>,
    /// Its place.
    pub pointer: String,
}

/// Bounds of routes.
#[derive(Debug, Clone, PartialEq)]
pub struct QosRule {
    /// Who calls.
    pub from: Pattern,
    /// Who is called.
    pub to: Pattern,
    /// The bounds; what is not said is left to the route and the manifests.
    pub qos: Qos,
    /// A violated bound makes a plan infeasible.
    pub strict: bool,
    /// Weight of a violation, at least 1.
    pub priority: i64,
    /// Its place.
    pub pointer: String,
}

/// A fixed decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Pin {
    /// Where agents run.
    Agent {
        /// Which.
        agent: Pattern,
        /// On which host; `None`: any.
        host: Option<String>,
        /// On the node of which id; `None`: any.
        numa_node: Option<u32>,
        /// Its place.
        pointer: String,
    },
    /// How routes are served.
    Route {
        /// Who calls.
        from: Pattern,
        /// Who is called.
        to: Pattern,
        /// By which lane; `None`: any.
        via: Option<Lane>,
        /// By which target; `None`: any.
        target: Option<SymbolRange>,
        /// Its place.
        pointer: String,
    },
}

/// Alternates of routes.
#[derive(Debug, Clone, PartialEq)]
pub struct FailoverRule {
    /// Who calls.
    pub from: Pattern,
    /// Who is called.
    pub to: Pattern,
    /// Who may stand in.
    pub alternates: Vec<SymbolRange>,
    /// How far an independent backup is from the primary.
    pub spread: Spread,
    /// A plan without an independent backup is infeasible.
    pub required: bool,
    /// Its place.
    pub pointer: String,
}

/// How far an independent backup is from the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// On another NUMA node.
    Numa,
    /// On another host.
    Host,
}

/// The answer to "may it call?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access<'a> {
    /// Yes.
    Allowed,
    /// No, by the rule or the default at this pointer.
    Denied(&'a str),
}

impl Policy {
    /// Allows everything, asks for nothing.
    pub fn none() -> Self {
        Self {
            acl: None,
            qos: Vec::new(),
            pins: Vec::new(),
            failover: Vec::new(),
            threshold: 1,
            digest: Digest::of_bytes(""),
            text: String::new(),
        }
    }

    /// Returns a rule's place with line and column. A rule that was supposed on the command line has its option there,
    /// which no JSON pointer looks like.
    pub fn place(&self, pointer: &str) -> Place {
        if pointer.starts_with('-') {
            return Place::file(pointer);
        }
        Place::value(layout::POLICY, &self.text, pointer)
    }
}

#[cfg(test)]
mod tests;
