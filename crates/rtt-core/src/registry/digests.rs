//! What the registry's digests cover.
//!
//! Each is the SHA-256 of a compact JSON text whose members stand in a fixed order, absent ones left out; a part that has
//! a digest of its own (a method's schemas, an interface's methods) is there by that digest. So a digest changes with
//! the meaning of what it covers, and neither with layout nor with the order of members.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::manifest::{
    Endpoint, Manifest, Method, MethodError, Protocol, ProtocolRequest, Qos, Requirement, Resources, SchemaText,
};

/// Returns the digest of each method: its description, schemas and errors.
pub fn of_methods(methods: &BTreeMap<String, Method>) -> BTreeMap<String, Digest> {
    methods.iter().map(|(name, method)| (name.clone(), of_method(method))).collect()
}

fn of_method(method: &Method) -> Digest {
    #[derive(Serialize)]
    struct Covered<'a> {
        description: &'a str,
        params: Option<Digest>,
        result: Option<Digest>,
        errors: &'a [MethodError],
    }
    let Method { description, params, result, errors } = method;
    let digest = |schema: &Option<SchemaText>| schema.as_ref().map(SchemaText::digest);
    of(&Covered { description, params: digest(params), result: digest(result), errors })
}

/// Returns the digest of an interface: the protocol and the methods, given these digests.
pub fn of_interface(manifest: &Manifest, methods: &BTreeMap<String, Digest>) -> Digest {
    #[derive(Serialize)]
    struct Covered<'a> {
        protocol: &'a Option<Protocol>,
        methods: &'a BTreeMap<String, Digest>,
    }
    of(&Covered { protocol: &manifest.provides.protocol, methods })
}

/// Returns the digest of a manifest, given that of its interface.
pub fn of_manifest(manifest: &Manifest, interface: Digest) -> Digest {
    #[derive(Serialize)]
    struct Covered<'a> {
        symbol: &'a str,
        version: String,
        description: &'a str,
        language: &'a Option<String>,
        interface: Digest,
        lanes: &'a [crate::lane::Lane],
        capabilities: &'a [String],
        requires: Vec<CoveredRequirement<'a>>,
        qos: Qos,
        resources: Resources,
        endpoint: &'a Endpoint,
        singleton: bool,
        metadata: Option<Digest>,
    }
    let has_metadata = !manifest.metadata.is_empty();
    of(&Covered {
        symbol: manifest.symbol.as_str(),
        version: manifest.version.to_string(),
        description: &manifest.description,
        language: &manifest.language,
        interface,
        lanes: &manifest.provides.lanes,
        capabilities: &manifest.provides.capabilities,
        requires: manifest.requires.iter().map(CoveredRequirement::of).collect(),
        qos: manifest.qos,
        resources: manifest.resources,
        endpoint: &manifest.endpoint,
        singleton: manifest.singleton,
        metadata: has_metadata.then(|| Digest::of_json(&Value::Object(manifest.metadata.clone()))),
    })
}

#[derive(Serialize)]
struct CoveredRequirement<'a> {
    symbol: &'a str,
    version: &'a str,
    protocol: &'a Option<ProtocolRequest>,
    capabilities: &'a [String],
    methods: BTreeMap<String, Digest>,
    optional: bool,
}

impl<'a> CoveredRequirement<'a> {
    fn of(requirement: &'a Requirement) -> Self {
        Self {
            symbol: requirement.symbol.as_str(),
            version: requirement.version.as_str(),
            protocol: &requirement.protocol,
            capabilities: &requirement.capabilities,
            methods: of_methods(&requirement.methods),
            optional: requirement.optional,
        }
    }
}

fn of(covered: &impl Serialize) -> Digest {
    Digest::of_bytes(serde_json::to_vec(covered).expect("string keys and finite numbers"))
}
