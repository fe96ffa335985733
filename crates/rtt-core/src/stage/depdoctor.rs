//! Stage 20: the registry → `.rtt/cache/dependencies.json`.
