//! Stage 30: registry and dependencies → `.rtt/drivers/` and `.rtt/cache/connectors.json`.
