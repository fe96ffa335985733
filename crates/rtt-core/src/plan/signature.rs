//! Signing plans, and the proof that a plan was signed.

use std::ops::Deref;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Plan;
use super::identity::{identity, identity_of, signed_bytes, signed_bytes_of};
use crate::clock;
use crate::digest::Digest;
use crate::json::canonical::ExactMembers;
use crate::json::{self, ParseError};
use crate::schema::Schema;
use crate::threads::both;
use crate::trust::signature::{self, Refusal, Signature};
use crate::trust::{KeyId, PrivateKey, TrustStore};
use crate::workspace::state::{self, StateError};

/// Gives a plan its id.
pub fn identify(plan: &mut Plan) {
    plan.plan_id = identity(&document(plan));
}

/// Signs a plan whose id and timestamp are set; a previous signature is replaced.
pub fn sign(plan: &mut Plan, key: &PrivateKey) {
    plan.signature = Some(Signature::of(&signed_bytes(&document(plan)), key).to_string());
}

fn document(plan: &Plan) -> Value {
    serde_json::to_value(plan).expect("a plan has string keys and finite numbers")
}

/// A document that says it is a plan, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    text: String,
    /// Made from the text, as `typed` is: so what was verified is what is typed.
    members: ExactMembers,
    /// None if it is no plan, or only the thorough reader can tell.
    typed: Option<Plan>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(bytes: Vec<u8>) -> Result<Self, Unreadable> {
        Self::read_and(bytes, |_| ()).map(|(document, ())| document)
    }

    /// Reads a document and looks at its members, while it is being typed.
    fn read_and<T: Send>(bytes: Vec<u8>, look: impl Fn(&ExactMembers) -> T + Sync) -> Result<(Self, T), Unreadable> {
        let text = String::from_utf8(bytes).map_err(|error| Unreadable::of(error.into_bytes()))?;
        let looked = |members: ExactMembers| {
            let found = look(&members);
            (members, found)
        };
        let (read, typed) = both(|| ExactMembers::read(&text).map(looked), || Plan::accept(&text));
        let (members, found) = match read {
            Some(read) => read,
            None => match json::parse_state(text.as_bytes()) {
                Ok(value) => looked(ExactMembers::of(&value)),
                Err(error) => return Err(Unreadable { bytes: text.into_bytes(), error }),
            },
        };
        Ok((Self { text, members, typed }, found))
    }

    /// Takes a document that was read.
    pub fn of(value: &Value) -> Self {
        Self { text: value.to_string(), members: ExactMembers::of(value), typed: None }
    }

    /// Returns the plan that it is at first sight, trusted or not.
    pub fn plan(&self) -> Option<&Plan> {
        self.typed.as_ref()
    }

    /// Returns its identity, whatever it says that it is.
    pub fn identity(&self) -> Digest {
        identity_of(&self.members)
    }
}

/// Bytes that are no JSON, or JSON that readers understand differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The first thing that is wrong with them.
    pub error: ParseError,
}

impl Unreadable {
    /// Says what is wrong with bytes that are not UTF-8.
    fn of(bytes: Vec<u8>) -> Self {
        let error = json::parse_state(&bytes).expect_err("the strict parser accepts only UTF-8");
        Self { bytes, error }
    }
}

/// A plan whose id is its content's, and whose signers are known. Only this module makes one, so whoever demands it
/// cannot be handed an unverified plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified<T> {
    plan: T,
    signers: Vec<KeyId>,
}

impl<T> Verified<T> {
    /// Returns who signed, sorted; empty if the signatures were not looked at (`--no-verify`).
    pub fn signers(&self) -> &[KeyId] {
        &self.signers
    }
}

impl Verified<Document> {
    /// Types the document, and returns its text as well; `name` stands for it in messages.
    ///
    /// # Errors
    /// [`StateError::Invalid`] with line and column of everything that is not as the schema says.
    pub fn typed(self, name: &str) -> Result<(Verified<Plan>, String), StateError> {
        let Document { text, typed, .. } = self.plan;
        let plan = match typed {
            Some(plan) => plan,
            None => state::parse(name, text.as_bytes(), Schema::Plan)?.value,
        };
        Ok((Verified { plan, signers: self.signers }, text))
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.plan
    }
}

/// Verifies a plan document's id and its signatures: at least `threshold` (and never fewer than one) different trusted
/// signers. Needs nothing of a plan's form, so whatever was changed in it is first of all found to be changed.
///
/// # Errors
/// [`VerifyError`]; a signature that is wrong is an error even where enough others are right, because something
/// changed that should not have.
pub fn verify(document: Document, trust: &TrustStore, threshold: usize) -> Result<Verified<Document>, VerifyError> {
    let signers = signers(&document, trust, threshold)?;
    Ok(Verified { plan: document, signers })
}

/// Reads a plan document and verifies it, as [`verify`] does.
///
/// # Errors
/// [`Unreadable`].
pub fn read_verified(
    bytes: Vec<u8>,
    trust: &TrustStore,
    threshold: usize,
) -> Result<Result<Verified<Document>, VerifyError>, Unreadable> {
    let (document, signers) = Document::read_and(bytes, |members| signers_of(members, trust, threshold))?;
    Ok(signers.map(|signers| Verified { plan: document, signers }))
}

/// Returns who signed a document, sorted, if it would be verified.
///
/// # Errors
/// As [`verify`].
pub fn signers(document: &Document, trust: &TrustStore, threshold: usize) -> Result<Vec<KeyId>, VerifyError> {
    signers_of(&document.members, trust, threshold)
}

fn signers_of(members: &ExactMembers, trust: &TrustStore, threshold: usize) -> Result<Vec<KeyId>, VerifyError> {
    check_identity(members)?;
    let signatures = signatures_of(|name| members.get(name));
    let signers = signature::verify(&signed_bytes_of(members), signatures, trust, threshold)?;
    Ok(signers.into_iter().collect())
}

/// Returns the bytes that a plan document's signatures cover, if its id is its content's.
///
/// # Errors
/// [`VerifyError::Identity`].
pub fn identified_bytes(document: &Value) -> Result<Vec<u8>, VerifyError> {
    let members = ExactMembers::of(document);
    check_identity(&members)?;
    Ok(signed_bytes_of(&members))
}

/// Returns the signature and the cosignatures of a document, whose members `member` looks up; `None` stands for one that
/// cannot be read.
pub fn signatures_of(member: impl Fn(&str) -> Option<Value>) -> impl Iterator<Item = Option<Signature>> {
    let cosignatures = match member("cosignatures") {
        Some(Value::Array(cosignatures)) => cosignatures,
        _ => Vec::new(),
    };
    member("signature").into_iter().chain(cosignatures).map(|text| text.as_str()?.parse().ok())
}

/// How far a signer's clock may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// Refuses a verified plan whose signed timestamp is older than policy allows, or not yet come.
///
/// # Errors
/// [`VerifyError::Expired`].
pub fn check_age(
    plan: Verified<Document>,
    now: SystemTime,
    max_age: Duration,
) -> Result<Verified<Document>, VerifyError> {
    let stated = text_of(&plan.members, "timestamp");
    let made = clock::parse_rfc3339(&stated);
    let is_fresh = made.is_some_and(|made| match now.duration_since(made) {
        Ok(age) => age <= max_age,
        Err(ahead) => ahead.duration() <= CLOCK_SKEW,
    });
    if is_fresh { Ok(plan) } else { Err(VerifyError::Expired { stated, max_age }) }
}

/// Accepts a plan document whatever its signatures say (`--no-verify`); its id must still be its content's.
///
/// # Errors
/// [`VerifyError::Identity`].
pub fn accept_unverified(document: Document) -> Result<Verified<Document>, VerifyError> {
    check_identity(&document.members)?;
    Ok(Verified { plan: document, signers: Vec::new() })
}

fn check_identity(document: &ExactMembers) -> Result<(), VerifyError> {
    let computed = identity_of(document);
    let stated = text_of(document, "plan_id");
    if computed.to_string() == stated { Ok(()) } else { Err(VerifyError::Identity { stated, computed }) }
}

fn text_of(document: &ExactMembers, name: &str) -> String {
    match document.get(name) {
        Some(Value::String(text)) => text,
        _ => "nothing".to_owned(),
    }
}

/// Why a plan may not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The plan was changed after it was made.
    #[error("the plan says that it is {stated}, but its content is {computed}: it was changed after it was made")]
    Identity {
        /// Its `plan_id`.
        stated: String,
        /// What its content gives.
        computed: Digest,
    },
    /// Its signatures do not make it trusted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Older than policy allows, or made in the future.
    #[error("the plan was made at {stated}, and policy trusts a plan for {} s (trust.max_age_seconds)", max_age.as_secs())]
    Expired {
        /// Its timestamp.
        stated: String,
        /// How old it may be.
        max_age: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Base, PlanStatus};

    fn plan() -> Plan {
        let digest = Digest::of_bytes("");
        let mut plan = Plan {
            version: "1.0.0".to_owned(),
            plan_id: digest,
            timestamp: "2025-10-27T12:00:00Z".to_owned(),
            base: Base {
                generation: 0,
                routes: digest,
                policy: digest,
                registry: digest,
                connectors: digest,
                topology: digest,
                lanes: digest,
                solver: "test".to_owned(),
            },
            placement: Vec::new(),
            routes: Vec::new(),
            objective: Vec::new(),
            status: PlanStatus::Optimal,
            signature: None,
            cosignatures: Vec::new(),
        };
        identify(&mut plan);
        plan
    }

    fn check(change: impl FnOnce(&mut Plan), threshold: usize, expected: &str) {
        let [key, other, stranger] = [(); 3].map(|()| PrivateKey::generate().expect("random numbers"));
        let trust = TrustStore::of([key.public(), other.public()]);
        let mut plan = plan();
        let mut cosigned = plan.clone();
        sign(&mut cosigned, &other);
        sign(&mut plan, &key);
        plan.cosignatures.extend(cosigned.signature);
        change(&mut plan);
        if plan.timestamp == "stranger" {
            sign(&mut plan, &stranger);
        }
        let found = match verify(Document::of(&document(&plan)), &trust, threshold) {
            Ok(verified) => format!("signers: {}", verified.signers().len()),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn an_age_limit_refuses_old_and_future_plans() {
        let made = clock::parse_rfc3339("2025-10-27T12:00:00Z").expect("a time");
        let check = |now: SystemTime| {
            let verified = accept_unverified(Document::of(&document(&plan()))).expect("its own id");
            check_age(verified, now, Duration::from_secs(60)).is_ok()
        };
        assert!(check(made) && check(made + Duration::from_secs(60)));
        assert!(!check(made + Duration::from_secs(61)));
        assert!(check(made - CLOCK_SKEW) && !check(made - CLOCK_SKEW - Duration::from_secs(1)));
    }

    #[test]
    fn accepts_trusted_signers_and_refuses_everything_else() {
        check(|_| (), 1, "signers: 2");
        check(|plan| plan.cosignatures.clear(), 1, "signers: 1");
        check(|plan| plan.cosignatures.clear(), 2, "1 of the 2 signers");
        check(|plan| plan.cosignatures = plan.signature.iter().cloned().collect(), 2, "1 of the 2 signers");
        check(|plan| plan.base.generation = 1, 1, "changed after it was made");
        check(|plan| plan.timestamp = "2025-10-27T12:00:01Z".to_owned(), 1, "does not fit");
        check(|plan| plan.timestamp = "stranger".to_owned(), 1, "not a trusted key");
        check(|plan| (plan.signature, plan.cosignatures) = (None, Vec::new()), 1, "not signed");
        check(|plan| plan.signature = Some("ed25519:x:AA==".to_owned()), 1, "malformed");
    }
}
