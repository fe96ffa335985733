//! One requirement against one instance.

use super::report::Refusal;
use crate::contract::{self, Term};
use crate::manifest::Requirement;
use crate::registry::Instance;
use crate::stage::Verdict;
use crate::text;

/// A term of a requirement that an instance does not meet, or is not known to meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The verdict that it leads to.
    pub(super) class: Verdict,
    /// False: not known; the instance is taken with a warning.
    pub(super) certain: bool,
    /// JSON pointer into the requirement.
    pub(super) pointer: String,
    /// What is wrong, as a clause about the instance.
    pub(super) message: String,
}

/// Tells whether an instance meets a requirement's protocol, methods and capabilities.
///
/// Symbol and version are not looked at: failover alternates have others. Terms that cannot be decided count as met.
///
/// # Errors
/// The refusal, with every reason.
pub fn accepts(requirement: &Requirement, instance: &Instance) -> Result<(), Refusal> {
    let certain: Vec<Fault> = faults(requirement, instance).into_iter().filter(|fault| fault.certain).collect();
    if certain.is_empty() { Ok(()) } else { Err(Refusal { instance: instance.id(), reason: sentence(&certain) }) }
}

/// Returns every term that is not met, protocol first.
pub(super) fn faults(requirement: &Requirement, instance: &Instance) -> Vec<Fault> {
    let offered = &instance.manifest.provides;
    let mut found: Vec<Fault> = contract::satisfies(offered, requirement)
        .into_iter()
        .map(|mismatch| Fault {
            class: Verdict::ProtocolMismatch,
            certain: mismatch.certain,
            pointer: mismatch.pointer,
            message: match mismatch.term {
                Term::Protocol => mismatch.message,
                Term::Method(_) if mismatch.message.starts_with("has ") => mismatch.message,
                Term::Method(_) => format!("does not fit: {}", mismatch.message),
            },
        })
        .collect();
    for (index, wanted) in requirement.capabilities.iter().enumerate() {
        if offered.capabilities.iter().any(|capability| covers(capability, wanted)) {
            continue;
        }
        let near = text::nearest(wanted, offered.capabilities.iter().map(String::as_str));
        let offers = match (near, offered.capabilities.as_slice()) {
            (Some(near), _) => format!("did you mean '{near}'?"),
            (None, []) => "it offers none".to_owned(),
            (None, all) => format!("it offers {}", all.join(", ")),
        };
        found.push(Fault {
            class: Verdict::CapabilityMissing,
            certain: true,
            pointer: format!("/capabilities/{index}"),
            message: format!("does not offer the capability '{wanted}'; {offers}"),
        });
    }
    found
}

/// Tells whether who offers one capability thereby offers another.
///
/// Capabilities are names with segments between dots. A name offers itself alone: `token` says nothing of `token.verify`.
/// A whole hierarchy is offered by a last segment `*`, which stands for one or more segments, or `**`, which stands for
/// any number, also none: `token.*` offers `token.verify` and `token.verify.fast`, `token.**` offers `token` too, and `*`
/// everything. Elsewhere in a name an asterisk is a letter. A required wildcard asks for all that it stands for.
fn covers(offered: &str, required: &str) -> bool {
    if offered == required {
        return true;
    }
    let (above, last) = offered.rsplit_once('.').unwrap_or(("", offered));
    let includes_itself = last == "**";
    if !includes_itself && last != "*" {
        return false;
    }
    if above.is_empty() {
        return includes_itself || required != "**";
    }
    match required.strip_prefix(above) {
        Some("") => includes_itself,
        Some(below) => below.starts_with('.') && below != "." && (includes_itself || below != ".**"),
        None => false,
    }
}

/// Joins the reasons of a refusal.
pub(super) fn sentence(faults: &[Fault]) -> String {
    faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_last_asterisk_offers_what_lies_below() {
        for (offered, required, expected) in [
            ("token.verify", "token.verify", true),
            ("token", "token.verify", false),
            ("token.verify", "token", false),
            ("token.*", "token.verify", true),
            ("token.*", "token.verify.fast", true),
            ("token.*", "token", false),
            ("token.*", "tokens.verify", false),
            ("token.*", "token.", false),
            ("token.**", "token", true),
            ("token.**", "token.verify.fast", true),
            ("token.**", "tokens", false),
            ("*", "token.verify", true),
            ("**", "token", true),
            ("tok*", "token", false),
            ("*.verify", "token.verify", false),
            // A required wildcard asks for all that it stands for.
            ("token.*", "token.*", true),
            ("token.*", "token.verify.*", true),
            ("token.*", "token.**", false),
            ("token.**", "token.*", true),
            ("*", "**", false),
            ("token.verify", "token.*", false),
        ] {
            assert_eq!(covers(offered, required), expected, "{offered} for {required}");
        }
    }
}
