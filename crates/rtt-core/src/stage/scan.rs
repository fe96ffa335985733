//! Stage 10: manifests → `.rtt/cache/registry.json`.
