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
        if offered.capabilities.contains(wanted) {
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

/// Joins the reasons of a refusal.
pub(super) fn sentence(faults: &[Fault]) -> String {
    faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("; ")
}
