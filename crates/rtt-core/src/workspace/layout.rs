//! The names of everything that the pipeline keeps, relative to the root. No other module spells them.

/// The state folder, by which a root is recognised.
pub const STATE: &str = ".rtt";
/// Caches and the state that stages hand on.
pub const CACHE: &str = ".rtt/cache";
/// Transactions of stage 50.
pub const WAL: &str = ".rtt/wal";
/// Bytes that transactions switch, by their SHA-256.
pub const WAL_OBJECTS: &str = ".rtt/wal/objects";
/// Names the last transaction that ended.
pub const WAL_HEAD: &str = ".rtt/wal/head.json";
/// Stands for the transactions that were pruned.
pub const WAL_CHECKPOINT: &str = ".rtt/wal/checkpoint.json";
/// Unix sockets of running agents.
pub const SOCKETS: &str = ".rtt/sockets";
/// Manifests written by tools.
pub const MANIFESTS: &str = ".rtt/manifests";
/// Pinned definitions of the tools of MCP servers.
pub const MCP_PINS: &str = ".rtt/registry/mcp-pins.json";
/// Serialises those who pin.
pub const MCP_PINS_LOCK: &str = ".rtt/registry/mcp-pins.lock";
/// Generated connectors.
pub const DRIVERS: &str = ".rtt/drivers";
/// Figures measured on this machine.
pub const TUNED: &str = ".rtt/tuned";
/// Flight records and metrics.
pub const TELEMETRY: &str = ".rtt/telemetry";
/// Signing and trusted keys.
pub const KEYS: &str = ".rtt/registry/trust/keys";
/// The list of keys that are trusted no more.
pub const REVOKED: &str = ".rtt/registry/trust/keys/revoked.json";
/// Serialises whoever changes keys or adds signatures.
pub const TRUST_LOCK: &str = ".rtt/registry/trust/trust.lock";
/// The private signing key.
pub const PRIVATE_KEY: &str = ".rtt/registry/trust/keys/signer.priv";
/// The signing key's public half.
pub const PUBLIC_KEY: &str = ".rtt/registry/trust/keys/signer.pub";
/// Keeps secrets, sockets and caches out of commits.
pub const GITIGNORE: &str = ".rtt/.gitignore";
/// Desired routes and, after an apply, their status.
pub const ROUTES: &str = ".rtt/routes.json";
/// Policy constraints.
pub const POLICY: &str = ".rtt/policy.json";
/// Findings of stage 20 that are ignored, and its baseline.
pub const DEPDOCTOR: &str = ".rtt/depdoctor.json";
/// Hosts, nodes and links; if absent, the machine's own topology is used.
pub const TOPOLOGY: &str = ".rtt/topology.json";
/// Measured lane figures.
pub const LANES: &str = ".rtt/tuned/lanes.json";
/// Output of stage 10.
pub const REGISTRY: &str = ".rtt/cache/registry.json";
/// What stage 10 remembers of the files that it read, on this machine.
pub const SCAN_INDEX: &str = ".rtt/cache/scan.index";
/// Output of stage 20.
pub const DEPENDENCIES: &str = ".rtt/cache/dependencies.json";
/// What stage 40 remembers of its searches.
pub const SOLVER_CACHE: &str = ".rtt/cache/solver.json";
/// Index of stage 30's output.
pub const CONNECTORS: &str = ".rtt/cache/connectors.json";
/// Content-addressed objects, by their SHA-256.
pub const OBJECTS: &str = ".rtt/registry/cas/sha256";
/// Which object each `name@version` is.
pub const STORE_INDEX: &str = ".rtt/registry/index.json";
/// Serialises writers of the store.
pub const STORE_LOCK: &str = ".rtt/registry/store.lock";
/// The lock that serialises applies.
pub const APPLY_LOCK: &str = ".rtt/apply.lock";
/// Who holds the apply lock.
pub const APPLY_HOLDER: &str = ".rtt/apply.lock.json";
/// Flight records, one JSON object a line.
pub const FLIGHT: &str = ".rtt/telemetry/flight.ndjson";
/// Serialises writers of flight records.
pub const FLIGHT_LOCK: &str = ".rtt/telemetry/flight.lock";
/// The newest record of each stage and how often it ran, from which metrics are made.
pub const NEWEST: &str = ".rtt/telemetry/newest.json";
/// Metrics in Prometheus text format.
pub const METRICS: &str = ".rtt/telemetry/rtt.prom";
/// Plans.
pub const PLANS: &str = "plans";
/// Names the newest plan: a symlink, or after a transport that knows none, a file with its name or its content.
pub const LATEST: &str = "plans/LATEST";
/// The plan that was applied last.
pub const LAST_APPLIED: &str = "plans/last_applied.json";
/// Agent manifests, `**/*.agent.json`.
pub const AGENTS: &str = "agents";
/// Provider configurations, `**/*.json`.
pub const PROVIDERS: &str = "providers";
/// Templates that win over the embedded ones.
pub const STUBS: &str = "stubs";

/// Every folder that bootstrap creates, parents first; the mission's six come first.
pub const FOLDERS: [&str; 12] = [
    STATE,
    CACHE,
    WAL,
    SOCKETS,
    MANIFESTS,
    DRIVERS,
    TUNED,
    TELEMETRY,
    ".rtt/registry",
    ".rtt/registry/trust",
    KEYS,
    PLANS,
];

/// Returns the path of a plan by the first 16 hex digits of its id.
pub fn plan_file(id_prefix: &str) -> String {
    format!("{PLANS}/{id_prefix}.plan.json")
}

/// Returns the path of a transaction's log entry; 20 digits, so that names sort by sequence.
pub fn wal_entry(sequence: u64) -> String {
    format!("{WAL}/{sequence:020}.wal.json")
}

/// Returns the path of bytes that a transaction switches, by the hex digits of their SHA-256.
pub fn wal_object(hex: &str) -> String {
    format!("{WAL_OBJECTS}/{hex}")
}

/// Returns the path of a flight recorder file; 0 is the current one, higher numbers are older.
pub fn flight_file(number: usize) -> String {
    if number == 0 { FLIGHT.to_owned() } else { format!("{TELEMETRY}/flight.{number}.ndjson") }
}

/// Returns the path of the Code Quality report that GitLab shows.
pub fn code_quality(stage: &str) -> String {
    format!("{CACHE}/codequality-{stage}.json")
}
